package paxos

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Protocol describes Multi-Paxos to whoever runs, judges or reports it.
func Protocol() *protocols.Protocol {
	return &protocols.Protocol{
		Name:  "paxos",
		Title: "Multi-Paxos",
		Paper: "Leslie Lamport, Paxos Made Simple, 2001; van Renesse and Altinbuken, Paxos Made Moderately Complex, 2015; Chandra, Griesemer and Redstone, Paxos Made Live, PODC 2007",
		Doc: "A stable leader, a window of slots accepted in any order, flexible quorums, client sessions, " +
			"linearizable reads by a quorum round or a master lease, snapshots and compaction, catch-up, " +
			"reconfiguration with an alpha window. Out: learners that do not vote, leadership transfer.",
		EpochWord:  "ballot",
		EpochText:  func(epoch uint64) string { return Ballot(epoch).String() },
		Admin:      []protocols.AdminKind{protocols.Reconfigure},
		Roles:      roleNames(),
		Timers:     []string{timerElection: "election", timerHeartbeat: "heartbeat", timerQuorum: "quorum"},
		Messages:   messageKinds(),
		Records:    recordKinds(),
		Parameters: func() any { return DefaultParameters() },
		Validate: func(parameters any, n int) error {
			p, ok := parameters.(*Parameters)
			if !ok {
				return fmt.Errorf("got parameters of type %T, want *paxos.Parameters", parameters)
			}
			return p.Validate(n)
		},
		Laws:        laws,
		Bugs:        knownBugs().Bugs(),
		New:         New,
		MaxTimeout:  func(parameters any) protocols.Duration { return parameters.(*Parameters).ElectionTimeout.Max },
		Survives:    survives,
		ClockBound:  func(parameters any) int64 { return parameters.(*Parameters).clockBound() },
		CanProgress: canProgress,
		Durability: func(any) *protocols.Durability {
			return &protocols.Durability{Claims: claims, Image: newDurableImage}
		},
		Invariants: invariants,
		Probes:     probes,
	}
}

// survives says what Paxos stays safe under. A replica that refuses a corrupt disk,
// falls silent after a failed write, or has lost its disk, is one that is down; a
// wiped one for good, until a reconfiguration replaces it. A disk that lies about
// fsyncs forgets promises, and nobody knows.
func survives(fault protocols.FaultKind, parameters any, _ int) int {
	const outside, everyone = 0, -1
	if fault == protocols.FaultLying {
		return outside
	}
	if fault == protocols.FaultSkew && parameters.(*Parameters).Reads == ReadsLease {
		return outside // the clock bound is what a lease rests on
	}
	return everyone
}

// canProgress reports whether a phase 1 and a phase 2 quorum of the members can talk
// to each other.
func canProgress(f *protocols.Facts) (bool, string) {
	p := f.Parameters.(*Parameters)
	var members, silent protocols.NodeSet
	var newest protocols.Index
	for id := f.Live.Next(protocols.Nobody); id != protocols.Nobody && int(id) < len(f.Views); id = f.Live.Next(id) {
		v := &f.Views[id]
		if r := role(v.Role); r == stopped || r == learner {
			silent = silent.With(id)
		} else if members.Empty() || v.Commit > newest {
			members, newest = v.Members, v.Commit
		}
	}
	if members.Empty() {
		return false, "no member is up"
	}
	q1, q2 := p.sizes(members.Len())
	working := *f
	working.Live = f.Live.Minus(silent).And(members)
	group := working.Connected()
	quorum := protocols.Threshold{Of: members, Size: max(q1, q2)}
	if !quorum.Has(group) {
		return false, fmt.Sprintf("%v can talk to each other, want %v", group, quorum)
	}
	return true, ""
}
