package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Nemesis draws faults from the seed, beside those of the plan; its words are those
// of Jepsen's nemesis. The zero value draws none.
type Nemesis struct {
	Faults  []string       // kinds of faults, or groups of them: see [NemesisWords]
	Every   sim.Dist       // from one strike to the next
	For     sim.Dist       // how long each lasts
	Targets []sim.Target   // one is drawn for each fault
	From    protocols.Time // the first strike is one Every later
	Until   protocols.Time // no strike from then on; 0: the end of the safety phase
}

// maxNemesis bounds what a nemesis draws.
const maxNemesis = 1000

// nemesisGroups are words for several kinds, and other people's words for one.
var nemesisGroups = []struct {
	word  string
	kinds []protocols.FaultKind
}{
	{"kill", []protocols.FaultKind{protocols.FaultCrash}},
	{"packet", []protocols.FaultKind{protocols.FaultDelay, protocols.FaultLoss, protocols.FaultDuplicate, protocols.FaultReorder, protocols.FaultCorruptMessage, protocols.FaultBandwidth}},
	{"disk", []protocols.FaultKind{protocols.FaultSlowDisk, protocols.FaultStall, protocols.FaultDiskError, protocols.FaultDiskFull}},
}

// nemesisShapes are words for the shapes of partitions, Jepsen's where it has one.
// Each draws the replica that its shape is about; nemesis.target plays no part.
var nemesisShapes = []struct {
	word  string
	shape sim.Shape
}{
	{"partition-random-node", sim.Isolate},
	{"partition-random-halves", sim.Halves},
	{"partition-majorities-ring", sim.Ring},
	{"partition-bridge", sim.Bridge},
	{"partition-star", sim.Star},
	{"partition-random-split", sim.RandomSplit},
}

// NemesisWords lists what nemesis.faults can hold: groups, then every kind.
func NemesisWords() []string {
	var words []string
	for _, g := range nemesisGroups {
		words = append(words, g.word)
	}
	for _, s := range nemesisShapes {
		words = append(words, s.word)
	}
	return append(words, faultNames()...)
}

// nemesisFault is one of the faults that a nemesis draws from.
type nemesisFault struct {
	kind   protocols.FaultKind
	shape  sim.Shape
	shaped bool // a partition of this shape, around a random replica
}

// nemesisFaults returns what words stand for, each once.
func nemesisFaults(words []string) []nemesisFault {
	var list []nemesisFault
	for _, w := range words {
		of := []nemesisFault{{kind: protocols.FaultKind(w)}}
		for _, g := range nemesisGroups {
			if g.word == w {
				of = nil
				for _, k := range g.kinds {
					of = append(of, nemesisFault{kind: k})
				}
			}
		}
		for _, s := range nemesisShapes {
			if s.word == w {
				of = []nemesisFault{{protocols.FaultPartition, s.shape, true}}
			}
		}
		for _, c := range of {
			if !slices.Contains(list, c) {
				list = append(list, c)
			}
		}
	}
	return list
}

func defaultNemesis() Nemesis {
	return Nemesis{
		Faults:  []string{"kill", "pause", "partition", "packet"},
		Every:   sim.Between(0, 4*time.Second), // Jepsen staggers so: evenly up to twice the interval
		For:     sim.Between(200*time.Millisecond, 2*time.Second),
		Targets: []sim.Target{Target("one"), Target("minority"), Target("majority"), Target("primaries")},
	}
}

// Expand returns sc with the faults that its nemesis draws from the seed written out
// after those of the plan, and without the nemesis: the plan that a run with that
// seed has. It is a pure function. Without a nemesis it returns sc itself.
func Expand(sc *Scenario, seed uint64) *Scenario {
	if len(sc.Nemesis.Faults) == 0 {
		return sc
	}
	x := *sc
	x.Nemesis = Nemesis{}
	x.Faults = append(slices.Clip(sc.Faults), sc.Nemesis.draw(sc, seed)...)
	Number(x.Faults)
	return &x
}

// draw makes the plan. Each fault draws from a stream of its own.
func (n *Nemesis) draw(sc *Scenario, seed uint64) []sim.Fault {
	list := nemesisFaults(n.Faults)
	until := n.until(sc)
	var plan []sim.Fault
	at := n.From
	for k := uint64(0); len(plan) < maxNemesis; k++ {
		g := &drawer{state: protocols.Mix64(protocols.Mix64(seed^0x6e656d65736973) + k)}
		at = at.Add(max(n.Every.Draw(g.next()), time.Microsecond))
		if at >= until {
			return plan
		}
		drawn := list[g.between(0, int64(len(list)-1))]
		f := exampleFault(drawn.kind)
		f.At = at
		f.For = min(max(n.For.Draw(g.next()), time.Microsecond), protocols.Duration(sc.For)-protocols.Duration(at))
		f.Target = n.Targets[g.between(0, int64(len(n.Targets)-1))]
		if drawn.shaped {
			f.Shape, f.Target = drawn.shape, Target("random")
		}
		if f.Kind == protocols.FaultClock { // as Jepsen bumps clocks: some milliseconds are as likely as some minutes
			f.Drift, f.Step = 0, g.skewed(time.Millisecond, 288*time.Second)
			if g.chance(50) {
				f.Step = -f.Step
			}
		}
		plan = append(plan, f)
	}
	return plan
}

func (n *Nemesis) until(sc *Scenario) protocols.Time {
	if n.Until > 0 {
		return n.Until
	}
	return protocols.Time(sc.For)
}

// exampleFaults holds, for each kind, the fault of the table's example, whose
// strength a nemesis takes.
var exampleFaults = sync.OnceValue(func() map[protocols.FaultKind]sim.Fault {
	faults := map[protocols.FaultKind]sim.Fault{}
	for i := range faultKinds {
		k := &faultKinds[i]
		sc, _, err := Parse(string(k.kind), []byte("name: example\nfaults: ["+k.example+"]\n"), nil)
		if err != nil {
			panic("scenarios: the example of " + string(k.kind) + " is none: " + err.Error())
		}
		faults[k.kind] = sc.Faults[0]
	}
	return faults
})

func exampleFault(kind protocols.FaultKind) sim.Fault { return exampleFaults()[kind] }

func nemesisWord() codec[string] {
	words := NemesisWords()
	return scalar("a kind of fault", func(s string) (string, error) {
		if !slices.Contains(words, s) {
			return "", fmt.Errorf("unknown fault %s; want %s%s", quote(s), strings.Join(words, ", "), DidYouMean(s, words))
		}
		return s, nil
	}, func(s string) string { return s }, object{"enum": words})
}

func nemesisMapping() *mapping[Nemesis] {
	return &mapping[Nemesis]{
		what: "a nemesis", flow: true,
		fields: []field[Nemesis]{
			key("faults", "Kinds of faults to draw from: Jepsen's kill, pause, partition, clock, packet (delay, loss, duplicate, reorder, corrupt-message, bandwidth) and disk, shapes of partitions such as partition-majorities-ring and partition-bridge, and every kind of a plan, as strong as its example in lockstep explain.", func(n *Nemesis) *[]string { return &n.Faults }, listOf("a list of kinds of faults", true, nemesisWord())),
			key("every", "Time from one strike to the next: 2s, 0s..4s or a distribution.", func(n *Nemesis) *sim.Dist { return &n.Every }, distribution()),
			key("for", "How long each fault lasts: a time or a distribution.", func(n *Nemesis) *sim.Dist { return &n.For }, distribution()),
			key("target", "Whom they hit: one of these targets is drawn for each fault; a shape of partitions takes a random replica.", func(n *Nemesis) *[]sim.Target { return &n.Targets }, listOf("a list of targets", true, target())),
			key("from", "No fault strikes before.", func(n *Nemesis) *protocols.Time { return &n.From }, instant()),
			key("until", "No fault strikes from then on; 0s: the end of the safety phase.", func(n *Nemesis) *protocols.Time { return &n.Until }, instant()),
		},
		aliases: map[string]string{"interval": "every", "targets": "target"},
		before:  func(_ *decoder, n *Nemesis) { *n = defaultNemesis() },
	}
}

func nemesisCodec() codec[Nemesis] {
	c := nemesisMapping().codec()
	write := c.write
	c.write = func(n *Nemesis) *yaml.Node {
		if len(n.Faults) == 0 {
			return nil
		}
		return write(n)
	}
	return c
}

// validateNemesis checks what a nemesis may draw.
func validateNemesis(sc *Scenario, report reporter) {
	n := &sc.Nemesis
	if len(n.Faults) == 0 {
		return
	}
	words := NemesisWords()
	for i, f := range n.Faults {
		if !slices.Contains(words, f) {
			report(fmt.Sprintf("nemesis.faults[%d]", i+1), "unknown fault %s; want %s%s", quote(f), strings.Join(words, ", "), DidYouMean(f, words))
		}
	}
	until := n.until(sc)
	mean := n.Every.A
	if n.Every.Kind == sim.Uniform {
		mean = n.Every.A/2 + n.Every.B/2
	}
	switch {
	case len(n.Targets) == 0:
		report("nemesis.target", "want at least one target")
	case int64(n.Until) > int64(sc.For):
		report("nemesis.until", "that is after the safety phase (for: %s)", sim.FormatDuration(sc.For))
	case n.From >= until:
		report("nemesis.from", "want a time before %s, at which no fault strikes any more", until)
	case mean <= 0 || int64(until.Sub(n.From))/int64(mean) > maxNemesis:
		report("nemesis.every", "want at most %d faults in %s, got one every %s", maxNemesis, sim.FormatDuration(until.Sub(n.From)), n.Every)
	}
	for i, t := range n.Targets {
		at := fmt.Sprintf("nemesis.target[%d]", i+1)
		validateRegionOf(sc, at, t, report)
		if missing := unknownNode(t.String(), sc); missing != "" {
			report(at, "no node %q; this cluster has n1..n%d and clients c1..c%d", missing, sc.Replicas, sc.clients())
		} else if slices.Contains(strings.Fields(t.String()), "subject") {
			report(at, "subject is whom an event was about; a nemesis waits for none")
		}
	}
	if len(sc.Script) > 0 {
		report("nemesis", "a script has no times: write crash n1, drop or delay as steps of the script")
	}
}
