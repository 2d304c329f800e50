package protocols

// Executor is the part of a replica that executes: a state machine, the client
// sessions beside it, and the position up to which both have come.
type Executor struct {
	Machine    StateMachine
	Sessions   Sessions
	Applied    Index
	NoSessions bool // a known bug of several systems: duplicates are executed again
}

// Apply executes the command at position pos, which must be the next one, exactly
// once per (client, seq): a duplicate gets the first execution's result, and one
// older than its client's last is answered Expired and not executed. A command of
// client 0 is a no-op that only takes up its position.
func (x *Executor) Apply(pos Index, c Command, wall Time) Result {
	if pos != x.Applied+1 {
		panic("protocols: applied out of order")
	}
	x.Applied = pos
	if c.Client == Nobody {
		return Result{Position: pos}
	}
	if !x.NoSessions {
		if r, state := x.Sessions.Lookup(c); state == SessionDone {
			return r
		} else if state == SessionStale {
			return Result{Status: Expired, Position: pos}
		}
	}
	r := x.Machine.Apply(c, wall)
	r.Position = pos
	x.Sessions.Record(c, r)
	return r
}

// Read answers a command that changes nothing from the state at Applied.
func (x *Executor) Read(c Command) Result {
	r := x.Machine.Read(c)
	r.Position = x.Applied
	return r
}

// Hash is a digest of machine and sessions.
func (x *Executor) Hash() uint64 { return Fold(x.Machine.Hash(), x.Sessions.Hash()) }

// State is an Executor's content as an immutable value, for snapshots and state
// transfer.
type State struct {
	Machine  any // as StateMachine.Snapshot returns
	Sessions Sessions
	Applied  Index
}

// Snapshot returns the content. It shares no mutable memory with x.
func (x *Executor) Snapshot() State {
	return State{Machine: x.Machine.Snapshot(), Sessions: x.Sessions.Fork(), Applied: x.Applied}
}

// Restore replaces the content by a snapshot's. The snapshot stays untouched.
func (x *Executor) Restore(s State) {
	x.Machine.Restore(s.Machine)
	x.Sessions = s.Sessions.Fork()
	x.Applied = s.Applied
}
