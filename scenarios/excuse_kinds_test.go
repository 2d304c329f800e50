package scenarios_test

import (
	"fmt"
	"testing"
)

// Each way out with a fault that comes near it, and a liveness bug that it must not
// excuse: the violations of the bug stay violations, and without the bug there are none.
func TestEachExcuseLeavesPlantedBugsAlone(t *testing.T) {
	for _, c := range []struct {
		excuse   string
		protocol string
		text     string
		plain    string // parameters
		bug      string
	}{
		{"a leader outside the core", "raft", "replicas: 5\nnetwork: {loss: 20%}\nfaults: [{at: 1s, for: forever, partition: {target: follower, shape: isolate}}]\n", "", "R-LOST"},
		{"a disk is refused for good", "paxos", "replicas: 5\nnetwork: {loss: 20%}\nfaults: [{at: 1500ms, for: 100ms, bit-rot: n3}, {at: 1550ms, for: 100ms, crash: n3}]\n", "", "P-31"},
		{"a state without a copy is lost", "vr", "replicas: 3\nnetwork: {loss: 20%}\nfaults: [{at: 1500ms, for: 100ms, crash: n3}]\n", "variant: crash-vectors", "V-21"},
		{"the only holder of a log is gone", "primarybackup", "replicas: 2\nnetwork: {loss: 20%}\nfaults: [{at: 1500ms, for: 1s, crash: n2}]\n", "", "B-21"},
		{"semisync lacks backups", "primarybackup", "replicas: 3\nnetwork: {loss: 20%}\nfaults: [{at: 1500ms, for: 1s, crash: n2}]\n", "mode: semisync, k: 1", "B-21"},
		{"the disk of the primary is stuck", "primarybackup", "replicas: 3\nnetwork: {loss: 20%}\nfaults: [{at: 1500ms, for: forever, fsync-stall: follower}]\n", "", "B-21"},
	} {
		with := func(extra string) string {
			list := c.plain
			if list != "" && extra != "" {
				list += ", "
			}
			return "name: x\nfor: 3s\n" + c.text + "parameters: {" + c.protocol + ": {" + list + extra + "}}\n"
		}
		if stuck, _, unavailable := outcomes(t, c.protocol, with("bugs: ["+c.bug+"]")); stuck == 0 || unavailable > 0 {
			t.Errorf("%s, with %s: %d violations, %d unavailable", c.excuse, c.bug, stuck, unavailable)
		}
		if stuck, _, unavailable := outcomes(t, c.protocol, with("")); stuck+unavailable > 0 {
			t.Errorf("%s, without %s: %d violations, %d unavailable", c.excuse, c.bug, stuck, unavailable)
		}
	}
}

// A leader needs its own links to a majority, and not that those hear each other: in a
// ring it leads two neighbours that do not.
func TestALeaderInARingLeadsByRight(t *testing.T) {
	ring := "name: x\nreplicas: 5\nfor: 4s\nfaults: [{at: 1s, for: forever, partition: {target: random, shape: ring}}]\n"
	for _, protocol := range []string{"raft", "paxos", "vr"} {
		stuck, excused, unavailable := outcomes(t, protocol, ring)
		if stuck+unavailable > 0 {
			t.Errorf("%s: %d violations, %d excused, %d unavailable", protocol, stuck, excused, unavailable)
		}
	}
}

// A replica that lost its disk gets a long log entry by entry, in as many round trips as
// it has entries. That takes longer than the bound, and is no violation; a follower that
// is sent nothing is one all the same.
func TestConvergenceCountsTheWorkThatParametersAskFor(t *testing.T) {
	text := "name: x\nfor: 4s\nsettle: 3s\nnetwork: {latency: 200us..1ms}\nworkload: {clients: 4, think: 0s..5ms, operations: 0}\nfaults: [{at: 3s, for: 100ms, wipe: n2}]\n" +
		"parameters: {raft: {window: 1, max_batch: 1%s}}\n"
	if stuck, _, unavailable := outcomes(t, "raft", fmt.Sprintf(text, "")); stuck+unavailable > 0 {
		t.Errorf("%d violations, %d unavailable", stuck, unavailable)
	}
	lossy := fmt.Sprintf(text, ", bugs: [R-LOST]") + "phases: [{name: lossy, at: 3s, network: {loss: 20%}}]\n"
	if stuck, _, _ := outcomes(t, "raft", lossy); stuck == 0 {
		t.Error("nothing is sent again, and yet there is no violation")
	}
}
