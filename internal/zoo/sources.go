package main

// sources say where the rule of each check is from.
var sources = map[string]string{
	"linearizability": "Herlihy and Wing, TOPLAS 1990",
	"liveness":        "derived: a majority that hears each other must go on",
	"convergence":     "derived: equal logs give equal states (Schneider, ACM Computing Surveys 1990)",
	"panic":           "derived",
	"SUBSCRIBER":      "derived: what a subscriber is told is what was executed",
	"SAME":            "state machine safety (Raft paper §5.4.3; Schneider 1990)",
	"ORDER":           "state machine approach (Schneider 1990)",
	"STATE":           "determinism of state machines (Schneider 1990)",
	"LEAD":            "one leader for each epoch (Raft paper §5.2; Paxos Made Simple §2.5)",
	"COMMIT":          "derived: what is committed stays so",
	"ISSUED":          "validity: only what was proposed is chosen (Paxos Made Simple §2.1)",
	"ONCE":            "at most once (Ongaro's dissertation §6.3; VR Revisited §4.1)",
	"DUR":             "what a message asserts is on its sender's disk (dissertation §3.8; Paxos Made Simple §2.5)",
	"EPOCH":           "terms, ballots and views survive restarts (dissertation §3.8; Paxos Made Simple §2.5)",

	"R-I1":  "Election Safety (Raft paper, figure 3)",
	"R-I2":  "Leader Append-Only (Raft paper, figure 3)",
	"R-I3":  "Log Matching (Raft paper, figure 3)",
	"R-I4":  "Leader Completeness (Raft paper, figure 3)",
	"R-I5":  "State Machine Safety (Raft paper, figure 3)",
	"R-I6":  "at most one vote in a term (dissertation §3.4, §3.8)",
	"R-I7":  "a majority stores what is committed (Raft paper §5.3)",
	"R-I8":  "matchIndex is known to be replicated (Raft paper, figure 2)",
	"R-I9":  "overlapping quorums (dissertation §4.1, §4.3)",
	"R-I10": "leases (dissertation §6.4.1)",
	"R-I11": "the way out of joint consensus (Raft paper §6)",

	"PX-I1": "only a single value is chosen (Paxos Made Simple §2.1)",
	"PX-I2": "one value for each ballot (Paxos Made Simple §2.2)",
	"PX-I3": "P2c (Paxos Made Simple §2.2)",
	"PX-I4": "P1a (Paxos Made Simple §2.2)",
	"PX-I5": "a value is learned only when it is chosen (Paxos Made Simple §2.1)",
	"PX-I6": "master leases (Paxos Made Live §5.2)",

	"VR-I1":  "what is committed survives view changes (VR Revisited §8.1)",
	"VR-I2":  "one request for each op-number (VR Revisited §4.1)",
	"VR-I3":  "views go up (VR Revisited §4.2)",
	"VR-I4":  "one primary for each view (VR Revisited §4)",
	"VR-I5":  "backups process Prepares in order (VR Revisited §4.1)",
	"VR-I6":  "commit needs f PrepareOKs (VR Revisited §4.1)",
	"VR-I7":  "promises of view changes (VR Revisited §8.1; Michael et al., DISC 2017)",
	"VR-I8":  "the client table (VR Revisited §4.1)",
	"VR-I9":  "leases (VR Revisited §6.3)",
	"VR-I10": "epochs (VR Revisited §7)",

	"PB-I1": "one primary for each view (MIT 6.824, lab 2)",
	"PB-I2": "log before answer (MySQL, semisynchronous replication)",
	"PB-I3": "a promoted backup has what was answered (MIT 6.824, lab 2, part B)",
	"PB-I4": "backups have a prefix of the primary's states (MIT 6.824, lab 2, part B)",
	"PB-I5": "the high-water mark (Kafka, KIP-101, KIP-966)",
	"PB-I6": "one record for each epoch and position (KIP-101; PostgreSQL timelines)",
	"PB-I7": "leases (Gray and Cheriton, SOSP 1989)",
}

// planted are the tests that trip the checks which no script of a bug does.
// Each is named by its folder and function.
var planted = map[string]string{
	"panic":      "scenarios TestVerdicts",
	"SUBSCRIBER": "scenarios TestSubscriberAlarms",
	"ORDER":      "checker TestGenericObservers",
	"COMMIT":     "checker TestGenericObservers",
	"ISSUED":     "checker TestGenericObservers",
	"R-I1":       "raft TestBugsAreCaughtAndTheirAbsencePasses",
	"R-I2":       "raft TestInvariantLeaderAppendOnlyTrips",
	"R-I3":       "raft TestInvariantLogMatchingTrips",
	"PX-I4":      "paxos TestInvariantPromiseKeptTrips",
	"VR-I3":      "vr TestInvariantViewsMonotoneTrips",
	"VR-I5":      "vr TestInvariantHonestPrepareOKTrips",
	"VR-I6":      "vr TestInvariantCommitEvidenceTrips",
	"VR-I10":     "vr TestInvariantEpochsInOrderTrips",
	"PB-I6":      "primarybackup TestBugsAreCaughtAndTheirAbsencePasses",
}

// reasons say why random search has not found a bug.
var reasons = map[string]string{}
