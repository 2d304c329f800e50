package scenarios

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// reporter takes one problem and the path of the value that has it.
type reporter func(path, format string, args ...any)

// Validate says everything that is wrong with a scenario made in code; nil when
// nothing is. What [Parse] returns has passed it.
func Validate(sc *Scenario, list []*protocols.Protocol) error {
	d := &decoder{file: sc.File}
	validate(sc, list, func(path, format string, args ...any) {
		d.fail(nil, "%s%s", prefix(path), fmt.Sprintf(format, args...))
	})
	_, err := d.problems.split()
	return err
}

// namePattern is what a scenario may be called: its name becomes a folder.
var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// reservedNames cannot be folders on Windows.
var reservedNames = regexp.MustCompile(`^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)`)

func validName(name string) error {
	switch {
	case name == "":
		return errors.New("want a name for the scenario: a-z, 0-9, dot, dash and underscore")
	case !namePattern.MatchString(name) || strings.Contains(name, "..") || strings.HasSuffix(name, "."):
		return fmt.Errorf("want 1 to 64 of a-z, 0-9, dot, dash and underscore, beginning with a letter or a digit, got %s", quote(name))
	case reservedNames.MatchString(name):
		return fmt.Errorf("%s is reserved on Windows, and the name becomes a folder", quote(name))
	}
	return nil
}

func validate(sc *Scenario, list []*protocols.Protocol, report reporter) {
	if err := validName(sc.Name); err != nil {
		report("name", "%s", err)
	}
	if sc.Replicas < 1 || sc.Replicas > protocols.MaxNodes {
		report("replicas", "want a whole number 1..%d, got %d", protocols.MaxNodes, sc.Replicas)
	}
	if sc.For <= 0 || sc.For > maxSpan {
		report("for", "want a duration from 1ns to %s, got %s", sim.FormatDuration(maxSpan), sim.FormatDuration(sc.For))
	}
	validateProtocols(sc, list, report)
	validateWorkload(sc, report)
	validateFaults(sc, report)
	validateNemesis(sc, report)
	validateMatrix(sc, list, report)
	validateLinks(sc, &sc.Network, "network", report)
	validateNetwork(sc, report)
	validatePhases(sc, report)
	validateAdmin(sc, list, report)
	validateScript(sc, list, report)
	for i, p := range sc.Sometimes {
		if p.Situation != "" && !knownProbe(p.Situation, list) {
			report(fmt.Sprintf("sometimes[%d]", i+1), "unknown metric or probe %s%s (lockstep list metrics, lockstep list probes)", quote(p.Situation), DidYouMean(p.Situation, probeNames(list)))
		}
		if p.Fault > len(sc.Faults) || p.Fault == everyFault && len(sc.Faults)+len(sc.Nemesis.Faults) == 0 {
			report(fmt.Sprintf("sometimes[%d]", i+1), "there is no such fault: the plan has %d", len(sc.Faults))
		}
		if p.Admin > len(sc.Admin) || p.Admin == everyFault && len(sc.Admin) == 0 {
			report(fmt.Sprintf("sometimes[%d]", i+1), "there is no such step: the plan has %d under admin", len(sc.Admin))
		}
	}
	validateChecks(sc, list, report)
}

func validateProtocols(sc *Scenario, list []*protocols.Protocol, report reporter) {
	for i, name := range sc.Protocols {
		at := fmt.Sprintf("protocols[%d]", i+1)
		if find(list, name) == nil && !slices.Contains(shipped, name) {
			report(at, "unknown protocol %s%s (lockstep list protocols)", quote(name), DidYouMean(name, protocolNames(list)))
		} else if slices.Index(sc.Protocols, name) != i {
			report(at, "%s stands twice", name)
		}
	}
	for _, ps := range sc.Parameters {
		p := find(list, ps.Protocol)
		if p == nil || p.Validate == nil {
			continue // an unknown one was reported where it stands
		}
		if err := p.Validate(ps.Values, sc.Replicas); err != nil {
			report("parameters."+p.Name, "%s", err)
		}
	}
	validateClocks(sc, list, report)
	for _, kinds := range []struct {
		path  string
		names []string
		known func(*protocols.Protocol) []protocols.KindInfo
	}{
		{"early", sc.Early, func(p *protocols.Protocol) []protocols.KindInfo { return p.Messages }},
		{"lose", sc.Lose, func(p *protocols.Protocol) []protocols.KindInfo { return p.Records }},
	} {
		for i, name := range kinds.names {
			validateKind(sc, list, fmt.Sprintf("%s[%d]", kinds.path, i+1), name, kinds.known, report)
		}
	}
}

// validateClocks demands that protocols which rely on a bound of the clocks' drift,
// as leases do, are given clocks within it.
func validateClocks(sc *Scenario, list []*protocols.Protocol, report reporter) {
	for _, p := range list {
		if p.ClockBound == nil || !sc.Runs(p.Name) {
			continue
		}
		ppm := func(ppb int64) string { return trimZeros(Decimal(ppb).String()) + "ppm" }
		if bound := p.ClockBound(sc.ParametersOf(p)); bound >= 0 && sc.Clock.Drift > bound {
			report("clock.drift", "clocks may drift by %s, but the parameters of %s rely on at most %s; raise its max_drift", ppm(sc.Clock.Drift), p.Name, ppm(bound))
		}
	}
}

// validateKind demands that some protocol of the scenario has the kind.
func validateKind(sc *Scenario, list []*protocols.Protocol, path, name string, known func(*protocols.Protocol) []protocols.KindInfo, report reporter) {
	var names []string
	for _, p := range list {
		if !sc.Runs(p.Name) {
			continue
		}
		for _, k := range known(p) {
			if !slices.Contains(names, k.Name) {
				names = append(names, k.Name)
			}
		}
	}
	if !slices.Contains(names, name) {
		report(path, "no protocol of this scenario has the kind %s; want one of %s", quote(name), oneOf(names))
	}
}

func validateWorkload(sc *Scenario, report reporter) {
	w := &sc.Workload
	if w.Clients < 1 || w.Clients > sim.MaxClients {
		report("workload.clients", "want a whole number 1..%d, got %d", sim.MaxClients, w.Clients)
	}
	if w.Clients*max(1, w.Keys) > sim.MaxSeen {
		report("workload.keys", "want at most %d clients times keys, got %d times %d", sim.MaxSeen, w.Clients, w.Keys)
	}
	if w.Subscribers < 0 || w.Subscribers > sim.MaxSubscribers {
		report("workload.subscribers", "want a whole number 0..%d, got %d", sim.MaxSubscribers, w.Subscribers)
	}
	if int64(w.Begin) >= int64(sc.For) {
		report("workload.begin", "the first call would come after the safety phase (for: %s)", sim.FormatDuration(sc.For))
	}
	validateCalls(sc, report)
	if key, err := conductProblem(sc, w); err != nil {
		report("workload."+key, "%s", err)
	}
}

func validateFaults(sc *Scenario, report reporter) {
	strikes := 0
	defer func() {
		if strikes > maxFaults {
			report("faults", "want at most %d faults, those that strike several times counted so, got %d", maxFaults, strikes)
		}
	}()
	for i := range sc.Faults {
		f := &sc.Faults[i]
		path := fmt.Sprintf("faults[%d]", i+1)
		switch {
		case int64(f.At) >= int64(sc.For):
			report(path+".at", "the fault strikes at %s, after the safety phase (for: %s)", sim.FormatDuration(protocols.Duration(f.At)), sim.FormatDuration(sc.For))
		case !f.When.Set() && f.For != sim.Forever && int64(f.At)+int64(f.For) > int64(sc.For):
			report(path+".for", "the fault ends at %s, after the safety phase (for: %s); write for: forever to let it last until the heal",
				sim.FormatDuration(protocols.Duration(f.At)+f.For), sim.FormatDuration(sc.For))
		}
		validateOccasion(sc, path, f.When, f.Until, fmt.Sprintf("fault %d", i+1), report)
		strikes += max(1, f.Count)
		in := path + "." + string(f.Kind)
		if f.Kind == "" {
			continue // reported where it stands
		}
		if f.Target.Empty() {
			report(in, "want a target, as in %s", FaultExample(f.Kind))
		} else if missing := unknownNode(f.Target.String(), sc); missing != "" {
			report(in+".target", "no node %q; this cluster has n1..n%d and clients c1..c%d", missing, sc.Replicas, sc.clients())
		}
		if !f.When.Set() && slices.Contains(strings.Fields(f.Target.String()), "subject") {
			report(path+".when", "subject is whom an event was about: write when, which event the fault waits for")
		}
		if missing := unknownNode(f.From.String(), sc); missing != "" {
			report(in+".from", "no node %q; this cluster has n1..n%d and clients c1..c%d", missing, sc.Replicas, sc.clients())
		}
		validateRegionOf(sc, in+".target", f.Target, report)
		validateRegionOf(sc, in+".from", f.From, report)
		if err := faultStrength(f, sc.Clock.Drift); err != nil {
			report(in, "%s", err)
		}
	}
}

const maxFaults = 10_000

// faultStrength refuses a fault that cannot change anything, or that is another.
func faultStrength(f *sim.Fault, bound int64) error {
	if err := networkStrength(f); err != nil {
		return err
	}
	switch f.Kind {
	case protocols.FaultLoss, protocols.FaultDuplicate:
		if f.Prob == 0 {
			return errors.New("want a probability above 0%")
		}
	case protocols.FaultDelay, protocols.FaultReorder:
		if f.Latency.Zero() {
			return errors.New("want a latency above 0s")
		}
	case protocols.FaultClock:
		if f.Step == 0 && f.Drift == 0 {
			return errors.New("want a step or a drift")
		}
		if f.Drift > bound || f.Drift < -bound {
			return fmt.Errorf("a drift of %sppm is beyond the declared bound (clock.drift: %sppm); that is a fault of kind skew", trimZeros(Decimal(f.Drift).String()), trimZeros(Decimal(bound).String()))
		}
	case protocols.FaultSkew:
		if f.Drift == 0 {
			return errors.New("want a drift")
		}
	}
	if text := nodeFaultStrength(f); text != "" {
		return errors.New(text)
	}
	return nil
}

// unknownNode returns the first named node or client of a target that the
// scenario does not have. Service nodes depend on the protocol: the engine
// checks them.
func unknownNode(target string, sc *Scenario) string {
	for _, word := range strings.Fields(target) {
		id, err := parseNode(word)
		if err != nil {
			continue
		}
		if id > 0 && int(id) > sc.Replicas || id < 0 && int(-id) > sc.clients() {
			return word
		}
	}
	return ""
}

func validateLinks(sc *Scenario, network *sim.Network, path string, report reporter) {
	for i, l := range network.Links {
		for _, end := range []struct {
			key string
			id  protocols.NodeID
		}{{"from", l.From}, {"to", l.To}} {
			if end.id != protocols.Nobody && unknownNode(end.id.String(), sc) != "" {
				report(fmt.Sprintf("%s.links[%d].%s", path, i+1, end.key), "no node %q; this cluster has n1..n%d and clients c1..c%d", end.id, sc.Replicas, sc.clients())
			}
		}
		if l.From == l.To && l.From != protocols.Nobody {
			report(fmt.Sprintf("%s.links[%d]", path, i+1), "a node has no link to itself")
		}
	}
}

func validateChecks(sc *Scenario, list []*protocols.Protocol, report reporter) {
	if len(sc.Checks) == 0 && sc.Expect.Check == "" && len(sc.ExpectOf) == 0 {
		return
	}
	var known []string
	for _, info := range Checks(list, sc.Replicas) {
		known = append(known, info.ID)
	}
	for _, c := range sc.Checks {
		switch {
		case c.Name == CheckPanic && c.Off:
			report("checks."+c.Name, "a panic cannot be overlooked")
		case (c.Name == sim.CheckBoot || c.Name == sim.CheckContract) && c.Off:
			report("checks."+c.Name, "a node that does not keep to its contract cannot be overlooked")
		case !slices.Contains(known, c.Name):
			report("checks."+c.Name, "unknown check %s%s (lockstep list checks)", quote(c.Name), DidYouMean(c.Name, known))
		}
	}
	expected := func(path, check string) {
		if check != "" && !slices.Contains(known, check) {
			report(path, "unknown check %s%s (lockstep list checks)", quote(check), DidYouMean(check, known))
		}
	}
	expected("expect.check", sc.Expect.Check)
	for _, own := range sc.ExpectOf {
		expected("expect."+own.Protocol+".check", own.Check)
	}
}

// OutsideModel says which faults of the scenario go beyond what p claims to
// survive; "" when none does.
func (sc *Scenario) OutsideModel(p *protocols.Protocol) string {
	parameters := sc.ParametersOf(p)
	var reasons []string
	for _, kind := range sim.FaultKinds() {
		hit := mostHit(sc, kind.Kind)
		if hit == 0 {
			continue
		}
		limit := survives(p, kind.Kind, parameters, sc.Replicas)
		if limit >= 0 && hit > limit {
			reasons = append(reasons, beyond(p.Name, kind.Kind, limit, hit))
		}
	}
	return strings.Join(reasons, "; ")
}

// beyond says that a plan hits more nodes at once than a protocol survives.
func beyond(protocol string, kind protocols.FaultKind, limit, hit int) string {
	if limit == 0 {
		return fmt.Sprintf("%s does not claim to survive %s, with these parameters", protocol, kind)
	}
	return fmt.Sprintf("%s survives %s while at most %d of its nodes are hit at once, and the plan may hit %d", protocol, kind, limit, hit)
}

// survives applies the default of Protocol.Survives.
func survives(p *protocols.Protocol, kind protocols.FaultKind, parameters any, n int) int {
	if p.Survives != nil {
		return p.Survives(kind, parameters, n)
	}
	switch kind {
	case protocols.FaultSkew, protocols.FaultDiskError, protocols.FaultDiskFull, protocols.FaultTorn, protocols.FaultReordered,
		protocols.FaultCorrupt, protocols.FaultMisdirect, protocols.FaultLying, protocols.FaultWipe:
		return 0
	}
	return -1
}

// mostHit returns an upper bound of the replicas that faults of one kind, or for a
// kind that stops nodes of any such kind, hit while one of that kind strikes.
func mostHit(sc *Scenario, kind protocols.FaultKind) int {
	most := 0
	for i := range sc.Faults {
		f := &sc.Faults[i]
		if f.Kind != kind {
			continue
		}
		at := 0 // what is active when f strikes
		for j := range sc.Faults {
			g := &sc.Faults[j]
			switch {
			case g.Kind != kind && !(sim.Stops(kind) && sim.Stops(g.Kind)):
			case f.When.Set() || g.When.Set(): // nobody knows when
				at += max(1, g.Count) * targetSize(g.Target.String(), sc)
			case g.At <= f.At && end(g) > int64(f.At):
				at += targetSize(g.Target.String(), sc)
			}
		}
		most = max(most, min(at, sc.Replicas))
	}
	return most
}

func end(f *sim.Fault) int64 {
	if f.For == sim.Forever {
		return math.MaxInt64
	}
	return int64(f.At) + int64(f.For)
}

// targetSize returns how many replicas a target has at most.
func targetSize(target string, sc *Scenario) int {
	replicas := sc.Replicas
	list, others := strings.CutPrefix(target, "others of ")
	words := strings.Fields(list)
	if others && len(words) > 1 {
		return replicas - 1 // words may overlap, so that more are left than their sizes say
	}
	size := 0
	for _, w := range words {
		region, inRegion := sim.RegionNamed(w)
		switch {
		case inRegion:
			size += sc.Network.ReplicasIn(region, replicas)
		case w == "all", w == "leaders", w == "learners":
			size += replicas
		case w == "minority-third":
			size += (replicas - 1) / 3
		case w == "followers":
			size += replicas - 1
		case w == "minority":
			size += (replicas - 1) / 2
		case w == "majority":
			size += replicas/2 + 1
		case w[0] == 'c', w[0] == 's': // clients and services
		default:
			size++
		}
	}
	if others {
		return max(0, replicas-size)
	}
	return min(size, replicas)
}
