package shrink

import (
	"slices"
	"strings"
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/sim"
)

// change returns a copy of the best scenario with a change.
func (m *minimiser) change(do func(sc *scenarios.Scenario)) *scenarios.Scenario {
	c := m.best.Clone()
	scenarios.Pin(c.Faults) // faults keep their draws when others go
	do(c)
	scenarios.Number(c.Faults)
	return c
}

// reduce removes elements of a list: neighbours, size of them at a time, then ever
// fewer (ddmin over complements). without makes the candidate that lacks from..to-1
// of the best scenario. It returns whether something went.
func (m *minimiser) reduce(size int, length func() int, without func(from, to int) *scenarios.Scenario) (changed bool) {
	for size > 0 && !m.over() {
		from := 0
		for from < length() {
			var candidates []*scenarios.Scenario
			for at := from; at < length(); at += size {
				candidates = append(candidates, without(at, min(at+size, length())))
			}
			won := m.first(candidates)
			if won < 0 {
				break
			}
			changed = true
			from += won * size
		}
		size = min(size/2, length())
	}
	return changed
}

func (m *minimiser) removeFaults() bool {
	return m.reduce(len(m.best.Faults), func() int { return len(m.best.Faults) }, func(from, to int) *scenarios.Scenario {
		return m.change(func(sc *scenarios.Scenario) { sc.Faults = slices.Delete(sc.Faults, from, to) })
	})
}

// keepFew tries the operations that contradict each other, the last ones and the
// first ones alone.
func (m *minimiser) keepFew() bool {
	all := m.best.Workload.Calls
	if len(all) <= few {
		return false
	}
	var candidates []*scenarios.Scenario
	for _, list := range m.handfuls(16) {
		candidates = append(candidates, m.change(func(sc *scenarios.Scenario) { sc.Workload.Calls = list }))
	}
	return m.first(candidates) >= 0
}

// handfuls lists small parts of the calls, of at most the given number.
func (m *minimiser) handfuls(most int) [][]sim.Call {
	all := m.best.Workload.Calls
	var list [][]sim.Call
	if r := m.after.Report; r != nil && r.Counterexample != nil {
		if some := matching(all, r.Counterexample.Operations); len(some) > 0 {
			list = append(list, some)
		}
	}
	for n := 1; n < len(all) && n <= most; n *= 2 {
		list = append(list, slices.Clone(all[len(all)-n:]), slices.Clone(all[:n]))
	}
	return list
}

// samples lists parts of the calls as a hash picks them: a half, a quarter and so on,
// always with those that contradict each other. What a call does to the timing of all
// others makes neighbours no better a choice than any.
func (m *minimiser) samples() [][]sim.Call {
	all := m.best.Workload.Calls
	var must []sim.Call
	if r := m.after.Report; r != nil && r.Counterexample != nil {
		must = matching(all, r.Counterexample.Operations)
	}
	var list [][]sim.Call
	for round := range uint64(6) {
		for share := uint64(len(all)+few-1) / few; share >= 2; share /= 2 {
			var some []sim.Call
			for i, c := range all {
				if slices.Contains(must, c) || protocols.Mix64(round<<32|uint64(i))%share == 0 {
					some = append(some, c)
				}
			}
			if len(some) > 0 && len(some) < len(all) {
				list = append(list, some)
			}
		}
	}
	return list
}

// leap tries, where many operations are left, few of them together with small
// windows and intervals, or with duplicates for certain: a bug that shows at the
// hundredth entry often shows at the first one then.
func (m *minimiser) leap() bool {
	if len(m.best.Workload.Calls) <= few {
		return false
	}
	bases := []*scenarios.Scenario{m.change(loud)}
	for _, sc := range scenarios.SmallParameters(m.best, m.p) {
		bases = append(bases, sc)
		both := sc.Clone()
		loud(both)
		bases = append(bases, both)
	}
	var candidates []*scenarios.Scenario
	for _, list := range m.samples() {
		candidates = append(candidates, m.change(func(sc *scenarios.Scenario) { sc.Workload.Calls = list }))
	}
	for _, list := range m.handfuls(8) {
		for _, base := range bases {
			c := base.Clone()
			c.Workload.Calls = slices.Clone(list)
			candidates = append(candidates, c)
		}
	}
	return m.first(candidates) >= 0
}

// loud lets every message be duplicated that may be, and takes out all other chance.
func loud(sc *scenarios.Scenario) {
	for _, l := range []*sim.Link{&sc.Network.Between, &sc.Network.Client} {
		quiet := *l
		quietLink(&quiet)
		if l.Duplicate > 0 {
			quiet.Duplicate = sim.Always
		}
		*l = quiet
	}
}

// matching returns the calls that made operations: the same client's, at the same
// place in its order.
func matching(all []sim.Call, operations []protocols.Operation) []sim.Call {
	count := map[protocols.NodeID]uint64{}
	var list []sim.Call
	for _, c := range all {
		count[c.Client]++
		if slices.ContainsFunc(operations, func(op protocols.Operation) bool { return op.Client == c.Client && op.Seq == count[c.Client] }) {
			list = append(list, c)
		}
	}
	return list
}

// removeCalls leaves one call at least: no list would be a drawn workload.
func (m *minimiser) removeCalls() bool {
	length := func() int { return len(m.best.Workload.Calls) }
	return m.reduce(length()/2, length, func(from, to int) *scenarios.Scenario {
		if from == 0 {
			to = min(to, length()-1)
		}
		return m.change(func(sc *scenarios.Scenario) { sc.Workload.Calls = slices.Delete(sc.Workload.Calls, from, to) })
	})
}

func (m *minimiser) removeScript() bool {
	return m.reduce(len(m.best.Script)/2, func() int { return len(m.best.Script) }, func(from, to int) *scenarios.Scenario {
		return m.change(func(sc *scenarios.Scenario) { sc.Script = slices.Delete(sc.Script, from, to) })
	})
}

// resolve names whom faults hit in the last run, and drops those that changed
// nothing.
func (m *minimiser) resolve() bool {
	log := m.after.Faults
	plain := func(sc *scenarios.Scenario) {
		for i := range sc.Faults {
			sc.Faults[i].Stream = 0
		}
	}
	candidates := []*scenarios.Scenario{
		m.change(func(sc *scenarios.Scenario) { sc.Faults = struck(sc.Faults, log) }),
		m.change(plain),
	}
	for i := range m.best.Faults {
		candidates = append(candidates, m.change(func(sc *scenarios.Scenario) {
			sc.Faults = slices.Concat(sc.Faults[:i], struck(sc.Faults[i:i+1], log[i:i+1]), sc.Faults[i+1:])
		}))
	}
	return m.first(candidates) >= 0
}

// few is how many operations a reader still follows with ease.
const few = 5

// quieten switches off what is random: all of it, then one after the other.
func (m *minimiser) quieten() bool {
	network := func(sc *scenarios.Scenario) { quietLink(&sc.Network.Between); quietLink(&sc.Network.Client) }
	noise := func(sc *scenarios.Scenario) {
		for _, l := range []*sim.Link{&sc.Network.Between, &sc.Network.Client} {
			l.Loss, l.Duplicate = 0, 0
		}
	}
	disk := func(sc *scenarios.Scenario) {
		sc.Disk.Write, sc.Disk.Fsync = exact(sc.Disk.Write), exact(sc.Disk.Fsync)
	}
	clock := func(sc *scenarios.Scenario) { sc.Clock = sim.Clock{} }
	parameters := func(sc *scenarios.Scenario) { *sc = *scenarios.PlainParameters(sc, m.p) }
	changed := false
	for _, group := range [][]func(*scenarios.Scenario){{network, disk, clock, parameters}, {network, disk, clock}, {network}, {loud, disk, clock}, {noise}, {disk}, {clock}, {parameters}} {
		won := m.first([]*scenarios.Scenario{m.change(func(sc *scenarios.Scenario) {
			for _, do := range group {
				do(sc)
			}
		})})
		if won == 0 {
			changed = true
			if len(group) > 1 {
				break
			}
		}
	}
	return changed
}

func quietLink(l *sim.Link) { l.Latency, l.Loss, l.Duplicate = exact(l.Latency), 0, 0 }

func exact(d sim.Dist) sim.Dist {
	if d.Kind == sim.Constant {
		return d
	}
	return sim.Exactly(d.A)
}

// cut ends the run where its violation shows.
func (m *minimiser) cut() bool {
	horizon := m.horizon(m.after)
	return m.first([]*scenarios.Scenario{
		m.change(func(sc *scenarios.Scenario) { m.withoutLiveness(sc); m.trim(sc, horizon) }),
		m.change(m.withoutLiveness),
		m.change(func(sc *scenarios.Scenario) { m.trim(sc, horizon) }),
		m.change(func(sc *scenarios.Scenario) { m.trim(sc, sc.For/2) }),
	}) >= 0
}

// removeClients gives clients and keys the lowest numbers, and drops those that are
// not used.
func (m *minimiser) removeClients() bool {
	if len(m.best.Workload.Calls) == 0 {
		return m.first([]*scenarios.Scenario{
			m.change(func(sc *scenarios.Scenario) { sc.Workload.Clients = 1 }),
			m.change(func(sc *scenarios.Scenario) { sc.Workload.Clients /= 2 }),
			m.change(func(sc *scenarios.Scenario) { sc.Workload.Keys = 1 }),
		}) >= 0
	}
	return m.first([]*scenarios.Scenario{
		m.change(func(sc *scenarios.Scenario) { denseClients(sc); oneKey(sc) }),
		m.change(oneKey),
		m.change(denseKeys),
		m.change(denseClients),
		m.change(func(sc *scenarios.Scenario) {
			last := protocols.NodeID(-1)
			for _, c := range sc.Workload.Calls {
				last = min(last, c.Client)
			}
			sc.Workload.Clients = int(-last)
		}),
	}) >= 0
}

func oneKey(sc *scenarios.Scenario) {
	for i := range sc.Workload.Calls {
		sc.Workload.Calls[i].Key = min(1, sc.Workload.Calls[i].Key)
	}
	sc.Workload.Keys = 1
}

func denseKeys(sc *scenarios.Scenario) {
	var used []protocols.Key
	for i := range sc.Workload.Calls {
		c := &sc.Workload.Calls[i]
		if c.Key == 0 {
			continue
		}
		if !slices.Contains(used, c.Key) {
			used = append(used, c.Key)
		}
		c.Key = protocols.Key(1 + slices.Index(used, c.Key))
	}
	sc.Workload.Keys = max(1, len(used))
}

func denseClients(sc *scenarios.Scenario) {
	var used []protocols.NodeID
	for i := range sc.Workload.Calls {
		c := &sc.Workload.Calls[i]
		if !slices.Contains(used, c.Client) {
			used = append(used, c.Client)
		}
		c.Client = protocols.NodeID(-1 - slices.Index(used, c.Client))
	}
	sc.Workload.Clients = max(1, len(used))
}

// removeReplicas tries smaller clusters: those with the highest numbers go, out of
// faults and calls, too.
func (m *minimiser) removeReplicas() bool {
	var candidates []*scenarios.Scenario
	for _, n := range []int{2, 3, m.best.Replicas - 1} {
		if n >= 1 && n < m.best.Replicas {
			candidates = append(candidates, m.change(func(sc *scenarios.Scenario) { shrinkCluster(sc, n) }))
		}
	}
	return m.first(candidates) >= 0
}

func shrinkCluster(sc *scenarios.Scenario, n int) {
	gone := func(name string) bool {
		number := 0
		for _, c := range strings.TrimPrefix(name, "n") {
			if c < '0' || c > '9' {
				return false
			}
			number = number*10 + int(c-'0')
		}
		return name[0] == 'n' && number > n
	}
	var faults []sim.Fault
	for _, f := range sc.Faults {
		words := slices.DeleteFunc(strings.Fields(f.Target.String()), gone)
		if t, err := sim.ParseTarget(strings.Join(words, " ")); err == nil {
			f.Target = t
			faults = append(faults, f)
		}
	}
	sc.Faults, sc.Replicas = faults, n
	for i := range sc.Workload.Calls {
		if c := &sc.Workload.Calls[i]; int(c.To) > n {
			c.To = protocols.Nobody
		}
	}
}

// simplerKind names a kind of fault that does less, or what it does without chance.
var simplerKind = []struct{ from, to protocols.FaultKind }{
	{protocols.FaultCrash, protocols.FaultPause},
	{protocols.FaultLoss, protocols.FaultPartition},
	{protocols.FaultReorder, protocols.FaultDelay},
}

func (m *minimiser) simplerKinds() bool {
	var candidates []*scenarios.Scenario
	for i := range m.best.Faults {
		for _, k := range simplerKind {
			if m.best.Faults[i].Kind == k.from {
				candidates = append(candidates, m.change(func(sc *scenarios.Scenario) {
					f := &sc.Faults[i]
					f.Kind, f.Cut, f.Prob = k.to, 0, 0
				}))
			}
		}
	}
	return m.first(candidates) >= 0
}

// shorten lets faults last a tenth or half as long, down to a millisecond.
func (m *minimiser) shorten() bool {
	var candidates []*scenarios.Scenario
	for i := range m.best.Faults {
		f := &m.best.Faults[i]
		for _, part := range []protocols.Duration{10, 2} {
			if f.For == sim.Forever || f.For/part < time.Millisecond {
				continue
			}
			candidates = append(candidates, m.change(func(sc *scenarios.Scenario) {
				sc.Faults[i].For = rounded(f.For/part, time.Millisecond)
			}))
		}
	}
	return m.first(candidates) >= 0
}

// rounded rounds d to a multiple of unit, to one of them at least.
func rounded(d, unit protocols.Duration) protocols.Duration {
	return max((d+unit/2)/unit*unit, unit)
}

// round puts all times of the plan on a grid, the coarsest that will do.
func (m *minimiser) round() bool {
	var candidates []*scenarios.Scenario
	for _, unit := range []protocols.Duration{time.Second, 100 * time.Millisecond, 10 * time.Millisecond, time.Millisecond} {
		candidates = append(candidates, m.change(func(sc *scenarios.Scenario) { roundAll(sc, unit) }))
	}
	return m.first(candidates) >= 0
}

func roundAll(sc *scenarios.Scenario, unit protocols.Duration) {
	at := func(t *protocols.Time) { *t = protocols.Time((protocols.Duration(*t) + unit/2) / unit * unit) }
	for i := range sc.Faults {
		f := &sc.Faults[i]
		at(&f.At)
		if f.For != sim.Forever && f.For > unit {
			f.For = rounded(f.For, unit)
		}
	}
	for i := range sc.Workload.Calls {
		at(&sc.Workload.Calls[i].At)
	}
	for i := range sc.Admin {
		at(&sc.Admin[i].At)
	}
}

// simplify tries everything that the language itself knows to be simpler, one by
// one.
func (m *minimiser) simplify() (changed bool) {
	for from := 0; !m.over(); {
		variants := m.variants()
		if from >= len(variants) {
			return changed
		}
		candidates := make([]*scenarios.Scenario, 0, len(variants)-from)
		for _, v := range variants[from:] {
			candidates = append(candidates, v.Scenario)
		}
		won := m.first(candidates)
		if won < 0 {
			return changed
		}
		changed = true
		from += won
	}
	return changed
}

// variants are those of the language. Of long lists of operations the single ones are
// left as they are: removing some comes first.
func (m *minimiser) variants() []scenarios.Variant {
	list := scenarios.Variants(m.best, m.p)
	if len(m.best.Workload.Calls) > 4*few {
		list = slices.DeleteFunc(list, func(v scenarios.Variant) bool { return strings.HasPrefix(v.Path, "workload.calls") })
	}
	return list
}
