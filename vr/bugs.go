package vr

import "github.com/lockstep-sim/lockstep/protocols"

// bugs are the known bugs as switches, all off in the correct protocol. Each is
// one deviation at the rule it breaks.
type bugs struct {
	anyNonce         bool // V-01
	withoutPrimary   bool // V-02
	forgetPromise    bool // V-04; read by Parameters.variant from the list itself
	longestLog       bool // V-05
	shortQuorum      bool // V-07
	ackAfterLeave    bool // V-08
	keepTail         bool // V-11
	staleTable       bool // V-12
	earlyEpoch       bool // V-14
	openWhileClosing bool // V-15
	earlyPromise     bool // V-16
	cutCorrupt       bool // V-17
	breakLease       bool // V-19
	askOnce          bool // V-21
	bareCheckpoint   bool // V-22
}

// bugForgetPromise selects the diskless variant: what is wrong is not a line of
// code but the protocol.
const bugForgetPromise = "V-04"

// knownBugs lists the switches; Parameters and Protocol.Bugs both come from it.
func knownBugs() protocols.Switches[bugs] {
	return protocols.Switches[bugs]{
		{Bug: protocols.Bug{ID: "V-01", Class: protocols.ClassRecovery, Title: "recovery takes responses with any nonce", Source: "VR Revisited §4.3", Caught: "VR-I12, VR-I1, linearizability"},
			Field: func(b *bugs) *bool { return &b.anyNonce }},
		{Bug: protocols.Bug{ID: "V-02", Class: protocols.ClassRecovery, Title: "recovery ends without a response of the primary of the latest view seen", Source: "VR Revisited §4.3", Caught: "VR-I12, VR-I1, VR-I4"},
			Field: func(b *bugs) *bool { return &b.withoutPrimary }},
		{Bug: protocols.Bug{ID: bugForgetPromise, Class: protocols.ClassRecovery, Title: "diskless recovery forgets the promise of a view change; selects the variant diskless", Source: "Michael et al., DISC 2017, §6", Caught: "VR-I7, VR-I1, linearizability"},
			Field: func(b *bugs) *bool { return &b.forgetPromise }},
		{Bug: protocols.Bug{ID: "V-05", Class: protocols.ClassQuorum, Title: "a new primary takes the longest log, not that of the latest normal view", Source: "VR Revisited §4.2", Caught: "VR-I1"},
			Field: func(b *bugs) *bool { return &b.longestLog }},
		{Bug: protocols.Bug{ID: "V-07", Class: protocols.ClassQuorum, Title: "the quorums of a view change are one short", Source: "VR Revisited §4.2", Caught: "VR-I12, VR-I1, VR-I4"},
			Field: func(b *bugs) *bool { return &b.shortQuorum }},
		{Bug: protocols.Bug{ID: "V-08", Class: protocols.ClassQuorum, Title: "a replica sends its log at once when a view change starts, and goes on acknowledging in the old view", Source: "VR Revisited §4.2", Caught: "VR-I12, VR-I7, VR-I1"},
			Field: func(b *bugs) *bool { return &b.ackAfterLeave }},
		{Bug: protocols.Bug{ID: "V-11", Class: protocols.ClassStale, Title: "state transfer into a later view keeps uncommitted operations", Source: "VR Revisited §5.2", Caught: "VR-I2, SAME"},
			Field: func(b *bugs) *bool { return &b.keepTail }},
		{Bug: protocols.Bug{ID: "V-12", Class: protocols.ClassSession, Title: "a log that is taken over does not update the client table", Source: "VR Revisited §4.1", Caught: "VR-I8, STATE"},
			Field: func(b *bugs) *bool { return &b.staleTable }},
		{Bug: protocols.Bug{ID: "V-14", Class: protocols.ClassMembership, Title: "new members start the epoch without the log of the old one, and those who leave do not wait for them", Source: "VR Revisited §7.1", Caught: "VR-I1"},
			Field: func(b *bugs) *bool { return &b.earlyEpoch }},
		{Bug: protocols.Bug{ID: "V-15", Class: protocols.ClassMembership, Title: "a primary accepts requests behind a reconfiguration", Source: "VR Revisited §7.1", Caught: "VR-I1"},
			Field: func(b *bugs) *bool { return &b.openWhileClosing }},
		{Bug: protocols.Bug{ID: "V-16", Class: protocols.ClassDurable, Title: "messages of a view change leave before the view is durable", Source: "TigerBeetle, superblock", Caught: "DUR, VR-I7"},
			Field: func(b *bugs) *bool { return &b.earlyPromise }},
		{Bug: protocols.Bug{ID: "V-17", Class: protocols.ClassRecovery, Title: "a corrupt record is taken for the end of the log: what may have been prepared counts as never prepared", Source: "Alagappan et al., FAST 2018; tigerbeetle#618", Caught: "VR-I1, linearizability"},
			Field: func(b *bugs) *bool { return &b.cutCorrupt }},
		{Bug: protocols.Bug{ID: "V-19", Class: protocols.ClassRead, Title: "backups do not wait until the lease that they have given is over", Source: "VR Revisited §6.3", Caught: "VR-I9, linearizability"},
			Field: func(b *bugs) *bool { return &b.breakLease }},
		{Bug: protocols.Bug{ID: "V-21", Class: protocols.ClassLiveness, Title: "a Recovery that was lost is not sent again", Source: "VR Revisited §4.3; etcd 91ff7cd, whose counterpart it is", Caught: "convergence, liveness"},
			Field: func(b *bugs) *bool { return &b.askOnce }},
		{Bug: protocols.Bug{ID: "V-22", Class: protocols.ClassSnapshot, Title: "a checkpoint leaves the client table out", Source: "VR Revisited §5.1; RedisRaft#45", Caught: "STATE, VR-I8, ONCE, linearizability"},
			Field: func(b *bugs) *bool { return &b.bareCheckpoint }},
	}
}
