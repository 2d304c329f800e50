package raft

import "github.com/lockstep-sim/lockstep/protocols"

// bugs are the known bugs as switches, all off in the correct protocol. Each is
// one deviation at the rule it breaks.
type bugs struct {
	countOldTerms      bool
	earlyVote          bool
	forgetVote         bool
	clearVote          bool
	commitVote         bool
	countLearners      bool
	wholeCommit        bool
	truncateAlways     bool
	earlyAppend        bool
	earlyOwnAppend     bool
	silentRefusal      bool
	readOldTerm        bool
	readJoins          bool
	leaseFromReceipt   bool
	leaseNoDrift       bool
	forgetPromise      bool
	keepLease          bool
	changeBeforeCommit bool
	keepTruncated      bool
	oneMajority        bool
	countRemoved       bool
	effectiveOnApply   bool
	leaveByStarterOnly bool
	keepProgress       bool
	offByOne           bool
	bareSnapshot       bool
	campaignPending    bool
	wipedVotes         bool // R-WIPE
	noSessions         bool
	replyOnAppend      bool
	failOnStepDown     bool
	cutCorrupt         bool
	readNoRound        bool // R-READ
	sendOnce           bool // R-LOST
}

// knownBugs lists the switches; Parameters and Protocol.Bugs both come from it.
func knownBugs() protocols.Switches[bugs] {
	return protocols.Switches[bugs]{
		{Bug: protocols.Bug{ID: "R-01", Class: protocols.ClassQuorum, Title: "commit by counting replicas of entries of previous terms", Source: "Raft paper §5.4.2, figure 8; logcabin#44", Caught: "R-I7, R-I4, R-I5, linearizability"},
			Field: func(b *bugs) *bool { return &b.countOldTerms }},
		{Bug: protocols.Bug{ID: "R-02", Class: protocols.ClassDurable, Title: "a vote is granted before it is durable", Source: "dissertation §3.8; NodeDB#161", Caught: "DUR, R-I6, R-I1"},
			Field: func(b *bugs) *bool { return &b.earlyVote }},
		{Bug: protocols.Bug{ID: "R-03", Class: protocols.ClassRecovery, Title: "a restart forgets the vote", Source: "etcd 9d2a465", Caught: "R-I6, R-I1"},
			Field: func(b *bugs) *bool { return &b.forgetVote }},
		{Bug: protocols.Bug{ID: "R-04", Class: protocols.ClassRecovery, Title: "a candidate that steps down forgets its vote, also within the term", Source: "etcd 9d2a465", Caught: "R-I6, R-I1"},
			Field: func(b *bugs) *bool { return &b.clearVote }},
		{Bug: protocols.Bug{ID: "R-07", Class: protocols.ClassQuorum, Title: "a voter compares a candidate's log with its commit index, not with its last entry", Source: "dissertation §3.6.1", Caught: "R-I4"},
			Field: func(b *bugs) *bool { return &b.commitVote }},
		{Bug: protocols.Bug{ID: "R-08", Class: protocols.ClassStale, Title: "the commit index of a request is cut to the last log index, not to the last new entry", Source: "etcd b927fa8", Caught: "SAME, R-I5"},
			Field: func(b *bugs) *bool { return &b.wholeCommit }},
		{Bug: protocols.Bug{ID: "R-09", Class: protocols.ClassStale, Title: "every AppendEntries truncates the log, also without a conflict", Source: "Students' Guide to Raft; etcd 80615be", Caught: "R-I8, R-I4"},
			Field: func(b *bugs) *bool { return &b.truncateAlways }},
		{Bug: protocols.Bug{ID: "R-11", Class: protocols.ClassDurable, Title: "AppendEntries is acknowledged before it is durable", Source: "Alagappan et al., FAST 2018", Caught: "DUR, R-I8, linearizability"},
			Field: func(b *bugs) *bool { return &b.earlyAppend }},
		{Bug: protocols.Bug{ID: "R-12", Class: protocols.ClassDurable, Title: "the leader counts itself before its own write is durable", Source: "etcd#14370", Caught: "DUR, R-I8, R-I7"},
			Field: func(b *bugs) *bool { return &b.earlyOwnAppend }},
		{Bug: protocols.Bug{ID: "R-16", Class: protocols.ClassLiveness, Title: "a pre-vote of a lower term is not answered, so that its sender never learns of the term", Source: "etcd 3c7359d", Caught: "liveness"},
			Field: func(b *bugs) *bool { return &b.silentRefusal }},
		{Bug: protocols.Bug{ID: "R-18", Class: protocols.ClassRead, Title: "ReadIndex is served before an entry of the current term is committed", Source: "etcd#7331; RedisRaft#18; TiKV#9239", Caught: "R-I12, linearizability"},
			Field: func(b *bugs) *bool { return &b.readOldTerm }},
		{Bug: protocols.Bug{ID: "R-19", Class: protocols.ClassRead, Title: "a read joins the round of heartbeats under way, whose answers may be from before the next leader", Source: "etcd-io/raft PR#397; etcd#20418", Caught: "R-I12, linearizability"},
			Field: func(b *bugs) *bool { return &b.readJoins }},
		{Bug: protocols.Bug{ID: "R-21", Class: protocols.ClassRead, Title: "the lease counts from the receipt of acknowledgements, not from the sending of their round", Source: "hashicorp/raft#108; TiKV#1301", Caught: "R-I12, R-I10, linearizability"},
			Field: func(b *bugs) *bool { return &b.leaseFromReceipt }},
		{Bug: protocols.Bug{ID: "R-22", Class: protocols.ClassRead, Title: "the lease ignores the clock bound", Source: "etcd#6005; TiKV#964", Caught: "R-I12, R-I10, linearizability"},
			Field: func(b *bugs) *bool { return &b.leaseNoDrift }},
		{Bug: protocols.Bug{ID: "R-23", Class: protocols.ClassRead, Title: "the lease is kept when leadership is handed over", Source: "dissertation §6.4.1; etcd-io/raft#99; TiKV#1593", Caught: "R-I10, linearizability"},
			Field: func(b *bugs) *bool { return &b.keepLease }},
		{Bug: protocols.Bug{ID: "R-25", Class: protocols.ClassRead, Title: "a voter forgets its lease promise on restart", Source: "dissertation §6.4.1", Caught: "R-I10, linearizability"},
			Field: func(b *bugs) *bool { return &b.forgetPromise }},
		{Bug: protocols.Bug{ID: "R-26", Class: protocols.ClassMembership, Title: "the configuration changes before an entry of the leader's term is committed", Source: "Ongaro, raft-dev, 2015-07-10", Caught: "R-I9, R-I4"},
			Field: func(b *bugs) *bool { return &b.changeBeforeCommit }},
		{Bug: protocols.Bug{ID: "R-28", Class: protocols.ClassMembership, Title: "a configuration stays in force when its entry is truncated", Source: "dissertation §4.1", Caught: "R-I9"},
			Field: func(b *bugs) *bool { return &b.keepTruncated }},
		{Bug: protocols.Bug{ID: "R-30", Class: protocols.ClassMembership, Title: "in joint consensus a majority of the new configuration decides alone", Source: "dissertation §4.3", Caught: "R-I7, R-I4, R-I1"},
			Field: func(b *bugs) *bool { return &b.oneMajority }},
		{Bug: protocols.Bug{ID: "R-31", Class: protocols.ClassMembership, Title: "a leader that is not in the new configuration counts itself", Source: "dissertation §4.2.2; etcd 2902537", Caught: "R-I7"},
			Field: func(b *bugs) *bool { return &b.countRemoved }},
		{Bug: protocols.Bug{ID: "R-32", Class: protocols.ClassMembership, Title: "learners are counted in quorums", Source: "hashicorp/raft 6e41709", Caught: "R-I7, R-I10"},
			Field: func(b *bugs) *bool { return &b.countLearners }},
		{Bug: protocols.Bug{ID: "R-33", Class: protocols.ClassMembership, Title: "a configuration is in force when it is executed, not when it is in the log", Source: "etcd#12359", Caught: "R-I9"},
			Field: func(b *bugs) *bool { return &b.effectiveOnApply }},
		{Bug: protocols.Bug{ID: "R-34", Class: protocols.ClassMembership, Title: "only the leader that began joint consensus ends it", Source: "etcd#12136", Caught: "R-I11"},
			Field: func(b *bugs) *bool { return &b.leaveByStarterOnly }},
		{Bug: protocols.Bug{ID: "R-35", Class: protocols.ClassStale, Title: "an answer from before a follower lost its disk counts for its new one", Source: "etcd-io/raft#349; raft-rs#571", Caught: "R-I8"},
			Field: func(b *bugs) *bool { return &b.keepProgress }},
		{Bug: protocols.Bug{ID: "R-37", Class: protocols.ClassSnapshot, Title: "a restart takes the entry behind a snapshot as included in it", Source: "RedisRaft#43", Caught: "R-I5, STATE"},
			Field: func(b *bugs) *bool { return &b.offByOne }},
		{Bug: protocols.Bug{ID: "R-38", Class: protocols.ClassSnapshot, Title: "a snapshot holds the first configuration, not the one in force", Source: "dissertation §5.1; RedisRaft#45", Caught: "R-I9"},
			Field: func(b *bugs) *bool { return &b.bareSnapshot }},
		{Bug: protocols.Bug{ID: "R-40", Class: protocols.ClassSnapshot, Title: "a snapshot counts for elections when its first chunk has come", Source: "etcd#12163", Caught: "R-I4"},
			Field: func(b *bugs) *bool { return &b.campaignPending }},
		{Bug: protocols.Bug{ID: "R-WIPE", Class: protocols.ClassRecovery, Title: "a node whose disk was wiped votes and counts as before", Source: "dissertation §3.8", Caught: "R-I8, R-I6, R-I4"},
			Field: func(b *bugs) *bool { return &b.wipedVotes }},
		{Bug: protocols.Bug{ID: "R-44", Class: protocols.ClassSession, Title: "a duplicate request is executed twice", Source: "dissertation §6.3", Caught: "ONCE, linearizability"},
			Field: func(b *bugs) *bool { return &b.noSessions }},
		{Bug: protocols.Bug{ID: "R-46", Class: protocols.ClassSession, Title: "the leader answers on append instead of commit", Source: "Redis-Raft#14", Caught: "R-I7, linearizability, ONCE"},
			Field: func(b *bugs) *bool { return &b.replyOnAppend }},
		{Bug: protocols.Bug{ID: "R-47", Class: protocols.ClassSession, Title: "requests in the log are reported as failed when leadership is lost", Source: "Jepsen, RedisRaft", Caught: "linearizability"},
			Field: func(b *bugs) *bool { return &b.failOnStepDown }},
		{Bug: protocols.Bug{ID: "R-51", Class: protocols.ClassRecovery, Title: "a corrupt record is taken for the end of the log", Source: "Alagappan et al., FAST 2018", Caught: "R-I6, R-I8, R-I4, E-DUR, linearizability"},
			Field: func(b *bugs) *bool { return &b.cutCorrupt }},
		{Bug: protocols.Bug{ID: "R-READ", Class: protocols.ClassRead, Title: "the leader answers reads without a round of heartbeats", Source: "dissertation §6.4", Caught: "R-I12, linearizability"},
			Field: func(b *bugs) *bool { return &b.readNoRound }},
		{Bug: protocols.Bug{ID: "R-LOST", Class: protocols.ClassLiveness, Title: "AppendEntries that were lost are not sent again", Source: "Raft paper §5.3; etcd 91ff7cd", Caught: "liveness, convergence"},
			Field: func(b *bugs) *bool { return &b.sendOnce }},
	}
}
