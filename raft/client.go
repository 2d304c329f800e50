package raft

import "github.com/lockstep-sim/lockstep/protocols"

// request handles a client's command. It is refused only when this delivery will
// never be executed; a command that is in the log when leadership ends may still
// commit, and its client hears nothing.
func (n *Node) request(c protocols.Command, out *protocols.Effects) {
	switch {
	case c.Client >= 0:
		n.drop(out, "a request of no client")
	case c.Kind == protocols.Write && n.role == leader && n.transfer.target != protocols.Nobody:
		out.Refuse(c, n.transfer.target) // §3.10: no new entries, so that the target can catch up
	case c.Kind == protocols.Write && n.role == leader:
		n.propose(c, out)
	case c.Kind == protocols.Read:
		n.read(c, out)
	case c.Kind == protocols.Follow:
		n.follow(c, out)
	default:
		out.Refuse(c, n.hint())
	}
}

// hint returns whom a client is to ask. A node that takes no part in elections does not
// notice that its leader is gone, or that it has been removed and hears of none.
func (n *Node) hint() protocols.NodeID {
	if n.role == follower && n.now >= n.quietUntil && !n.mayCampaign() {
		return protocols.Nobody
	}
	return n.leader
}

// propose appends c to the leader's log, unless the log holds it already.
func (n *Node) propose(c protocols.Command, out *protocols.Effects) {
	if !n.bugs.noSessions {
		switch result, state := n.execute.Sessions.Lookup(c); state {
		case protocols.SessionDone:
			out.ReplyEarly(c, result) // a retry of what a majority has
			return
		case protocols.SessionStale:
			out.ReplyEarly(c, protocols.Result{Status: protocols.Expired, Position: n.execute.Applied})
			return
		}
		if n.isProposed(c) {
			return // the entry's execution answers it
		}
	}
	n.append(Entry{Term: n.term, Command: c}, out)
	n.setProposed(c)
	if n.bugs.replyOnAppend {
		out.ReplyEarly(c, n.foresee())
	}
}

// foresee returns what the last entry of the log would answer if the whole log were
// committed.
func (n *Node) foresee() (result protocols.Result) {
	ahead := n.execute.Fork()
	for at := ahead.Applied + 1; at <= n.log.Last(); at++ {
		result = ahead.Apply(at, n.log.At(at).Command, n.wall)
	}
	return result
}

// isProposed reports whether the log holds c above what is executed. It may miss
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

// rememberProposed looks through what a new leader has not executed.
func (n *Node) rememberProposed() {
	clear(n.proposed)
	for i := max(n.execute.Applied+1, n.log.First()); i <= n.log.Last(); i++ {
		if c := n.log.At(i).Command; c.Client < 0 {
			n.setProposed(c)
		}
	}
}

// applyNext executes the next committed entry. Whoever leads answers its client,
// also for an entry of an earlier leader.
func (n *Node) applyNext(out *protocols.Effects) {
	at := n.execute.Applied + 1
	e := n.log.At(at)
	result := n.execute.Apply(at, e.Command, n.wall)
	out.Note(protocols.Note{Kind: protocols.NoteApplied, Epoch: e.Term, Index: at, Hash: e.hash(), State: n.execute.Hash(), Command: e.Command})
	if n.role == leader && e.Command.Client < 0 {
		// Early: a majority has it on disk; this node's own disk adds nothing.
		out.ReplyEarly(e.Command, result)
	}
}

// maxFollow bounds the entries of one answer to a Follow, whatever it asks for.
const maxFollow = 4096

// follow answers with committed entries from position c.Arg on, at most c.Old of
// them, or with the state where they are compacted. Any replica can: what is committed
// never changes.
func (n *Node) follow(c protocols.Command, out *protocols.Effects) {
	start := protocols.Index(max(1, c.Arg))
	answer := &protocols.FollowResult{}
	if start <= n.base() {
		answer.Snapshot, start = n.execute.Snapshot(), n.execute.Applied+1
	}
	answer.Start = start
	if start <= n.commit && c.Old > 0 {
		count := min(uint64(n.commit-start)+1, uint64(c.Old), maxFollow)
		answer.Entries = make([]protocols.LogCommand, count)
		for i := range answer.Entries {
			at := start + protocols.Index(i)
			answer.Entries[i] = protocols.LogCommand{Position: at, Command: n.log.At(at).Command}
		}
	}
	// Early: committed entries are on the disks of a majority.
	out.ReplyEarly(c, protocols.Result{Position: n.commit, Follow: answer})
}
