package scenarios

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
)

// bell is a protocol that is wrong on purpose: n1 answers everything from memory,
// so a crash loses what was acknowledged. Its parameter switches on other faults.
func bell() *protocols.Protocol {
	return &protocols.Protocol{
		Name:       "bell",
		Messages:   []protocols.KindInfo{{Kind: 1, Name: "Ring", New: func() any { return new(ring) }}},
		Parameters: func() any { return new(bellParameters) },
		New: func(cfg protocols.Config, _ protocols.Recovered) (protocols.Node, error) {
			return &bellNode{id: cfg.ID, machine: cfg.Machine, mode: cfg.Parameters.(*bellParameters).Mode}, nil
		},
		Survives: func(kind protocols.FaultKind, parameters any, n int) int {
			if kind == protocols.FaultPause {
				return 0
			}
			return -1
		},
		CanProgress: func(f *protocols.Facts) (bool, string) {
			if f.Parameters.(*bellParameters).Mode == "hopeless" {
				return false, "the bell is cast wrong"
			}
			return true, ""
		},
	}
}

type bellParameters struct {
	Mode string `doc:"plain, mute, hopeless, apart, limp or panic"`
}

type ring struct{}

func (*ring) Kind() protocols.Kind { return 1 }

type bellNode struct {
	id      protocols.NodeID
	machine protocols.StateMachine
	mode    string
	applied protocols.Index
	limps   bool // it has never got over its crash
	asked   int
}

func (b *bellNode) Step(ev *protocols.Event, out *protocols.Effects) {
	if ev.Kind == protocols.Start {
		b.limps = b.mode == "limp" && ev.Now > 1_000_000_000
	}
	if ev.Kind != protocols.Request {
		return
	}
	if b.id != 1 {
		out.Refuse(ev.Command, 1)
		return
	}
	if b.mode == "mute" || b.mode == "hopeless" || b.mode == "deaf" && b.applied == 20 {
		return
	}
	if b.asked++; b.limps && b.asked%3 == 0 {
		return
	}
	b.applied++
	if b.mode == "panic" && b.applied == 20 {
		panic("the rope broke")
	}
	out.ReplyEarly(ev.Command, b.machine.Apply(ev.Command, ev.Wall))
}

func (b *bellNode) View(v *protocols.View) {
	*v = protocols.View{
		Leading: b.id == 1, Leader: 1, Epoch: 1, Commit: b.applied, Applied: b.applied,
		First: 1, Last: b.applied, StateHash: b.machine.Hash(),
	}
}

func TestVerdicts(t *testing.T) {
	const base = "name: x\nreplicas: 1\nfor: 2s\nworkload: {clients: 2, keys: 1}\n"
	crash := "faults: [{at: 1s, for: 100ms, crash: n1}]\n"
	mode := func(m string) string { return "parameters: {bell: {mode: " + m + "}}\n" }
	for _, c := range []struct {
		name, text string
		verdict    checker.Verdict
		check      string
		reason     string
		code       int
	}{
		{"nothing fails", base, checker.OK, "", "", CodeOK},
		{"lost write", base + crash, checker.Violation, CheckLinearizability, "", CodeViolation},
		{"lost write expected", base + crash + "expect: {verdict: violation}\n", checker.Violation, CheckLinearizability, "", CodeOK},
		{"lost write counted", base + crash + "expect: {bell: {violations: \">= 1\"}}\n", checker.Violation, CheckLinearizability, "", CodeOK},
		{"lost write not looked for", base + crash + "checks: {linearizability: off}\n", checker.OK, "", "", CodeOK},
		{"violation that never came", base + "expect: {verdict: violation}\n", checker.OK, "", "", CodeMissed},
		{"falls silent", base + mode("deaf"), checker.Violation, CheckLiveness, "operations are still pending after", CodeViolation},
		{"never answers", base + mode("mute"), checker.Violation, CheckLiveness, "still pending", CodeViolation},
		{"nothing was done", base + mode("mute") + "checks: {liveness: off}\n", checker.Inconclusive, "", "no operation returned", CodeInconclusive},
		{"cannot progress", base + mode("hopeless"), checker.Unavailable, "", "the bell is cast wrong", CodeMissed},
		{"cannot progress as expected", base + mode("hopeless") + "expect: {verdict: unavailable}\n", checker.Unavailable, "", "the bell is cast wrong", CodeOK},
		{"replicas stay apart", strings.Replace(base, "replicas: 1", "replicas: 3", 1), checker.Violation, CheckConvergence, "n1 has applied", CodeViolation},
		{"panics", base + mode("panic"), checker.Violation, CheckPanic, "the rope broke", CodeViolation},
		{"budget spent before the heal", base + "events: 50\n", checker.Inconclusive, "", "before the heal (the last 50 events, within ", CodeInconclusive},
		{"outside the model", base + "faults: [{at: 1s, for: 100ms, pause: n1}]\n", checker.OutsideModel, "", "does not claim to survive pause", CodeMissed},
		{"outside the model as expected", base + "faults: [{at: 1s, for: 100ms, pause: n1}]\nexpect: {verdict: outside-model}\n", checker.OutsideModel, "", "", CodeOK},
		{"never gets over it", "name: x\nreplicas: 1\nfor: 4s\ngoodput: 90%\nnetwork: {latency: 1ms}\nworkload: {clients: 2, keys: 1, think: 1ms, timeout: 50ms}\nchecks: {linearizability: off}\nfaults: [{at: 2s, for: 100ms, crash: n1}]\n" + mode("limp"), checker.Violation, CheckGoodput, "operations return per second", CodeViolation},
		{"gets over it", "name: x\nreplicas: 1\nfor: 4s\ngoodput: 90%\nnetwork: {latency: 1ms}\nworkload: {clients: 2, keys: 1, think: 1ms, timeout: 50ms}\nchecks: {linearizability: off}\nfaults: [{at: 2s, for: forever, delay: {target: all, latency: 20ms}}]\n", checker.OK, "", "", CodeOK},
		{"threshold missed", base + "expect: {latency.p50: < 1us}\n", checker.OK, "", "", CodeMissed},
		{"threshold met", base + "expect: {latency.p50: < 1s, availability: \">= 99%\"}\n", checker.OK, "", "", CodeOK},
		{"probe that never bit", base + "sometimes: [crashes]\n", checker.OK, "", "", CodeMissed},
		{"probe of a fault", base + "faults: [{at: 1s, for: 1s, loss: {target: n1, probability: 0.1%}}]\nsometimes: [fault 1 effective]\nworkload: {clients: 1, operations: 1}\n", checker.OK, "", "", CodeMissed},
		{"no such service", base + "faults: [{at: 1s, for: 100ms, crash: s1}]\n", checker.Inconclusive, "", "s1", CodeUsage},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := c.text
			if strings.Count(text, "workload:") == 2 {
				text = strings.Replace(text, "workload: {clients: 2, keys: 1}\n", "", 1)
			}
			sc, _, err := Parse("x.yaml", []byte(text), []*protocols.Protocol{bell()})
			if err != nil {
				t.Fatal(err)
			}
			r := Run(sc, bell(), 1, Options{})
			if r.Verdict != c.verdict || r.Check != c.check || !strings.Contains(r.Reason, c.reason) || r.Code() != c.code {
				t.Errorf("got %s, code %d; want %s %s %q, code %d\nmissed: %v", r, r.Code(), c.verdict, c.check, c.reason, c.code, r.Missed())
			}
			if r.Code() == CodeOK != r.Met {
				t.Errorf("code %d and met %t", r.Code(), r.Met)
			}
		})
	}
}

// TestBudgetAfterTheHeal: a budget that is spent in the liveness phase is a
// violation of liveness.
func TestBudgetAfterTheHeal(t *testing.T) {
	sc := New("x")
	sc.Replicas, sc.For = 1, 2e9
	p := bell()
	list := []*protocols.Protocol{p}
	if err := Set(sc, "parameters.bell.mode", "deaf", list); err != nil {
		t.Fatal(err)
	}
	whole := Run(sc, p, 1, Options{})
	sc.Events = whole.Stats().Events + 1 // all of the safety phase, and once more
	r := Run(sc, p, 1, Options{})
	if r.Verdict != checker.Violation || r.Check != CheckLiveness || !strings.Contains(r.Reason, "; the last 103 events, within ") {
		t.Errorf("got %s", r)
	}
}

// TestResultJSON holds the field names that other tools read.
func TestResultJSON(t *testing.T) {
	sc, _, err := Parse("dir with space/x.yaml", []byte("name: x\nreplicas: 1\nfor: 2s\n"), []*protocols.Protocol{bell()})
	if err != nil {
		t.Fatal(err)
	}
	r := Run(sc, bell(), 18446744073709551615, Options{})
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]json.RawMessage
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"scenario": `"x"`, "protocol": `"bell"`, "seed": "18446744073709551615", "verdict": `"ok"`,
		"replay": `"lockstep run 'dir with space/x.yaml' --protocol bell --seed 18446744073709551615"`,
	} {
		if string(got[key]) != want {
			t.Errorf("%s: got %s, want %s", key, got[key], want)
		}
	}
	for _, key := range []string{"digest", "events", "virtual_seconds", "operations", "latency_ns", "per_commit", "leaderless_ns", "throughput"} {
		if len(got[key]) == 0 {
			t.Errorf("%s is missing in %s", key, b)
		}
	}
	for _, key := range []string{"check", "reason", "violations"} {
		if len(got[key]) != 0 {
			t.Errorf("%s does not belong to a run that is ok", key)
		}
	}
	var back Result
	if err := json.Unmarshal(b, &back); err != nil || back.Virtual != r.Virtual || back.PerCommit != r.PerCommit {
		t.Errorf("a result read back differs: %v", err)
	}
}

// TestReuse: a runner's memory changes nothing.
func TestReuse(t *testing.T) {
	var runner Runner
	p := bell()
	for seed := range uint64(20) {
		sc := Draw(seed, p, nil)
		fresh, err := json.Marshal(Run(sc, p, seed, Options{}))
		if err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(runner.Run(sc, p, seed, Options{}))
		if err != nil {
			t.Fatal(err)
		}
		if string(fresh) != string(again) {
			t.Fatalf("seed %d:\n%s\n%s", seed, fresh, again)
		}
	}
}

// FuzzRun: whatever scenario parses runs to an end within its budget.
func FuzzRun(f *testing.F) {
	f.Add([]byte("name: x\nreplicas: 3\nfor: 1s\n"), uint64(1))
	f.Add([]byte("name: x\nfaults: [{at: 1s, for: forever, crash: majority}, {at: 0s, for: 2s, pause: leader}]\n"), uint64(2))
	f.Add([]byte("name: x\nmachine: log\nnetwork: {loss: 100%}\nworkload: {rate: 100/s, clients: 20}\nclock: {offset: 1h, drift: 50%}\n"), uint64(3))
	f.Add([]byte("name: x\ndisk: {fsync: pareto(1ms,0.5)}\nfaults: [{at: 1s, for: 1s, clock: {target: all, step: -1h}}]\n"), uint64(4))
	f.Add([]byte("name: x\nnemesis: {faults: [packet, kill, clock], every: 100ms, for: exp(1s), target: [one, minority-third, leaders]}\nfor: 5s\n"), uint64(5))
	f.Add([]byte("name: x\nfaults:\n  - {when: leader-elected, after: 1ms, count: 9, for: 1s, pause: subject}\n  - {when: fault 1 ends, for: forever, crash: successor}\n  - {when: commit 3, until: 3s, for: 1s, partition: former-leader}\n"), uint64(6))
	f.Add([]byte("name: x\nworkload: {keys: 1000, popularity: zipf(0.99), payload: 1B..1MB}\nphases:\n  - {name: a, at: 1s, workload: {rate: 1000/s, burst: 100}, network: {loss: 10%}}\n  - {name: b, at: 2s}\nfor: 3s\n"), uint64(7))
	f.Add([]byte("name: x\nmatrix: {network.loss: [0%, 9%], workload.clients: [1, 7]}\nfor: 1s\n"), uint64(8))
	f.Add([]byte("name: x\ncpu: {receive: 1h, kilobyte: 1h}\nnetwork: {bandwidth: 1B/s, replay: 100%, jitter: exp(1h), correlation: 1ns}\nfaults: [{at: 0s, for: forever, partition: {shape: ring, flap: 2ns}}, {at: 1s, for: 1s, swizzle-clog: all clients}]\n"), uint64(5))
	f.Add([]byte("name: x\nreplicas: 1\nnetwork: {regions: [a, b], matrix: {a: {b: 1h}}}\ncpu: lan-server\nfaults: [{at: 0s, for: 1s, partition: {shape: bridge, clients: split}}, {at: 1s, for: 1s, bandwidth: {rate: 1B/s, queue: 1B}}]\n"), uint64(6))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		sc, _, err := Parse("fuzz.yaml", data, []*protocols.Protocol{bell()})
		if err != nil {
			return
		}
		if cells, err := Cells(sc, []*protocols.Protocol{bell()}); err == nil {
			sc = cells[seed%uint64(len(cells))]
		}
		sc.Events = 2000
		sc.Workload.Operations = 100
		sc.Settle = 1e9
		if r := Run(sc, bell(), seed, Options{}); r.Err == nil && r.Digest == "" {
			t.Errorf("no digest: %+v", r)
		}
	})
}
