package primarybackup

import "github.com/lockstep-sim/lockstep/protocols"

// request handles a client's command. It is refused only when this delivery will
// never be executed; a command that is in the log when a view ends may still be
// committed, and its client hears nothing.
func (n *Node) request(c protocols.Command, out *protocols.Effects) {
	switch {
	case c.Client >= 0:
		n.drop(out, "a request of no client")
	case c.Kind == protocols.Write && n.role == primary:
		n.propose(c, out)
	case c.Kind == protocols.Read:
		n.read(c, out)
	case c.Kind == protocols.Follow:
		n.follow(c, out)
	default:
		out.Refuse(c, n.view.Primary)
	}
}

// propose appends c to the primary's log, unless the log holds it already.
func (n *Node) propose(c protocols.Command, out *protocols.Effects) {
	switch result, state := n.visible.Sessions.Lookup(c); state {
	case protocols.SessionDone:
		if result.Position <= n.acked {
			out.ReplyEarly(c, result) // a retry of what was answered, or would be now
		}
		return
	case protocols.SessionStale:
		out.ReplyEarly(c, protocols.Result{Status: protocols.Expired, Position: n.visible.Applied})
		return
	}
	if n.isProposed(c) {
		if n.bugs.visibleCancel { // B-10
			n.catchUp(n.visible, n.match[n.id], nil)
		}
		return // the entry answers it
	}
	if n.refusing {
		out.Refuse(c, protocols.Nobody)
		return
	}
	e := Entry{Epoch: n.view.Number, Command: c}
	if n.physical {
		e.Effect = n.executeAhead(c)
	}
	n.setProposed(c)
	n.append(e, out)
	if n.mode == modeSemisync {
		n.watchWaiting(out)
	}
}

// executeAhead executes the next entry on the state of the whole log: what a
// primary ships is what it did.
func (n *Node) executeAhead(c protocols.Command) *protocols.LogEffect {
	at := n.ahead.Applied + 1
	r, changes := n.ahead.Execute(at, c, n.wall, nil)
	n.ahead.Install(at, c, r, changes)
	return &protocols.LogEffect{Result: r, Changes: changes}
}

// isProposed reports whether the log holds c above what is visible. It may miss
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

// answerWrites answers what has become answerable, also entries of earlier
// primaries. The result is the session's: a client has one request under way, so it
// is there unless the client has gone on and does not care.
func (n *Node) answerWrites(out *protocols.Effects) {
	for n.answered < min(n.acked, n.visible.Applied) {
		n.answered++
		c := n.log.At(n.answered).Command
		if result, state := n.visible.Sessions.Lookup(c); state == protocols.SessionDone {
			// Early: those have it who have to; this disk was counted.
			out.ReplyEarly(c, result)
		}
	}
}

// maxFollow bounds the entries of one answer to a Follow, whatever it asks for.
const maxFollow = 4096

// follow answers with committed entries from position c.Arg on, at most c.Old of
// them. Any replica can: what every member has is never lost, in no mode. Where the
// log no longer reaches back, the state it goes on from comes first.
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
			e := n.log.At(at)
			answer.Entries[i] = protocols.LogCommand{Position: at, Command: e.Command, Effect: e.Effect}
		}
	}
	// Early: committed entries are on the disks of all members.
	out.ReplyEarly(c, protocols.Result{Position: n.commit, Follow: answer})
}
