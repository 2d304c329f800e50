// Package stage drives a cluster by hand. Nothing moves by itself: a test fires
// timers, delivers and drops messages, syncs disks and crashes nodes, one at a time,
// while the protocol's invariants and the durability oracle watch. It is for the tests
// that follow one rule of a paper through one order of events; package protocoltest
// tries many orders, and package sim a whole world.
//
// A protocol's own tests embed a [Stage] and add what is theirs: how a node is elected,
// what its roles and timers are called.
package stage
