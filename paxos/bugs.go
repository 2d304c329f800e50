package paxos

import "github.com/lockstep-sim/lockstep/protocols"

// bugs are the known bugs as switches, all off in the correct protocol. Each is
// one deviation at the rule it breaks.
type bugs struct {
	firstReported    bool // P-01
	volatilePromise  bool // P-02
	earlyAccepted    bool // P-03
	sharedBallot     bool // P-05
	reuseBallot      bool // P-06
	omitChosen       bool // P-07
	earlyPropose     bool // P-10
	roundOnly        bool // P-06b
	halfQuorums      bool // P-11
	leaseFromReceipt bool // P-12
	forgetLease      bool // P-12b
	noDrift          bool // P-12c
	wipedVotes       bool // P-13
	noAlpha          bool // P-14
	noBackoff        bool // P-16
	forgetSessions   bool // P-24
	staleSnapshot    bool // P-25
	fewConfirm       bool // P-26
	noSessions       bool // P-27
	oldAccepted      bool // P-28
	leaseAcross      bool // P-29
	forgetMembers    bool // P-30
	sendOnce         bool // P-31
	overCompacted    bool // P-32
	anyBallot        bool // P-RULE6
	readInherited    bool // P-RULE7
}

// knownBugs lists the switches; Parameters and Protocol.Bugs both come from it. P-01 to
// P-16 are numbered as in the literature that they come from; from P-24 on they are the
// counterparts here of what was found elsewhere.
func knownBugs() protocols.Switches[bugs] {
	return protocols.Switches[bugs]{
		{Bug: protocols.Bug{ID: "P-01", Class: protocols.ClassQuorum, Title: "a candidate takes the first value reported for a slot, not that of the highest ballot", Source: "Paxos Made Simple §2.2, P2c", Caught: "PX-I3, PX-I1"},
			Field: func(b *bugs) *bool { return &b.firstReported }},
		{Bug: protocols.Bug{ID: "P-02", Class: protocols.ClassDurable, Title: "a promise is not written to disk", Source: "Paxos Made Simple §2.5", Caught: "DUR, PX-I4, PX-I1"},
			Field: func(b *bugs) *bool { return &b.volatilePromise }},
		{Bug: protocols.Bug{ID: "P-03", Class: protocols.ClassDurable, Title: "Accepted is sent before the acceptance is durable", Source: "Paxos Made Live §5.1", Caught: "DUR, PX-I5"},
			Field: func(b *bugs) *bool { return &b.earlyAccepted }},
		{Bug: protocols.Bug{ID: "P-05", Class: protocols.ClassQuorum, Title: "accepted and promised ballot share one variable, so that a Promise reports values at a ballot at which they were not accepted", Source: "Sutra, arXiv:1906.10917", Caught: "PX-I3, PX-I1"},
			Field: func(b *bugs) *bool { return &b.sharedBallot }},
		{Bug: protocols.Bug{ID: "P-06", Class: protocols.ClassRecovery, Title: "a proposer uses the ballot of its last promise to itself again", Source: "Paxos Made Live §5", Caught: "PX-I2"},
			Field: func(b *bugs) *bool { return &b.reuseBallot }},
		{Bug: protocols.Bug{ID: "P-06b", Class: protocols.ClassQuorum, Title: "a ballot is a round without its proposer, so that two share one", Source: "Paxos Made Simple §2.5", Caught: "LEAD, PX-I2, PX-I1"},
			Field: func(b *bugs) *bool { return &b.roundOnly }},
		{Bug: protocols.Bug{ID: "P-07", Class: protocols.ClassQuorum, Title: "a Promise omits slots that are executed", Source: "Paxos Made Moderately Complex §2", Caught: "PX-I3, PX-I1, PX-I5, linearizability"},
			Field: func(b *bugs) *bool { return &b.omitChosen }},
		{Bug: protocols.Bug{ID: "P-10", Class: protocols.ClassQuorum, Title: "a candidate proposes before a phase 1 quorum has promised", Source: "Paxos Made Moderately Complex §3, scout", Caught: "PX-I3"},
			Field: func(b *bugs) *bool { return &b.earlyPropose }},
		{Bug: protocols.Bug{ID: "P-11", Class: protocols.ClassQuorum, Title: "a quorum is half of the members, so that two need not meet", Source: "Howard, Malkhi and Spiegelman, OPODIS 2016", Caught: "PX-I1"},
			Field: func(b *bugs) *bool { return &b.halfQuorums }},
		{Bug: protocols.Bug{ID: "P-12", Class: protocols.ClassRead, Title: "the master lease counts from the receipt of acknowledgements, not from the sending of their round", Source: "Paxos Made Live §5.2", Caught: "PX-I7, PX-I6, linearizability"},
			Field: func(b *bugs) *bool { return &b.leaseFromReceipt }},
		{Bug: protocols.Bug{ID: "P-12b", Class: protocols.ClassRead, Title: "an acceptor forgets its lease promise on restart", Source: "Paxos Made Live §5.2", Caught: "PX-I6, linearizability"},
			Field: func(b *bugs) *bool { return &b.forgetLease }},
		{Bug: protocols.Bug{ID: "P-12c", Class: protocols.ClassRead, Title: "the master lease is not shortened by the bound of the clocks' rates", Source: "Paxos Made Live §5.2; etcd#6005, TiKV#964", Caught: "PX-I7, PX-I6, linearizability"},
			Field: func(b *bugs) *bool { return &b.noDrift }},
		{Bug: protocols.Bug{ID: "P-13", Class: protocols.ClassRecovery, Title: "an acceptor whose disk was wiped votes again", Source: "Paxos Made Live §5.1", Caught: "PX-I3, PX-I1"},
			Field: func(b *bugs) *bool { return &b.wipedVotes }},
		{Bug: protocols.Bug{ID: "P-14", Class: protocols.ClassMembership, Title: "a new configuration is in force at once, not alpha slots later", Source: "Paxos Made Moderately Complex §4.2", Caught: "PX-I5"},
			Field: func(b *bugs) *bool { return &b.noAlpha }},
		{Bug: protocols.Bug{ID: "P-16", Class: protocols.ClassLiveness, Title: "a proposer that a higher ballot stopped begins the next one at once, so that two can stop each other for ever", Source: "Paxos Made Simple §2.4", Caught: "liveness"},
			Field: func(b *bugs) *bool { return &b.noBackoff }},
		{Bug: protocols.Bug{ID: "P-24", Class: protocols.ClassSnapshot, Title: "a snapshot leaves the client table out", Source: "RedisRaft#45; Ongaro's dissertation §6.3", Caught: "STATE, ONCE, linearizability"},
			Field: func(b *bugs) *bool { return &b.forgetSessions }},
		{Bug: protocols.Bug{ID: "P-25", Class: protocols.ClassSnapshot, Title: "a snapshot has its own position and the state of the one before", Source: "RedisRaft#43", Caught: "STATE, linearizability"},
			Field: func(b *bugs) *bool { return &b.staleSnapshot }},
		{Bug: protocols.Bug{ID: "P-26", Class: protocols.ClassRead, Title: "a read is confirmed by one node too few to meet every phase 1 quorum", Source: "derived from Howard, Malkhi and Spiegelman, OPODIS 2016", Caught: "PX-I7, linearizability"},
			Field: func(b *bugs) *bool { return &b.fewConfirm }},
		{Bug: protocols.Bug{ID: "P-27", Class: protocols.ClassSession, Title: "a request that was chosen twice is executed twice", Source: "Ongaro's dissertation §6.3", Caught: "ONCE, linearizability"},
			Field: func(b *bugs) *bool { return &b.noSessions }},
		{Bug: protocols.Bug{ID: "P-28", Class: protocols.ClassStale, Title: "a late Accepted of an earlier ballot counts as one of this", Source: "Paxos Made Simple §2.2", Caught: "PX-I5, PX-I1"},
			Field: func(b *bugs) *bool { return &b.oldAccepted }},
		{Bug: protocols.Bug{ID: "P-29", Class: protocols.ClassRead, Title: "the master lease outlives a change of the members who promised it", Source: "hashicorp/raft 6e41709; Paxos Made Live §5.2", Caught: "PX-I7, PX-I6, linearizability"},
			Field: func(b *bugs) *bool { return &b.leaseAcross }},
		{Bug: protocols.Bug{ID: "P-30", Class: protocols.ClassSnapshot, Title: "a snapshot leaves the configurations out, and with it all replicas are members", Source: "RedisRaft#45; Ongaro's dissertation §5.1", Caught: "PX-I5, PX-I3"},
			Field: func(b *bugs) *bool { return &b.forgetMembers }},
		{Bug: protocols.Bug{ID: "P-31", Class: protocols.ClassLiveness, Title: "an Accept that was lost is not sent again", Source: "Paxos Made Moderately Complex §2; etcd 91ff7cd", Caught: "liveness"},
			Field: func(b *bugs) *bool { return &b.sendOnce }},
		{Bug: protocols.Bug{ID: "P-32", Class: protocols.ClassSnapshot, Title: "a leader proposes in slots that an acceptor of its quorum has executed and compacted", Source: "found here, under reconfiguration; Paxos Made Moderately Complex §4.2", Caught: "PX-I3, PX-I1"},
			Field: func(b *bugs) *bool { return &b.overCompacted }},
		{Bug: protocols.Bug{ID: "P-RULE6", Class: protocols.ClassStale, Title: "a commit index is believed for slots that were accepted at another ballot", Source: "derived from Paxos Made Simple §2.3", Caught: "PX-I5, SAME"},
			Field: func(b *bugs) *bool { return &b.anyBallot }},
		{Bug: protocols.Bug{ID: "P-RULE7", Class: protocols.ClassRead, Title: "a new leader answers reads before what it inherited is executed", Source: "derived; the counterpart of etcd#7331", Caught: "PX-I7, linearizability"},
			Field: func(b *bugs) *bool { return &b.readInherited }},
	}
}
