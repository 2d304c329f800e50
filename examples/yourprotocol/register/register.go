// Package register is CASPaxos (Rystsov, 2018): a replicated register without a log. A node
// asks a majority for the latest state, changes it, and has a majority accept the result.
package register

import "github.com/lockstep-sim/lockstep/protocols"

const round = 400_000_000 // nanoseconds, of patience

type (
	Prepare struct{ Ballot, Chosen uint64 } // asks for a promise; what was accepted in Chosen is final
	Promise struct {                        // nothing below Ballot any more; State was accepted in ballot Accepted
		Ballot, Accepted uint64
		State            any // of a protocols.Executor: the machine, and each client's last request
	}
	Accept   struct{ Next Promise }  // asks everybody to have this on disk
	Accepted struct{ Ballot uint64 } // it is
)

func (*Prepare) Kind() protocols.Kind  { return 1 }
func (*Promise) Kind() protocols.Kind  { return 2 } // also the one record: what a node has promised
func (*Accept) Kind() protocols.Kind   { return 3 }
func (*Accepted) Kind() protocols.Kind { return 4 }

// Protocol describes the register to lockstep.
func Protocol() *protocols.Protocol {
	return &protocols.Protocol{
		Name: "register", Title: "CASPaxos", EpochWord: "ballot", Roles: []string{"replica"}, Timers: []string{"round"},
		Messages: protocols.Kinds(new(Prepare), new(Promise), new(Accept), new(Accepted)), Records: protocols.Kinds(new(Promise)), New: boot,
	}
}

type node struct {
	protocols.Config
	disk    *Promise            // what this node has promised and accepted
	ballot  uint64              // of its own round; 0: none is under way
	votes   protocols.NodeSet   // who has answered in this phase of it
	latest  Promise             // phase 1: the promise with the latest state; phase 2: what is proposed
	state   protocols.Executor  // the state that is worked on
	waiting []protocols.Command // who wants to be in the next state
	answers []protocols.Result  // phase 2: to the first of them, once the state is accepted
	view    protocols.View      // of the last state known to be chosen; Leader proposed last
}

func boot(cfg protocols.Config, found protocols.Recovered) (protocols.Node, error) {
	n := &node{Config: cfg, disk: new(Promise), state: protocols.Executor{Machine: cfg.Machine}, view: protocols.View{Members: cfg.Members, First: 1}}
	if last, ok := found.Snapshot.(*Promise); ok {
		n.disk = last
	}
	return n, nil
}

// Step is the whole protocol: one event in, effects out.
func (n *node) Step(ev *protocols.Event, out *protocols.Effects) {
	switch m := ev.Message.(type) {
	case nil:
		if ev.Kind != protocols.Request {
			n.begin(out) // at the start and by timer, also when nobody waits
		} else if n.view.Leader != n.ID {
			out.Refuse(ev.Command, n.view.Leader) // one who serves is enough: two would compete
		} else if n.waiting = append(n.waiting, ev.Command); n.ballot == 0 {
			n.begin(out)
		}
	case *Prepare:
		if n.Members.Has(ev.From) && m.Ballot >= n.disk.Ballot {
			n.learn(m.Chosen, *n.disk)
			n.disk = &Promise{m.Ballot, n.disk.Accepted, n.disk.State}
			out.SaveSnapshot(n.disk) // the whole disk anew; what is sent after it waits for it
			protocols.Send(out, ev.From, *n.disk)
		}
	case *Promise:
		if n.answers == nil && n.state.Accepts(m.State) && n.vote(m.Ballot, ev.From, m) {
			n.propose(ev.Wall, out)
		}
	case *Accept:
		if n.Members.Has(ev.From) && m.Next.Ballot >= n.disk.Ballot && n.state.Accepts(m.Next.State) {
			n.disk, n.view.Leader = &Promise{m.Next.Ballot, m.Next.Accepted, m.Next.State}, ev.From
			out.SaveSnapshot(n.disk)
			protocols.Send(out, ev.From, Accepted{m.Next.Ballot})
			out.SetTimerWithin(0, round, 2*round) // unless more comes
		}
	case *Accepted:
		if n.answers != nil && n.vote(m.Ballot, ev.From, &n.latest) {
			n.chosen(out)
		}
	}
}

// begin starts a round. Its ballot is on disk before anybody sees it: no later life uses it again.
func (n *node) begin(out *protocols.Effects) {
	n.ballot, n.votes, n.latest, n.answers = (n.disk.Ballot>>8+1)<<8|uint64(n.ID), protocols.NodeSet{}, Promise{}, nil
	n.disk = &Promise{n.ballot, n.disk.Accepted, n.disk.State}
	out.SaveSnapshot(n.disk)
	protocols.SendAll(out, n.Members, Prepare{n.ballot, n.view.Epoch})
	out.SetTimerWithin(0, round, 2*round) // then again; the world draws
}

// vote counts one answer, and reports whether a majority has given it.
func (n *node) vote(ballot uint64, from protocols.NodeID, p *Promise) bool {
	if ballot != n.ballot || ballot == 0 || !n.Members.Has(from) {
		return false
	}
	if n.votes = n.votes.With(from); p.Accepted >= n.latest.Accepted {
		n.latest = *p
	}
	return protocols.Majority{Of: n.Members}.Has(n.votes)
}

// propose executes what waits on the latest state, and asks everybody to accept that.
func (n *node) propose(wall protocols.Time, out *protocols.Effects) {
	n.state.Restore(n.latest.State)
	n.votes, n.answers = protocols.NodeSet{}, []protocols.Result{}
	for _, c := range n.waiting {
		n.answers = append(n.answers, n.state.Answer(c, wall))
	}
	n.latest = Promise{n.ballot, n.ballot, n.state.Snapshot()}
	protocols.SendAll(out, n.Members, Accept{n.latest})
}

// chosen: a majority has the state on disk, so every later round begins with it.
func (n *node) chosen(out *protocols.Effects) {
	n.learn(n.ballot, n.latest)
	for i, r := range n.answers {
		out.ReplyEarly(n.waiting[i], r)
	}
	n.waiting, n.ballot = n.waiting[len(n.answers):], 0
	if out.SetTimerWithin(0, round/4, round/2); len(n.waiting) > 0 {
		n.begin(out)
	}
}

// learn: what was accepted in the ballot is final.
func (n *node) learn(ballot uint64, p Promise) {
	if ballot == p.Accepted && ballot > n.view.Epoch {
		n.state.Restore(p.State)
		at := n.state.Applied
		n.view.Epoch, n.view.Applied, n.view.Commit, n.view.Last, n.view.StateHash = ballot, at, at, at, n.state.Hash()
	}
}

// View shows what targets, plots and checks look at.
func (n *node) View(v *protocols.View) { *v = n.view; v.Leading = v.Leader == n.ID }
