package paxos

import "github.com/lockstep-sim/lockstep/protocols"

// request handles a client's command. It is refused only when this delivery will
// never be executed; a command that is proposed when leadership ends may still be
// chosen, and its client hears nothing.
func (n *Node) request(c protocols.Command, out *protocols.Effects) {
	switch {
	case c.Client >= 0:
		n.drop(out, "a request of no client")
	case c.Kind == protocols.Write && n.role == leader:
		n.enqueue(c, out)
	case c.Kind == protocols.Read:
		n.read(c, out)
	case c.Kind == protocols.Follow:
		n.follow(c, out)
	default:
		out.Refuse(c, n.hint())
	}
}

// hint returns whom a client is told to ask. Who is no member hears no leader any
// more, and whom it heard last may be no member either: two removed nodes could send a
// client to and fro for ever. So it names the members that it knows of, one after the
// other. The papers leave open how clients find them.
func (n *Node) hint() protocols.NodeID {
	if n.isMember() || n.audience.Empty() {
		return n.leader
	}
	if n.hinted = n.audience.Next(n.hinted); n.hinted == protocols.Nobody {
		n.hinted = n.audience.Next(protocols.Nobody)
	}
	return n.hinted
}

// enqueue lets the leader propose c as soon as the window allows, unless it has
// already.
func (n *Node) enqueue(c protocols.Command, out *protocols.Effects) {
	switch result, state := n.execute.Sessions.Lookup(c); state {
	case protocols.SessionDone:
		out.ReplyEarly(c, result) // a retry of what a quorum has
		return
	case protocols.SessionStale:
		out.ReplyEarly(c, protocols.Result{Status: protocols.Expired, Position: n.execute.Applied})
		return
	}
	if n.isProposed(c) {
		return // its execution answers it
	}
	n.setProposed(c)
	n.queue = append(n.queue, c)
	n.proposeOpen(out)
}

// dequeue returns the longest waiting command. It closes up when at least half of
// the queue is gone.
func (n *Node) dequeue() protocols.Command {
	c := n.queue[n.queueHead]
	n.queueHead++
	if rest := n.queue[n.queueHead:]; len(rest) <= n.queueHead {
		n.queue, n.queueHead = n.queue[:copy(n.queue, rest)], 0
	}
	return c
}

// isProposed reports whether c is queued or proposed in this ballot. It may miss
// one, never invent one: execution is what guarantees once.
func (n *Node) isProposed(c protocols.Command) bool {
	i := -int(c.Client)
	return i < len(n.proposed) && n.proposed[i] == c.Seq
}

func (n *Node) setProposed(c protocols.Command) {
	i := -int(c.Client)
	for i >= len(n.proposed) {
		n.proposed = append(n.proposed, 0)
	}
	n.proposed[i] = c.Seq
}

// maxFollow bounds the entries of one answer to a Follow, whatever it asks for.
const maxFollow = 4096

// follow answers with chosen entries from position c.Arg on, at most c.Old of them,
// or with the state where they are forgotten. Any replica can: what is chosen never
// changes.
func (n *Node) follow(c protocols.Command, out *protocols.Effects) {
	answer := &protocols.FollowResult{Start: protocols.Index(max(1, c.Arg))}
	if answer.Start <= n.slots.base {
		answer.Snapshot, answer.Start = n.execute.Snapshot(), n.execute.Applied+1
	}
	if answer.Start <= n.execute.Applied && c.Old > 0 {
		count := min(uint64(n.execute.Applied-answer.Start)+1, uint64(c.Old), maxFollow)
		answer.Entries = make([]protocols.LogCommand, count)
		for i := range answer.Entries {
			at := answer.Start + protocols.Index(i)
			answer.Entries[i] = protocols.LogCommand{Position: at, Command: n.slots.at(at).value.Command}
		}
	}
	// Early: chosen entries are on the disks of a quorum.
	out.ReplyEarly(c, protocols.Result{Position: n.execute.Applied, Follow: answer})
}

// ReadLog implements [protocols.LogReader]. It ends at the first slot in which this
// node holds nothing.
func (n *Node) ReadLog(from protocols.Index, limit int, entries []protocols.LogEntry) []protocols.LogEntry {
	for i := max(from, n.slots.base+1); limit > 0 && i <= n.slots.last; i++ {
		s := n.slots.at(i)
		if s.ballot == 0 {
			break
		}
		e := protocols.LogEntry{Position: i, Command: s.value.Command}
		if s.ballot != learned {
			e.Epoch = uint64(s.ballot)
		}
		switch {
		case !s.value.Members.Empty():
			e.Text = "configuration"
		case s.value.Command.Client == 0:
			e.Text = "no-op"
		}
		entries = append(entries, e)
		limit--
	}
	return entries
}

// LogBase implements [protocols.LogReader].
func (n *Node) LogBase() (protocols.Index, any) {
	if n.checkpoint == nil {
		return 0, nil
	}
	return n.slots.base, n.checkpoint.State
}
