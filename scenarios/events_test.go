package scenarios_test

import (
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// waiting is a cluster of five of which three are members at first. Steps and faults
// wait for each other.
const waiting = `
name: waiting
protocols: [paxos]
replicas: 5
members: n1 n2 n3
parameters: {paxos: {snapshot_every: 8}}
admin:
  - {when: commit 50, reconfigure: {add: n4}}
  - {when: admin 1 done, after: 500ms, reconfigure: {replace: n1 -> n5}}
faults:
  - {when: admin 1 asked, for: 100ms, slow-disk: leader}
  - {when: reconfigured, count: 2, for: 100ms, slow-disk: subject}
  - {when: admin 2 done, after: 300ms, for: 100ms, slow-disk: minority}
  - {when: admin 2 done, after: 300ms, for: 100ms, slow-disk: majority}
  - {when: admin 2 done, after: 300ms, for: 100ms, slow-disk: learners}
  - {when: admin 2 done, after: 300ms, for: 100ms, slow-disk: learner}
  - {when: snapshot, after: 1ms, for: 100ms, slow-disk: subject}
  - {when: snapshot-installed, for: 100ms, slow-disk: subject}
  - {when: normal, for: 100ms, slow-disk: subject}
for: 8s
`

// Steps that events trigger are done, events of reconfigurations and snapshots come,
// and minority, majority and learners count the voters of the moment: n2 to n5 in
// the end, of which n1 is none.
func TestEventsOfReconfigurations(t *testing.T) {
	sc, _, err := scenarios.Parse("", []byte(waiting), all.List())
	if err != nil {
		t.Fatal(err)
	}
	r := scenarios.Run(sc, named(t, "paxos"), 3, scenarios.Options{})
	if r.Err != nil || len(r.Violations) > 0 {
		t.Fatal(r.Err, r)
	}
	for i, a := range r.Admin {
		if !a.Effective {
			t.Errorf("step %d: %+v", i+1, a)
		}
	}
	if first, second := r.Admin[0], r.Admin[1]; second.StartNS < first.EndNS+500_000_000 {
		t.Errorf("step 2 begins at %d, 500 ms after step 1 ended at %d", second.StartNS, first.EndNS)
	}
	struck := map[int][]string{}
	for _, f := range r.Faults {
		if f.Resolved == "" {
			t.Errorf("fault %d did not strike: %+v", f.ID, f)
			continue
		}
		struck[f.ID] = append(struck[f.ID], f.Resolved)
	}
	if len(struck[2]) != 2 {
		t.Errorf("reconfigured strikes at %v", struck[2])
	}
	for _, c := range []struct{ id, voters int }{{3, 1}, {4, 3}} {
		hit := strings.Fields(struck[c.id][0])
		if len(hit) != c.voters || strings.Contains(struck[c.id][0], "n1") {
			t.Errorf("fault %d hits %v, want %d of n2 n3 n4 n5", c.id, hit, c.voters)
		}
	}
	if struck[5][0] != "n1" || struck[6][0] != "n1" {
		t.Errorf("without a vote: %v and %v, want n1", struck[5], struck[6])
	}
}
