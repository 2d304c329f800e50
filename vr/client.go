package vr

import "github.com/lockstep-sim/lockstep/protocols"

// request handles a client's command. It is refused only when this delivery will
// never be executed; a command that is in the log when a view ends may still be
// committed, and its client hears nothing.
func (n *Node) request(c protocols.Command, out *protocols.Effects) {
	switch {
	case c.Client >= 0:
		n.drop(out, "a request of no client")
	case c.Kind == protocols.Write && n.leading:
		n.propose(c, out)
	case c.Kind == protocols.Read:
		n.read(c, out)
	case c.Kind == protocols.Follow:
		n.follow(c, out)
	default:
		out.Refuse(c, n.hint())
	}
}

// hint returns whom a client is told to ask. Who is no member knows the members, as
// far as it has heard of them, but not which of them leads by now: it names one after
// the other. The paper tells clients the configuration (§7.3).
func (n *Node) hint() protocols.NodeID {
	if n.isMember() {
		return n.leader()
	}
	if n.hinted = n.members.Next(n.hinted); n.hinted == protocols.Nobody {
		n.hinted = n.members.Next(protocols.Nobody)
	}
	return n.hinted
}

// propose gives an op-number to c, unless the client table holds it or a later one
// of its client (§4.1). What is executed has its result in the sessions; what is
// still on its way is answered when it is.
func (n *Node) propose(c protocols.Command, out *protocols.Effects) {
	switch result, state := n.execute.Sessions.Lookup(c); state {
	case protocols.SessionDone:
		out.ReplyEarly(c, result) // a retry of what a quorum has
		return
	case protocols.SessionStale:
		out.ReplyEarly(c, protocols.Result{Status: protocols.Expired, Position: n.execute.Applied})
		return
	}
	at := -int(c.Client)
	if at < len(n.table) && c.Seq <= n.table[at] {
		return
	}
	if n.closing() && !n.bugs.openWhileClosing { // V-15
		out.Refuse(c, protocols.Nobody) // no request follows a reconfiguration in its epoch (§7.1)
		return
	}
	n.setTable(c)
	n.append(Entry{View: n.view, Command: c}, out)
}

func (n *Node) setTable(c protocols.Command) {
	at := -int(c.Client)
	for at >= len(n.table) {
		n.table = append(n.table, 0)
	}
	n.table[at] = c.Seq
}

// updateTable enters what the log holds that is not executed yet. A log that was
// taken over brings requests that this node never saw as requests (§4.2).
func (n *Node) updateTable() {
	clear(n.table)
	if n.bugs.staleTable { // V-12
		return
	}
	for op := n.execute.Applied + 1; op <= n.log.Last(); op++ {
		if c := n.log.At(op).Command; c.Client < 0 {
			n.setTable(c)
		}
	}
}

// applyNext executes the next committed operation. The primary answers its client,
// also for an operation of an earlier view.
func (n *Node) applyNext(out *protocols.Effects) {
	at := n.execute.Applied + 1
	e := n.log.At(at)
	result := n.execute.Apply(at, e.Command, n.wall)
	out.Note(protocols.Note{Kind: protocols.NoteApplied, Epoch: uint64(e.View), Index: at, Hash: e.hash(), State: n.execute.Hash(), Command: e.Command})
	if n.leading && e.Command.Client < 0 {
		// Early: a quorum has it; this node's own disk adds nothing.
		out.ReplyEarly(e.Command, result)
	}
	if !e.Members.Empty() && epochOf(e.View) == n.config.epoch {
		n.reconfigured(e, at, out)
	}
	if interval := n.parameters.CheckpointInterval; interval > 0 && uint64(at)%uint64(interval) == 0 {
		n.takeCheckpoint(out)
	}
}

// maxFollow bounds the entries of one answer to a Follow, whatever it asks for.
const maxFollow = 4096

// follow answers with committed operations from position c.Arg on, at most c.Old of
// them. Any replica can: what is committed never changes. Where the log no longer
// reaches back, the state it goes on from comes first.
func (n *Node) follow(c protocols.Command, out *protocols.Effects) {
	start := protocols.Index(1)
	if c.Arg > 0 {
		start = protocols.Index(c.Arg)
	}
	answer := &protocols.FollowResult{Start: start}
	if start < n.log.First() {
		answer.Snapshot, answer.Start = n.execute.Snapshot(), n.execute.Applied+1
	} else if start <= n.commit && c.Old > 0 {
		count := min(uint64(n.commit-start)+1, uint64(c.Old), maxFollow)
		answer.Entries = make([]protocols.LogCommand, count)
		for i := range answer.Entries {
			at := start + protocols.Index(i)
			answer.Entries[i] = protocols.LogCommand{Position: at, Command: n.log.At(at).Command}
		}
	}
	// Early: what is committed a quorum has.
	out.ReplyEarly(c, protocols.Result{Position: n.commit, Follow: answer})
}
