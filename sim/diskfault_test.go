package sim

import (
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// strengthen gives a fault of a process, disk or clock what its kind needs.
func strengthen(f *Fault) {
	switch f.Kind {
	case protocols.FaultAttrition:
		f.Every, f.Down = 200*ms, Between(10*ms, 100*ms)
	case protocols.FaultCrashPoint:
		f.Point, f.Nth = CrashPoints()[f.ID%len(CrashPoints())], 1+f.ID%3
	case protocols.FaultStrobe:
		f.Step, f.Every = 40*ms, 15*ms
	case protocols.FaultSlowNode:
		f.Factor = 30
	case protocols.FaultDiskError:
		f.Prob = 300_000_000
	}
}

// crashed adds a crash of the same target within the interval of struck.
func crashed(kind protocols.FaultKind) func(*Config) {
	return func(c *Config) {
		c.Disk.Fsync = Exactly(20 * ms)
		c.Faults = append(c.Faults, Fault{Kind: kind, At: second/2 + 300_000_000, For: 200 * ms, Target: c.Faults[0].Target})
	}
}

// Each bites alone or, where it changes what a crash leaves, with a crash; without
// it the run is another.
func TestProcessDiskAndClockFaultsBite(t *testing.T) {
	for _, c := range []struct {
		kind   protocols.FaultKind
		target string
		with   func(*Config)
	}{
		{protocols.FaultPowerLoss, "all", nil},
		{protocols.FaultWipe, "n2", nil},
		{protocols.FaultAttrition, "all", nil},
		{protocols.FaultCrashPoint, "leader", nil},
		{protocols.FaultSlowNode, "leader", nil},
		{protocols.FaultStall, "followers", nil},
		{protocols.FaultTorn, "leader", crashed(protocols.FaultCrash)},
		{protocols.FaultReordered, "leader", crashed(protocols.FaultCrash)},
		{protocols.FaultDiskError, "followers", nil},
		{protocols.FaultDiskFull, "n2", nil},
		{protocols.FaultLying, "n2", crashed(protocols.FaultPowerLoss)},
		{protocols.FaultCorrupt, "n2", nil},
		{protocols.FaultMisdirect, "n2", nil},
		{protocols.FaultStrobe, "n2", nil},
	} {
		f := Fault{Kind: c.kind, Target: target(c.target), ID: 1}
		strengthen(&f)
		with := []func(*Config){}
		if c.with != nil {
			with = append(with, c.with)
		}
		w, r := struck(t, f, with...)
		if !r.Effective || r.Count+r.Killed == 0 || r.State != Over || strings.Contains(r.How(), "clocks changed") != (c.kind == protocols.FaultStrobe) {
			t.Errorf("%s %s: %+v: %s", c.kind, c.target, r, r.How())
		}
		without := w.Config()
		without.Faults = without.Faults[1:]
		if digestAt(t, without, 2*second) == w.Digest() {
			t.Errorf("%s: the run is the same without it", c.kind)
		}
		t.Logf("%-18s %-10s -> %-15s %s", c.kind, c.target, r.Names, r.How())
	}
}

func digestAt(t *testing.T, cfg Config, until protocols.Time) uint64 {
	t.Helper()
	return run(t, cfg, until).Digest()
}

// A crash in the middle of a step leaves what came before the cut, but a disk that is
// full makes none of it durable: nothing that waits for it leaves.
func TestCutAtAFullDiskLeavesNothing(t *testing.T) {
	n := &node{}
	if !n.syncs() {
		t.Fatal("a healthy disk syncs")
	}
	n.disk.ill.by[fills] = 1
	if n.syncs() {
		t.Error("a full disk syncs")
	}
	n.disk.ill.by[fills], n.disk.ill.failure = 0, errFull
	if n.syncs() {
		t.Error("a disk that has failed syncs")
	}
	n.disk.ill.failure, n.disk.ill.by[stalls] = nil, 1
	if n.syncs() {
		t.Error("a disk that is stuck syncs")
	}
}
