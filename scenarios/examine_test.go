package scenarios_test

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/scenarios"
)

func examine(t *testing.T, name string, seed uint64, at protocols.Time) *scenarios.Examination {
	t.Helper()
	p := raft.Protocol()
	sc, _, err := scenarios.Load(name, []*protocols.Protocol{p})
	if err != nil {
		t.Fatal(err)
	}
	x, err := scenarios.Examine(sc, p, seed, at)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestExamine looks at runs at drawn times: every replica's log gives its state, a
// table and a changelog make the later table, and logs part only where at least one
// side is not committed.
func TestExamine(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 1))
	parted, undurable := 0, 0
	for _, name := range []string{"crash-storm", "leader-cut-off", "log-subscriber", "slow-lossy-network"} {
		for seed := uint64(1); seed <= 6; seed++ {
			x := examine(t, name, seed, protocols.Time(1+draw.Int64N(7e9)))
			for i := range x.Nodes {
				n := &x.Nodes[i]
				if same, known := n.Replays(); known != n.Up || known && !same {
					t.Errorf("%s seed %d at %s: %s up %v: replay known %v, same %v", name, seed, x.At, n.ID, n.Up, known, same)
				}
				if n.DurableTo() < n.Last {
					undurable++
				}
				dual(t, draw, n)
			}
			for _, m := range x.Nodes[1:] {
				p := scenarios.Part(&x.Nodes[0], &m)
				if p.A != nil && p.B != nil {
					parted++
					if p.A.Position <= x.Nodes[0].View.Commit && p.B.Position <= m.View.Commit {
						t.Errorf("%s seed %d at %s: two committed logs part at %d", name, seed, x.At, p.A.Position)
					}
				}
			}
		}
	}
	if parted < 3 || undurable < 3 {
		t.Errorf("only %d logs parted and %d were not durable to the end: nothing was tested", parted, undurable)
	}
}

func dual(t *testing.T, draw *rand.Rand, n *scenarios.NodeLog) {
	t.Helper()
	base := n.First - 1 // what lies before is compacted
	k := base + protocols.Index(draw.Uint64N(uint64(n.Last-base)+1))
	j := base + protocols.Index(draw.Uint64N(uint64(k-base)+1))
	before, err := n.Table(j)
	if err != nil {
		t.Fatal(err)
	}
	after, err := n.Table(k)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := n.Changelog(j, k)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		before.Table.Apply(s.Changes)
	}
	if a, b := before.Table.Rows(), after.Table.Rows(); len(a)+len(b) > 0 && !reflect.DeepEqual(a, b) {
		t.Errorf("%s: the table at %d and its changelog make %v at %d, want %v", n.ID, j, a, k, b)
	}
}

// TestDurableIsWhatACrashLeaves: what is said to be durable a moment before a crash
// is the log that the next boot has, no more and no less.
func TestDurableIsWhatACrashLeaves(t *testing.T) {
	lost := 0
	for seed := uint64(1); seed <= 4; seed++ {
		whole := examine(t, "leader-crash", seed, 0)
		if !whole.Ended || whole.Violation != "" {
			t.Fatalf("seed %d: ended %v, %s", seed, whole.Ended, whole.Violation)
		}
		for i, crash := range whole.History {
			if crash.Boot || len(crash.Records) == 0 {
				continue // a crash point inside a step makes durable what comes before it
			}
			boot := whole.History[i+1]
			for k := i + 1; !boot.Boot || boot.Node != crash.Node; k++ {
				boot = whole.History[k]
			}
			n, err := examine(t, "leader-crash", seed, crash.At-1).Node(crash.Node.String())
			if err != nil {
				t.Fatal(err)
			}
			lost++
			if got := n.DiskView.Last; got != boot.Last || n.DurableTo() != boot.Last {
				t.Errorf("seed %d: before its crash at %s the disk of %s holds %d and %d is durable, its next boot has %d", seed, crash.At, n.ID, got, n.DurableTo(), boot.Last)
			}
		}
	}
	if lost == 0 {
		t.Error("no crash lost anything: nothing was tested")
	}
}

// TestExamineIsTheRun: looking changes nothing, and a stop on the way is a prefix.
func TestExamineIsTheRun(t *testing.T) {
	end := examine(t, "crash-storm", 2, 0)
	early := examine(t, "crash-storm", 2, 3_000_000_000)
	if early.Ended || early.At != 3_000_000_000 {
		t.Errorf("stopped at %s, ended %v", early.At, early.Ended)
	}
	for i := range early.Nodes {
		n := &early.Nodes[i]
		for at := protocols.Index(1); n.Up && at <= n.View.Commit; at++ {
			a, _ := n.Entry(at)
			b, err := end.Nodes[i].Entry(at)
			if err != nil || !a.Equal(b) {
				t.Fatalf("%s: position %d was committed as %v, at the end it is %v (%v)", n.ID, at, a, b, err)
			}
		}
	}
	if len(early.History) >= len(end.History) || !reflect.DeepEqual(early.History, end.History[:len(early.History)]) {
		t.Errorf("%d recoveries on the way, %d at the end", len(early.History), len(end.History))
	}
}

func TestPart(t *testing.T) {
	entries := func(first protocols.Index, epochs ...uint64) *scenarios.NodeLog {
		n := &scenarios.NodeLog{First: first, Last: first + protocols.Index(len(epochs)) - 1}
		for i, e := range epochs {
			n.Entries = append(n.Entries, protocols.LogEntry{Position: first + protocols.Index(i), Epoch: e})
		}
		return n
	}
	for _, c := range []struct {
		what       string
		a, b       *scenarios.NodeLog
		from, same protocols.Index
		left       bool
		right      bool
	}{
		{"equal", entries(1, 1, 1, 2), entries(1, 1, 1, 2), 1, 3, false, false},
		{"empty", entries(1), entries(1), 1, 0, false, false},
		{"ends", entries(1, 1, 1), entries(1, 1, 1, 2), 1, 2, false, true},
		{"nothing yet", entries(1, 1), entries(1), 1, 0, true, false},
		{"parts", entries(1, 1, 1, 2), entries(1, 1, 3), 1, 1, true, true},
		{"cut at the head", entries(3, 2, 2), entries(1, 1, 1, 2, 3), 3, 3, true, true},
		{"nothing in common", entries(9, 2), entries(1, 1, 1), 9, 8, true, false},
	} {
		p := scenarios.Part(c.a, c.b)
		if p.From != c.from || p.Same != c.same || (p.A != nil) != c.left || (p.B != nil) != c.right {
			t.Errorf("%s: %+v", c.what, p)
		}
	}
}

// blind hides a node's log.
type blind struct{ protocols.Node }

func TestExamineErrors(t *testing.T) {
	p := raft.Protocol()
	sc := subscribed(t, p)
	if _, err := scenarios.Examine(sc, p, 1, 3600e9); err == nil || !strings.Contains(err.Error(), "the run ends at 9.0") {
		t.Errorf("a time after the end: %v", err)
	}
	x, err := scenarios.Examine(sc, p, 1, 2e9)
	if err != nil {
		t.Fatal(err)
	}
	n := x.FirstLive()
	for what, err := range map[string]error{
		"position 99999: the log of n":               second(n.Table(99999)),
		"position 99998: the log of n":               second(n.Changelog(3, 99998)),
		"the range 7..3 ends before":                 second(n.Changelog(7, 3)),
		"no replica \"n6\"; this cluster has n1..n5": second(x.Node("n6")),
	} {
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("got %v, want %q", err, what)
		}
	}
	boot := p.New
	p.New = func(c protocols.Config, disk protocols.Recovered) (protocols.Node, error) {
		n, err := boot(c, disk)
		return &blind{n}, err
	}
	p.Invariants = nil
	if _, err := scenarios.Examine(sc, p, 1, 2e9); err == nil || !strings.Contains(err.Error(), "raft shows no log") {
		t.Errorf("a protocol without a log: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }
