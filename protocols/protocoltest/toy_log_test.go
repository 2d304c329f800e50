package protocoltest

import "github.com/lockstep-sim/lockstep/protocols"

// ReadLog implements [protocols.LogReader].
func (n *toy) ReadLog(from protocols.Index, limit int, to []protocols.LogEntry) []protocols.LogEntry {
	if n.is(readingChangesNode) && n.id != primary && n.last() > 0 {
		n.matches[1]++
	}
	if n.is(readOverwrites) {
		to = to[:0]
	}
	if n.is(readsWithoutLimit) {
		limit = 1 << 30
	}
	for p := max(from, 1); p <= n.last() && limit > 0; p++ {
		e := protocols.LogEntry{Position: p, Command: n.log[p-1]}
		switch {
		case n.is(readsWithGap) && p == 3:
			continue
		case n.is(readsAnotherCommand) && p == 3:
			e.Command.Arg += 1000
		case n.is(readsAnotherEffect) && p == 3:
			e.Effect = invented()
		case n.is(readsTooLittle) && p == 4:
			return to
		}
		to = append(to, e)
		limit--
	}
	return to
}

// LogBase implements [protocols.LogReader].
func (n *toy) LogBase() (protocols.Index, any) {
	switch {
	case n.is(baseElsewhere):
		return 1, nil
	case n.is(baseOfMachine):
		return 0, n.executor.Machine.Snapshot()
	case n.is(baseOfNow):
		return 0, n.executor.Snapshot()
	}
	return 0, nil
}

// invented is an effect that nothing had.
func invented() *protocols.LogEffect {
	return &protocols.LogEffect{Changes: []protocols.Change{{Kind: protocols.ChangeSet, Key: 1, Value: 77}}}
}

// noted is the command that a note says was executed.
func (n *toy) noted(c protocols.Command) protocols.Command {
	if n.is(notesNoCommand) {
		return protocols.Command{}
	}
	return c
}

// spoil changes the answer to a follower as a flaw wants it.
func (n *toy) spoil(f *protocols.FollowResult) {
	switch {
	case n.is(followsWithSnapshotOfMachine) && n.last() > 3:
		*f = protocols.FollowResult{Snapshot: n.executor.Machine.Snapshot(), Start: n.executor.Applied + 1}
	case n.is(followsFromElsewhere):
		f.Start++
	case n.is(readsAnotherEffect):
		for i := range f.Entries {
			if f.Entries[i].Position == 3 {
				f.Entries[i].Effect = invented()
			}
		}
	}
}
