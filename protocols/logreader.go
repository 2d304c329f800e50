package protocols

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
	// are left out; above View.Last there is nothing.
	ReadLog(from Index, limit int, entries []LogEntry) []LogEntry
	// LogBase returns the position before the first one held, View.First-1, and the
	// state there as [Executor.Snapshot] gives it. At position 0 the state is nil.
	LogBase() (Index, any)
}

// LogEntry is one position of a replica's log, as it is shown.
type LogEntry struct {
	Position Index
	Epoch    uint64     // in which it was made: term, view, ballot
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

// Equal reports whether two logs hold the same at this position: one command of
// one epoch.
func (e *LogEntry) Equal(f *LogEntry) bool {
	return e.Position == f.Position && e.Epoch == f.Epoch && e.Command == f.Command && e.Text == f.Text
}

// Replay executes the entry of a log at position pos, which must be the one after
// Applied: it installs what the log ships, where it ships results, and else
// executes the command. A replay has no replica's clock: what stamp would read of
// it is 0.
func (x *Executor) Replay(pos Index, c Command, e *LogEffect) Result {
	if e == nil {
		return x.Apply(pos, c, 0)
	}
	return x.Install(pos, c, e.Result, e.Changes)
}
