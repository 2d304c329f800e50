package checker_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/checker/generate"
	"github.com/lockstep-sim/lockstep/protocols"
)

// TestMinimise: what is left is wrong by itself, small, and no reader of it misses
// the write of what it shows.
func TestMinimise(t *testing.T) {
	seen := 0
	for _, machine := range []string{"register", "queue", "log", "counter"} {
		for _, d := range generate.Damages {
			for seed := range uint64(5) {
				ops, ok := generate.Damaged(machine, seed, 100, 3, d)
				if !ok {
					continue
				}
				opt := checker.Options{Machine: machine, Blind: true}
				parts := checker.Plan(ops, opt)
				r := parts[0].Check()
				m, ok := parts[0].Minimise(r.Counterexample)
				if ok != (r.Verdict == checker.Violation) {
					t.Fatalf("%s, %s, seed %d: minimised: %v, judged %v", machine, d, seed, ok, r.Verdict)
				}
				if !ok {
					continue
				}
				seen++
				if again := checker.Linearizable(m.Operations, opt); again.Verdict != checker.Violation {
					t.Errorf("%s, %s, seed %d: the rest is %v", machine, d, seed, again.Verdict)
				}
				if !m.Proven || (machine == "register" || machine == "queue") && len(m.Operations) > 6 {
					t.Errorf("%s, %s, seed %d: %d operations, proven %v", machine, d, seed, len(m.Operations), m.Proven)
				}
				if machine != "counter" && d != generate.FutureRead && r.Counterexample.Class != checker.NeverWritten && !closed(m.Operations) {
					t.Errorf("%s, %s, seed %d: a write is missing whose value is shown", machine, d, seed)
				}
			}
		}
	}
	if seen < 40 {
		t.Errorf("only %d violations were minimised", seen)
	}
}

// TestMinimiseStaleRead: reads of values that are not at fault do not stay without the
// writes of these.
func TestMinimiseStaleRead(t *testing.T) {
	for stale := int64(1); stale < 8; stale++ {
		var ops []protocols.Operation
		add := func(op protocols.Op, arg, value int64) {
			n := len(ops)
			ops = append(ops, protocols.Operation{Command: protocols.Command{Client: protocols.NodeID(-1 - n%3), Seq: uint64(n/3 + 1), Op: op, Arg: arg},
				Value: protocols.Value(value), Outcome: protocols.Done, Call: int64(2 * n), Return: int64(2*n + 1)})
		}
		for value := int64(1); value <= 8; value++ {
			add(protocols.Put, value, value-1)
			add(protocols.Get, 0, value)
			add(protocols.Get, 0, value)
		}
		add(protocols.Get, 0, stale)
		part := checker.Plan(ops, checker.Options{Machine: "register"})[0]
		m, ok := part.Minimise(part.Check().Counterexample)
		if !ok || len(m.Operations) != 3 || !closed(m.Operations) {
			t.Errorf("stale read of %d: minimised %v to %v", stale, ok, m.Operations)
		}
	}
}

// closed reports whether every value that is shown is written.
func closed(ops []protocols.Operation) bool {
	written := map[int64]bool{0: true}
	for i := range ops {
		if ops[i].Op == protocols.Put || ops[i].Op == protocols.AppendTo {
			written[ops[i].Arg] = true
		}
	}
	for i := range ops {
		if (ops[i].Op == protocols.Get && ops[i].Arg == 0 || ops[i].Op == protocols.Delete) && !written[int64(ops[i].Value)] {
			return false
		}
	}
	return true
}

// hostile names try to break out of the page.
type hostile struct{}

func (hostile) Client(*protocols.Operation) string { return "</script><img src=x onerror=alert(1)>" }
func (hostile) Key(protocols.Key) string           { return "\"'`&\\u003cb\\u003e" }
func (hostile) Operation(protocols.Op) string      { return "<u>op" }
func (hostile) Value(int64) string                 { return "<b>${x}</b>" }

// TestPicture: equal bytes for equal operations, nothing from names that is markup,
// and marks in it.
func TestPicture(t *testing.T) {
	ops, ok := generate.Damaged("register", 3, 200, 4, generate.LostWrite)
	if !ok {
		t.Fatal("no damage")
	}
	opt := checker.Options{Machine: "register", Blind: true, Names: hostile{}}
	marks := []checker.Mark{{Row: "<i>faults", Text: "crash of n1</script>", Start: 10, End: 90}}
	var first, second bytes.Buffer
	for _, to := range []*bytes.Buffer{&first, &second} {
		if err := checker.WritePicture(to, ops, marks, "<h1>&title", opt); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two pages differ")
	}
	page := first.String()
	if n := strings.Count(page, "</script>"); n != 1 {
		t.Errorf("%d ends of a script", n)
	}
	for _, bad := range []string{"onerror=alert(1)>", "<img", "<b>", "<i>faults", "<u>", "<h1>&title", "\\u003cb"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if !strings.Contains(page, "crash of n1") || strings.Contains(page, "http-equiv") {
		t.Error("the mark is missing")
	}
}

// TestMillionCorrect: a million correct operations raise no alarm, and the judgement
// is the same twice.
func TestMillionCorrect(t *testing.T) {
	if testing.Short() {
		t.Skip("a million operations")
	}
	for _, machine := range []string{"register", "counter"} {
		mix := generate.Mix{}
		if machine == "counter" {
			mix = generate.Mix{Read: 1, Increment: 1}
		}
		h := generate.New(generate.Config{Machine: machine, Seed: 7, N: 1_000_000, Clients: 24, Unknown: 0, Mix: mix})
		opt := checker.Options{Machine: machine}
		r := checker.Linearizable(h.Operations, opt)
		if r.Verdict != checker.OK {
			t.Fatalf("%s: %v %s", machine, r.Verdict, r.Reason)
		}
		if machine != "register" {
			continue
		}
		held := checker.WhatHolds(h.Operations, nil, opt)
		for _, f := range held.Findings {
			if f.Verdict == checker.Violation {
				t.Errorf("%v: %s", f.Guarantee, f.Text)
			}
		}
		if held.Staleness.Stale != 0 {
			t.Errorf("%d stale reads", held.Staleness.Stale)
		}
		if again := checker.Linearizable(h.Operations, opt); !reflect.DeepEqual(r, again) {
			t.Error("a second judgement differs")
		}
	}
}
