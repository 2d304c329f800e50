package scenarios

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// What can follow a script.
const (
	ThenStop = "stop"
	ThenHeal = "heal"
)

// maxScript bounds the steps of a script.
const maxScript = 10_000

// scriptCodec reads a list of steps, and remembers where each stands.
func scriptCodec() codec[[]sim.ScriptStep] {
	var verbs []string
	for _, v := range sim.Verbs() {
		verbs = append(verbs, string(v.Verb))
	}
	step := scalar("a step such as deliver RequestVote n1 -> n2", func(s string) (sim.ScriptStep, error) {
		step, err := sim.ParseScriptStep(s)
		if err != nil && !slices.Contains(verbs, string(step.Verb)) {
			err = fmt.Errorf("%w%s", err, DidYouMean(string(step.Verb), verbs))
		}
		return step, err
	}, sim.ScriptStep.String, object{"type": "string", "pattern": "^(" + strings.Join(verbs, "|") + ")( |$)"})
	c := listOf("a list of steps", false, step)
	read, write := c.read, c.write
	c.read = func(d *decoder, n *yaml.Node, path string, v *[]sim.ScriptStep) {
		read(d, n, path, v)
		d.scenario.places = nil
		for i := range *v {
			d.scenario.places = append(d.scenario.places, d.place(n.Content[i]))
		}
	}
	c.write = func(v *[]sim.ScriptStep) *yaml.Node {
		n := write(v)
		if n != nil {
			n.Style = 0 // one line for each step
		}
		return n
	}
	return c
}

func thenCodec() codec[string] {
	c := choice[string](ThenStop, ThenHeal)
	write := c.write
	c.write = func(v *string) *yaml.Node {
		if *v == "" {
			return nil
		}
		return write(v)
	}
	return c
}

// validateScript checks what can be checked without playing: names, and the words
// of every protocol that the scenario is meant for.
func validateScript(sc *Scenario, list []*protocols.Protocol, report reporter) {
	if len(sc.Script) == 0 {
		if sc.Then != "" {
			report("then", "there is no script that something could follow")
		}
		return
	}
	if len(sc.Script) > maxScript {
		report("script", "want at most %d steps, got %d", maxScript, len(sc.Script))
	}
	if len(sc.Faults) > 0 {
		report("faults", "a script has no times: write crash n1, drop or delay as steps of the script")
	}
	if !reflect.DeepEqual(sc.Network, defaultNetwork()) {
		report("network", "a script decides itself what becomes of each message: write deliver, drop, duplicate or delay as steps")
	}
	for i := range sc.Script {
		s := &sc.Script[i]
		if s.Verb == "" {
			continue // reported where it stands
		}
		at := fmt.Sprintf("script[%d]", i+1)
		if missing := unknownNode(strings.Join(namesOf(s), " "), sc); missing != "" {
			report(at, "no node %q; this cluster has n1..n%d and clients c1..c%d", missing, sc.Replicas, sc.clients())
			continue
		}
		if s.Verb == sim.VerbRequest && !machineHas(sc.Machine, s.Command) {
			report(at, "the %s machine has no operation %s; it has %s", sc.Machine, quote(s.Command.String()), strings.Join(shareNames(sc.Machine), ", "))
			continue
		}
		if err := sc.supported(list, func(p *protocols.Protocol) error { return stepFits(s, p) }); err != nil {
			report(at, "%s", err)
		}
	}
}

// namesOf lists the nodes and clients that a step names.
func namesOf(s *sim.ScriptStep) []string {
	m := &s.Messages
	all := slices.Concat(s.Names, s.To, s.Learners, m.Among)
	for _, end := range []string{m.From, m.To} {
		if end != "" {
			all = append(all, end)
		}
	}
	if words := strings.Fields(s.Words); s.Verb == sim.VerbExpect && len(words) == 2 && words[0] == "leader" && words[1] != "nobody" {
		all = append(all, words[1])
	}
	return all
}

func machineHas(machine string, c protocols.Command) bool {
	for _, s := range sharesOf(machine) {
		if s.Kind == c.Kind && (s.Op == c.Op || c.Kind == protocols.Follow) {
			return c.Kind == protocols.Follow || (c.Key != 0) == (machine == "kv")
		}
	}
	return false
}

// stepFits says which word of a step the protocol does not know.
func stepFits(s *sim.ScriptStep, p *protocols.Protocol) error {
	switch s.Verb {
	case sim.VerbFire:
		if !slices.Contains(p.Timers, s.Words) {
			return fmt.Errorf("%s has no timer %s; it has %s%s", p.Name, quote(s.Words), strings.Join(p.Timers, ", "), DidYouMean(s.Words, p.Timers))
		}
	case sim.VerbWipe, sim.VerbRot:
		kind := protocols.FaultWipe
		if s.Verb == sim.VerbRot {
			kind = protocols.FaultCorrupt
		}
		if survives(p, kind, defaultsOf(p), 3) == 0 {
			return fmt.Errorf("%s does not claim to survive %s", p.Name, kind)
		}
	case sim.VerbReconfigure, sim.VerbTransfer:
		kind := protocols.Reconfigure
		if s.Verb == sim.VerbTransfer {
			kind = protocols.TransferLeadership
		}
		if err := sim.Supports(p, kind); err != nil {
			return err
		}
		if len(s.Learners) > 0 && !p.Learners {
			return fmt.Errorf("%s has no learners", p.Name)
		}
	}
	kinds := []string{sim.KindOfRequest, sim.KindOfAnswer, sim.KindOfRefusal}
	for _, m := range p.Messages {
		kinds = append(kinds, m.Name)
	}
	if k := s.Messages.Kind; k != "" && !slices.Contains(kinds, k) {
		return fmt.Errorf("%s has no message %s; it has %s%s", p.Name, quote(k), strings.Join(kinds, ", "), DidYouMean(k, kinds))
	}
	return nil
}

// place says where n stands in the file.
func (d *decoder) place(n *yaml.Node) Problem {
	p := Problem{File: d.file, Line: n.Line, Column: n.Column, Width: 1}
	if n.Line > 0 && n.Line <= len(d.lines) {
		p.Source = strings.TrimRight(d.lines[n.Line-1], "\r")
		p.Width = width(n, p.Source)
	}
	return p
}
