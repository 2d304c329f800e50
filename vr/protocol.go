package vr

import (
	"fmt"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Protocol describes VR to whoever runs, judges or reports it.
func Protocol() *protocols.Protocol {
	return &protocols.Protocol{
		Name:  "vr",
		Title: "Viewstamped Replication",
		Paper: "Barbara Liskov and James Cowling, Viewstamped Replication Revisited, MIT-CSAIL-TR-2012-021",
		Doc: "Normal case, view changes, recovery with nonces, state transfer, client table, checkpoints, reads by rounds, leases or the log, " +
			"reconfiguration with epochs; durable, diskless as in the paper, or diskless with crash vectors. Out: witnesses, request batching.",
		EpochWord:  "view",
		EpochText:  func(epoch uint64) string { return View(epoch).String() },
		Admin:      []protocols.AdminKind{protocols.Reconfigure},
		Roles:      roleNames(),
		Timers:     []string{timerView: "view", timerCommit: "commit", timerResend: "resend", timerQuorum: "quorum"},
		Messages:   messageKinds(),
		Records:    recordKinds(),
		Parameters: func() any { return DefaultParameters() },
		Validate: func(parameters any, n int) error {
			p, ok := parameters.(*Parameters)
			if !ok {
				return fmt.Errorf("got parameters of type %T, want *vr.Parameters", parameters)
			}
			return p.Validate(n)
		},
		Laws:        laws,
		Bugs:        knownBugs().Bugs(),
		New:         New,
		MaxTimeout:  func(parameters any) protocols.Duration { return parameters.(*Parameters).ViewTimeout.Max },
		Survives:    survives,
		ClockBound:  func(parameters any) int64 { return parameters.(*Parameters).clockBound() },
		CanProgress: canProgress,
		Durability: func(parameters any) *protocols.Durability {
			if p, ok := parameters.(*Parameters); ok && p.variant() != durable {
				return nil
			}
			return &protocols.Durability{Claims: claims, Image: newDurableImage}
		},
		Invariants: invariants,
		Probes:     probes,
	}
}

// survives says what VR stays safe under. In the durable variant a replica that
// refuses a corrupt disk, or falls silent after a failed write, is one that is down.
// Without disks a crash loses everything, so at most f may be down or recovering at
// once; the plain diskless protocol forgets promises, and is safe under no crash. With
// the known bug V-04 it claims what the paper does: to survive the same as with crash
// vectors (§4.3).
func survives(fault protocols.FaultKind, parameters any, n int) int {
	const outside, everyone = 0, -1
	p := parameters.(*Parameters)
	variant := p.variant()
	if slices.Contains(p.Bugs, bugForgetPromise) {
		variant = crashVectors
	}
	switch fault {
	case protocols.FaultSkew:
		if p.Reads == ReadsLease {
			return outside // the clock bound is what a lease rests on
		}
	case protocols.FaultLying:
		if variant == durable {
			return outside // promises and acknowledged operations are gone
		}
	case protocols.FaultCrash, protocols.FaultPowerLoss, protocols.FaultAttrition, protocols.FaultCrashPoint, protocols.FaultWipe:
		switch variant {
		case diskless:
			return outside
		case crashVectors:
			return (n - 1) / 2
		}
		if fault == protocols.FaultWipe {
			return outside // promises and acknowledged operations are gone
		}
	}
	return everyone
}

// canProgress reports whether a quorum of the latest epoch's members that have their
// state can talk to each other, and to somebody who knows of the epoch. One that
// recovers does not count: it needs such a quorum itself. While an epoch ends, all
// members of both must be there: which of them are of the next is not shown.
func canProgress(f *protocols.Facts) (bool, string) {
	p := f.Parameters.(*Parameters)
	var lost, silent protocols.NodeSet
	for id := protocols.NodeID(1); int(id) <= f.Cluster.Replicas; id++ {
		v := &f.Views[id]
		down := v.Members.Empty()
		switch {
		case p.variant() != durable && (down || v.Role == roleRecovering):
			lost = lost.With(id)
		case !down && v.Role == roleStopped:
			silent = silent.With(id)
		}
	}
	working := *f
	working.Live = f.Live.And(protocols.NodesUpTo(f.Cluster.Replicas)).Minus(lost).Minus(silent)
	group := working.Connected()
	epoch, quorum := quorumShown(f, protocols.NodesUpTo(f.Cluster.Replicas))
	if !quorum.Has(group) {
		if lost = lost.And(quorum.Members()); !lost.Empty() {
			return false, fmt.Sprintf("%v have lost their state, and of the others %v can talk to each other, want %v", lost, group, quorum)
		}
		return false, fmt.Sprintf("%v can talk to each other, want %v", group, quorum)
	}
	if known, own := quorumShown(f, group); known < epoch && !own.Has(group) {
		return false, fmt.Sprintf("%v can talk to each other, and none of them has the state of epoch %d", group, epoch)
	}
	return true, ""
}

// quorumShown returns the latest epoch that nodes show, and what it needs. Where there
// are spare replicas and none of the nodes is up, the members may be anybody by now.
func quorumShown(f *protocols.Facts, nodes protocols.NodeSet) (epoch uint64, quorum protocols.Quorum) {
	members, shown, all := f.Cluster.First(), false, false
	for id := nodes.Next(protocols.Nobody); id != protocols.Nobody && int(id) < len(f.Views); id = nodes.Next(id) {
		v := &f.Views[id]
		if v.Members.Empty() || v.Role == roleRecovering {
			continue
		}
		shown = true
		switch of := epochOf(View(v.Epoch)); {
		case of > epoch:
			epoch, members, all = of, v.Members, v.Role == roleClosing
		case of == epoch && v.Role == roleClosing:
			members, all = members.Or(v.Members), true
		}
	}
	if everyone := protocols.NodesUpTo(f.Cluster.Replicas); !shown && members != everyone {
		members, all = everyone, true
	}
	if all {
		return epoch, protocols.Threshold{Of: members, Size: members.Len()}
	}
	return epoch, protocols.Majority{Of: members}
}
