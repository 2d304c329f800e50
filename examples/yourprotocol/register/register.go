// Package register is CASPaxos (Rystsov, 2018): a replicated register without a log
// and without a leader. Any node serves any request: it asks a majority for the latest
// state, changes it, and has a majority accept the result before it answers.
package register

import (
	"github.com/lockstep-sim/lockstep/protocols"
	"time"
)

type (
	Prepare struct{ Ballot uint64 } // asks for a promise
	Promise struct {                // nothing below Ballot any more; State was accepted in ballot Accepted
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
		Messages: protocols.Kinds(new(Prepare), new(Promise), new(Accept), new(Accepted)),
		Records:  protocols.Kinds(new(Promise)), New: boot,
	}
}

type node struct {
	protocols.Config
	disk      Promise            // what this node has promised and accepted
	ballot    uint64             // of its own round; 0: none is under way
	proposing bool               // the round's second phase
	votes     protocols.NodeSet  // who has answered in this phase
	latest    Promise            // the promise with the latest state
	state     protocols.Executor // that state, changed: what is proposed
	waiting   []protocols.Command
	answers   []protocols.Result // to the first who wait, once the state is accepted
	tries     int
	view      protocols.View
}

func boot(cfg protocols.Config, found protocols.Recovered) (protocols.Node, error) {
	n := &node{Config: cfg, state: protocols.Executor{Machine: cfg.Machine}, view: protocols.View{Members: cfg.Members, First: 1}}
	if last, ok := found.Snapshot.(*Promise); ok {
		n.disk = *last
	}
	return n, nil
}

// Step is the whole protocol: one event in, effects out.
func (n *node) Step(ev *protocols.Event, out *protocols.Effects) {
	switch m := ev.Message.(type) {
	case nil:
		if ev.Kind == protocols.Request {
			n.waiting = append(n.waiting, ev.Command)
		}
		if ev.Kind != protocols.Request || n.ballot == 0 {
			n.begin(out) // at the start and by timer also when nobody waits: so a node catches up
		}
	case *Prepare:
		if n.Members.Has(ev.From) && m.Ballot >= n.disk.Ballot {
			n.save(Promise{m.Ballot, n.disk.Accepted, n.disk.State}, out)
			protocols.Send(out, ev.From, n.disk)
		}
	case *Promise:
		if !n.proposing && n.state.Accepts(m.State) && n.vote(m.Ballot, ev.From, m) {
			n.propose(ev.Wall, out)
		}
	case *Accept:
		if n.Members.Has(ev.From) && m.Next.Ballot >= n.disk.Ballot && n.state.Accepts(m.Next.State) {
			n.save(m.Next, out)
			protocols.Send(out, ev.From, Accepted{m.Next.Ballot})
		}
	case *Accepted:
		if n.proposing && n.vote(m.Ballot, ev.From, &n.latest) {
			n.chosen(out)
		}
	}
}

// save writes the whole of the disk anew; what is sent after it waits for it.
func (n *node) save(disk Promise, out *protocols.Effects) {
	n.disk = disk
	out.SaveSnapshot(&disk)
}

// begin starts a round. Its ballot is on disk before anybody sees it: no later life uses it again.
func (n *node) begin(out *protocols.Effects) {
	n.ballot = (n.disk.Ballot>>8+1)<<8 | uint64(n.ID)
	n.proposing, n.votes, n.latest = false, protocols.NodeSet{}, Promise{}
	n.save(Promise{n.ballot, n.disk.Accepted, n.disk.State}, out)
	protocols.SendAll(out, n.Members, Prepare{n.ballot})
	out.SetTimerWithin(0, 20*time.Millisecond<<n.tries, 80*time.Millisecond<<n.tries)
	n.tries = min(n.tries+1, 3) // rivals make room for each other
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
	n.proposing, n.votes, n.answers = true, protocols.NodeSet{}, nil
	n.state.Restore(n.latest.State)
	for _, c := range n.waiting {
		n.answers = append(n.answers, n.state.Answer(c, wall))
	}
	protocols.SendAll(out, n.Members, Accept{Promise{n.ballot, n.ballot, n.state.Snapshot()}})
}

// chosen: a majority has the state on disk, so every later round begins with it.
func (n *node) chosen(out *protocols.Effects) {
	for i, r := range n.answers {
		out.ReplyEarly(n.waiting[i], r)
	}
	n.waiting, n.ballot, n.tries = n.waiting[len(n.answers):], 0, 0
	n.view.Applied, n.view.StateHash = n.state.Applied, n.state.Hash()
	if out.SetTimerWithin(0, 300*time.Millisecond, 600*time.Millisecond); len(n.waiting) > 0 {
		n.begin(out)
	}
}

// View shows what targets, plots and checks look at.
func (n *node) View(v *protocols.View) {
	*v = n.view
	v.Epoch, v.Commit, v.Last = n.disk.Ballot, v.Applied, v.Applied
}
