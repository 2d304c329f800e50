// Package protocols is the contract between a replication protocol and the
// world that runs it, together with what all replicas share: the log, quorum
// arithmetic, client sessions and the state machines.
//
// A protocol is a step function. One [Event] goes in; what the replica wants
// done comes out as [Effects], in a buffer that the caller owns. A protocol
// package contains no goroutine, lock, channel, wall clock, random number, map
// iteration, I/O or logger: everything a replica knows arrives in the Event.
// That is why a run can be repeated to the byte, a crash can be a cut in a list
// of effects, and the same protocol can be driven by a simulator, a conformance
// suite or, one day, a real network.
//
// The life of one message: the world calls [Node.Step] with an Event; the node
// calls [Persist] for what must be on its disk and [Send] for what it wants to
// say; the world lets the message leave once everything persisted before the
// Send is durable. Nothing that a node says with Send can therefore claim more
// than its disk holds, whenever it crashes. [SendEarly] is the one exception.
//
// What all replicas share is here too: the log in memory ([Log]), quorum
// arithmetic ([Quorum], [CommittedIndex]), client sessions ([Sessions]), the state
// machines ([NewMachine]) and their execution exactly once per request
// ([Executor]). Package protocoltest checks that a protocol keeps to the contract.
//
// The package imports the standard library only.
package protocols
