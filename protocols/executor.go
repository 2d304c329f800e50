package protocols

import "fmt"

// Executor executes a replica's log on its state machine, every request exactly
// once. Active-active replication calls Apply at every replica; active-passive
// replication calls Execute at the primary and Install at every replica.
type Executor struct {
	Machine  StateMachine
	Sessions Sessions
	// Applied is the last position executed.
	Applied Index
	// NoSessions switches de-duplication off, which is a known bug of real systems:
	// a retried request is executed again.
	NoSessions bool
}

// Apply executes the command at position pos, which must be the one after
// Applied; wall is the replica's wall clock. A repeated request is not executed:
// it gets the result, and the Position, of the first time. A request older than
// the client's last is answered [Expired]. A command without a client, such as a
// no-op, only moves Applied.
func (x *Executor) Apply(pos Index, c Command, wall Time) Result {
	fresh := x.isFresh(pos, &c)
	x.Applied = pos
	if !fresh {
		return x.known(pos, &c)
	}
	r := x.Machine.Apply(c, wall)
	x.keep(&c, &r)
	return r
}

// Execute is the first half of Apply, for active-passive replication: it returns
// the result of the command at position pos, which must be the one after Applied,
// and appends the changes that it makes to changes, without making them. What a
// repeated or an older request gets is as for Apply, with no changes. A primary
// ships result and changes, and everybody, itself included, calls Install.
func (x *Executor) Execute(pos Index, c Command, wall Time, changes []Change) (Result, []Change) {
	if !x.isFresh(pos, &c) {
		return x.known(pos, &c), changes
	}
	r, changes := x.Machine.Execute(c, wall, changes)
	r.Position = pos
	return r, changes
}

// Install is the second half of Apply: it makes the changes of the command at
// position pos, which must be the one after Applied, and keeps r as its result.
// Execute and Install leave machine and sessions exactly as Apply does. A request
// that the sessions know is not installed; Execute gave no changes for it.
func (x *Executor) Install(pos Index, c Command, r Result, changes []Change) Result {
	fresh := x.isFresh(pos, &c)
	x.Applied = pos
	if !fresh {
		return x.known(pos, &c)
	}
	x.Machine.Install(changes)
	x.keep(&c, &r)
	return r
}

// isFresh reports whether c, at position pos, is to be executed there.
func (x *Executor) isFresh(pos Index, c *Command) bool {
	if pos != x.Applied+1 {
		panic(fmt.Sprintf("protocols: Executor at position %d: the next position is %d", pos, x.Applied+1))
	}
	return c.Client < 0 && (x.NoSessions || x.Sessions.state(c) == SessionNew)
}

// known returns what position pos answers to c, which is not to be executed there.
func (x *Executor) known(pos Index, c *Command) Result {
	if c.Client >= 0 {
		return Result{Position: pos}
	}
	r, state := x.Sessions.Lookup(*c)
	if state == SessionStale {
		return Result{Status: Expired, Position: pos}
	}
	return r
}

// keep records r as the result of c at Applied.
func (x *Executor) keep(c *Command, r *Result) {
	r.Position = x.Applied
	if !x.NoSessions {
		x.Sessions.record(c, r)
	}
}

// Read answers a command that changes nothing from the state at Applied.
func (x *Executor) Read(c Command) Result {
	r := x.Machine.Read(c)
	r.Position = x.Applied
	return r
}

// Answer does what the command at the next position asks, whatever its kind: it
// applies a Write there, answers a Read, and gives a Follow the whole state where that
// holds what is asked for. It is for protocols that keep a state and no log.
func (x *Executor) Answer(c Command, wall Time) Result {
	switch c.Kind {
	case Write:
		return x.Apply(x.Applied+1, c, wall)
	case Read:
		return x.Read(c)
	}
	f := &FollowResult{Start: x.Applied + 1}
	if Index(c.Arg) <= x.Applied {
		f.Snapshot = x.Snapshot()
	}
	return Result{Position: x.Applied, Follow: f}
}

// Hash digests the replicated state: machine and sessions.
func (x *Executor) Hash() uint64 { return Fold(x.Machine.Hash(), x.Sessions.Hash()) }

// executorState is a snapshot of an Executor.
type executorState struct {
	machine  any
	sessions any
	applied  Index
}

// Snapshot returns the replicated state and its position as an immutable value.
func (x *Executor) Snapshot() any {
	return executorState{x.Machine.Snapshot(), x.Sessions.Snapshot(), x.Applied}
}

// Restore replaces the replicated state by a snapshot, whose position becomes
// Applied; nil is the initial state at position 0.
func (x *Executor) Restore(snapshot any) {
	var s executorState
	if snapshot != nil {
		s = snapshot.(executorState)
	}
	x.Machine.Restore(s.machine)
	x.Sessions.Restore(s.sessions)
	x.Applied = s.applied
}

// Fork returns an independent copy. It panics if the machine cannot fork; all
// machines of this package can.
func (x *Executor) Fork() Executor {
	m, ok := x.Machine.(interface{ Fork() StateMachine })
	if !ok {
		panic(fmt.Sprintf("protocols: Executor.Fork: machine %s has no method Fork() StateMachine", x.Machine.Name()))
	}
	return Executor{m.Fork(), x.Sessions.Fork(), x.Applied, x.NoSessions}
}
