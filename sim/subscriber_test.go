package sim

import (
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// TestValueIndex: an index that is fed by changes is the index of the table that
// they make, and one that has missed a change is told from it.
func TestValueIndex(t *testing.T) {
	draws := stream{base: streamOf(1, ofFault, 99)}
	for range 200 {
		var table protocols.Table
		x := indexOf(table)
		missed := indexOf(table)
		var last []protocols.Change
		for range 40 {
			last = []protocols.Change{{
				Kind: protocols.ChangeKind(1 + below(draws.next(), 3)), Key: protocols.Key(below(draws.next(), 4)), Value: protocols.Value(below(draws.next(), 6)),
			}}
			before := indexOf(table)
			table.Apply(last)
			x.apply(last)
			if text := x.difference(table); text != "" {
				t.Fatalf("after %v: %s", last, text)
			}
			if text := before.difference(table); (text != "") != !sameIndex(t, before, indexOf(table)) {
				t.Fatalf("after %v: the index before says %q", last, text)
			}
		}
		if text := missed.difference(table); (text == "") != (len(table.Rows()) == 0) {
			t.Fatalf("an empty index of %v says %q", table.Rows(), text)
		}
	}
}

// sameIndex compares two indexes entry by entry.
func sameIndex(t *testing.T, a, b valueIndex) bool {
	t.Helper()
	if len(a.keys) != len(b.keys) {
		return false
	}
	for v, keys := range a.keys {
		for _, key := range keys {
			if count(b.keys[v], key) != count(keys, key) {
				return false
			}
		}
		if len(b.keys[v]) != len(keys) {
			return false
		}
	}
	return true
}

// TestSubscriberDifference: tables and indexes that are not what they should be are
// found at the end.
func TestSubscriberDifference(t *testing.T) {
	cfg := steady(1)
	cfg.Workload.Subscribers = 1
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.Run(100_000_000)
	s := &w.subscribers[0]
	for i := range w.nodes { // the toy says nothing of its state; these agree
		w.nodes[i].view.Applied, w.nodes[i].view.StateHash = 0, s.table.Hash()
	}
	if text := w.SubscriberDifference(); text != "" {
		t.Fatal(text)
	}
	w.nodes[2].view.StateHash++
	if text := w.SubscriberDifference(); !strings.Contains(text, "c3 and n3 have read and applied 0 and have different tables") {
		t.Errorf("another state at n3: %q", text)
	}
	w.nodes[2].view.StateHash--
	s.index.add(1, 5)
	if text := w.SubscriberDifference(); !strings.Contains(text, "c3 at position 0: the index by value has 1 values, the table 0") {
		t.Errorf("another index: %q", text)
	}
}

// TestSubscribersWithoutAnswers: subscribers of a protocol that answers nobody go on
// asking, crash and boot, and never catch up.
func TestSubscribersWithoutAnswers(t *testing.T) {
	cfg := steady(5)
	cfg.Workload.Subscribers, cfg.Trace, cfg.Trusting = 2, true, true // the toy answers as if asked to put
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if stop := w.Run(5 * second); stop != Reached {
		t.Fatal(stop, w.Violations())
	}
	st := w.Stats()
	if st.SubscriberRestarts < 3 || st.Followed != 0 {
		t.Errorf("%d restarts, %d entries", st.SubscriberRestarts, st.Followed)
	}
	var b strings.Builder
	if err := w.WriteTrace(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"c3    crashes at position 0, its checkpoint is at 0", "c4    boots, follows from position 1", "request follow 1..64"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the trace does not have %q", want)
		}
	}
	w.HealAll()
	w.RunUntil(8*second, func() bool { return w.subscribers[0].up && w.subscribers[1].up })
	if all, who := w.Subscribed(); all || !strings.Contains(who, "c3 has read up to position 0 of") {
		t.Errorf("Subscribed: %v %q", all, who)
	}
	restarts := w.Stats().SubscriberRestarts
	w.Run(12 * second)
	if got := w.Stats().SubscriberRestarts; got != restarts {
		t.Errorf("%d crashes of subscribers after the heal", got-restarts)
	}
}

// TestSubscribersAsTargets: faults can cut subscribers off, by name and as clients.
func TestSubscribersAsTargets(t *testing.T) {
	for _, who := range []string{"c3", "clients"} {
		cfg := steady(5)
		cfg.Workload.Subscribers, cfg.Trusting = 1, true
		cfg.Faults = []Fault{{Kind: protocols.FaultPartition, At: second, For: 500 * ms, Target: target(who)}}
		w, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		w.Run(2 * second)
		if f := w.FaultLog()[0]; !f.Effective || !strings.Contains(f.Names, "c3") {
			t.Errorf("%s: %+v", who, f)
		}
	}
	cfg := steady(5)
	cfg.Faults = []Fault{{Kind: protocols.FaultPartition, At: second, For: 500 * ms, Target: target("c3")}}
	if _, err := New(cfg); err == nil {
		t.Error("want an error: without a subscriber there is no c3")
	}
	cfg = steady(5)
	cfg.Workload.Subscribers = MaxSubscribers + 1
	if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), "workload.subscribers") {
		t.Errorf("got %v", err)
	}
}
