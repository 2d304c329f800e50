package raft

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Protocol describes Raft to whoever runs, judges or reports it.
func Protocol() *protocols.Protocol {
	return &protocols.Protocol{
		Name:  "raft",
		Title: "Raft",
		Paper: "Diego Ongaro, Consensus: Bridging Theory and Practice, Stanford 2014",
		Doc: "Leader election with PreVote and CheckQuorum, pipelined log replication, client sessions, " +
			"linearizable reads by ReadIndex or lease. Out: snapshots, membership changes, leadership transfer.",
		EpochWord:  "term",
		Roles:      roleNames(),
		Timers:     []string{timerElection: "election", timerHeartbeat: "heartbeat", timerQuorum: "quorum"},
		Messages:   messageKinds(),
		Records:    recordKinds(),
		Parameters: func() any { return DefaultParameters() },
		Validate: func(parameters any, n int) error {
			p, ok := parameters.(*Parameters)
			if !ok {
				return fmt.Errorf("got parameters of type %T, want *raft.Parameters", parameters)
			}
			return p.Validate(n)
		},
		Bugs:        bugList(),
		New:         New,
		MaxTimeout:  func(parameters any) protocols.Duration { return parameters.(*Parameters).ElectionTimeout.Max },
		Survives:    survives,
		ClockBound:  func(parameters any) int64 { return parameters.(*Parameters).clockBound() },
		CanProgress: canProgress,
		Durability: func(any) *protocols.Durability {
			return &protocols.Durability{Claims: claims, Image: newDurableImage}
		},
		Invariants: invariants,
		LinearizableReads: func(parameters any) bool {
			return parameters.(*Parameters).Reads != ReadsLocal
		},
	}
}

// survives says what Raft stays safe under. A replica that refuses a corrupt disk,
// or falls silent after a failed write, is one that is down.
func survives(fault protocols.FaultKind, parameters any, _ int) int {
	const outside, everyone = 0, -1
	switch fault {
	case protocols.FaultWipe, protocols.FaultLying:
		return outside // votes and acknowledged entries are gone
	case protocols.FaultSkew:
		if parameters.(*Parameters).Reads == ReadsLease {
			return outside // the clock bound is what a lease rests on
		}
	}
	return everyone
}

// canProgress reports whether a majority of the voters can talk to each other.
func canProgress(f *protocols.Facts) (bool, string) {
	var voters, silent protocols.NodeSet
	var newest protocols.Index
	for id := f.Live.Next(protocols.Nobody); id != protocols.Nobody && int(id) < len(f.Views); id = f.Live.Next(id) {
		v := &f.Views[id]
		if role(v.Role) == stopped {
			silent = silent.With(id)
		} else if voters.Empty() || v.Commit > newest {
			voters, newest = v.Members, v.Commit
		}
	}
	if voters.Empty() {
		return false, "no voter is up"
	}
	working := *f
	working.Live = f.Live.Minus(silent).And(voters)
	group := working.Connected()
	quorum := protocols.Majority{Of: voters}
	if !quorum.Has(group) {
		return false, fmt.Sprintf("%v can talk to each other, want %v", group, quorum)
	}
	return true, ""
}
