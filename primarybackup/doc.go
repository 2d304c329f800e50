// Package primarybackup is primary-backup replication with a view service, as a
// step function: the active-passive model, in which one replica executes and ships
// what came of it.
//
// Sources: Alsberg and Day, A Principle for Resilient Sharing of Distributed
// Resources, ICSE 1976; Budhiraja, Marzullo, Schneider and Toueg, The Primary-Backup
// Approach, 1993; the view service of MIT 6.824, lab 2; log shipping, rewinding and
// semi-synchronous replication as PostgreSQL and MySQL document them; the commit
// position (high watermark) of Kafka.
//
// # How to read it
//
// [Service] (service.go) is the view service, a node of its own: it says who is
// primary, and its comment argues who may be. [Node.Step] in node.go is the table of
// contents of a replica: one handler per message, timer and request. The only ways
// to change view and role are adopt, becomeStarting, becomePrimary, stepDown and
// becomeStopped, in view.go. primary.go holds the positions of a primary's log, and
// where the modes differ; replication.go ships the log, reorder.go keeps it in
// order, transfer.go ships the whole state; heartbeat.go is the primary's beat,
// read.go reads and leases, client.go what clients ask. messages.go and records.go
// say what is on the wire and on the disk. invariants.go watches all replicas, from
// outside.
//
// # A view's life
//
//  1. Replicas ping the service. It forms the next view when the primary is dead or
//     restarted, when a backup is dead, or not heard by the primary, or acknowledges
//     nothing to it, and when a replica outside is up to date. The view is durable
//     before it is announced.
//  2. The primary named, in the life named, takes its own log as that of the view,
//     and makes it that of every backup: by the log from where theirs part (which
//     rewinds an old primary), or by a full state transfer, at-most-once table
//     included. Replicas outside the view are brought up to date beforehand by the
//     primary of the last one, so that a view that takes them in begins soon.
//  3. It acknowledges the view; the service makes that durable and says so; only
//     then does the primary serve.
//
// Everything between replicas carries the view's number. Who knows a later view
// refuses, and a primary that is refused stops serving.
//
// # Positions and modes
//
// The commit index is up to where every member of an acknowledged view has the log
// durably. It means the same in all modes, and what it covers is never lost in any:
// every later primary has it. Replicas execute up to it, and Follow shows no more.
// The modes differ in what a primary answers beyond it:
//
//   - sync: a write is answered, and seen by reads, once it is committed.
//     Linearizable.
//   - semisync: once the primary and K backups have it durably. With after_commit
//     reads see it as soon as the primary's own disk has it. When K backups stay
//     silent for Timeout, writes wait (block), further ones are refused (refuse), or
//     it answers as async does until K backups have caught up (degrade).
//   - async: once the primary's own disk has it. Backups acknowledge with the
//     heartbeat, not for each write.
//
// Semisync and async lose acknowledged writes when a replica is promoted that does
// not have them, although the service picks the most advanced of those that live;
// [protocols.Guarantee] says so for each setting. A lost position is given away
// again, and a late copy of a lost request may be executed once more.
//
// Under leader_write: serial the primary ships an entry once its own disk has it, else
// while that writes it.
//
// # Reads
//
// The primary answers reads. With reads: round it first asks all backups whether
// they are still in its view. With reads: lease it answers alone while a promise of
// the view service lasts: no other primary is named until DeadAfter has passed since
// it received the ping that it answered. The lease counts from the sending of that
// ping, shortened by the clock bound MaxDrift.
//
// # Out
//
// Replication of the view service itself: while it is down the primary of the last
// view goes on serving, but nobody replaces it. Session expiry. A wiped disk is
// outside the model: such a replica is not named as primary, but it has forgotten
// what it acknowledged.
//
// # Durability
//
// What a message claims about the sender's disk is sent with [protocols.Send] after
// [protocols.Persist]: views, acknowledgements of views, and acknowledgements of
// entries and states, the primary's own included, which it sends to itself. The rest
// leaves at once, and a comment at the call says why that is safe.
//
// A torn last record is dropped. A corrupt or missing one is refused at boot with an
// error. After a failed write or fsync a node falls silent until it is restarted.
//
// # Deviations from lab 2
//
//   - Any number of backups, not one.
//   - A view that was never acknowledged may be followed by another: see [Service].
//   - A view is named for one life of its primary. The lab's ping with view 0 says the
//     same of a restart, but not of one that the service hears of late.
//   - Reads are not sent through the backups' log; a round asks for the view only.
//   - A primary that the service hears but that shows no sign of hearing the service
//     is replaced as if it were dead.
package primarybackup
