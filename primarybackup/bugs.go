package primarybackup

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// bugs are the known bugs as switches, all off in the correct protocol. Each is
// one deviation at the rule it breaks.
type bugs struct {
	noFencing      bool // B-01
	earlyAdvance   bool // B-02
	readAlone      bool // B-04
	forgetSessions bool // B-06
	visibleEarly   bool // B-08
	degradeAnyway  bool // B-09
	noRewind       bool // B-12
}

// knownBugs lists the switches; parseBugs and Protocol.Bugs both come from it.
func knownBugs() []knownBug {
	return []knownBug{
		{protocols.Bug{ID: "B-01", Title: "no fencing: a primary goes on without backups that are silent or refuse it", Source: "MIT 6.824, lab 2", Caught: "PB-I5, PB-I2, PB-I1, linearizability"},
			func(b *bugs) *bool { return &b.noFencing }},
		{protocols.Bug{ID: "B-02", Title: "the view service names a primary that never had the log of the last acknowledged view", Source: "MIT 6.824, lab 2, part A", Caught: "PB-I5, PB-I3, linearizability"},
			func(b *bugs) *bool { return &b.earlyAdvance }},
		{protocols.Bug{ID: "B-04", Title: "the primary answers reads without a lease and without asking its backups", Source: "MIT 6.824, lab 2, part B", Caught: "linearizability"},
			func(b *bugs) *bool { return &b.readAlone }},
		{protocols.Bug{ID: "B-06", Title: "the at-most-once table is not part of the state that is transferred", Source: "MIT 6.824, lab 2, part B", Caught: "STATE, PB-I4, ONCE, linearizability"},
			func(b *bugs) *bool { return &b.forgetSessions }},
		{protocols.Bug{ID: "B-08", Title: "reads see a write before its backups have acknowledged it, though the parameters say otherwise", Source: "MySQL, rpl_semi_sync_master_wait_point", Caught: "PB-I2, linearizability"},
			func(b *bugs) *bool { return &b.visibleEarly }},
		{protocols.Bug{ID: "B-09", Title: "semisync silently degrades to async at the time-out", Source: "MySQL documentation, semisynchronous replication", Caught: "PB-I2"},
			func(b *bugs) *bool { return &b.degradeAnyway }},
		{protocols.Bug{ID: "B-12", Title: "an old primary that returns keeps its own entries where the new one has others", Source: "PostgreSQL, pg_rewind and timelines", Caught: "DUR, PB-I6, PB-I4, SAME, STATE"},
			func(b *bugs) *bool { return &b.noRewind }},
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
