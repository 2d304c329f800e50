package scenarios

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// toyParameters has one field of each type that a file can set.
type toyParameters struct {
	Timeout  protocols.Range    `param:"election_timeout" doc:"When to start an election."`
	Pulse    protocols.Duration `doc:"Time between heartbeats."`
	PreVote  bool
	Window   int `swarm:"1..4"`
	Bytes    int64
	Nonce    uint64
	Mode     string
	Tags     []string
	Bugs     []string
	Internal int `param:"-"`
}

func toys() []*protocols.Protocol {
	toy := func(name string) *protocols.Protocol {
		return &protocols.Protocol{
			Name: name,
			Parameters: func() any {
				return &toyParameters{Timeout: protocols.Range{Min: 150e6, Max: 300e6}, Pulse: 50e6, Mode: "plain"}
			},
			Validate: func(parameters any, n int) error {
				if p := parameters.(*toyParameters); p.Pulse >= p.Timeout.Min {
					return errors.New("pulse: want less than the election timeout")
				}
				return nil
			},
			Bugs:     []protocols.Bug{{ID: "T-01"}, {ID: "T-02"}},
			Messages: []protocols.KindInfo{{Kind: 1, Name: "Vote"}},
			Records:  []protocols.KindInfo{{Kind: 1, Name: "Term"}},
		}
	}
	first := toy("toy")
	first.Timers = []string{"election", "heartbeat"}
	mover := &protocols.Protocol{Name: "mover", Admin: []protocols.AdminKind{protocols.Reconfigure, protocols.TransferLeadership}, Learners: true}
	return []*protocols.Protocol{first, toy("other"), {Name: "plain"}, mover}
}

// problems returns what Parse says about a text.
func problems(t *testing.T, text string) string {
	t.Helper()
	_, warnings, err := Parse("bad.yaml", []byte(text), toys())
	var b strings.Builder
	for _, w := range warnings {
		b.WriteString(w.String() + "\n")
	}
	if err != nil {
		b.WriteString(err.Error() + "\n")
	}
	return b.String()
}

// TestBadInput holds the exact messages for bad files: testdata/bad/*.txt is a
// scenario, a line of ==== and what is printed.
func TestBadInput(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.txt")
	if err != nil || len(files) < 20 {
		t.Fatalf("want at least 20 bad files, got %d (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			in, want, ok := strings.Cut(string(data), "====\n")
			if !ok {
				t.Fatal("no line of ====")
			}
			got := problems(t, in)
			if os.Getenv("UPDATE_GOLDEN") != "" {
				if err := os.WriteFile(file, []byte(in+"====\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("messages differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBombs(t *testing.T) {
	bombs := map[string]string{
		"flow depth":   "a: " + strings.Repeat("[", 100_000),
		"block depth":  strings.Repeat("- ", 50_000) + "a",
		"closed depth": "faults: " + strings.Repeat("[", 40) + strings.Repeat("]", 40),
		"map depth":    strings.Repeat("{a: ", 100_000),
		"aliases":      "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]\n",
		"merge":        "<<: {name: x}\n",
		"wide":         strings.Repeat("bad: 1\n", 100_000),
		"long line":    "name: " + strings.Repeat("x", 900_000),
		"too large":    "# " + strings.Repeat("x", MaxFileSize),
		"zeros":        string(make([]byte, 1000)),
		"latin1":       "name: caf\xe9\n",
	}
	for name, text := range bombs {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, _, err := Parse("bomb.yaml", []byte(text), toys())
			if err == nil {
				t.Fatal("accepted")
			}
			if len(err.Error()) > 100_000 {
				t.Errorf("the message has %d bytes", len(err.Error()))
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

// TestHugeFile demands that 100 MiB are refused unread: the file is sparse and
// reading it would allocate.
func TestHugeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "huge.yaml")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(100 << 20); err != nil {
		t.Fatal(err)
	}
	f.Close()
	allocated := testing.AllocsPerRun(1, func() {
		if _, _, err := ReadFile(path, toys()); err == nil || !strings.Contains(err.Error(), "at most 1 MiB") {
			t.Errorf("got %v", err)
		}
	})
	if allocated > 1000 {
		t.Errorf("%v allocations", allocated)
	}
}

func TestResolveSaysWhatIsMissing(t *testing.T) {
	empty := t.TempDir()
	for _, c := range []struct{ arg, want string }{
		{empty, "no scenario (*.yaml) in this folder"},
		{"steady-stat", `did you mean "steady-state"?`},
		{"no/such.yaml", "no such file or folder"},
	} {
		if _, _, err := Resolve([]string{c.arg}, toys()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Resolve(%q): got %v, want %q", c.arg, err, c.want)
		}
	}
	list, _, err := Resolve([]string{"steady-state"}, toys())
	if err != nil || len(list) != 1 || list[0].File != "steady-state" {
		t.Errorf("got %v, %v", list, err)
	}
}

var equate = []cmp.Option{
	cmpopts.EquateEmpty(),
	cmp.AllowUnexported(sim.Target{}, sim.Popularity{}, sim.Trigger{}, protocols.NodeSet{}),
	cmpopts.IgnoreUnexported(Scenario{}), // where steps of a script stand
}

const full = `version: 1
name: everything
why: |
  Every key, with a "quote" and a # in it.
nodes: 5
machine: register
protocols: [toy]
parameters:
  toy:
    election_timeout: 100ms..200ms
    pulse: 20ms
    pre_vote: true
    window: 8
    bytes: 1000000000000
    nonce: 7
    mode: fast
    tags: [a, b]
    bugs: [T-02]
network:
  links:
    - {from: n1, to: n2, latency: exp(20ms), loss: 100%}
    - {from: c1, to: n1, order: free}
  latency: lognormal(1ms,20ms)
  loss: 0.1%
  duplicate: 1.5%
  order: fifo
  client: {latency: 2ms, loss: 5%}
disk: {write: 0s, fsync: "normal(2ms,500us)"}
clock: {offset: 0s..50ms, drift: 50ppm}
workload:
  clients: 10
  keys: 3
  mix: {get: 12.5%, put: 87.5%}
  rate: 200/s
  timeout: 1s
  give_up: 1m
  operations: 1000
  begin: 100ms
phases:
  - {name: first, at: 2s}
  - name: second
    at: 3s
    network: {latency: 9ms, client: {loss: 1%}, links: [{from: n2, to: n1, loss: 50%}]}
    workload: {mix: {get: 100%}, every: 0s, think: 1ms, payload: 100B..2KiB}
  - name: third
    at: 4s
    network: {links: []}
    workload: {burst: 4, give_up: 2m}
faults:
  - {at: 1s, crash: leader, for: 500ms}
  - {when: leader-elected n1 n2, after: 200ms, at: 2s, until: 9s, count: 3, pause: subject, for: 100ms}
  - {when: fault 2 ends, crash: primary, for: forever}
  - {at: 1s, kill: {target: n1 n2, cut: 3}, for: forever}
  - {at: 1s, pause: follower, for: 1s}
  - {at: 1s, partition: {target: others of leader, direction: in}, for: 1s}
  - {at: 1s, loss: 20%, for: 1s}
  - {at: 1s, duplicate: {target: n3, probability: 50%, direction: out}, for: 1s}
  - {at: 1s, reorder: 0s..20ms, for: 1s}
  - {at: 1s, delay: {target: c1, latency: 100ms}, for: 1s}
  - {at: 1s, slow-disk: leader, for: 1s}
  - {at: 1s, clock: {target: n1, step: -200ms}, for: 1s}
  - {at: 1s, skew: {target: n1, drift: -20%}, for: 1s}
nemesis: {faults: [kill, clock], every: exp(2s), for: 100ms..1s, target: [one, minority-third], from: 3s, until: 18s}
matrix:
  network.loss: [0%, 1%]
  workload.mix: [{get: 100%}, {put: 100%}]
early: [Vote]
lose: Term
for: 20s
settle: 5s
events: 1000000
checks: {linearizability: off}
thresholds:
  verdict: violation
  violations: ">= 1"
  latency.p99: < 400ms
  availability: ">= 99.5%"
  throughput: ">= 10/s"
  toy: {verdict: unavailable, leaderless: <= 2s, messages per commit: < 20.5}
sometimes: [fault 1 effective, every fault effective, retries, retries >= 10, unknown >= 2%]
`

func TestFormatParses(t *testing.T) {
	sc, warnings, err := Parse("full.yaml", []byte(full), toys())
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) != 3 {
		t.Errorf("want hints for nodes, kill and thresholds, got %v", warnings)
	}
	text := Format(sc)
	again, warnings, err := Parse("full.yaml", text, toys())
	if err != nil || len(warnings) != 0 {
		t.Fatalf("%v %v\n%s", warnings, err, text)
	}
	if diff := cmp.Diff(sc, again, equate...); diff != "" {
		t.Errorf("Parse(Format(s)) differs (-s +again):\n%s\n%s", diff, text)
	}
	if second := Format(again); string(second) != string(text) {
		t.Errorf("Format is not stable:\n%s", cmp.Diff(string(text), string(second)))
	}
}

func TestFullMeansWhatItSays(t *testing.T) {
	sc, _, err := Parse("full.yaml", []byte(full), toys())
	if err != nil {
		t.Fatal(err)
	}
	p := sc.ParametersOf(toys()[0]).(*toyParameters)
	if p.Timeout != (protocols.Range{Min: 100e6, Max: 200e6}) || !p.PreVote || p.Bytes != 1e12 || len(p.Tags) != 2 || p.Bugs[0] != "T-02" {
		t.Errorf("parameters: %+v", p)
	}
	if other := sc.ParametersOf(toys()[1]).(*toyParameters); other.Mode != "plain" {
		t.Errorf("the defaults of another protocol: %+v", other)
	}
	if l := sc.Network.Links[1].Link; l.FIFO || l.Latency != sc.Network.Between.Latency {
		t.Errorf("a link rule inherits what it does not say, whatever the order of keys: %+v", l)
	}
	if p := sc.Phases; p[0].Network.Between.Loss != 1_000_000 || len(p[0].Network.Links) != 2 || p[0].Workload.Timeout != 1e9 ||
		p[1].Network.Between.Latency != sim.Exactly(9e6) || p[1].Network.Links[0].Link.Latency != sim.Exactly(9e6) || p[1].Network.Client.Loss != 10_000_000 ||
		p[1].Workload.Payload != (sim.Sizes{Min: 100, Max: 2048}) || p[2].Workload.Burst != 4 || len(p[2].Network.Links) != 0 || p[2].Workload.Every != sc.Workload.Every {
		t.Errorf("phases: %+v", p)
	}
	if sc.Workload.Every.A != 5*time.Millisecond {
		t.Errorf("rate 200/s: every %s", sc.Workload.Every)
	}
	f := sc.Faults[3]
	if f.ID != 4 || f.Kind != protocols.FaultCrash || f.For != sim.Forever || f.Cut != 3 || f.Target.String() != "n1 n2" {
		t.Errorf("fault 2: %+v", f)
	}
	if f := sc.Faults[12]; f.Drift != -200_000_000 {
		t.Errorf("drift -20%%: %d", f.Drift)
	}
	e := sc.Expected("toy")
	if e.Verdict.String() != "unavailable" || len(e.Conditions) != 6 {
		t.Errorf("expected of toy: %+v", e)
	}
	if e := sc.Expected("other"); e.Verdict.String() != "violation" {
		t.Errorf("expected of other: %+v", e)
	}
}

func TestTemplateParses(t *testing.T) {
	sc, warnings, err := Parse("x.yaml", Template("my-first"), toys())
	if err != nil || len(warnings) > 0 || sc.Name != "my-first" {
		t.Fatalf("%v %v", warnings, err)
	}
}

func TestSet(t *testing.T) {
	sc, _, err := Parse("full.yaml", []byte(full), toys())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path, value string
		is          func() bool
	}{
		{"network.loss", "5%", func() bool { return sc.Network.Between.Loss == 50_000_000 }},
		{"network.client.latency", "3ms", func() bool { return sc.Network.Client.Latency == sim.Exactly(3e6) }},
		{"network.duplicate", "2%", func() bool { return sc.Phases[1].Network.Between.Duplicate == 20_000_000 }},
		{"phases[3].workload.burst", "5", func() bool { return sc.Phases[2].Workload.Burst == 5 }},
		{"workload.clients", "12", func() bool { return sc.Workload.Clients == 12 }},
		{"faults[4].for", "2s", func() bool { return sc.Faults[3].For == 2e9 }},
		{"faults[2].when", "crash n5", func() bool { return sc.Faults[1].When.String() == "crash n5" }},
		{"faults[7].loss.probability", "7%", func() bool { return sc.Faults[6].Prob == 70_000_000 }},
		{"parameters.toy.pre_vote", "false", func() bool { return !sc.Parameters[0].Values.(*toyParameters).PreVote }},
		{"parameters.toy.bugs", "[T-01, T-02]", func() bool { return len(sc.Parameters[0].Values.(*toyParameters).Bugs) == 2 }},
		{"parameters.other.window", "3", func() bool { return sc.Parameters[1].Values.(*toyParameters).Window == 3 }},
		{"expect.latency.p99", "< 1s", func() bool { return sc.Expect.Conditions[1].Bound == 1e9 }},
		{"expect.toy.leaderless", "< 3s", func() bool { return sc.ExpectOf[0].Conditions[0].Bound == 3e9 }},
		{"workload.mix", "{put: 100%}", func() bool { return len(sc.Workload.Mix) == 1 }},
	} {
		if err := Set(sc, c.path, c.value, toys()); err != nil {
			t.Errorf("Set %s %s: %v", c.path, c.value, err)
		} else if !c.is() {
			t.Errorf("Set %s %s had no effect", c.path, c.value)
		}
	}
	before := string(Format(sc))
	for _, c := range []struct{ path, value, want string }{
		{"network.los", "5%", `did you mean "loss"?`},
		{"network.loss", "5", `"5" has no unit; write 5%`},
		{"network.loss", "150%", "outside 0%..100%"},
		{"replicas", "0", "want a whole number 1..101"},
		{"faults[99].for", "1s", "want a position from 1 to 13"},
		{"", "1", "want a key such as"},
		{"network..loss", "1%", "want a key such as"},
		{"workload.mix", "&a {put: 100%}", "anchors are not allowed"},
		{"for", "1s", "after the safety phase"},
	} {
		err := Set(sc, c.path, c.value, toys())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Set %s %s: got %v, want %q", c.path, c.value, err, c.want)
		}
	}
	if string(Format(sc)) != before {
		t.Error("a failed Set changed the scenario")
	}
}
