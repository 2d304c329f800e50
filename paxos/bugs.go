package paxos

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

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
	halfQuorums      bool // P-11
	leaseFromReceipt bool // P-12
	forgetLease      bool // P-12b
	wipedVotes       bool // P-13
	noAlpha          bool // P-14
	anyBallot        bool // P-RULE6
	readInherited    bool // P-RULE7
}

// knownBugs lists the switches; parseBugs and Protocol.Bugs both come from it.
func knownBugs() []knownBug {
	return []knownBug{
		{protocols.Bug{ID: "P-01", Title: "a candidate takes the first value reported for a slot, not that of the highest ballot", Source: "Paxos Made Simple §2.2, P2c", Caught: "PX-I3, PX-I1"},
			func(b *bugs) *bool { return &b.firstReported }},
		{protocols.Bug{ID: "P-02", Title: "a promise is not written to disk", Source: "Paxos Made Simple §2.5", Caught: "DUR, PX-I4, PX-I1"},
			func(b *bugs) *bool { return &b.volatilePromise }},
		{protocols.Bug{ID: "P-03", Title: "Accepted is sent before the acceptance is durable", Source: "Paxos Made Live §5.1", Caught: "DUR, PX-I5"},
			func(b *bugs) *bool { return &b.earlyAccepted }},
		{protocols.Bug{ID: "P-05", Title: "accepted and promised ballot share one variable, so that a Promise reports values at a ballot at which they were not accepted", Source: "Sutra, arXiv:1906.10917", Caught: "PX-I3, PX-I1"},
			func(b *bugs) *bool { return &b.sharedBallot }},
		{protocols.Bug{ID: "P-06", Title: "a proposer uses the ballot of its last promise to itself again", Source: "Paxos Made Live §5", Caught: "PX-I2"},
			func(b *bugs) *bool { return &b.reuseBallot }},
		{protocols.Bug{ID: "P-07", Title: "a Promise omits slots that are executed", Source: "Paxos Made Moderately Complex §2", Caught: "PX-I3, PX-I1, PX-I5, linearizability"},
			func(b *bugs) *bool { return &b.omitChosen }},
		{protocols.Bug{ID: "P-10", Title: "a candidate proposes before a phase 1 quorum has promised", Source: "Paxos Made Moderately Complex §3, scout", Caught: "PX-I3"},
			func(b *bugs) *bool { return &b.earlyPropose }},
		{protocols.Bug{ID: "P-11", Title: "a quorum is half of the members, so that two need not meet", Source: "Howard, Malkhi and Spiegelman, OPODIS 2016", Caught: "PX-I1"},
			func(b *bugs) *bool { return &b.halfQuorums }},
		{protocols.Bug{ID: "P-12", Title: "the master lease counts from the receipt of acknowledgements, not from the sending of their round", Source: "Paxos Made Live §5.2", Caught: "PX-I6, linearizability"},
			func(b *bugs) *bool { return &b.leaseFromReceipt }},
		{protocols.Bug{ID: "P-12b", Title: "an acceptor forgets its lease promise on restart", Source: "Paxos Made Live §5.2", Caught: "PX-I6, linearizability"},
			func(b *bugs) *bool { return &b.forgetLease }},
		{protocols.Bug{ID: "P-13", Title: "an acceptor whose disk was wiped votes again", Source: "Paxos Made Live §5.1", Caught: "PX-I3, PX-I1"},
			func(b *bugs) *bool { return &b.wipedVotes }},
		{protocols.Bug{ID: "P-14", Title: "a new configuration is in force at once, not alpha slots later", Source: "Paxos Made Moderately Complex §4.2", Caught: "PX-I5"},
			func(b *bugs) *bool { return &b.noAlpha }},
		{protocols.Bug{ID: "P-RULE6", Title: "a commit index is believed for slots that were accepted at another ballot", Source: "derived from Paxos Made Simple §2.3", Caught: "PX-I5, SAME"},
			func(b *bugs) *bool { return &b.anyBallot }},
		{protocols.Bug{ID: "P-RULE7", Title: "a new leader answers reads before what it inherited is executed", Source: "derived; the counterpart of etcd#7331", Caught: "linearizability"},
			func(b *bugs) *bool { return &b.readInherited }},
	}
}

type knownBug struct {
	protocols.Bug
	field func(*bugs) *bool
}

// parseBugs switches on the bugs of the given ids.
func parseBugs(ids []string) (bugs, error) {
	var b bugs
	known := knownBugs()
next:
	for _, id := range ids {
		for _, k := range known {
			if k.ID == id {
				*k.field(&b) = true
				continue next
			}
		}
		return bugs{}, fmt.Errorf("bugs: got %q, want one of %s", id, bugIDs())
	}
	return b, nil
}

func bugIDs() string {
	text := ""
	for i, k := range knownBugs() {
		if i > 0 {
			text += ", "
		}
		text += k.ID
	}
	return text
}

func bugList() []protocols.Bug {
	var list []protocols.Bug
	for _, k := range knownBugs() {
		list = append(list, k.Bug)
	}
	return list
}
