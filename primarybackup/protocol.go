package primarybackup

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Protocol describes primary-backup to whoever runs, judges or reports it.
func Protocol() *protocols.Protocol {
	return &protocols.Protocol{
		Name:  "primarybackup",
		Title: "Primary-backup",
		Paper: "Alsberg and Day, A Principle for Resilient Sharing of Distributed Resources, ICSE 1976; MIT 6.824, lab 2",
		Doc: "A view service names a primary and its backups; the primary executes and ships results (physical) or commands (logical), " +
			"and answers once all backups have them (sync), k of them (semisync) or its own disk (async). Fencing by view, full state transfer, " +
			"reads by lease or round, rewind of old primaries, snapshots and compaction. Out: replication of the view service, session expiry.",
		EpochWord:  "view",
		Roles:      roleNames(),
		Timers:     []string{timerTick: "tick", timerWait: "semisync wait"},
		Messages:   messageKinds(),
		Records:    recordKinds(),
		Parameters: func() any { return DefaultParameters() },
		Validate: func(parameters any, n int) error {
			p, ok := parameters.(*Parameters)
			if !ok {
				return fmt.Errorf("got parameters of type %T, want *primarybackup.Parameters", parameters)
			}
			return p.Validate(n)
		},
		Laws:     laws,
		Bugs:     knownBugs().Bugs(),
		New:      New,
		Services: func(any) int { return 1 },
		// A deaf primary is the slowest to be replaced: it is found out after deafAfter,
		// and then a lease has to run out.
		MaxTimeout: func(parameters any) protocols.Duration {
			p := parameters.(*Parameters)
			return p.deafAfter() + p.DeadAfter
		},
		Survives:    survives,
		ClockBound:  func(parameters any) int64 { return parameters.(*Parameters).clockBound() },
		CanProgress: canProgress,
		Durability: func(any) *protocols.Durability {
			return &protocols.Durability{Claims: claims, Image: newDurableImage}
		},
		Invariants:        invariants,
		Probes:            probes,
		LinearizableReads: func(parameters any) bool { return parameters.(*Parameters).guarantee().Linearizable },
		Guarantee:         func(parameters any) protocols.Guarantee { return parameters.(*Parameters).guarantee() },
	}
}

// survives says what stays within the guarantee of the parameters. Any number of
// replicas, and the view service, may crash at once, since their disks come back:
// with n replicas the group goes on serving through n-1 crashes one after the other,
// each noticed before the next, and also through n-1 at once if the survivor is a
// member of the view. Otherwise it waits for a member to come back. A node that
// refuses a corrupt disk, or falls silent after a failed write, is one that is down.
// A wiped replica is never named as primary, but it no longer has what it
// acknowledged; a wiped service does not know who holds the log. A disk that lies
// about fsyncs may forget as much.
func survives(fault protocols.FaultKind, parameters any, _ int) int {
	const outside, everyone = 0, -1
	switch fault {
	case protocols.FaultWipe, protocols.FaultLying:
		return outside
	case protocols.FaultSkew:
		if parameters.(*Parameters).Reads == ReadsLease {
			return outside // the clock bound is what a lease rests on
		}
	}
	return everyone
}

// canProgress reports whether the view service and one replica that holds the log
// of the last acknowledged view can talk to each other: the service names it, with
// those backups that it reaches. Semisync that does not degrade also wants K of
// those. What the service knows is unknown while it is down and before its first
// view; then surely enough is only everybody. A primary whose disk does nothing goes on
// pinging: the service, which cannot see disks, waits for it to acknowledge its view.
func canProgress(f *protocols.Facts) (bool, string) {
	service := protocols.NodeID(f.Cluster.Replicas + 1)
	if !f.Live.Has(service) || int(service) >= len(f.Views) {
		return false, "the view service is down"
	}
	v := &f.Views[service]
	if role(v.Role) == stopped {
		return false, "the disk of the view service has failed"
	}
	if p := v.Leader; p != protocols.Nobody && f.Live.And(f.Stalled).Has(p) && bothWays(f, p, service) {
		return false, fmt.Sprintf("no fsync of %v completes, whom the view service takes for a primary that lives", p)
	}
	var able protocols.NodeSet
	for id := protocols.NodeID(1); id < service; id++ {
		if f.Live.Has(id) && bothWays(f, id, service) && role(f.Views[id].Role) != stopped {
			able = able.With(id)
		}
	}
	holders := v.Members
	if v.Role != roleService || holders.Empty() {
		holders = protocols.NodesUpTo(f.Cluster.Replicas)
		if able != holders {
			return false, fmt.Sprintf("only %v can talk to the view service, and it is not known who holds the log", able)
		}
	}
	if able.And(holders).Empty() {
		return false, fmt.Sprintf("none of %v, who hold the log of the last acknowledged view, can talk to the view service", holders)
	}
	return enoughBackups(f, able, holders)
}

func bothWays(f *protocols.Facts, a, b protocols.NodeID) bool {
	return f.Hears[a].Has(b) && f.Hears[b].Has(a)
}

// enoughBackups reports whether some holder can talk to as many others as its mode
// cannot do without, among those whose disks do something.
func enoughBackups(f *protocols.Facts, able, holders protocols.NodeSet) (bool, string) {
	p, ok := f.Parameters.(*Parameters)
	if !ok || p.Mode != ModeSemisync || p.OnTimeout == Degrade {
		return true, ""
	}
	want := min(p.K, f.Cluster.Replicas-1)
	primaries, able := able.And(holders).Minus(f.Stalled), able.Minus(f.Stalled)
	for id := primaries.Next(protocols.Nobody); id != protocols.Nobody; id = primaries.Next(id) {
		backups := 0
		for other := able.Next(protocols.Nobody); other != protocols.Nobody; other = able.Next(other) {
			if other != id && bothWays(f, id, other) {
				backups++
			}
		}
		if backups >= want {
			return true, ""
		}
	}
	return false, fmt.Sprintf("none of %v can talk to %d others, which semisync waits for", primaries, want)
}
