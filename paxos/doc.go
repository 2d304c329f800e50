// Package paxos is Multi-Paxos as a step function.
//
// Papers: Leslie Lamport, Paxos Made Simple, 2001 (cited as PMS); Robbert van Renesse
// and Deniz Altinbuken, Paxos Made Moderately Complex, ACM Computing Surveys 47(3),
// 2015 (PMMC); Tushar Chandra, Robert Griesemer and Joshua Redstone, Paxos Made Live,
// PODC 2007 (PML); Heidi Howard, Dahlia Malkhi and Alexander Spiegelman, Flexible
// Paxos, OPODIS 2016.
//
// # How to read it
//
// [Node.Step] in paxos.go is the table of contents: one handler per message, timer
// and request. The only ways to change role are becomeFollower, becomeCandidate,
// becomeLeader and becomeStopped, also there. Every node is acceptor, proposer and
// learner in one. ballot.go and slots.go hold the two notions that everything speaks
// of, election.go phase 1, replication.go phase 2 and execution, heartbeat.go the
// leader's beat, read.go reads and leases, client.go what clients ask, snapshot.go
// compaction and catch-up, membership.go configurations. messages.go and records.go
// say what is on the wire and on the disk. invariants.go watches all nodes, from
// outside.
//
// # In
//
//   - Ballots of (round, node), never used twice, also across restarts (PMS §2.5).
//   - Phase 1 over all open slots at once, chosen and executed ones included; no-ops
//     in the gaps (PMS §3, PMMC §2).
//   - Phase 2 in a window of slots, accepted in any order and executed in order.
//   - A leader that writes while it proposes, or before (leader_write).
//   - A stable leader with heartbeats; acceptors that hear it ignore other candidates,
//     and it steps down when no quorum answers. Random back-off after a higher ballot.
//   - The commit index on other messages, or explicit Decide messages.
//   - Flexible quorums: q1 and q2 (Howard et al.).
//   - Client sessions: exactly once per (client, seq), also across snapshots.
//   - Linearizable reads by a quorum round, by a master lease with a stated clock bound
//     (PML §5.2), or through the log.
//   - Snapshots and compaction; catch-up by ranges of slots or by a snapshot.
//   - Reconfiguration: what is chosen in slot s governs the slots from s+alpha on, with
//     alpha the window (PMMC §4.2). One at a time.
//   - A node whose disk was lost, and which the operator boots as wiped, learns and
//     never votes again; a reconfiguration replaces it by another identity (PML §5.1
//     lets it back after a time, which is unsafe where one promise covers all slots).
//   - Followers answer Follow commands from their chosen log.
//
// # Out
//
// Learners by configuration, leadership transfer, epoch numbers for requests (PML
// §5.3), batches of commands in one slot, thrifty Accepts. A wiped node does not come
// back under its identity. Session expiry: a session lives for ever.
//
// # Durability
//
// What a message claims about the sender's disk is sent with [protocols.Send] after
// [protocols.Persist], so it leaves when that is durable: Prepare, which claims the
// proposer's promise to itself, Promise, and Accepted, the leader's own included, which
// it sends to itself. Everything else leaves at once, and a comment at the call says
// why that is safe.
//
// A snapshot holds the promise, what was accepted above it, sessions and
// configurations, and replaces everything written before. An acceptance also stores
// up to where its node had executed, so that a restart need not learn all again.
//
// A disk may lose what it never reported durable: a torn last record is dropped. A
// corrupt or missing record is refused at boot with an error, since it may have held
// a promise or an acceptance. After a failed write or fsync the node falls silent
// until it is restarted.
//
// # Deviations
//
//   - Roles are one process; PMMC separates them and lets every replica propose.
//   - A heartbeat is a message of its own; it says nothing about slots but the commit
//     index, so a slow disk does not delay its answer.
//   - An acceptor that hears a leader ignores other candidates under every way to
//     read, not only while leases are in use, so that a returning node disturbs nobody.
//   - A candidate whose Prepare was lost asks again at the same ballot.
//   - A node that was removed tells the members what it has executed until they have
//     chosen something without it: its successors may not know that they are members.
//   - After a reconfiguration the leader fills the window with no-ops, and one slot
//     more, so that the new configuration is in force at once and is seen to work.
package paxos
