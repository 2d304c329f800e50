package scenarios_test

import (
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// damaged is a plan in which a committed entry rots on one disk while another node
// is cut off.
const damaged = `
name: damaged
workload: {clients: 3, keys: 3}
faults:
  - {at: 1500ms, for: 1500ms, partition: n3}
  - {at: 2s, for: 100ms, bit-rot: n2}
  - {at: 2500ms, for: 600ms, crash: n2}
  - {at: 2900ms, for: 1s, partition: n1}
for: 6s
`

// A node that refuses a damaged disk stays down, which is seen and is no violation;
// one that cuts its log there loses what was committed.
func TestCuttingTheLogAtDamageIsCaught(t *testing.T) {
	for protocol, bug := range map[string]string{"raft": "R-51", "vr": "V-17"} {
		p := named(t, protocol)
		for seed := uint64(1); seed <= 3; seed++ {
			r := runText(t, damaged, p, seed)
			if r.Verdict != checker.OK || !strings.Contains(r.Faults[1].How, "{n2} did not boot from it") {
				t.Errorf("%s; %s", r, r.Faults[1].How)
			}
			r = runText(t, damaged+"parameters: {"+protocol+": {bugs: ["+bug+"]}}\n", p, seed)
			if r.Verdict != checker.Violation {
				t.Errorf("%s: not caught: %s", bug, r)
			}
		}
	}
}

func runText(t *testing.T, text string, p *protocols.Protocol, seed uint64) *scenarios.Result {
	t.Helper()
	sc, _, err := scenarios.Parse("x", []byte(text), all.List())
	if err != nil {
		t.Fatal(err)
	}
	return scenarios.Run(sc, p, seed, scenarios.Options{})
}

// careless wraps a node that does not hear of failures of its disk.
type careless struct{ protocols.Node }

func (c careless) Step(ev *protocols.Event, out *protocols.Effects) {
	if ev.Kind != protocols.DiskFailed {
		c.Node.Step(ev, out)
	}
}

// A node that goes on after a failed fsync claims, after the next one that succeeds,
// what no disk has.
func TestIgnoringAFailedFsyncIsCaught(t *testing.T) {
	text := `
name: careless
workload: {clients: 5, keys: 3}
disk: {fsync: 1ms..2ms}
faults: [{at: 1500ms, for: 2s, fsync-error: {target: all, probability: 5%}}]
for: 5s
checks: {liveness: off}
`
	for _, p := range all.List() {
		broken := *p
		broken.Invariants = nil // they look into the protocol's own node
		broken.New = func(cfg protocols.Config, disk protocols.Recovered) (protocols.Node, error) {
			n, err := p.New(cfg, disk)
			return careless{n}, err
		}
		r := runText(t, text, &broken, 1)
		if r.Verdict != checker.Violation || r.Check != checker.CheckDur {
			t.Errorf("%s: want %s, got %s", p.Name, checker.CheckDur, r)
		}
		if r = runText(t, text, p, 1); r.Verdict != checker.OK {
			t.Errorf("%s", r)
		}
	}
}

// leases is a plan in which a leader is cut off from the others while clients still
// reach it. Its clock is slow by %s and theirs are fast by as much.
func leases(kind, drift string) string {
	plan := `
name: leases
parameters:
  raft: {reads: lease, max_drift: 100000000}
  paxos: {reads: lease, max_drift: 100000000}
  vr: {reads: lease, max_drift: 100000000}
  primarybackup: {reads: lease, max_drift: 100000000}
clock: {drift: 10%}
workload: {clients: 20, keys: 1, mix: {get: 95%, put: 5%}, think: 5ms..15ms, timeout: 60ms}
faults:
`
	for _, at := range []string{"1500ms", "3500ms", "5500ms"} {
		plan += "  - {at: " + at + ", for: 1500ms, " + kind + ": {target: others of leader, drift: " + drift + "}}\n"
		plan += "  - {at: " + at + ", for: 1500ms, " + kind + ": {target: leader, drift: -" + drift + "}}\n"
		plan += "  - {at: " + at + ", for: 1500ms, partition: leader}\n"
	}
	return plan + "for: 8s\n"
}

// Leases hold while clocks keep to the bound that they were told, and break beyond
// it: then a read is stale.
func TestLeasesHoldWithinTheirBound(t *testing.T) {
	seeds := uint64(40)
	if testing.Short() {
		seeds = 8
	}
	for _, p := range all.List() {
		for seed := uint64(1); seed <= seeds; seed++ {
			if r := runText(t, leases("clock", "10%"), p, seed); r.Verdict != checker.OK {
				t.Errorf("within the bound: %s", r)
			}
		}
		stale := 0
		for seed := uint64(1); seed <= 20; seed++ {
			r := runText(t, leases("skew", "50%")+"checks: {R-I10: off, R-I12: off, PX-I6: off, PX-I7: off, VR-I9: off, VR-I11: off, PB-I7: off, PB-I8: off}\n", p, seed)
			if r.Verdict != checker.OutsideModel {
				t.Errorf("beyond the bound: %s", r)
			}
			for _, v := range r.Violations {
				if v.Check == scenarios.CheckLinearizability {
					stale++
					break
				}
			}
		}
		t.Logf("%s: %d of 20 runs beyond the bound have a stale read", p.Name, stale)
		if stale == 0 {
			t.Errorf("%s: no stale read beyond the bound", p.Name)
		}
	}
}

// A scenario whose clocks drift more than its leases rest on is refused.
func TestLeasesWantTheClocksBound(t *testing.T) {
	text := "name: x\nclock: {drift: 600ppm}\nparameters: {raft: {reads: lease}}\n"
	_, _, err := scenarios.Parse("x", []byte(text), all.List())
	if err == nil || !strings.Contains(err.Error(), "clocks may drift by 600ppm, but the parameters of raft rely on at most 500ppm") || !strings.Contains(err.Error(), "x:2:") {
		t.Errorf("got %v", err)
	}
	text = strings.Replace(text, "lease}", "lease, max_drift: 600000}", 1)
	if _, _, err := scenarios.Parse("x", []byte(text), all.List()); err != nil {
		t.Error(err)
	}
}
