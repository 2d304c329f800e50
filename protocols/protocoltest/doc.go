// Package protocoltest is the conformance suite of the contract in package
// protocols: what every protocol has to keep to, whatever its paper says.
//
//	func TestConformance(t *testing.T) { protocoltest.Run(t, myprotocol.Protocol()) }
//
// [Run] drives small clusters through a world of its own: seeded, with crashes at
// every point of a step, lost, doubled and late messages, isolated nodes and
// clients that retry. It is not a search for violations of a protocol's promises
// (package scenariotest is) but of the contract that makes such a search mean
// something:
//
//   - declared: every message, record, timer and role that is used is declared;
//     Kind is constant and works on nil pointers; Size is what [protocols.WireSize]
//     measures; views set every field, and to sane values
//   - determinism: equal events give equal effects
//   - hand-over: nothing that was sent, persisted or answered changes afterwards,
//     and no message is kept beyond its Step
//   - recovery: a node boots from every prefix of its records, whole or torn, and a
//     cluster goes on working after any crashes it says that it survives
//   - arbitrary: no message that the types allow, from whomever, and no odd request,
//     timer or operator's wish makes a node panic; what comes from outside the
//     cluster has no effect but notes
//   - agreement: no two contents are executed at one log position, also when nodes
//     restart within an epoch
//   - fork: a node that is a [protocols.Forker] forks into independent copies, and
//     its Hash misses no field
//   - log: a node that is a [protocols.LogReader] shows all that it has executed,
//     replaying it gives the node's state, and notes and answers to followers say
//     what it holds
//
// # When it fails
//
// Every failure names the check, seed, step, node and event, so that the same test
// shows it again:
//
//	mine: arbitrary: panic: runtime error: index out of range [0] with length 0
//		seed 46, 1 replicas, step 606, n1 at receive Accepted{Ballot:0} from n1
//
// Go through the checks from the top: what the later ones rest on comes first.
// Declarations that are incomplete are refused before any of them
// ([protocols.Protocol.Check]). [Replicas], [Machine] and [Parameters] choose what is
// tried, [Seeds] and [Steps] how much. Package stage drives a cluster by hand, for one
// rule in one order of events, and docs/tutorial brings a protocol here step by step.
package protocoltest
