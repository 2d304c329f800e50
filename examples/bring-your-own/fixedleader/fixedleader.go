// Package fixedleader is a replicated log with one leader for ever: n1. It is as
// small as a protocol can be that keeps its promises, and stands in for yours.
//
// The leader numbers the commands, writes them to its disk and sends them on; a
// command is committed once a majority has it on disk. Nobody else ever leads, so
// while n1 is down nothing happens: safe, and not very available.
package fixedleader

import (
	"errors"
	"fmt"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

const (
	leader     protocols.NodeID = 1
	maxBatch                    = 64
	resend                      = 50_000_000 // nanoseconds
	bugAnybody                  = "F-01"
)

const (
	follower uint8 = iota // View.Role
	leading
)

// Append carries log entries to a follower, from position From on.
type Append struct {
	From    protocols.Index
	Entries []protocols.Command
	Commit  protocols.Index
}

// Appended says that the sender's disk holds the log up to Last.
type Appended struct{ Last protocols.Index }

// Entry is the one record on disk: the next entry of the log.
type Entry struct{ Command protocols.Command }

// Kind implements protocols.Message.
func (*Append) Kind() protocols.Kind { return 1 }

// Kind implements protocols.Message.
func (*Appended) Kind() protocols.Kind { return 2 }

// Kind implements protocols.Record.
func (*Entry) Kind() protocols.Kind { return 1 }

// Parameters can be set in a scenario: parameters: {fixedleader: {bugs: [F-01]}}.
type Parameters struct {
	Bugs []string `param:"bugs" doc:"Known bugs to switch on."`
}

// Protocol describes fixedleader to lockstep.
func Protocol() *protocols.Protocol {
	return &protocols.Protocol{
		Name: "fixedleader", Title: "Fixed leader",
		Doc:        "One leader for ever, entries committed by a majority. Out: elections, snapshots.",
		Roles:      []string{follower: "follower", leading: "leader"},
		Timers:     []string{"resend"},
		Messages:   []protocols.KindInfo{{Kind: 1, Name: "append", New: func() any { return new(Append) }}, {Kind: 2, Name: "appended", New: func() any { return new(Appended) }}},
		Records:    []protocols.KindInfo{{Kind: 1, Name: "entry", New: func() any { return new(Entry) }}},
		Parameters: func() any { return new(Parameters) },
		Bugs:       []protocols.Bug{{ID: bugAnybody, Title: "reads are answered by whoever is asked", Source: "this example", Caught: "linearizability"}},
		New:        boot,
		// Without its leader the cluster stands still, and is right to.
		CanProgress: func(f *protocols.Facts) (bool, string) {
			if !f.Live.Has(leader) {
				return false, "n1, the only leader, is down"
			}
			both := protocols.Nodes(leader)
			for id := f.Live.Next(leader); id != protocols.Nobody && int(id) <= f.Cluster.Replicas; id = f.Live.Next(id) {
				if f.Hears[leader].Has(id) && f.Hears[id].Has(leader) {
					both = both.With(id)
				}
			}
			quorum := protocols.Majority{Of: protocols.NodesUpTo(f.Cluster.Replicas)}
			return quorum.Has(both), fmt.Sprintf("n1 can talk to %v, want a %v", both, quorum)
		},
		Survives: func(fault protocols.FaultKind, _ any, _ int) int {
			switch fault {
			case protocols.FaultWipe, protocols.FaultLying, protocols.FaultCorrupt, protocols.FaultMisdirect,
				protocols.FaultReordered, protocols.FaultDiskError, protocols.FaultDiskFull:
				return 0 // it believes its disk
			}
			return -1
		},
	}
}

type node struct {
	id        protocols.NodeID
	members   protocols.NodeSet
	log       protocols.Log[protocols.Command]
	recovered protocols.Index // the log's end when this life began
	commit    protocols.Index
	match     []protocols.Index // leader only, by id: what each disk holds for certain
	state     protocols.Executor
	anybody   bool // F-01
}

func boot(cfg protocols.Config, disk protocols.Recovered) (protocols.Node, error) {
	n := &node{
		id: cfg.ID, members: cfg.Members, match: make([]protocols.Index, cfg.Cluster.Replicas+1),
		state:   protocols.Executor{Machine: cfg.Machine},
		anybody: slices.Contains(cfg.Parameters.(*Parameters).Bugs, bugAnybody),
	}
	for _, r := range disk.Records {
		if r.State == protocols.RecordTorn {
			break // never acknowledged: nothing gated by it can have left
		}
		if r.State != protocols.RecordOK {
			return nil, errors.New("the log on disk is damaged")
		}
		n.log.Append(r.Record.(*Entry).Command)
	}
	n.recovered = n.log.Last()
	return n, nil
}

// Step is the whole protocol: one event in, effects out.
func (n *node) Step(ev *protocols.Event, out *protocols.Effects) {
	switch ev.Kind {
	case protocols.Start:
		if n.id == leader {
			out.Note(protocols.Note{Kind: protocols.NoteLeader, Epoch: 1})
			n.sendAll(out)
		}
	case protocols.Fire:
		n.sendAll(out)
	case protocols.Request:
		n.request(ev, out)
	case protocols.Receive:
		switch m := ev.Message.(type) {
		case *Append:
			n.append(m, ev, out)
		case *Appended:
			n.appended(m, ev, out)
		}
	}
}

func (n *node) request(ev *protocols.Event, out *protocols.Effects) {
	c := ev.Command
	switch {
	case c.Kind == protocols.Follow:
		n.follow(c, out)
	case c.Kind == protocols.Read && n.anybody: // F-01
		out.ReplyEarly(c, n.state.Read(c))
	case n.id != leader:
		out.Refuse(c, leader)
	case c.Kind == protocols.Write:
		n.log.Append(c)
		protocols.Persist(out, Entry{c})
		// Sent to itself as well: the leader counts its own disk like any other.
		protocols.Send(out, n.id, Appended{n.log.Last()})
		for id := n.members.Next(leader); id != protocols.Nobody; id = n.members.Next(id) {
			n.send(id, out)
		}
	case c.Kind == protocols.Read && n.state.Applied >= n.recovered:
		// What this leader answered in an earlier life is executed again by now.
		out.ReplyEarly(c, n.state.Read(c))
	default:
		out.Refuse(c, protocols.Nobody)
	}
}

// follow answers with committed entries, whoever is asked: they never change.
func (n *node) follow(c protocols.Command, out *protocols.Effects) {
	answer := &protocols.FollowResult{Start: protocols.Index(max(1, c.Arg))}
	for i := answer.Start; i <= n.commit && int64(len(answer.Entries)) < c.Old; i++ {
		answer.Entries = append(answer.Entries, protocols.LogCommand{Position: i, Command: *n.log.At(i)})
	}
	out.ReplyEarly(c, protocols.Result{Position: n.commit, Follow: answer})
}

// sendAll repeats to everybody what may have been lost.
func (n *node) sendAll(out *protocols.Effects) {
	protocols.Send(out, n.id, Appended{n.log.Last()})
	for id := n.members.Next(leader); id != protocols.Nobody; id = n.members.Next(id) {
		n.send(id, out)
	}
	out.SetTimer(0, resend)
}

// send waits for the leader's own disk. Early, a leader that crashes could give
// a position away twice: try `early: [append]` in a scenario.
func (n *node) send(to protocols.NodeID, out *protocols.Effects) {
	from := n.match[to] + 1
	protocols.Send(out, to, Append{from, n.log.View(from, maxBatch), n.commit})
}

func (n *node) append(m *Append, ev *protocols.Event, out *protocols.Effects) {
	if ev.From != leader || n.id == leader || m.From == 0 || m.From > n.log.Last()+1 {
		return // not from a leader, or a gap: the leader sends it again
	}
	for i := n.log.Last() + 1 - m.From; i < protocols.Index(len(m.Entries)); i++ {
		n.log.Append(m.Entries[i])
		protocols.Persist(out, Entry{m.Entries[i]})
	}
	protocols.Send(out, leader, Appended{n.log.Last()})
	n.execute(m.Commit, ev.Wall, out)
}

func (n *node) appended(m *Appended, ev *protocols.Event, out *protocols.Effects) {
	if n.id != leader || !n.members.Has(ev.From) || m.Last > n.log.Last() || m.Last <= n.match[ev.From] {
		return
	}
	n.match[ev.From] = m.Last
	n.execute(protocols.CommittedIndex(protocols.Majority{Of: n.members}, n.match), ev.Wall, out)
}

// execute learns that everything up to commit is committed, and executes it.
func (n *node) execute(commit protocols.Index, wall protocols.Time, out *protocols.Effects) {
	commit = min(commit, n.log.Last())
	if commit <= n.commit {
		return
	}
	n.commit = commit
	out.Note(protocols.Note{Kind: protocols.NoteCommit, Epoch: 1, Index: commit})
	for n.state.Applied < commit {
		next := n.state.Applied + 1
		c := *n.log.At(next)
		r := n.state.Apply(next, c, wall)
		out.Note(protocols.Note{Kind: protocols.NoteApplied, Epoch: 1, Index: next, Hash: c.Hash(), State: n.state.Hash(), Command: c})
		if n.id == leader {
			out.ReplyEarly(c, r) // a majority has it
		}
	}
}

// View shows what targets, plots and checks look at.
func (n *node) View(v *protocols.View) {
	*v = protocols.View{
		Role: follower, Epoch: 1, Leader: leader, Commit: n.commit, Applied: n.state.Applied,
		First: 1, Last: n.log.Last(), Members: n.members, StateHash: n.state.Hash(),
	}
	if n.id == leader {
		v.Role, v.Leading = leading, true
	}
}
