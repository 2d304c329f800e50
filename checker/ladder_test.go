package checker

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/lockstep-sim/lockstep/checker/generate"
	"github.com/lockstep-sim/lockstep/protocols"
)

// op makes an answered operation of client c, on key 1 where it has one.
func op(c protocols.NodeID, kind protocols.Op, arg int64, value protocols.Value, call, ret int64) protocols.Operation {
	o := protocols.Operation{Outcome: protocols.Done, Value: value, Call: call, Return: ret}
	o.Client, o.Kind, o.Op, o.Arg, o.Seq = -c, protocols.Write, kind, arg, uint64(call+1)
	if !changes(kind) {
		o.Kind = protocols.Read
	}
	switch kind {
	case protocols.Get, protocols.Put, protocols.CAS, protocols.Delete:
		o.Key = 1
	}
	return o
}

// open makes the outcome of o unknown.
func open(o protocols.Operation) protocols.Operation {
	o.Outcome, o.Return, o.Value = protocols.Unknown, protocols.Infinity, 0
	return o
}

func cas(c protocols.NodeID, old, arg int64, value protocols.Value, call, ret int64) protocols.Operation {
	o := op(c, protocols.CAS, arg, value, call, ret)
	o.Old, o.Swapped = old, int64(value) == old
	return o
}

func read(c protocols.NodeID, from, limit int64, length protocols.Value, call, ret int64, list ...protocols.Value) protocols.Operation {
	o := op(c, protocols.ReadRange, from, length, call, ret)
	o.Old, o.List = limit, list
	return o
}

// TestCounterexamples shows what each check says of the smallest histories that
// it refutes.
func TestCounterexamples(t *testing.T) {
	const put, get, del, app, inc = protocols.Put, protocols.Get, protocols.Delete, protocols.AppendTo, protocols.Increment
	tests := []struct {
		name, machine string
		by            Decider
		ops           []protocols.Operation
		want          string
	}{
		{"stale read", "kv", ByZones, []protocols.Operation{
			op(2, put, 4, 0, 1, 2), op(2, put, 5, 4, 3, 4), op(1, get, 0, 4, 5, 6)},
			"c2 put k1 5 -> saw 4 [3, 4] had returned before c1 get k1 -> 4 [5, 6] was called, although by the values seen it comes after that"},
		{"value from nowhere", "kv", ByZones, []protocols.Operation{op(1, get, 0, 9, 1, 2)},
			"c1 get k1 -> 9 [1, 2] although nobody wrote 9 to this key"},
		{"read before its write", "kv", ByZones, []protocols.Operation{op(1, get, 0, 9, 1, 2), op(2, put, 9, 0, 3, 4)},
			"c1 get k1 -> 9 [1, 2] had returned before c2 put k1 9 -> saw 0 [3, 4] was called, although by the values seen it comes after that"},
		{"lost update", "kv", ByZones, []protocols.Operation{op(1, put, 4, 0, 1, 2), op(2, put, 5, 0, 3, 4)},
			"c1 put k1 4 -> saw 0 [1, 2] and c2 put k1 5 -> saw 0 [3, 4] both took effect right after the value 0, which was there only once"},
		{"two swaps", "register", ByZones, []protocols.Operation{cas(1, 0, 4, 0, 1, 9), cas(2, 0, 5, 0, 2, 8)},
			"c1 cas k1 0 4 -> swapped, saw 0 [1, 9] and c2 cas k1 0 5 -> swapped, saw 0 [2, 8] both took effect right after the value 0, which was there only once"},
		{"circle", "register", ByZones, []protocols.Operation{op(1, put, 4, 5, 1, 9), op(2, put, 5, 4, 2, 8)},
			"each of these took effect right after another of them, which leaves no first: c2 put k1 5 -> saw 4 [2, 8]; c1 put k1 4 -> saw 5 [1, 9]"},
		{"unknown writes overlap", "register", ByZones, []protocols.Operation{
			open(op(1, put, 4, 0, 1, 0)), open(op(2, put, 5, 0, 2, 0)), op(3, get, 0, 4, 3, 4), op(3, get, 0, 5, 5, 6), op(3, get, 0, 4, 7, 8)},
			"c3 get k1 -> 4 [3, 4] had returned before c3 get k1 -> 5 [5, 6] was called, and that before c3 get k1 -> 4 [7, 8]; by the values seen nothing can come between the first and the last of these"},
		{"unknown writes cross", "register", ByZones, []protocols.Operation{
			open(op(1, put, 4, 0, 1, 0)), open(op(2, put, 5, 0, 2, 0)),
			op(3, get, 0, 4, 3, 4), op(4, get, 0, 5, 3, 5), op(3, get, 0, 5, 6, 7), op(4, get, 0, 4, 6, 8)},
			"c3 get k1 -> 4 [3, 4] had returned before c3 get k1 -> 5 [6, 7] was called, and c4 get k1 -> 5 [3, 5] before c4 get k1 -> 4 [6, 8]; by the values seen nothing can come between the first and the last of these, and nothing between the second and the third"},
		{"read before delete", "kv", ByZones, []protocols.Operation{
			op(1, put, 4, 0, 1, 2), op(1, del, 0, 4, 3, 4), op(2, get, 0, 4, 5, 6)},
			"c1 delete k1 -> saw 4 [3, 4] had returned before c2 get k1 -> 4 [5, 6] was called, although by the values seen it comes after that"},
		{"absent while present", "kv", ByZones, []protocols.Operation{
			op(1, put, 4, 0, 1, 2), op(2, get, 0, 0, 3, 4), op(1, del, 0, 4, 5, 6)},
			"c1 put k1 4 -> saw 0 [1, 2] had returned before c2 get k1 -> 0 [3, 4] was called, and that before c1 delete k1 -> saw 4 [5, 6]; by the values seen nothing can come between the first and the last of these"},
		{"absent after the last value", "kv", ByZones, []protocols.Operation{
			op(1, put, 4, 0, 1, 2), op(1, del, 0, 4, 3, 4), op(1, put, 5, 0, 5, 6), op(2, get, 0, 0, 7, 8)},
			"c1 put k1 5 -> saw 0 [5, 6] had returned before c2 get k1 -> 0 [7, 8] was called, although nobody saw c1 put k1 5 -> saw 0 [5, 6] replaced or deleted, so that it comes after everything else"},
		{"one position twice", "log", ByLog, []protocols.Operation{op(1, app, 7, 1, 1, 2), op(2, app, 8, 1, 1, 2)},
			"c1 append 7 -> 1 [1, 2]; c2 append 8 -> 1 [1, 2]: both got the same position"},
		{"short read", "log", ByLog, []protocols.Operation{op(1, app, 7, 1, 1, 2), read(2, 1, 9, 0, 3, 4)},
			"c1 append 7 -> 1 [1, 2] had returned before c2 read from 1 at most 9 -> length 0 [] [3, 4] was called, although by position or length it comes after that"},
		{"wrong content", "log", ByLog, []protocols.Operation{op(1, app, 7, 1, 1, 2), read(2, 1, 9, 1, 3, 4, 8)},
			"c1 append 7 -> 1 [1, 2]; c2 read from 1 at most 9 -> length 1 [8] [3, 4]: position 1 holds 7 for the one and 8 for the other"},
		{"too long", "log", ByLog, []protocols.Operation{op(1, app, 7, 1, 1, 2), read(2, 9, 9, 2, 3, 4)},
			"c2 read from 9 at most 9 -> length 2 [] [3, 4]: there were only 1 appends"},
		{"counter", "counter", ByPorcupine, []protocols.Operation{op(1, inc, 0, 1, 1, 2), op(2, get, 0, 0, 3, 4)},
			"everything that had returned before can be put into one order; with c2 get k1 -> 0 [3, 4] no order is left. The longest possible order has 1 operations and ends with c1 increment -> 1 [1, 2]; after that there is no place for c2 get k1 -> 0 [3, 4]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := Linearizable(test.ops, Options{Machine: test.machine})
			if r.Verdict != Violation || r.Parts[0].DecidedBy != test.by {
				t.Fatalf("verdict %v by %v, want a violation by %v", r.Verdict, r.Parts[0].DecidedBy, test.by)
			}
			if got := r.Counterexample.Text; got != test.want {
				t.Errorf("text\n%s\nwant\n%s", got, test.want)
			}
			if len(r.Counterexample.Operations) == 0 {
				t.Error("no operations")
			}
		})
	}
}

// TestGoodCorners holds small histories that a slightly wrong check refutes.
func TestGoodCorners(t *testing.T) {
	const put, get, del = protocols.Put, protocols.Get, protocols.Delete
	tests := []struct {
		name string
		ops  []protocols.Operation
	}{
		{"the append of unknown outcome that came first fills the gap", []protocols.Operation{
			open(op(1, protocols.AppendTo, 4, 0, 9, 0)), open(op(2, protocols.AppendTo, 5, 0, 1, 0)), op(3, protocols.AppendTo, 6, 2, 3, 4)}},
		{"a swap of unknown outcome needs the delete of unknown outcome before it", []protocols.Operation{
			op(1, put, 4, 0, 1, 2), open(op(2, del, 0, 0, 3, 0)), open(cas(3, 0, 5, 0, 4, 0)), op(1, get, 0, 5, 5, 6)}},
		{"a delete of unknown outcome that nobody noticed", []protocols.Operation{
			op(1, put, 4, 0, 1, 2), open(op(2, del, 0, 0, 3, 0)), op(1, put, 5, 4, 4, 5)}},
		{"equal times are concurrent", []protocols.Operation{op(1, put, 4, 0, 1, 2), op(2, get, 0, 0, 2, 3), op(2, get, 0, 4, 3, 3)}},
		{"a chain of swaps of unknown outcome, of which only the last is seen", []protocols.Operation{
			open(cas(1, 0, 4, 0, 1, 0)), open(cas(2, 4, 5, 0, 2, 0)), open(cas(3, 5, 6, 0, 3, 0)), op(4, get, 0, 6, 4, 5)}},
		{"deleted, written, deleted again", []protocols.Operation{
			op(1, put, 4, 0, 1, 2), op(1, del, 0, 4, 3, 4), op(2, get, 0, 0, 3, 5), op(1, put, 5, 0, 6, 7), op(1, del, 0, 5, 8, 9), op(2, del, 0, 0, 9, 9)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			opt := Options{Machine: "kv"}
			if test.ops[0].Op == protocols.AppendTo {
				opt.Machine = "log"
			}
			if !brute(test.ops, opt) {
				t.Fatal("it is not good")
			}
			if r := Linearizable(test.ops, opt); r.Verdict != OK {
				t.Errorf("%v: %s", r.Verdict, r.Counterexample.Text)
			}
		})
	}
}

// TestStamp: a clock reading may have stored anything, but one thing.
func TestStamp(t *testing.T) {
	const clock, get = protocols.ReadClock, protocols.Get
	stamp := func(o protocols.Operation) protocols.Operation { o.Key = 0; return o }
	reading := stamp(open(op(1, clock, 0, 0, 1, 0)))
	saw := func(v protocols.Value, call int64) protocols.Operation { return stamp(op(2, get, 0, v, call, call+1)) }
	tests := []struct {
		ops  []protocols.Operation
		want Verdict
	}{
		{[]protocols.Operation{reading, saw(0, 3), saw(7, 5), saw(7, 7)}, OK},
		{[]protocols.Operation{reading, saw(7, 3), saw(8, 5)}, Violation},
		{[]protocols.Operation{reading, saw(7, 3), saw(0, 5)}, Violation},
		{[]protocols.Operation{stamp(op(1, clock, 0, 7, 1, 2)), saw(7, 3), stamp(op(1, clock, 0, 6, 5, 6)), saw(6, 7)}, OK},
		{[]protocols.Operation{stamp(op(1, clock, 0, 7, 1, 2)), saw(0, 3)}, Violation},
	}
	for i, test := range tests {
		if r := Linearizable(test.ops, Options{Machine: "stamp"}); r.Verdict != test.want {
			t.Errorf("history %d: %v, want %v", i, r.Verdict, test.want)
		}
	}
}

// counterHistory is long, concurrent and good; zones and log do not apply.
func counterHistory(n, clients, unknown int) ([]protocols.Operation, Options) {
	h := generate.New(generate.Config{Machine: "counter", Seed: 3, N: n, Clients: clients, Unknown: unknown, WithLog: true})
	return h.Operations, Options{Machine: "counter", Positions: true, Log: h.Log}
}

func TestWitnessDecidesAndIsCrossChecked(t *testing.T) {
	ops, opt := counterHistory(10_000, 3, 0)
	r := Linearizable(ops, opt)
	p := r.Parts[0]
	if r.Verdict != OK || p.DecidedBy != ByWitness || !p.CrossChecked || p.CrossExhausted || p.Steps == 0 {
		t.Fatalf("%+v", p)
	}
	if r.CrossChecks != 1 || r.CrossExhausted != 0 || r.Decided(ByWitness) != 1 {
		t.Errorf("%+v", r)
	}
}

func TestCrossCheckOutOfBudgetLeavesOK(t *testing.T) {
	ops, opt := counterHistory(10_000, 40, 50)
	opt.Budget.Steps = 5_000
	r := Linearizable(ops, opt)
	if r.Verdict != OK || r.CrossChecks != 1 || r.CrossExhausted != 1 {
		t.Fatalf("%+v", r.Parts[0])
	}
	if r.Parts[0].Steps != opt.Budget.Steps/crossShare {
		t.Errorf("the cross-check took %d steps, want its share of the budget", r.Parts[0].Steps)
	}
	if again := Linearizable(ops, opt); !reflect.DeepEqual(r, again) {
		t.Errorf("a second judgement differs: %+v", again)
	}
}

func TestNothingDecides(t *testing.T) {
	ops, opt := counterHistory(10_000, 40, 50)
	for name, change := range map[string]func(){
		"steps": func() { opt.Budget = Budget{Steps: 5_000} },
		"bytes": func() { opt.Budget = Budget{CacheBytes: 4 << 20} },
	} {
		t.Run(name, func(t *testing.T) {
			change()
			opt.Positions = false
			r := Linearizable(ops, opt)
			if r.Verdict != Inconclusive || r.Parts[0].DecidedBy != ByNobody || !strings.Contains(r.Reason, "out of budget") {
				t.Fatalf("%v: %+v", r.Verdict, r.Parts[0])
			}
			if again := Linearizable(ops, opt); !reflect.DeepEqual(r, again) {
				t.Errorf("a second judgement differs: %+v", again)
			}
		})
	}
}

// A violation early in a history that is too large to search is found in its
// beginning; the witness cannot excuse it.
func TestPrefixFindsViolation(t *testing.T) {
	ops, opt := counterHistory(30_000, 3, 0)
	for i := 900; ; i++ {
		if ops[i].Op == protocols.Get {
			ops[i].Value++
			break
		}
	}
	opt.Budget.CacheBytes = 64 << 20
	r := Linearizable(ops, opt)
	if r.Verdict != Violation || r.Parts[0].DecidedBy != ByWindow {
		t.Fatalf("%v: %+v", r.Verdict, r.Parts[0])
	}
	if n := len(r.Counterexample.Operations); n == 0 || n > 2*explainShown+1 {
		t.Errorf("%d operations shown", n)
	}
}

// Whatever has happened so far of a good history is good.
func TestPrefixOfGoodIsGood(t *testing.T) {
	for _, s := range shapes {
		for seed := range uint64(60) {
			h := generate.New(generate.Config{Machine: s.machine, Mix: s.mix, Seed: seed, N: 12, Clients: 4, Unknown: 200})
			opt := Options{Machine: s.machine, Blind: s.blind}
			for _, p := range Plan(h.Operations, opt) {
				for n := 1; n <= len(p.ops); n++ {
					q := p.prefix(n)
					if len(q.ops) > n {
						t.Fatalf("%s, seed %d: the first %d operations are %d", s.name, seed, n, len(q.ops))
					}
					if !plainPorcupine(q.history, opt) {
						t.Fatalf("%s, seed %d: the first %d operations are refuted", s.name, seed, n)
					}
				}
			}
		}
	}
}

func TestContradictionPanics(t *testing.T) {
	ops, opt := counterHistory(20, 2, 0)
	p := Plan(ops, opt)[0]
	defer func() {
		if got, _ := recover().(string); !strings.Contains(got, "internal error") || !strings.Contains(got, "made up") {
			t.Errorf("panic %q", got)
		}
	}()
	p.decideFast(&PartReport{}, fails, ByZones, &conflict{text: "made up"})
	t.Error("no panic")
}

// TestWitnessAlone: an order that contradicts real time or the answers is no
// witness.
func TestWitnessAlone(t *testing.T) {
	ops, opt := counterHistory(200, 3, 100)
	whole := func() string { p := Plan(ops, opt)[0]; return p.witness() }
	if why := whole(); why != "" {
		t.Fatal(why)
	}
	at := 0
	for i := range ops {
		if ops[i].Outcome == protocols.Done && ops[i].Op == protocols.Get {
			at = i
		}
	}
	value, position := ops[at].Value, ops[at].Position
	ops[at].Value++
	if why := whole(); !strings.Contains(why, "does not explain") {
		t.Errorf("a wrong answer: %q", why)
	}
	ops[at].Value, ops[at].Position = 0, 0 // as if it had seen the initial state, at the end
	if why := whole(); !strings.Contains(why, "the other way round") {
		t.Errorf("a read of the past: %q", why)
	}
	ops[at].Value, ops[at].Position = value, position
	opt.Log = nil
	if why := whole(); why == "" {
		t.Error("unknown outcomes need the log")
	}
}

// A client's request that stands in the log behind a later one of the same client
// is not executed, nor is its second copy.
func TestWitnessKnowsSessions(t *testing.T) {
	first := open(op(1, protocols.Increment, 0, 0, 1, 0))
	second := op(1, protocols.Increment, 0, 1, 3, 4)
	second.Position = 1
	third := op(2, protocols.Get, 0, 1, 5, 6)
	third.Position = 3
	log := []protocols.LogCommand{{Position: 1, Command: second.Command}, {Position: 2, Command: second.Command}, {Position: 3, Command: first.Command}}
	ops := []protocols.Operation{first, second, third}
	r := Linearizable(ops, Options{Machine: "counter", Positions: true, Log: log})
	if r.Verdict != OK || r.Parts[0].DecidedBy != ByWitness {
		t.Errorf("%+v", r.Parts[0])
	}
}

func TestPlan(t *testing.T) {
	h := generate.New(generate.Config{Machine: "kv", Keys: 7, Seed: 5, N: 500, Clients: 5})
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(h.Operations), func(i, j int) {
		h.Operations[i], h.Operations[j] = h.Operations[j], h.Operations[i]
	})
	// What constrains nothing, even if it were wrong.
	failed := op(1, protocols.Put, 9999, 8888, 1, 2)
	failed.Outcome = protocols.Failed
	follow := protocols.Operation{Outcome: protocols.Done, Call: 1, Return: 2}
	follow.Kind = protocols.Follow
	ops := append(h.Operations, failed, follow, open(op(1, protocols.Get, 0, 7777, 1, 2)))
	parts := Plan(ops, Options{})
	if len(parts) != 7 {
		t.Fatalf("%d parts, want 7", len(parts))
	}
	total := 0
	for i, p := range parts {
		if p.Key != protocols.Key(i+1) {
			t.Errorf("part %d has key %d", i, p.Key)
		}
		for k := range p.ops {
			if p.at(k).Key != p.Key {
				t.Errorf("part %d holds %s", i, FormatOperation(p.at(k)))
			}
		}
		total += p.Operations()
	}
	if total != 500 {
		t.Errorf("%d operations in parts, want 500", total)
	}
	if r := Linearizable(ops, Options{}); r.Verdict != OK || r.Decided(ByZones) != 7 {
		t.Errorf("%+v", r)
	}
	ops[0].Value, ops[0].Outcome = 1<<40, protocols.Done // a value from nowhere, on one key
	if r := Linearizable(ops, Options{}); r.Verdict != Violation || r.Counterexample.Key != ops[0].Key {
		t.Errorf("%+v", r.Counterexample)
	}
	if Linearizable(nil, Options{}).Verdict != OK || Linearizable(nil, Options{Machine: "log"}).Verdict != OK {
		t.Error("an empty history is linearizable")
	}
}

// Workers above the package check parts side by side; run with -race.
func TestPartsSideBySide(t *testing.T) {
	h := generate.New(generate.Config{Machine: "kv", Keys: 20, Seed: 6, N: 4000, Clients: 12, Unknown: 100, WithLog: true,
		Mix: generate.Mix{Read: 3, Put: 2, CAS: 1, Delete: 1, Append: 1}})
	opt := Options{Positions: true, Log: h.Log}
	want := Linearizable(h.Operations, opt)
	parts := Plan(h.Operations, opt)
	reports := make([]PartReport, len(parts))
	var wait sync.WaitGroup
	for i := range parts {
		wait.Go(func() { reports[i] = parts[i].Check() })
	}
	wait.Wait()
	if got := Join(reports); !reflect.DeepEqual(got, want) || got.Verdict != OK {
		t.Errorf("side by side %+v, one after the other %+v", got, want)
	}
}

func TestValidate(t *testing.T) {
	good := op(1, protocols.Get, 0, 0, 3, 4)
	bad := func(change func(*protocols.Operation)) protocols.Operation {
		o := good
		change(&o)
		return o
	}
	tests := []struct {
		op      protocols.Operation
		machine string
		want    string
	}{
		{good, "kv", ""},
		{good, "tree", `machine "tree": want kv, register, counter, log, stamp or queue`},
		{good, "log", "the log machine has no such operation"},
		{bad(func(o *protocols.Operation) { o.Return = 2 }), "kv", "called at 3 and returned at 2: want a return after the call"},
		{bad(func(o *protocols.Operation) { o.Return = protocols.Infinity }), "kv", "want a return after the call"},
		{bad(func(o *protocols.Operation) { o.Outcome = protocols.Unknown }), "kv", "outcome unknown and returned at 4: want no return"},
		{bad(func(o *protocols.Operation) { o.Outcome = 7 }), "kv", "outcome 7"},
		{bad(func(o *protocols.Operation) { o.Call = -1 }), "kv", "call at -1: want 0 or more"},
		{bad(func(o *protocols.Operation) { o.Op = 99 }), "kv", "operation 1 (c1 operation? k1 -> 0 [3, 4])"},
	}
	for _, test := range tests {
		err := Validate([]protocols.Operation{good, test.op}, Options{Machine: test.machine})
		if test.want == "" {
			if err != nil {
				t.Error(err)
			}
		} else if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
	defer func() {
		if got, _ := recover().(string); !strings.Contains(got, "want a return after the call") {
			t.Errorf("panic %q", got)
		}
	}()
	Plan([]protocols.Operation{tests[3].op}, Options{})
	t.Error("no panic")
}

func TestVerdictText(t *testing.T) {
	for v := Inconclusive; v <= OutsideModel; v++ {
		text, err := v.MarshalText()
		var back Verdict
		if err != nil || back.UnmarshalText(text) != nil || back != v || string(text) != v.String() {
			t.Errorf("%v becomes %s becomes %v, %v", v, text, back, err)
		}
	}
	if _, err := ParseVerdict("fine"); err == nil || !strings.Contains(err.Error(), "outside-model") {
		t.Errorf("got %v", err)
	}
}
