// Package checker judges runs: what clients saw (histories) and what replicas
// did (observers).
//
// A history is linearizable when its operations can be put into one order that
// the state machine could have executed and that contradicts no operation that
// had returned before another was called. Deciding that is NP-complete in
// general (Gibbons and Korach, Testing Shared Memories, SIAM J. Computing 26,
// 1997), so there is a ladder:
//
//   - zones: registers and keys of kv whose written values are unique, with get,
//     put, cas and delete, and with the value that each write saw; O(n)
//   - log: the append-only log, by positions and contents; O(n)
//   - witness: the order of the replicated log itself, replayed and compared with
//     real time; O(n); being right is a proof, being wrong only a suspicion
//   - queue: FIFO queues whose elements are enqueued once each; O(n log n)
//   - window: a search whose cost depends on how many operations are open at a time
//   - porcupine: everything else, with a budget counted in steps and bytes; on parts
//     that are small before the window search, on others after it
//
// Zones and the log check decide both ways wherever their preconditions hold.
// The witness can only acquit, and is never believed alone: every small history
// and the beginning of every large one is judged a second time by a check that
// has not seen the system's own positions. Two checks that contradict each other
// are a bug of this package and end in a panic.
//
// What decides which history:
//
//   - register, and keys of kv with get, put and cas: zones, if no value is
//     written twice and none is 0
//   - keys of kv with delete as well: zones, unless a delete or a put whose outcome
//     is unknown may matter; then witness or porcupine
//   - keys of kv with append: witness or porcupine
//   - log: the log check, unless reads show contents and two appends of unknown
//     outcome carry the same value; then witness or porcupine
//   - queue: the queue check, unless an element is enqueued twice or a dequeue has
//     an unknown outcome; then a search
//   - counter, stamp: witness or a search
//
// The package is single-threaded: [Plan] hands out partitions, and whoever has
// workers may run their Check on them. The porcupine module starts one goroutine
// per call and waits for it; verdicts do not depend on its timing.
//
// Times are event sequence numbers. Intervals are closed: an operation that
// returns at 20 is concurrent with one that is called at 20.
package checker
