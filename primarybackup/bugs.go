package primarybackup

import "github.com/lockstep-sim/lockstep/protocols"

// bugs are the known bugs as switches, all off in the correct protocol. Each is
// one deviation at the rule it breaks.
type bugs struct {
	noFencing      bool // B-01
	earlyAdvance   bool // B-02
	readAlone      bool // B-04
	forgetSessions bool // B-06
	ownSessions    bool // B-06b
	visibleEarly   bool // B-08
	degradeAnyway  bool // B-09
	visibleCancel  bool // B-10
	noRewind       bool // B-12
	answerAlone    bool // B-13
	forgetView     bool // B-14
	earlyMatch     bool // B-15
	holdsEarly     bool // B-16
	anyLife        bool // B-17
	uncutCommit    bool // B-18
	leaseOnReceipt bool // B-19
	oneConfirms    bool // B-20
	probeOnce      bool // B-21
}

// knownBugs lists the switches; Parameters and Protocol.Bugs both come from it. From B-13
// on they are the counterparts here of what was found elsewhere.
func knownBugs() protocols.Switches[bugs] {
	return protocols.Switches[bugs]{
		{Bug: protocols.Bug{ID: "B-01", Class: protocols.ClassQuorum, Title: "no fencing: a primary goes on without backups that are silent or refuse it", Source: "MIT 6.824, lab 2", Caught: "PB-I5, PB-I2, PB-I1, linearizability"},
			Field: func(b *bugs) *bool { return &b.noFencing }},
		{Bug: protocols.Bug{ID: "B-02", Class: protocols.ClassMembership, Title: "the view service names a primary that never had the log of the last acknowledged view", Source: "MIT 6.824, lab 2, part A", Caught: "PB-I3, PB-I5, linearizability"},
			Field: func(b *bugs) *bool { return &b.earlyAdvance }},
		{Bug: protocols.Bug{ID: "B-04", Class: protocols.ClassRead, Title: "the primary answers reads without a lease and without asking its backups", Source: "MIT 6.824, lab 2, part B", Caught: "PB-I8, linearizability"},
			Field: func(b *bugs) *bool { return &b.readAlone }},
		{Bug: protocols.Bug{ID: "B-06", Class: protocols.ClassSnapshot, Title: "the at-most-once table is not part of the state that is transferred", Source: "MIT 6.824, lab 2, part B", Caught: "STATE, PB-I4, ONCE, linearizability"},
			Field: func(b *bugs) *bool { return &b.forgetSessions }},
		{Bug: protocols.Bug{ID: "B-06b", Class: protocols.ClassSession, Title: "a replica that becomes primary begins with an empty at-most-once table", Source: "MIT 6.824, lab 2, part B", Caught: "STATE, PB-I4, ONCE, linearizability"},
			Field: func(b *bugs) *bool { return &b.ownSessions }},
		{Bug: protocols.Bug{ID: "B-08", Class: protocols.ClassDurable, Title: "reads see a write before its backups have acknowledged it, though the parameters say otherwise", Source: "MySQL, rpl_semi_sync_master_wait_point", Caught: "PB-I2, linearizability"},
			Field: func(b *bugs) *bool { return &b.visibleEarly }},
		{Bug: protocols.Bug{ID: "B-09", Class: protocols.ClassDurable, Title: "semisync silently degrades to async at the time-out", Source: "MySQL documentation, semisynchronous replication", Caught: "PB-I2"},
			Field: func(b *bugs) *bool { return &b.degradeAnyway }},
		{Bug: protocols.Bug{ID: "B-10", Class: protocols.ClassDurable, Title: "when a client stops waiting for its write and asks again, reads see the write, which no backup has", Source: "PostgreSQL, cancelled wait for synchronous replication", Caught: "PB-I2, linearizability"},
			Field: func(b *bugs) *bool { return &b.visibleCancel }},
		{Bug: protocols.Bug{ID: "B-12", Class: protocols.ClassRecovery, Title: "an old primary that returns keeps its own entries where the new one has others", Source: "PostgreSQL, pg_rewind and timelines", Caught: "DUR, PB-I6, PB-I4, SAME, STATE"},
			Field: func(b *bugs) *bool { return &b.noRewind }},
		{Bug: protocols.Bug{ID: "B-13", Class: protocols.ClassDurable, Title: "the primary answers a write once its own disk has it, though the parameters say otherwise", Source: "MIT 6.824, lab 2, part B", Caught: "PB-I2, PB-I3, PB-I1, linearizability"},
			Field: func(b *bugs) *bool { return &b.answerAlone }},
		{Bug: protocols.Bug{ID: "B-14", Class: protocols.ClassRecovery, Title: "the view service begins again with its first view when it restarts", Source: "MIT 6.824, lab 2, part A, whose service never restarts", Caught: "EPOCH, PB-I1"},
			Field: func(b *bugs) *bool { return &b.forgetView }},
		{Bug: protocols.Bug{ID: "B-15", Class: protocols.ClassDurable, Title: "a backup acknowledges entries before they are durable", Source: "Kreps, Narkhede and Rao, Kafka, 2011; KIP-966", Caught: "DUR, PB-I5, PB-I2"},
			Field: func(b *bugs) *bool { return &b.earlyMatch }},
		{Bug: protocols.Bug{ID: "B-16", Class: protocols.ClassQuorum, Title: "a backup says that it holds the view while it still lacks some of its log, and may be promoted", Source: "MIT 6.824, lab 2, part A", Caught: "PB-I5, PB-I3, linearizability"},
			Field: func(b *bugs) *bool { return &b.holdsEarly }},
		{Bug: protocols.Bug{ID: "B-17", Class: protocols.ClassRecovery, Title: "a primary that restarts goes on with its view, as if it had lost nothing", Source: "MIT 6.824, lab 2, part A", Caught: "PB-I1, PB-I6"},
			Field: func(b *bugs) *bool { return &b.anyLife }},
		{Bug: protocols.Bug{ID: "B-18", Class: protocols.ClassStale, Title: "the commit index in a heartbeat is not cut to what the receiver has acknowledged, which takes it for its own log", Source: "etcd b927fa8; KIP-101", Caught: "SAME, PB-I4, STATE"},
			Field: func(b *bugs) *bool { return &b.uncutCommit }},
		{Bug: protocols.Bug{ID: "B-19", Class: protocols.ClassRead, Title: "the lease counts from the receipt of the view service's promise, not from the sending of the ping", Source: "hashicorp/raft#108", Caught: "PB-I8, PB-I7, linearizability"},
			Field: func(b *bugs) *bool { return &b.leaseOnReceipt }},
		{Bug: protocols.Bug{ID: "B-20", Class: protocols.ClassRead, Title: "a read is answered once one backup has confirmed the view", Source: "MIT 6.824, lab 2, part B", Caught: "PB-I8, linearizability"},
			Field: func(b *bugs) *bool { return &b.oneConfirms }},
		{Bug: protocols.Bug{ID: "B-21", Class: protocols.ClassLiveness, Title: "a probe or a State that was lost is not sent again", Source: "etcd 91ff7cd, whose counterpart it is", Caught: "liveness, convergence"},
			Field: func(b *bugs) *bool { return &b.probeOnce }},
	}
}
