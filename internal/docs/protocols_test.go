package docs_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/sim"
)

// row matches a row of a table whose first cell is one word; its last cell is kept.
var row = regexp.MustCompile(`(?m)^\| ([A-Z]\w*) \|(?: .* \|)? (.*) \|$`)

// rows returns the rows under a heading by their first cell, with the last cell.
func rows(text, heading string) map[string]string {
	_, part, _ := strings.Cut(text, "\n## "+heading+"\n")
	part, _, _ = strings.Cut(part, "\n## ")
	found := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(part, -1) {
		found[m[1]] = m[2]
	}
	return found
}

// TestProtocolPages: the page of a protocol has every message and record, and says
// of each message how it leaves, early or gated, as runs under faults show it.
func TestProtocolPages(t *testing.T) {
	t.Parallel()
	for _, p := range all.List() {
		text := read(t, "docs/protocols/"+p.Name+".md")
		for _, problem := range pageProblems(t, p, text) {
			t.Errorf("docs/protocols/%s.md: %s", p.Name, problem)
		}
	}
	p := all.List()[0]
	text := read(t, "docs/protocols/"+p.Name+".md")
	for _, name := range []string{p.Messages[0].Name, p.Records[0].Name} {
		if len(pageProblems(t, p, strings.ReplaceAll(text, "| "+name+" |", "| |"))) == 0 {
			t.Errorf("a page without %s was accepted", name)
		}
	}
	if len(pageProblems(t, p, strings.ReplaceAll(text, "| early |", "| gated |"))) == 0 {
		t.Error("a page that calls early messages gated was accepted")
	}
}

func pageProblems(t *testing.T, p *protocols.Protocol, text string) (problems []string) {
	messages, records := rows(text, "Messages"), rows(text, "Records")
	seen := leaving(t, p)
	for _, m := range p.Messages {
		says, ok := messages[m.Name]
		switch {
		case !ok:
			problems = append(problems, "no row for the message "+m.Name)
		case seen.early[m.Kind] && !strings.Contains(says, "early"):
			problems = append(problems, m.Name+" leaves early too")
		case seen.gated[m.Kind] && !strings.Contains(says, "gated"):
			problems = append(problems, m.Name+" is gated too")
		}
	}
	for _, r := range p.Records {
		if _, ok := records[r.Name]; !ok {
			problems = append(problems, "no row for the record "+r.Name)
		}
	}
	return problems
}

// departures is an observer that sees how messages are sent.
type departures struct{ early, gated [protocols.MaxKinds]bool }

func (*departures) Moments() protocols.MomentKind { return protocols.Stepped }
func (*departures) Checks() []protocols.CheckInfo { return nil }
func (d *departures) Observe(m *protocols.Moment) {
	for i := range m.Effects.List {
		switch e := &m.Effects.List[i]; e.Kind {
		case protocols.EffectSendEarly:
			d.early[e.Message.Kind()] = true
		case protocols.EffectSend:
			d.gated[e.Message.Kind()] = true
		}
	}
}

// leaving runs p under crashes and partitions and returns how its messages left.
func leaving(t *testing.T, p *protocols.Protocol) *departures {
	t.Helper()
	const second = 1_000_000_000
	d := &departures{}
	leader, err := sim.ParseTarget("leader")
	if err != nil {
		t.Fatal(err)
	}
	for seed := uint64(1); seed <= 3; seed++ {
		w, err := sim.New(sim.Config{
			Protocol: p, Replicas: 5, Seed: seed, Observers: []protocols.Observer{d},
			Network:  sim.Network{Between: sim.Link{Latency: sim.Between(1e6, 20e6)}, Client: sim.Link{Latency: sim.Between(1e6, 5e6)}},
			Disk:     sim.Disk{Fsync: sim.Between(1e6, 10e6)},
			Workload: sim.Workload{Clients: 3},
			Faults: []sim.Fault{
				{Kind: protocols.FaultCrash, At: second, For: second, Target: leader},
				{Kind: protocols.FaultPartition, At: 3 * second, For: second, Target: leader},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.Run(6 * second)
		if w.Stats().Done == 0 {
			t.Fatalf("%s: nothing was done", p.Name)
		}
	}
	return d
}
