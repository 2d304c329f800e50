package scenarios

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
)

// Condition bounds one metric.
type Condition struct {
	Metric string // one of Metrics
	Op     string // <, <=, =, >= or >
	Bound  int64  // in the metric's unit
}

// String prints latency.p99 < 400ms.
func (c Condition) String() string { return c.Metric + " " + c.bound() }

func (c Condition) bound() string {
	return c.Op + " " + metricNamed(c.Metric).Unit.Format(c.Bound)
}

func (c Condition) holds(v int64) bool {
	switch c.Op {
	case "<":
		return v < c.Bound
	case "<=":
		return v <= c.Bound
	case ">":
		return v > c.Bound
	case ">=":
		return v >= c.Bound
	}
	return v == c.Bound
}

func (c Condition) check(r *Result) Checked {
	m := metricNamed(c.Metric)
	v := m.get(r)
	return Checked{Text: c.String(), Got: m.Unit.Format(v), Met: c.holds(v)}
}

// Expectation is what a run is expected to come to.
type Expectation struct {
	Verdict    checker.Verdict // Inconclusive stands for "not said"
	Check      string          // the check that a violation is to break first; "": any
	Conditions []Condition     // at most one per metric
}

// ProtocolExpectation overrides the expectation for one protocol, key by key.
type ProtocolExpectation struct {
	Protocol string
	Expectation
}

// Expected returns what is expected of the named protocol: the common
// expectation, overridden key by key. The verdict is ok where none is said, or
// violation where the conditions demand one.
func (sc *Scenario) Expected(protocol string) Expectation {
	e := Expectation{Verdict: sc.Expect.Verdict, Check: sc.Expect.Check}
	e.Conditions = append(e.Conditions, sc.Expect.Conditions...)
	for _, own := range sc.ExpectOf {
		if own.Protocol != protocol {
			continue
		}
		if own.Verdict != checker.Inconclusive {
			e.Verdict = own.Verdict
			if own.Verdict != checker.Violation {
				e.Check = ""
			}
		}
		if own.Check != "" {
			e.Check = own.Check
		}
		for _, c := range own.Conditions {
			e.set(c)
		}
	}
	if e.Verdict == checker.Inconclusive {
		e.Verdict = checker.OK
		if e.Check != "" {
			e.Verdict = checker.Violation
		}
		for _, c := range e.Conditions {
			if c.Metric == "violations" && !c.holds(0) {
				e.Verdict = checker.Violation
			}
		}
	}
	return e
}

func (e *Expectation) set(c Condition) {
	for i := range e.Conditions {
		if e.Conditions[i].Metric == c.Metric {
			e.Conditions[i] = c
			return
		}
	}
	e.Conditions = append(e.Conditions, c)
}

// Probe demands that something happened in a run, so that a scenario whose faults
// no longer bite is noticed: a condition on a metric, or that a fault of the plan
// changed something.
type Probe struct {
	Condition     // Metric "" for faults
	Fault     int // position from 1; everyFault: all of them
	Admin     int // the same of the operator's plan
	// Situation is the id of a probe that must have been reached: see [Probes].
	Situation string
}

const everyFault = -1

// String prints the probe as scenarios write it: "retries >= 1", "fault 1
// effective", "every fault effective", "admin 1 effective".
func (p Probe) String() string {
	switch {
	case p.Fault == everyFault:
		return "every fault effective"
	case p.Fault > 0:
		return fmt.Sprintf("fault %d effective", p.Fault)
	case p.Admin == everyFault:
		return "every admin effective"
	case p.Admin > 0:
		return fmt.Sprintf("admin %d effective", p.Admin)
	case p.Situation != "":
		return p.Situation
	}
	return p.Condition.String()
}

func (p Probe) check(r *Result) Checked {
	if p.Situation != "" {
		count, _ := r.reached(p.Situation)
		return Checked{Text: p.Situation, Got: strconv.FormatUint(count, 10), Met: count > 0}
	}
	list, which := r.Faults, p.Fault
	if p.Admin != 0 {
		list, which = r.Admin, p.Admin
	}
	if which == 0 {
		return p.Condition.check(r)
	}
	effective, wanted := 0, 0
	for _, f := range list {
		if which != everyFault && f.ID != which {
			continue
		}
		wanted++
		if f.Effective {
			effective++
		}
	}
	return Checked{Text: p.String(), Got: fmt.Sprintf("%d of %d", effective, wanted), Met: wanted > 0 && effective == wanted}
}

// situation matches the ids of probes. No metric has a hyphen.
var situation = regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)+$`)

var operators = []string{"<=", ">=", "<", ">", "="}

// cutOperator parts "< 400ms" into its operator, "=" when there is none, and the
// rest.
func cutOperator(s string) (op, rest string) {
	for _, op := range operators {
		if rest, ok := strings.CutPrefix(s, op); ok {
			return op, strings.TrimSpace(rest)
		}
	}
	return "=", strings.TrimSpace(s)
}

// ParseProbe reads what Probe.String prints. A metric without a bound means at
// least one.
func ParseProbe(s string) (Probe, error) {
	s = strings.TrimSpace(s)
	if s == "every fault effective" {
		return Probe{Fault: everyFault}, nil
	}
	if s == "every admin effective" {
		return Probe{Admin: everyFault}, nil
	}
	for _, what := range []string{"fault", "admin"} {
		middle, ok := strings.CutPrefix(s, what+" ")
		if !ok {
			continue
		}
		number, ok := strings.CutSuffix(middle, " effective")
		id, err := strconv.Atoi(number)
		if !ok || err != nil || id < 1 || !wholeNumber.MatchString(number) {
			return Probe{}, fmt.Errorf(`want "%s N effective" with N from 1, got %s`, what, quote(s))
		}
		if what == "admin" {
			return Probe{Admin: id}, nil
		}
		return Probe{Fault: id}, nil
	}
	name, bound := s, ">= 1"
	if i := strings.IndexAny(s, "<>="); i >= 0 {
		name, bound = strings.TrimSpace(s[:i]), s[i:]
	}
	m := metricNamed(name)
	if m == nil && name == s && situation.MatchString(s) {
		return Probe{Situation: s}, nil // which there are depends on the protocols: see Validate
	}
	if m == nil {
		return Probe{}, fmt.Errorf("unknown metric %s%s (lockstep list metrics)", quote(name), DidYouMean(name, metricNames()))
	}
	if bound == ">= 1" && m.Unit != UnitCount {
		return Probe{}, fmt.Errorf("%s needs a bound such as %q", name, name+" >= "+m.Unit.example())
	}
	c, err := parseCondition(m, bound)
	return Probe{Condition: c}, err
}

func parseCondition(m *Metric, s string) (Condition, error) {
	op, rest := cutOperator(s)
	v, err := m.Unit.parse(rest)
	if bare := rest == strings.TrimSpace(s); err == nil && bare && m.Unit != UnitCount && v != 0 && !(m.Unit == UnitPercent && v == 1_000_000) {
		op := "<="
		if m.Name == "availability" || m.Name == "throughput" {
			op = ">="
		}
		return Condition{}, fmt.Errorf("want a bound such as %q: without <, <=, >= or > it would have to be met exactly, which = %s says", op+" "+rest, rest)
	}
	if err == errPlain {
		err = fmt.Errorf("want <, <=, =, >= or > and %s, got %s", m.Unit.want(), quote(s))
	}
	return Condition{Metric: m.Name, Op: op, Bound: v}, err
}

func probeCodec() codec[Probe] {
	return scalar("a probe", ParseProbe, Probe.String, object{"type": "string"})
}

func checkCodec() codec[[]Check] {
	return codec[[]Check]{
		read: func(d *decoder, n *yaml.Node, path string, v *[]Check) {
			*v = nil
			d.pairs(n, path, "checks to switch off", func(k, value *yaml.Node) {
				d.where[join(path, k.Value)] = k
				if value.Kind != yaml.ScalarNode || value.Value != "off" && value.Value != "on" {
					d.fail(value, "%s: want off or on, got %s", join(path, k.Value), show(value))
					return
				}
				*v = append(*v, Check{Name: k.Value, Off: value.Value == "off"})
			})
		},
		write: func(v *[]Check) *yaml.Node {
			if len(*v) == 0 {
				return nil
			}
			n := &yaml.Node{Kind: yaml.MappingNode}
			for _, c := range *v {
				word := "on"
				if c.Off {
					word = "off"
				}
				n.Content = append(n.Content, text(c.Name), bare(word))
			}
			return n
		},
		schema: func([]*protocols.Protocol) object {
			return object{"type": "object", "additionalProperties": object{"enum": []string{"on", "off"}}}
		},
	}
}

// expectation is what the key expect holds.
type expectation struct {
	common *Expectation
	own    *[]ProtocolExpectation
}

func readExpectation(d *decoder, n *yaml.Node, path string, e expectation) {
	known := append([]string{"verdict", "check"}, metricNames()...)
	d.pairs(n, path, "expectations", func(k, value *yaml.Node) {
		at := join(path, k.Value)
		d.where[at] = value
		if k.Value == "verdict" {
			readVerdict(d, value, at, e.common)
			return
		}
		if k.Value == "check" {
			word().read(d, value, at, &e.common.Check)
			return
		}
		if m := metricNamed(k.Value); m != nil {
			if value.Kind != yaml.ScalarNode || isNull(value) {
				d.fail(value, "%s: want a bound, got %s", at, show(value))
				return
			}
			c, err := parseCondition(m, value.Value)
			if err != nil {
				d.fail(value, "%s: %s", at, err)
				return
			}
			e.common.set(c)
			return
		}
		if e.own != nil && (find(d.protocols, k.Value) != nil || slices.Contains(shipped, k.Value)) {
			own := ProtocolExpectation{Protocol: k.Value}
			readExpectation(d, value, at, expectation{common: &own.Expectation})
			*e.own = append(*e.own, own)
			return
		}
		candidates := known
		if e.own != nil {
			candidates = append(append([]string(nil), known...), protocolNames(d.protocols)...)
		}
		d.fail(k, "unknown metric or protocol %s in %s%s (lockstep list metrics)", quote(k.Value), path, DidYouMean(k.Value, candidates))
	})
}

func readVerdict(d *decoder, n *yaml.Node, path string, e *Expectation) {
	v, err := checker.ParseVerdict(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || v == checker.Inconclusive {
		d.fail(n, "%s: want ok, violation, unavailable or outside-model, got %s", path, show(n))
		return
	}
	e.Verdict = v
}

func writeExpectation(e expectation) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	if e.common.Verdict != checker.Inconclusive {
		n.Content = append(n.Content, text("verdict"), text(e.common.Verdict.String()))
	}
	if e.common.Check != "" {
		n.Content = append(n.Content, text("check"), text(e.common.Check))
	}
	for _, c := range e.common.Conditions {
		bound := c.bound()
		if c.Op == "=" {
			bound = metricNamed(c.Metric).Unit.Format(c.Bound)
		}
		n.Content = append(n.Content, text(c.Metric), scalarNode(bound))
	}
	if e.own != nil {
		for i := range *e.own {
			own := &(*e.own)[i]
			child := writeExpectation(expectation{common: &own.Expectation})
			if child == nil {
				child = &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
			}
			n.Content = append(n.Content, text(own.Protocol), child)
		}
	}
	if len(n.Content) == 0 {
		return nil
	}
	return n
}

const (
	verdictDoc       = "ok, violation, unavailable or outside-model; without it ok, or violation where a check is named."
	expectedCheckDoc = "The check that a violation breaks first."
)

func expectField() field[Scenario] {
	at := func(sc *Scenario) expectation { return expectation{&sc.Expect, &sc.ExpectOf} }
	return field[Scenario]{
		key: "expect",
		doc: "What a run is expected to come to: verdict, the check that a violation breaks first, and bounds on metrics (lockstep list metrics); a protocol's name overrides key by key. A missed bound gives exit code 4.",
		read: func(d *decoder, n *yaml.Node, path string, sc *Scenario) {
			readExpectation(d, n, path, at(sc))
		},
		write: func(sc *Scenario) *yaml.Node { return writeExpectation(at(sc)) },
		schema: func(list []*protocols.Protocol) object {
			properties := func() object {
				p := object{
					"verdict": object{"enum": []string{"ok", "violation", "unavailable", "outside-model"}, "description": verdictDoc},
					"check":   object{"type": "string", "description": expectedCheckDoc},
				}
				for _, m := range metrics {
					p[m.Name] = object{"type": []string{"string", "number"}, "description": m.Doc}
				}
				return p
			}
			all := properties()
			for _, p := range list {
				all[p.Name] = object{"type": "object", "properties": properties(), "additionalProperties": false}
			}
			return object{"type": "object", "properties": all, "additionalProperties": false}
		},
		keys: func() []Key {
			return []Key{{Path: "verdict", Doc: verdictDoc}, {Path: "check", Doc: expectedCheckDoc}}
		},
	}
}
