package scenarios_test

import (
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// liar is a Raft node whose answers to followers of the log are spoiled.
type liar struct {
	protocols.Node
	spoil func(*protocols.FollowResult) *protocols.FollowResult
}

func (l *liar) Step(ev *protocols.Event, out *protocols.Effects) {
	l.Node.Step(ev, out)
	for i := range out.Answers {
		if r := &out.Answers[i].Result; r.Follow != nil {
			copied := *r.Follow
			copied.Entries = append([]protocols.LogCommand(nil), r.Follow.Entries...)
			r.Follow = l.spoil(&copied)
		}
	}
}

// lying returns Raft with spoiled answers. Its own invariants look at its own
// nodes, so they are left out.
func lying(spoil func(*protocols.FollowResult) *protocols.FollowResult) *protocols.Protocol {
	p := raft.Protocol()
	boot := p.New
	p.New = func(c protocols.Config, disk protocols.Recovered) (protocols.Node, error) {
		n, err := boot(c, disk)
		if err != nil {
			return nil, err
		}
		return &liar{n, spoil}, nil
	}
	p.Invariants = nil
	return p
}

// compacted answers as a log would that no longer reaches back beyond its last
// keep entries: it rebuilds the state from all entries and ships that. The log of
// the run is what it has shipped so far.
func compacted(t *testing.T, spoil func(*protocols.FollowResult)) func(*protocols.FollowResult) *protocols.FollowResult {
	m, err := protocols.NewMachine("kv")
	if err != nil {
		t.Fatal(err)
	}
	x := protocols.Executor{Machine: m}
	return func(f *protocols.FollowResult) *protocols.FollowResult {
		for _, e := range f.Entries {
			if e.Position == x.Applied+1 {
				x.Replay(e.Position, e.Command, e.Effect, nil)
			}
		}
		if n := len(f.Entries); n > 0 && f.Entries[n-1].Position == x.Applied {
			f = &protocols.FollowResult{Snapshot: x.Snapshot(), Start: x.Applied + 1}
			spoil(f)
		}
		return f
	}
}

// TestSubscriberAlarms demands that subscribers see every way in which answers can
// be wrong, and name it.
func TestSubscriberAlarms(t *testing.T) {
	type follow = protocols.FollowResult
	wrongState := func() any {
		m, err := protocols.NewMachine("kv")
		if err != nil {
			t.Fatal(err)
		}
		x := protocols.Executor{Machine: m, Applied: 1}
		m.Install([]protocols.Change{{Kind: protocols.ChangeSet, Key: 1, Value: 77}})
		return x.Snapshot()
	}
	for _, c := range []struct {
		name, want string
		spoil      func(f *follow) *follow
	}{
		{"first entry left out", ": a gap", func(f *follow) *follow {
			if len(f.Entries) > 0 {
				f.Start, f.Entries = f.Start+1, f.Entries[1:]
			}
			return f
		}},
		{"entry in the middle left out", ": a gap", func(f *follow) *follow {
			if len(f.Entries) >= 3 {
				f.Entries = append(f.Entries[:1], f.Entries[2:]...)
			}
			return f
		}},
		{"an old entry again", ": a repeat", func(f *follow) *follow {
			if len(f.Entries) > 0 && f.Start > 1 {
				f.Entries = append([]protocols.LogCommand{{Position: f.Start - 1}}, f.Entries...)
				f.Start--
			}
			return f
		}},
		{"an entry twice", ": a repeat", func(f *follow) *follow {
			if len(f.Entries) > 0 {
				f.Entries = append(f.Entries[:1:1], f.Entries...)
			}
			return f
		}},
		{"two entries swapped", ": reordered", func(f *follow) *follow {
			if len(f.Entries) >= 2 {
				f.Entries[0], f.Entries[1] = f.Entries[1], f.Entries[0]
			}
			return f
		}},
		{"another command", "was executed", func(f *follow) *follow {
			for i := range f.Entries {
				if f.Entries[i].Command.Client < 0 {
					f.Entries[i].Command.Arg++
				}
			}
			return f
		}},
		{"another effect", "has another table", func(f *follow) *follow {
			for i := range f.Entries {
				f.Entries[i].Effect = &protocols.LogEffect{Changes: []protocols.Change{{Kind: protocols.ChangeSet, Key: 1, Value: 5}}}
			}
			return f
		}},
		{"no entries at all", "has read up to position 0 of", func(f *follow) *follow {
			f.Entries = nil
			return f
		}},
		{"no answer in the answer", "neither entries nor a snapshot", func(*follow) *follow { return nil }},
		{"snapshot of another type", "a snapshot of type string", func(f *follow) *follow {
			return &follow{Snapshot: "state", Start: f.Start + 1}
		}},
		{"snapshot of another position", "that goes on at", func(f *follow) *follow {
			return &follow{Snapshot: wrongState(), Start: 40}
		}},
		{"old snapshot", ": a repeat", func(f *follow) *follow {
			return &follow{Snapshot: wrongState(), Start: 1}
		}},
		{"snapshot of another state", "has another table", func(f *follow) *follow {
			if f.Start != 1 || len(f.Entries) == 0 {
				return f
			}
			return &follow{Snapshot: wrongState(), Start: 2}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := lying(c.spoil)
			sc := subscribed(t, p)
			r := scenarios.Run(sc, p, 1, scenarios.Options{})
			if r.Verdict != checker.Violation || r.Check != scenarios.CheckSubscriber || !strings.Contains(r.Reason, c.want) {
				t.Errorf("want a violation of %s with %q, got %s", scenarios.CheckSubscriber, c.want, r)
			}
			sc.Checks = []scenarios.Check{{Name: scenarios.CheckSubscriber, Off: true}}
			if r := scenarios.Run(sc, p, 1, scenarios.Options{}); r.Verdict != checker.OK {
				t.Errorf("with the check off: %s", r)
			}
		})
	}
}

func subscribed(t *testing.T, p *protocols.Protocol) *scenarios.Scenario {
	t.Helper()
	sc, _, err := scenarios.Load("log-subscriber", []*protocols.Protocol{p})
	if err != nil {
		t.Fatal(err)
	}
	if err := scenarios.Set(sc, "parameters.raft.snapshot_every", "0", []*protocols.Protocol{p}); err != nil {
		t.Fatal(err)
	}
	return sc
}

// TestSubscriberTakesSnapshots: a log that is cut at its head answers with the
// state, and subscribers go on from there.
func TestSubscriberTakesSnapshots(t *testing.T) {
	snapshots := 0
	p := lying(compacted(t, func(*protocols.FollowResult) { snapshots++ }))
	if r := scenarios.Run(subscribed(t, p), p, 1, scenarios.Options{}); r.Verdict != checker.OK || len(r.Missed()) > 0 {
		t.Errorf("%s, missed %v", r, r.Missed())
	}
	if snapshots < 100 {
		t.Errorf("only %d snapshots were shipped", snapshots)
	}
}

// TestSubscribersDisturbNobody: with subscribers, every client gets the answers that
// it gets without, event numbers apart, as long as nothing that they share decides.
func TestSubscribersDisturbNobody(t *testing.T) {
	p := raft.Protocol()
	for seed := uint64(1); seed <= 5; seed++ {
		sc := subscribed(t, p)
		with := scenarios.Run(sc, p, seed, scenarios.Options{History: true})
		sc.Workload.Subscribers = 0
		without := scenarios.Run(sc, p, seed, scenarios.Options{History: true})
		for i := range without.History {
			a, b := with.History[i], without.History[i]
			a.Call, a.Return, b.Call, b.Return = 0, 0, 0, 0
			if a.Command != b.Command || a.Ended != b.Ended || a.Position != b.Position || a.Value != b.Value {
				t.Fatalf("seed %d: operation %d is %v (%v) with subscribers and %v (%v) without", seed, i, a, a.Ended, b, b.Ended)
			}
		}
	}
}

// TestSubscribersInUsedMemory: a run with subscribers is the same in the memory of
// another one.
func TestSubscribersInUsedMemory(t *testing.T) {
	p := raft.Protocol()
	var used scenarios.Runner
	for seed := uint64(1); seed <= 4; seed++ {
		a := used.Run(subscribed(t, p), p, seed, scenarios.Options{})
		b := scenarios.Run(subscribed(t, p), p, seed, scenarios.Options{Memory: protocols.Poison})
		if a.Digest != b.Digest || a.Verdict != checker.OK {
			t.Errorf("%s with digest %s, in fresh memory %s", a, a.Digest, b.Digest)
		}
	}
}

// TestSubscribersInDrawnPlans: whatever faults a plan draws, subscribers see every
// committed entry once and in order.
func TestSubscribersInDrawnPlans(t *testing.T) {
	seeds := uint64(1000)
	if testing.Short() {
		seeds = 100
	}
	p := raft.Protocol()
	var runner scenarios.Runner
	followed, restarts := uint64(0), uint64(0)
	for seed := uint64(1); seed <= seeds; seed++ {
		sc := scenarios.Draw(seed, p, nil)
		sc.Workload.Subscribers = 1 + int(seed%3)
		r := runner.Run(sc, p, seed, scenarios.Options{})
		if r.Verdict != checker.OK {
			t.Errorf("%s", r)
		}
		followed += r.Stats().Followed
		restarts += r.Stats().SubscriberRestarts
	}
	if followed < 100*seeds || restarts < seeds {
		t.Errorf("only %d entries were followed, and %d restarts", followed, restarts)
	}
}
