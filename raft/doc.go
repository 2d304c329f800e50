// Package raft is the Raft consensus protocol as a step function.
//
// Paper: Diego Ongaro, Consensus: Bridging Theory and Practice, dissertation,
// Stanford 2014 (cited as §n); Ongaro and Ousterhout, In Search of an
// Understandable Consensus Algorithm, USENIX ATC 2014.
//
// # How to read it
//
// [Node.Step] in raft.go is the table of contents: one handler per message,
// timer and request. The only ways to change role are becomeFollower,
// becomePreCandidate, becomeCandidate and becomeLeader, also there. election.go
// holds votes, replication.go the log, heartbeat.go the leader's beat and its
// check of its quorum, read.go reads and leases, follower_read.go reads at followers,
// client.go what clients ask, snapshot.go compaction, configuration.go and
// membership.go who is in the cluster, transfer.go the hand-over of leadership.
// messages.go and records.go say what is on the wire and on the disk.
// invariants.go watches all nodes, from outside.
//
// # In
//
//   - Leader election with randomised timeouts (§3.4), PreVote (§9.6) and
//     CheckQuorum (§6.2), both on by default.
//   - Log replication (§3.5) with conflict hints, batches and a window of
//     AppendEntries in flight (§10.2); the leader writes to its disk in parallel
//     with sending (§10.2.1) and counts itself only when its own write is durable.
//   - The commit rule of the current term and a no-op at its start (§3.6, §6.4).
//   - Client sessions: exactly once per (client, seq) (§6.3).
//   - Linearizable reads by ReadIndex (§6.4), by a lease with a stated clock
//     bound (§6.4.1), or through the log; local reads, which are not linearizable.
//   - Reads at followers (§6.4).
//   - Followers answer Follow commands from their committed log.
//   - Snapshots and compaction, InstallSnapshot in chunks (§5.1).
//   - Membership changes by joint consensus (§4.3) or one server at a time (§4.1),
//     learners (§4.2.1); servers that lost their disk come back by one.
//   - Leadership transfer (§3.10).
//   - Session expiry by the log (§6.3).
//
// # Out
//
// Other ways to compact (§5.3, §5.4). Registration of clients: they have fixed ids.
//
// # Durability
//
// What a message claims about the sender's disk is sent with [protocols.Send]
// after [protocols.Persist], so it leaves when that is durable: requests and
// grants of votes, and acknowledgements of AppendEntries, the leader's own
// included, which it sends to itself. Everything else leaves at once, and a
// comment at the call says why that is safe.
//
// A disk may lose what it never reported durable: a torn last record is
// dropped. A corrupt or missing record is refused at boot with an error, since
// behind it there may have been a vote or an acknowledged entry
// (Alagappan et al., FAST 2018). After a failed write or fsync the node falls
// silent until it is restarted: what its memory holds can then no longer be
// trusted to be on its disk. After its disk was wiped a node counts for nothing until
// the members have removed it and added it with its new disk.
//
// # Deviations
//
// Each is marked "Deviation:" where it happens.
//
//   - A heartbeat is a message of its own, not an empty AppendEntries: it says
//     nothing about the log, so a slow disk does not delay its answer.
//   - PreVote and its response are kinds of their own, not flags of RequestVote.
//   - Messages name no sender; the envelope does.
//   - AppendEntriesResponse carries the term of the entry at its match index, so
//     that the claim can be checked by the leader and by the durability oracle.
//   - InstallSnapshot counts rows of the state, not bytes, and its answer says how many
//     have come; the next chunks do not wait for it.
//   - Answers carry the number of the sender's disk.
//   - Of an expired session the number of the last request stays.
//   - A RequestVote without an answer is not sent again within an election; the
//     next election asks afresh.
//   - A higher term starts the election timer anew, whoever it comes from, and each
//     term draws once; with election_timer: heard it is as in the paper.
//   - A node that learns of a new term through a request for its vote, and grants
//     it, writes two records (new term, then vote). Each is atomic, and either
//     prefix is a state of the paper.
package raft
