package scenarios_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/primarybackup"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// TestStampByModel: a command that reads the local wall clock makes replicas differ
// that execute it themselves, those of a state machine and those that are shipped
// commands; it does not where the primary's results are shipped. The shipped
// examples say so, too.
func TestStampByModel(t *testing.T) {
	for _, file := range []string{"../docs/examples/stamp-results.yaml", "../docs/examples/stamp-commands.yaml"} {
		sc, _, err := scenarios.ReadFile(file, bothModels())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range bothModels() {
			if !sc.Runs(p.Name) {
				continue
			}
			shipped := sc.Name == "stamp-results" && p.Name == "primarybackup"
			for seed := uint64(1); seed <= 10; seed++ {
				r := scenarios.Run(sc, p, seed, scenarios.Options{})
				if r.Code() != scenarios.CodeOK {
					t.Errorf("%s; missed %v", r, r.Missed())
				}
				if named := r.Check == checker.CheckState && strings.HasPrefix(r.Reason, "at position "); named == shipped {
					t.Errorf("%s: shipped results %t, divergence named %t", r, shipped, named)
				}
			}
		}
	}
}

// TestStampWithoutAProtocol: of one log with shipped results, replicas that install
// them are equal, and replicas that execute the commands themselves part at the first
// that reads the clock.
func TestStampWithoutAProtocol(t *testing.T) {
	sc := parseFor(t, "name: x\nmachine: stamp\nfor: 1s\n")
	log := logOf(t, sc, primarybackup.Protocol(), 1, 0)
	first := protocols.Index(0)
	for i := range log {
		if log[i].Command.Op == protocols.ReadClock && first == 0 {
			first = log[i].Position
		}
	}
	if first == 0 {
		t.Fatal("no command read the clock")
	}
	if found := replay(t, "stamp", log, false); len(found) > 0 {
		t.Errorf("shipped results: %v", found[0])
	}
	found := replay(t, "stamp", log, true)
	if len(found) == 0 || found[0].Check != checker.CheckState || !strings.HasPrefix(found[0].Text, fmt.Sprintf("at position %d n2 ", first)) {
		t.Errorf("naive replicas: got %v, want %s at position %d", found, checker.CheckState, first)
	}
}

const counting = "name: x\nmachine: counter\nworkload: {clients: 6, mix: {increment: 60%, double: 40%}, think: 0.1ms..0.5ms}\nfor: 1s\n"

// TestExecutionInAnotherOrder: one replica executes a +1 and a *2 the other way
// round. Where replicas execute, their states part, and the first such position is
// named; a backup that is shipped results never executes.
func TestExecutionInAnotherOrder(t *testing.T) {
	const odd, after = protocols.NodeID(2), 20
	for _, c := range []struct {
		protocol  *protocols.Protocol
		more      string
		executing bool
	}{
		{raft.Protocol(), "parameters: {raft: {snapshot_every: 0}}\n", true},
		{primarybackup.Protocol(), "parameters: {primarybackup: {log: logical}}\n", true},
		{primarybackup.Protocol(), "parameters: {primarybackup: {log: physical}}\n", false},
	} {
		sc := parseFor(t, counting+c.more)
		for seed := uint64(1); seed <= 5; seed++ {
			want := firstPart(t, logOf(t, sc, c.protocol, seed, 0), after)
			r := scenarios.Run(sc, swappingAt(clone(c.protocol), odd, after), seed, scenarios.Options{})
			if !c.executing {
				if r.Verdict != checker.OK {
					t.Errorf("%s: a backup that installs results diverges: %s", c.more, r)
				}
				continue
			}
			if r.Check != checker.CheckState || !strings.HasPrefix(r.Reason, fmt.Sprintf("at position %d ", want)) {
				t.Errorf("%s: want %s at position %d", r, checker.CheckState, want)
			}
		}
	}
}

// firstPart returns the first position of a log at which a swapping machine and an
// ordinary one are in different states.
func firstPart(t *testing.T, log []protocols.LogEntry, after int) protocols.Index {
	right, wrong := executorOf(t, "counter"), executorOf(t, "counter")
	wrong.Machine = &swapping{StateMachine: wrong.Machine, after: after}
	for i := range log {
		right.Apply(log[i].Position, log[i].Command, 0)
		wrong.Apply(log[i].Position, log[i].Command, 0)
		if right.Hash() != wrong.Hash() {
			return log[i].Position
		}
	}
	t.Fatal("the order made no difference")
	return 0
}

func clone(p *protocols.Protocol) *protocols.Protocol {
	q := *p
	return &q
}

// TestEntriesInAnotherOrder: one replica takes two entries of the log the other way
// round. Whatever is shipped, that is another log, and its first position is named.
func TestEntriesInAnotherOrder(t *testing.T) {
	small := "parameters: {raft: {window: 1}, primarybackup: {window: 3, log: %s}}\n"
	for _, log := range []string{primarybackup.Physical, primarybackup.Logical} {
		sc := parseFor(t, counting+fmt.Sprintf(small, log))
		for _, p := range bothModels() {
			shuffled := 0
			for seed := uint64(1); seed <= 5; seed++ {
				odd, at := shufflingAt(clone(p), 2)
				r := scenarios.Run(sc, odd, seed, scenarios.Options{})
				if *at == 0 {
					continue // n2 led
				}
				shuffled++
				if r.Check != checker.CheckSame || !strings.HasPrefix(r.Reason, fmt.Sprintf("at position %d ", *at)) {
					t.Errorf("%s: want %s at position %d", r, checker.CheckSame, *at)
				}
			}
			if shuffled == 0 {
				t.Errorf("%s: no run had two such entries in one message", p.Name)
			}
		}
	}
}

// TestOneWorkloadTwoOrders: clients call the same in both models, each its own
// commands in its own order; the two logs interleave them differently, and from the
// first position at which they do the counter shows it.
func TestOneWorkloadTwoOrders(t *testing.T) {
	sc := parseFor(t, counting)
	for seed := uint64(1); seed <= 5; seed++ {
		var logs [2][]protocols.LogEntry
		for i, p := range bothModels() {
			logs[i] = commandsOf(logOf(t, sc, p, seed, 900_000_000))
		}
		sameCalls(t, logs[0], logs[1])
		at := firstDifference(logs[0], logs[1])
		if at == min(len(logs[0]), len(logs[1])) {
			t.Errorf("seed %d: both logs have one order; this proves nothing", seed)
			continue
		}
		t.Logf("seed %d: the orders part at command %d: %v in Raft, %v in primary-backup", seed, at+1, logs[0][at].Command, logs[1][at].Command)
		a, b := executorOf(t, "counter"), executorOf(t, "counter")
		for i := range at {
			a.Apply(logs[0][i].Position, logs[0][i].Command, 0)
			b.Apply(logs[1][i].Position, logs[1][i].Command, 0)
		}
		if a.Machine.Hash() != b.Machine.Hash() {
			t.Errorf("seed %d: the counters differ before command %d, the first that differs", seed, at+1)
		}
		parted := false
		for i := at; i < min(len(logs[0]), len(logs[1])) && !parted; i++ {
			a.Apply(logs[0][i].Position, logs[0][i].Command, 0)
			b.Apply(logs[1][i].Position, logs[1][i].Command, 0)
			parted = a.Machine.Hash() != b.Machine.Hash()
		}
		if !parted {
			t.Errorf("seed %d: the counters never part, although the orders do at command %d", seed, at+1)
		}
	}
}

// commandsOf returns the entries that hold commands of clients, numbered from 1.
func commandsOf(log []protocols.LogEntry) []protocols.LogEntry {
	var commands []protocols.LogEntry
	for _, e := range log {
		if e.Command.Client < 0 {
			commands = append(commands, protocols.LogEntry{Position: protocols.Index(len(commands) + 1), Command: e.Command})
		}
	}
	return commands
}

// sameCalls demands that each client called the same in both logs, as far as both go.
func sameCalls(t *testing.T, a, b []protocols.LogEntry) {
	t.Helper()
	type request struct {
		client protocols.NodeID
		seq    uint64
	}
	called := map[request]protocols.Command{}
	for i := range a {
		called[request{a[i].Command.Client, a[i].Command.Seq}] = a[i].Command
	}
	both := 0
	for i := range b {
		c, known := called[request{b[i].Command.Client, b[i].Command.Seq}]
		if known && c != b[i].Command {
			t.Errorf("a client called %v in one model and %v in the other", c, b[i].Command)
		}
		if known {
			both++
		}
	}
	if 2*both < min(len(a), len(b)) {
		t.Errorf("only %d of %d and %d commands are in both logs", both, len(a), len(b))
	}
}

// firstDifference returns how long two logs are equal.
func firstDifference(a, b []protocols.LogEntry) int {
	for i := range min(len(a), len(b)) {
		if !a[i].Same(&b[i]) {
			return i
		}
	}
	return min(len(a), len(b))
}
