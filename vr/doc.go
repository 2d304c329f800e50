// Package vr is Viewstamped Replication as a step function.
//
// Papers: Barbara Liskov and James Cowling, Viewstamped Replication Revisited,
// MIT-CSAIL-TR-2012-021, 2012 (cited as §n); Ellis Michael, Dan Ports, Naveen
// Sharma and Adriana Szekeres, Recovering Shared Objects Without Stable Storage,
// DISC 2017 (cited by name).
//
// # How to read it
//
// [Node.Step] in vr.go is the table of contents: one handler per message, timer and
// request. A replica is normal, in a view change, or recovering; it enters the first
// by becomeNormal (vr.go) and the second by startViewChange (viewchange.go).
// replication.go holds the normal case, heartbeat.go the primary's Commit messages,
// viewchange.go view changes, statetransfer.go how a replica catches up, recovery.go
// and crashvector.go how one comes back without a disk, checkpoint.go and records.go
// what is on the disk and how one comes back with it, reconfiguration.go and epoch.go
// how the members change, client.go the client table, read.go reads and leases.
// messages.go says what is on the wire. invariants.go watches all replicas, from
// outside.
//
// # Variants
//
//   - durable, the default: the view, the latest normal view and the log are on disk
//     before they are promised, and a replica recovers from its own disk. A primary
//     that restarts leaves its view: what it has sent may be ahead of its disk.
//   - diskless: the protocol of the paper. Nothing is on disk, and a replica that
//     crashed runs the recovery protocol. That is flawed: recovery forgets the
//     promise to take part in no earlier view, so that a message of a former life can
//     start a view without a committed operation (DISC 2017). The known bug V-04 is
//     this variant.
//   - crash-vectors: diskless, with the repair of DISC 2017: every replica counts the
//     incarnations of all; StartViewChange, DoViewChange, Recovery and
//     RecoveryResponse carry the counts, and what an incarnation said that is known to
//     be over counts no more.
//
// # In
//
//   - The normal case (§4.1): Prepare, cumulative PrepareOK, Commit; operations that
//     overtake others wait for them.
//   - View changes (§4.2), with StartViewChange from f others before any log is sent;
//     all messages are sent again until they are answered.
//   - Recovery with a nonce (§4.3), in the variants without a disk.
//   - The client table (§4.1): a request has one op-number, and is executed once.
//   - Checkpoints (§5.1) and state transfer (§5.2), of a suffix of the log or of the
//     last checkpoint and what follows it.
//   - Reconfiguration with epochs (§7): the last request of an epoch names the members
//     of the next; new replicas fetch the state before they take part, and old ones
//     stay until enough of them have it.
//   - Reads (§6.3): under leases of the primary with a stated clock bound, confirmed
//     by a round of Commit messages, or through the log.
//   - Replicas answer Follow commands from their committed log.
//
// # Out
//
// Witnesses (§6.1), batches of requests (§6.2), stale reads at backups (§6.3),
// application state that is fetched in parts (§5.1). Clients have no CHECKEPOCH (§7.3):
// a refusal tells them whom to ask.
//
// # Durability
//
// In the durable variant, what a message claims about the sender's disk is sent with
// [protocols.Send] after [protocols.Persist], so it leaves when that is durable:
// StartViewChange, DoViewChange, EpochStarted, and PrepareOK, the primary's own
// included, which it sends to itself. Everything else leaves at once, and a comment at the call says
// why that is safe. The other variants write nothing, and claim nothing.
//
// A disk may lose what it never reported durable: a torn last record is dropped. A
// corrupt or missing record is refused at boot with an error, since behind it there
// may have been a promise or an acknowledged operation. After a failed write or
// fsync the replica falls silent until it is restarted. A wiped disk is outside the
// model of the durable variant. Without disks at most f replicas may be down or
// recovering at once; more, and those that are left wait for an operator.
//
// # Deviations
//
// Each is marked "Deviation:" where it happens, or is of the text below.
//
//   - Commit is sent all the time, also when requests keep coming, and is answered by
//     CommitOK. That confirms rounds and leases, and shows the primary who lacks
//     something; it then sends the Prepare again.
//   - A primary that hears no quorum for a view timeout gives up its view, since its
//     backups may hear it and so wait for it.
//   - State transfer cuts the log when NewState is installed, in one step with taking
//     over the view, not when GetState is sent: the order in the text loses committed
//     operations (Vanlightly, analysis of VR Revisited in TLA+).
//   - DoViewChange carries the log behind the checkpoint before the last, and the last
//     checkpoint; StartView only what the quorum may lack. The paper's §5.3 sends a
//     suffix and lets the primary ask for more.
//   - With crash vectors recovery takes two rounds: the first finds the incarnations
//     that others know, the second asks under a new one.
//   - Under leases a primary gives its lease up for a replica that has promised a
//     later view, and its backups follow it. Otherwise that replica could not return
//     while the primary lives.
//   - The primary of a new epoch leads once its entry is on its own disk: otherwise a
//     crash would let it begin view 0 again, with other operations under the same
//     op-numbers.
//   - StartEpoch is sent by the old primary and by all who leave, not by the primary
//     alone, which may be dead by then.
//   - StartEpoch names the view of the reconfiguration, and a replica that has that
//     entry begins the epoch without asking for state: whoever told it may have lost
//     what its disk had not written, and then nobody could answer (§7.1.1).
//   - A member in a view change gives the state of the epoch to one who has none:
//     otherwise f'+1 members of which one is new could wait for each other.
//   - Without disks, nobody recovers from a log that ends with a reconfiguration which
//     may be committed: a former life may have taken part in the next epoch. With
//     crash vectors each epoch has incarnations above those of all before.
//   - Messages name no sender; the envelope does.
package vr
