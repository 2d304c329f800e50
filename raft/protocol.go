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
			"linearizable reads by ReadIndex or lease, snapshots and compaction, leadership transfer, " +
			"membership changes by joint consensus or one server at a time, learners. " +
			"Out: other ways to compact than a copy of the state, registration of clients.",
		EpochWord:  "term",
		Admin:      []protocols.AdminKind{protocols.Reconfigure, protocols.TransferLeadership},
		Learners:   true,
		Roles:      roleNames(),
		Timers:     []string{timerElection: "election", timerHeartbeat: "heartbeat", timerQuorum: "quorum", timerTransfer: "transfer"},
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
		Laws:         laws,
		Bugs:         knownBugs().Bugs(),
		New:          New,
		MaxTimeout:   func(parameters any) protocols.Duration { return parameters.(*Parameters).ElectionTimeout.Max },
		Pace:         func(parameters any) int64 { return parameters.(*Parameters).pace() },
		SessionLimit: func(parameters any) int { return parameters.(*Parameters).Sessions },
		Survives:     survives,
		ClockBound:   func(parameters any) int64 { return parameters.(*Parameters).clockBound() },
		CanProgress:  canProgress,
		Durability: func(any) *protocols.Durability {
			return &protocols.Durability{Claims: claims, Image: newDurableImage}
		},
		Invariants: invariants,
		Probes:     probes,
		LinearizableReads: func(parameters any) bool {
			return parameters.(*Parameters).Reads != ReadsLocal
		},
	}
}

// survives says what Raft stays safe under. A replica that refuses a corrupt disk,
// falls silent after a failed write, or has lost its disk, is one that is down; a
// wiped one until a reconfiguration has removed and added it.
func survives(fault protocols.FaultKind, parameters any, _ int) int {
	const outside, everyone = 0, -1
	switch fault {
	case protocols.FaultLying:
		return outside // votes and acknowledged entries are gone, and the node does not know
	case protocols.FaultSkew:
		if parameters.(*Parameters).Reads == ReadsLease {
			return outside // the clock bound is what a lease rests on
		}
	}
	return everyone
}

// canProgress reports whether the voters can decide: a majority of them, of both old
// and new ones in joint consensus, can talk to each other. Nodes may follow different
// configurations; it must hold for each that is as new as what is committed.
func canProgress(f *protocols.Facts) (bool, string) {
	var silent protocols.NodeSet
	var newest protocols.Index
	for id := f.Live.Next(protocols.Nobody); id != protocols.Nobody && int(id) < len(f.Views); id = f.Live.Next(id) {
		if r := role(f.Views[id].Role); r == stopped || r == learner {
			silent = silent.With(id)
		}
		newest = max(newest, f.Views[id].Commit)
	}
	seen := false
	for id := f.Live.Next(protocols.Nobody); id != protocols.Nobody && int(id) < len(f.Views); id = f.Live.Next(id) {
		v := &f.Views[id]
		if silent.Has(id) || v.Members.Empty() || v.Last < newest {
			continue
		}
		seen = true
		c := Configuration{Voters: v.Members, Outgoing: v.Outgoing}
		working := *f
		working.Live = f.Live.Minus(silent).And(c.all())
		if group := working.Connected(); !c.quorum().Has(group) {
			return false, fmt.Sprintf("%v can talk to each other, want %v", group, c.quorum())
		}
	}
	if !seen {
		return false, "no voter is up"
	}
	return true, ""
}
