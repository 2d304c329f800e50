package checker

import (
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// viewed is a node that only shows a view.
type viewed protocols.View

func (viewed) Step(*protocols.Event, *protocols.Effects) {}
func (n viewed) View(v *protocols.View)                  { *v = protocols.View(n) }

// vote and granted are a record and a message of a tiny protocol.
type vote struct{ epoch uint64 }

func (*vote) Kind() protocols.Kind { return 1 }

type granted struct{ epoch uint64 }

func (*granted) Kind() protocols.Kind { return 2 }

type epochImage struct{ epoch uint64 }

func (i *epochImage) Persisted(r protocols.Record, _ bool) { i.epoch = max(i.epoch, r.(*vote).epoch) }
func (i *epochImage) Lost()                                { i.epoch = 0 }
func (i *epochImage) Holds(f protocols.DurableFact) (bool, string) {
	return i.epoch >= f.Epoch, "the disk knows less"
}

var tiny = protocols.Protocol{Name: "tiny", Durability: func(any) *protocols.Durability {
	return &protocols.Durability{
		Claims: func(_ protocols.NodeID, m protocols.Message, facts []protocols.DurableFact) []protocols.DurableFact {
			return append(facts, protocols.DurableFact{Kind: protocols.FactEpoch, Epoch: m.(*granted).epoch})
		},
		Image: func(protocols.NodeID) protocols.DurableImage { return new(epochImage) },
	}
}}

// The moments that a run is made of here.

func boot(node protocols.NodeID, v protocols.View) protocols.Moment {
	return protocols.Moment{Kind: protocols.Booted, Node: node, Replica: viewed(v), Disk: &protocols.Recovered{First: true}}
}

func reboot(node protocols.NodeID, v protocols.View, records ...protocols.RecoveredRecord) protocols.Moment {
	m := boot(node, v)
	m.Disk = &protocols.Recovered{Records: records}
	return m
}

func notes(node protocols.NodeID, list ...protocols.Note) protocols.Moment {
	return protocols.Moment{Kind: protocols.Stepped, Node: node, Event: &protocols.Event{Kind: protocols.Fire},
		Effects: &protocols.Effects{Notes: list}}
}

func executed(node protocols.NodeID, index protocols.Index, entry, state uint64) protocols.Moment {
	return notes(node, protocols.Note{Kind: protocols.NoteApplied, Index: index, Hash: entry, State: state})
}

func installed(node protocols.NodeID, index protocols.Index, state uint64) protocols.Moment {
	return notes(node, protocols.Note{Kind: protocols.NoteInstalled, Index: index, State: state})
}

func committed(node protocols.NodeID, index protocols.Index) protocols.Moment {
	return notes(node, protocols.Note{Kind: protocols.NoteCommit, Index: index})
}

func leads(node protocols.NodeID, epoch uint64) protocols.Moment {
	return notes(node, protocols.Note{Kind: protocols.NoteLeader, Epoch: epoch})
}

func asked(c protocols.Command) protocols.Moment {
	return protocols.Moment{Kind: protocols.Stepped, Node: 1, Event: &protocols.Event{Kind: protocols.Request, Command: c},
		Effects: &protocols.Effects{}}
}

func answered(node protocols.NodeID, c protocols.Command, r protocols.Result) protocols.Moment {
	return protocols.Moment{Kind: protocols.Replied, Node: node, Answer: &protocols.Answer{Command: c, Result: r}}
}

func durable(node protocols.NodeID, epoch uint64) protocols.Moment {
	return protocols.Moment{Kind: protocols.Durable, Node: node, Record: &vote{epoch}}
}

func sent(from protocols.NodeID, epoch uint64) protocols.Moment {
	return protocols.Moment{Kind: protocols.Left, Node: from, To: 2, Message: &granted{epoch}}
}

var (
	put  = protocols.Command{Client: -1, Kind: protocols.Write, Op: protocols.Put, Seq: 1, Arg: 5}
	get  = protocols.Command{Client: -1, Kind: protocols.Read, Op: protocols.Get, Seq: 2}
	whom = protocols.RecoveredRecord{Record: &vote{3}}
	lost = protocols.RecoveredRecord{State: protocols.RecordCorrupt}
)

func TestGenericObservers(t *testing.T) {
	type moments []protocols.Moment
	tests := []struct {
		name string
		run  moments
		want string // check; "" for none
	}{
		{"two nodes in step", moments{boot(1, protocols.View{}), boot(2, protocols.View{}),
			executed(1, 1, 10, 100), executed(1, 2, 20, 200), executed(2, 1, 10, 100), executed(2, 2, 20, 200)}, ""},
		{"another entry", moments{executed(1, 1, 10, 100), executed(2, 1, 11, 100)}, CheckSame},
		{"another entry after a restart", moments{executed(1, 1, 10, 100), boot(1, protocols.View{}), executed(1, 1, 11, 100)}, CheckSame},
		{"again after a restart", moments{executed(1, 1, 10, 100), boot(1, protocols.View{}), executed(1, 1, 10, 100)}, ""},
		{"a gap", moments{executed(1, 1, 10, 100), executed(1, 2, 20, 200), executed(2, 2, 20, 200)}, CheckOrder},
		{"twice", moments{executed(1, 1, 10, 100), executed(1, 1, 10, 100)}, CheckOrder},
		{"far too far", moments{executed(1, 1<<60, 10, 100)}, CheckOrder},
		{"another state", moments{executed(1, 1, 10, 100), executed(2, 1, 10, 101)}, CheckState},
		{"a snapshot jumps", moments{executed(1, 1, 10, 100), executed(1, 2, 20, 200), executed(1, 3, 30, 300),
			installed(2, 2, 200), executed(2, 3, 30, 300)}, ""},
		{"a snapshot with another state", moments{executed(1, 1, 10, 100), installed(2, 1, 101)}, CheckState},
		{"a snapshot of the future", moments{executed(1, 1, 10, 100), installed(2, 9, 100)}, CheckOrder},
		{"a snapshot of the past", moments{executed(1, 1, 10, 100), executed(1, 2, 20, 200), installed(1, 1, 100)}, CheckOrder},
		{"boot from a snapshot", moments{executed(1, 1, 10, 100), boot(1, protocols.View{Applied: 1, StateHash: 100}), executed(1, 2, 20, 200)}, ""},
		{"boot from a bad snapshot", moments{executed(1, 1, 10, 100), boot(1, protocols.View{Applied: 1, StateHash: 99})}, CheckState},
		{"boot beyond everybody", moments{executed(1, 1, 10, 100), boot(1, protocols.View{Applied: 4})}, CheckOrder},
		{"boot where nobody notes anything", moments{boot(1, protocols.View{Applied: 4})}, ""},
		{"leaders of their epochs", moments{leads(1, 1), leads(2, 2), leads(2, 2), leads(1, 3)}, ""},
		{"two leaders", moments{leads(1, 1), leads(2, 2), leads(3, 1)}, CheckLead},
		{"commit grows", moments{committed(1, 3), committed(1, 3), committed(1, 4), boot(1, protocols.View{}), committed(1, 2)}, ""},
		{"commit shrinks", moments{committed(1, 3), committed(1, 2)}, CheckCommit},
		{"a command and its answer", moments{asked(put), answered(1, put, protocols.Result{Position: 4}), asked(get), answered(2, get, protocols.Result{Value: 5})}, ""},
		{"an answer without a question", moments{asked(put), answered(1, get, protocols.Result{})}, CheckIssued},
		{"an answer to another command", moments{asked(put), answered(1, protocols.Command{Client: -1, Kind: protocols.Write, Op: protocols.Put, Seq: 1, Arg: 6}, protocols.Result{})}, CheckIssued},
		{"an answer to nobody", moments{answered(1, protocols.Command{Seq: 1}, protocols.Result{})}, CheckIssued},
		{"answered again", moments{asked(put), answered(1, put, protocols.Result{Position: 4}), answered(2, put, protocols.Result{Position: 4})}, ""},
		{"expired the second time", moments{asked(put), answered(1, put, protocols.Result{Position: 4}), answered(2, put, protocols.Result{Status: protocols.Expired, Position: 9})}, ""},
		{"executed twice", moments{asked(put), answered(1, put, protocols.Result{Position: 4}), answered(2, put, protocols.Result{Position: 7})}, CheckOnce},
		{"two answers", moments{asked(put), answered(1, put, protocols.Result{Position: 4, Value: 1}), answered(2, put, protocols.Result{Position: 4, Value: 2})}, CheckOnce},
		{"reads may differ", moments{asked(get), answered(1, get, protocols.Result{Value: 1}), answered(2, get, protocols.Result{Value: 2})}, ""},
		{"durable, then sent", moments{durable(1, 3), sent(1, 3), sent(1, 2), reboot(1, protocols.View{Epoch: 3}, whom)}, ""},
		{"sent, then durable", moments{sent(1, 3), durable(1, 3)}, CheckDur},
		{"another node's disk", moments{durable(2, 3), sent(1, 3)}, CheckDur},
		{"forgotten", moments{durable(1, 3), sent(1, 3), reboot(1, protocols.View{Epoch: 2}, whom)}, CheckEpoch},
		{"never promised", moments{durable(1, 3), reboot(1, protocols.View{Epoch: 2}, whom)}, ""},
		{"a damaged disk", moments{durable(1, 3), sent(1, 3), reboot(1, protocols.View{}, lost)}, ""},
		{"a wiped disk", moments{durable(1, 3), sent(1, 3), reboot(1, protocols.View{}), durable(1, 1), sent(1, 1)}, ""},
		{"a claim from before the wipe", moments{durable(1, 3), sent(1, 3), reboot(1, protocols.View{}), sent(1, 3)}, CheckDur},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			list := Generic(&tiny, protocols.Cluster{Replicas: 3}, nil)
			var found []protocols.Violation
			for i := range test.run {
				m := test.run[i]
				m.Seq = uint64(i + 1)
				for _, o := range list {
					if o.Moments()&m.Kind != 0 {
						o.Observe(&m)
					}
				}
				found = append(found, m.Found...)
			}
			switch {
			case test.want == "" && len(found) > 0:
				t.Errorf("found %v", found)
			case test.want != "" && (len(found) == 0 || found[0].Check != test.want):
				t.Errorf("found %v, want %s", found, test.want)
			case test.want != "" && len(found[0].Text) < 20:
				t.Errorf("text %q says too little", found[0].Text)
			}
		})
	}
}

// Every check that an observer lists is tripped by one of the cases above, and
// named by exactly one observer.
func TestGenericChecks(t *testing.T) {
	var ids []string
	for _, o := range Generic(&tiny, protocols.Cluster{Replicas: 3}, nil) {
		for _, c := range o.Checks() {
			ids = append(ids, c.ID)
		}
	}
	want := strings.Join([]string{CheckSame, CheckOrder, CheckState, CheckLead, CheckCommit, CheckIssued, CheckOnce, CheckDur, CheckEpoch}, " ")
	if got := strings.Join(ids, " "); got != want {
		t.Errorf("checks %s, want %s", got, want)
	}
	if n := len(Generic(&protocols.Protocol{}, protocols.Cluster{Replicas: 3}, nil)); n != 2 {
		t.Errorf("a protocol without claims has %d generic observers, want 2", n)
	}
}

// Observers cost nothing that grows with the run.
func TestGenericAllocations(t *testing.T) {
	x := newExecution(protocols.Cluster{Replicas: 3})
	for i := range 100_000 {
		m := executed(1, protocols.Index(i+1), uint64(i), uint64(i))
		x.Observe(&m)
	}
	next := protocols.Index(1)
	m := executed(2, 1, 0, 0)
	perMoment := testing.AllocsPerRun(1000, func() {
		note := &m.Effects.Notes[0]
		note.Index, note.Hash, note.State = next, uint64(next-1), uint64(next-1)
		next++
		x.Observe(&m)
	})
	if perMoment != 0 || len(m.Found) > 0 {
		t.Errorf("%v allocations per executed entry, found %v", perMoment, m.Found)
	}
}

// Requests are forgotten in blocks once they are old: then nothing is said of their
// answers, and what is younger is judged as before.
func TestClientsForgetWhatIsOld(t *testing.T) {
	x := newClients(true)
	command := func(seq uint64) protocols.Command {
		return protocols.Command{Client: -1, Kind: protocols.Write, Op: protocols.Put, Seq: seq, Arg: int64(seq)}
	}
	const each = protocols.Duration(100_000_000)
	const last = 4 * uint64(forgetAfter/each)
	for seq := uint64(1); seq <= last; seq++ {
		m := asked(command(seq))
		m.Now = protocols.Time(seq) * protocols.Time(each)
		x.Observe(&m)
	}
	if kept := x.of[1].Len(); kept < int(forgetAfter/each) || kept > int(forgetAfter/each)+2*forgetEvery {
		t.Errorf("%d requests are kept, want those of the last %v and at most %d more", kept, forgetAfter, 2*forgetEvery)
	}
	for _, c := range []struct {
		seq   uint64
		other bool // the answer is to another command
		found int
	}{{1, true, 0}, {last, false, 0}, {last - uint64(forgetAfter/each) + 1, true, 1}, {last + 1, false, 1}} {
		was := command(c.seq)
		if c.other {
			was.Arg++
		}
		m := answered(2, was, protocols.Result{Position: 9})
		x.Observe(&m)
		if len(m.Found) != c.found {
			t.Errorf("answer to request %d: found %v, want %d", c.seq, m.Found, c.found)
		}
	}
}

func TestAppliedKeepsTheLogAsFirstExecuted(t *testing.T) {
	var a Applied
	step := func(notes ...protocols.Note) {
		a.Observe(&protocols.Moment{Kind: protocols.Stepped, Effects: &protocols.Effects{Notes: notes}})
	}
	note := func(at protocols.Index, client protocols.NodeID) protocols.Note {
		return protocols.Note{Kind: protocols.NoteApplied, Index: at, Command: protocols.Command{Client: client, Seq: uint64(at)}}
	}
	step(note(1, -1), note(2, -2))
	step(note(1, -9)) // a second replica, later and of another mind
	step(protocols.Note{Kind: protocols.NoteCommit, Index: 7}, note(3, 0))
	want := []protocols.NodeID{-1, -2, 0}
	if got := a.Log(); len(got) != len(want) {
		t.Fatalf("got %d positions, want %d", len(got), len(want))
	}
	for i, c := range a.Log() {
		if c.Position != protocols.Index(i+1) || c.Command.Client != want[i] {
			t.Errorf("position %d: got %v at %d, want client %v", i+1, c.Command.Client, c.Position, want[i])
		}
	}
}

// TestOnceUnderALossyGuarantee: where an acknowledged write may be lost, a retry
// of it may take effect again; answers to nobody's question stay wrong.
func TestOnceUnderALossyGuarantee(t *testing.T) {
	lossy := protocols.Protocol{Guarantee: func(any) protocols.Guarantee { return protocols.Guarantee{LosesAcknowledged: true} }}
	put := protocols.Command{Client: -1, Seq: 1, Kind: protocols.Write, Op: protocols.Put, Key: 1, Arg: 5}
	var found []protocols.Violation
	for _, o := range Generic(&lossy, protocols.Cluster{Replicas: 2}, nil) {
		for _, m := range []protocols.Moment{
			{Kind: protocols.Stepped, Event: &protocols.Event{Kind: protocols.Request, Command: put}, Effects: &protocols.Effects{}},
			{Kind: protocols.Replied, Node: 1, Answer: &protocols.Answer{Command: put, Result: protocols.Result{Position: 4}}},
			{Kind: protocols.Replied, Node: 2, Answer: &protocols.Answer{Command: put, Result: protocols.Result{Position: 7}}},
		} {
			if m.Kind&o.Moments() != 0 {
				o.Observe(&m)
				found = append(found, m.Found...)
			}
		}
	}
	if len(found) != 0 {
		t.Errorf("a write lost and done again: %v", found)
	}
}
