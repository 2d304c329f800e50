package scenarios

import (
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// ProbeCount says how often a run came to a probe.
type ProbeCount struct {
	ID    string `json:"id"`
	Count uint64 `json:"count"`
}

// Probes lists the probes of the protocols, the generic ones first.
func Probes(list []*protocols.Protocol) []protocols.ProbeInfo {
	all := slices.Clone(genericProbes)
	for _, p := range list {
		all = append(all, probesOf(p)...)
	}
	return all
}

// probesOf lists the probes of one protocol, without the generic ones.
func probesOf(p *protocols.Protocol) []protocols.ProbeInfo {
	if p.Probes == nil {
		return nil
	}
	return p.Probes(protocols.Cluster{Replicas: 1}).Probes()
}

// AddProbes adds the counts of one run to a sum, whose order is that of first
// occurrence.
func AddProbes(sum, counts []ProbeCount) []ProbeCount {
	for _, c := range counts {
		if i := slices.IndexFunc(sum, func(s ProbeCount) bool { return s.ID == c.ID }); i >= 0 {
			sum[i].Count += c.Count
		} else {
			sum = append(sum, c)
		}
	}
	return sum
}

// startProbes lets the run count probes where somebody asks for the counts.
func (r *run) startProbes(c protocols.Cluster, opt Options) {
	wanted := slices.ContainsFunc(r.sc.Sometimes, func(p Probe) bool { return p.Situation != "" })
	if !opt.Probes && !wanted {
		return
	}
	r.probers = append(r.probers, newGenericProber(c))
	if r.p.Probes != nil {
		r.probers = append(r.probers, r.p.Probes(c))
	}
}

// countProbes puts the counts into the result.
func (r *run) countProbes() {
	for _, p := range r.probers {
		counts := p.Counts()
		for i, info := range p.Probes() {
			r.result.Reached = append(r.result.Reached, ProbeCount{info.ID, counts[i]})
		}
	}
}

// reached returns how often the run came to a probe; known is false for one that its
// protocol does not have.
func (r *Result) reached(id string) (count uint64, known bool) {
	for _, c := range r.Reached {
		if c.ID == id {
			return c.Count, true
		}
	}
	return 0, false
}

// knownProbe reports whether a probe is one of the protocols', or may be one of a
// shipped protocol that is not linked.
func knownProbe(id string, list []*protocols.Protocol) bool {
	owner, _, _ := strings.Cut(id, "-")
	elsewhere := slices.Contains(shipped, owner) && !slices.ContainsFunc(list, func(p *protocols.Protocol) bool { return p.Name == owner })
	return elsewhere || slices.Contains(probeNames(list), id)
}

func probeNames(list []*protocols.Protocol) []string {
	var names []string
	for _, p := range Probes(list) {
		names = append(names, p.ID)
	}
	return names
}
