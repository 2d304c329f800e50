package protocols

import "slices"

// LogReader is implemented by nodes that keep a log and let it be looked at: by
// `lockstep log`, never by the world. It is optional. No method may change the
// node.
//
// Nothing is said about durability here: what is durable is what a node booted
// from the disk would hold, so whoever asks boots one ([Protocol.New]) and reads
// its log too. That is right after every crash by construction.
type LogReader interface {
	// ReadLog appends the entries from position from on to entries, at most limit of
	// them, in order and without gaps, committed or not. Positions below View.First
	// are left out; above View.Last there is nothing. It holds all that is executed,
	// and may end before View.Last where a node's log has holes.
	ReadLog(from Index, limit int, entries []LogEntry) []LogEntry
	// LogBase returns the position before the first one held, View.First-1, and the
	// state there as [Executor.Snapshot] gives it. At position 0 the state is nil.
	LogBase() (Index, any)
}

// LogEntry is one position of a replica's log, as it is shown.
type LogEntry struct {
	Position Index
	Epoch    uint64     // in which it was made: term, view, ballot; 0 where the node does not know
	Command  Command    // of client 0 where the position holds no client's command
	Effect   *LogEffect // what executing it did, where the log ships that; else nil
	Text     string     // where it holds no command: what it holds, a constant such as "no-op"
}

// LogEffect is what an entry of an active-passive log holds beside its command:
// what executing it did at the primary. It is immutable.
type LogEffect struct {
	Result  Result
	Changes []Change
}

// Positioned is implemented by records that store log positions, so that traces
// can say which ones a crash has lost and a recovery has found. It is optional.
type Positioned interface {
	Record
	// Positions returns the first and the last position stored; last is below first
	// where there is none, as in a record that only cuts the log.
	Positions() (first, last Index)
}

// Equal reports whether two logs hold the same at this position, made in the same
// epoch as far as both know it.
func (e *LogEntry) Equal(f *LogEntry) bool {
	return (e.Epoch == f.Epoch || e.Epoch == 0 || f.Epoch == 0) && e.Same(f)
}

// Same reports whether two logs hold the same at this position, whenever it was
// made: one command with one effect.
func (e *LogEntry) Same(f *LogEntry) bool {
	return e.Position == f.Position && e.Command == f.Command && e.Text == f.Text && e.Effect.equal(f.Effect)
}

func (e *LogEffect) equal(f *LogEffect) bool {
	if e == nil || f == nil {
		return e == f
	}
	r, s := &e.Result, &f.Result
	return r.Status == s.Status && r.Swapped == s.Swapped && r.Value == s.Value && r.Position == s.Position &&
		slices.Equal(r.List, s.List) && slices.Equal(e.Changes, f.Changes)
}

// Replay executes the entry of a log at position pos, which must be the one after
// Applied, and appends the changes that it makes to changes: it installs what the
// log ships, where it ships results, and else executes the command. A request that
// the sessions know makes none. A replay has no replica's clock: what stamp would
// read of it is 0.
func (x *Executor) Replay(pos Index, c Command, e *LogEffect, changes []Change) (Result, []Change) {
	before := len(changes)
	var r Result
	if e == nil {
		r, changes = x.Execute(pos, c, 0, changes)
	} else if x.isFresh(pos, &c) {
		r, changes = e.Result, append(changes, e.Changes...)
	}
	return x.Install(pos, c, r, changes[before:]), changes
}

// Accepts reports whether snapshot is one that Restore can take: nil, or what
// Snapshot of an Executor gave.
func (x *Executor) Accepts(snapshot any) bool {
	_, ok := snapshot.(executorState)
	return ok || snapshot == nil
}
