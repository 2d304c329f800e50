package scenarios

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// maxPhases bounds the phases of a scenario.
const maxPhases = 100

// phaseMapping reads a stretch of the run. What it does not say of network and
// workload is as for the whole run, not as in the phase before.
func phaseMapping() *mapping[sim.Phase] {
	return &mapping[sim.Phase]{
		what: "a phase",
		fields: []field[sim.Phase]{
			key("name", "Its name in reports, of the letters of a scenario's name.", func(p *sim.Phase) *string { return &p.Name }, word()),
			key("at", "When it begins, from the start of the run; it lasts until the next one.", func(p *sim.Phase) *protocols.Time { return &p.At }, instant()),
			key("network", "The links meanwhile; what is not said is as at the top. Messages under way keep their fate.", func(p *sim.Phase) *sim.Network { return &p.Network }, linksMapping().codec()),
			key("workload", "What clients do meanwhile; what is not said is as at the top.", func(p *sim.Phase) *sim.Workload { return &p.Workload }, conductMapping().codec()),
		},
		before: func(d *decoder, p *sim.Phase) {
			p.Network, p.Workload = d.scenario.Network, d.scenario.Workload
			if _, given := d.where["workload.mix"]; !given {
				p.Workload.Mix = DefaultMix(d.scenario.Machine)
			}
		},
		after: func(d *decoder, n *yaml.Node, path string, given []string, p *sim.Phase) {
			for _, must := range []string{"name", "at"} {
				if !slices.Contains(given, must) {
					d.fail(n, "%s: want %s: a phase has a name and a time at which it begins", path, must)
				}
			}
		},
	}
}

// phasesField writes of each phase what differs from the whole run, so that a change
// there reaches the phases too.
func phasesField() field[Scenario] {
	c := listOf("a list of phases", false, phaseMapping().codec())
	f := key("phases", "Stretches of the run with other links or other conduct of the clients, one after the other.", func(s *Scenario) *[]sim.Phase { return &s.Phases }, c)
	network, conduct := linksMapping(), conductMapping()
	f.write = func(sc *Scenario) *yaml.Node {
		list := c.write(&sc.Phases)
		if list == nil {
			return nil
		}
		for _, phase := range list.Content {
			subtract(phase, "network", network.write(&sc.Network))
			subtract(phase, "workload", conduct.write(&sc.Workload))
		}
		return list
	}
	return f
}

// absent is how to say that a phase has not what the whole run has.
var absent = map[string]func() *yaml.Node{
	"links":      func() *yaml.Node { return &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle} },
	"popularity": func() *yaml.Node { return text("uniform") },
	"payload":    func() *yaml.Node { return text("0B") },
	"burst":      func() *yaml.Node { return bare("1") },

	"jitter":      func() *yaml.Node { return text("0s") },
	"correlation": func() *yaml.Node { return text("0s") },
	"corrupt":     func() *yaml.Node { return text("0%") },
	"replay":      func() *yaml.Node { return text("0%") },
	"replay_age":  func() *yaml.Node { return text("0s") },
	"bandwidth":   func() *yaml.Node { return text("0B/s") },
	"queue":       func() *yaml.Node { return text("0B") },
}

// complete says of every key that base has and mine has not that it is absent, since
// what is not said would be as in base.
func complete(mine, base *yaml.Node) {
	for i := 0; i+1 < len(base.Content); i += 2 {
		k := base.Content[i].Value
		if none := absent[k]; none != nil && valueOf(mine, k) == nil {
			mine.Content = append(mine.Content, text(k), none())
		}
	}
}

// subtract takes out of the mapping under key what base says as well.
func subtract(phase *yaml.Node, name string, base *yaml.Node) {
	at := slices.IndexFunc(phase.Content, func(n *yaml.Node) bool { return n.Value == name })
	if at < 0 {
		return
	}
	mine := phase.Content[at+1]
	complete(mine, base)
	var kept []*yaml.Node
	for i := 0; i+1 < len(mine.Content); i += 2 {
		v := valueOf(base, mine.Content[i].Value)
		if v != nil && v.Kind == yaml.MappingNode {
			complete(mine.Content[i+1], v)
		}
		if v == nil || flat(v) != flat(mine.Content[i+1]) {
			kept = append(kept, mine.Content[i], mine.Content[i+1])
		}
	}
	mine.Content = kept
	if len(kept) == 0 {
		phase.Content = slices.Delete(phase.Content, at, at+2)
	}
}

// validatePhases checks names, times and what is in each phase.
func validatePhases(sc *Scenario, report reporter) {
	if len(sc.Phases) > maxPhases {
		report("phases", "want at most %d phases, got %d", maxPhases, len(sc.Phases))
		return
	}
	before := protocols.Time(0)
	names := map[string]bool{}
	for i := range sc.Phases {
		p := &sc.Phases[i]
		path := fmt.Sprintf("phases[%d]", i+1)
		switch {
		case p.Name == "": // reported where it stands
		case !namePattern.MatchString(p.Name):
			report(path+".name", "want 1 to 64 of a-z, 0-9, dot, dash and underscore, got %s", quote(p.Name))
		case names[p.Name]:
			report(path+".name", "another phase is called %s", p.Name)
		}
		names[p.Name] = true
		switch {
		case i == 0 && p.At == 0:
			report(path+".at", "want a time after 0s: what holds from the start is said by network and workload at the top")
		case p.At <= before:
			report(path+".at", "want a time after %s, at which the phase before it begins", before)
		case int64(p.At) >= int64(sc.For):
			report(path+".at", "the phase begins at %s, but the safety phase ends at %s", p.At, sim.FormatDuration(sc.For))
		}
		before = p.At
		validateLinks(sc, &p.Network, path+".network", report)
		if key, err := conductProblem(sc, &p.Workload); err != nil {
			report(path+".workload."+key, "%s", err)
		}
	}
	if len(sc.Phases) > 0 && len(sc.Script) > 0 {
		report("phases", "a script has no times")
	}
}
