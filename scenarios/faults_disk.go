package scenarios

import (
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// nodeFaultKinds are the rows of the faults of processes, disks and clocks that
// need more than a target and an interval of the plain ones.
func nodeFaultKinds() []faultKind {
	only := func(kind protocols.FaultKind, example string) faultKind {
		return faultKind{kind: kind, example: example, fields: []field[sim.Fault]{targetField()}, short: shortForm("target", targetOf, target())}
	}
	certain := func(f *sim.Fault) { f.Prob = sim.Always }
	return []faultKind{
		{
			kind: protocols.FaultStrobe, example: "{at: 2s, for: 3s, strobe: {target: n1, step: 200ms, every: 10ms}}",
			fields: []field[sim.Fault]{targetField(),
				key("step", "How far the wall clock jumps ahead, or with a minus back, before it jumps to where it was.", func(f *sim.Fault) *protocols.Duration { return &f.Step }, signedSpan()),
				key("every", "Time between two jumps, from 1ms; without it 10ms.", func(f *sim.Fault) *protocols.Duration { return &f.Every }, span(time.Millisecond, sim.MaxDist))},
			set: func(f *sim.Fault) { f.Every = 10 * time.Millisecond },
		},
		{
			kind: protocols.FaultPowerLoss, target: "all services", example: "{at: 2s, for: 500ms, power-loss: all services}",
			fields: []field[sim.Fault]{targetField()}, short: shortForm("target", targetOf, target()),
		},
		only(protocols.FaultWipe, "{at: 2s, for: 500ms, wipe: n3}"),
		{
			kind: protocols.FaultAttrition, target: "all", example: "{at: 1s, for: 5s, attrition: {target: all, every: 4s, down: 50ms..300ms}}",
			fields: []field[sim.Fault]{targetField(),
				key("every", "Mean time between two crashes of a node whose disk is idle, from 1ms; a tenth of it while a write is not durable. Without it 5s.", func(f *sim.Fault) *protocols.Duration { return &f.Every }, span(time.Millisecond, sim.MaxDist)),
				key("down", "How long a crash lasts; without it 50ms..500ms.", func(f *sim.Fault) *sim.Dist { return &f.Down }, distribution())},
			short: shortForm("target", targetOf, target()),
			set: func(f *sim.Fault) {
				f.Every, f.Down = 5*time.Second, sim.Between(50*time.Millisecond, 500*time.Millisecond)
			},
		},
		{
			kind: protocols.FaultCrashPoint, example: "{at: 2s, for: 2s, crash-point: {target: n2, point: before sync, count: 3}}",
			fields: []field[sim.Fault]{targetField(),
				key("point", "When: before or after a persist, sync, send, leader-change, view-change or apply of the target.", func(f *sim.Fault) *sim.CrashPoint { return &f.Point }, crashPoint()),
				key("count", "At which time, counted from when the fault strikes; without it the first.", func(f *sim.Fault) *int { return &f.Nth }, whole[int](1, 1_000_000))},
			set: func(f *sim.Fault) { f.Nth = 1 },
		},
		{
			kind: protocols.FaultSlowNode, example: "{at: 2s, for: 3s, slow-node: {target: leader, factor: 50}}",
			fields: []field[sim.Fault]{targetField(), key("factor", "How many times slower, 2..1000, in units of 10us for each step; without it 10.", func(f *sim.Fault) *int64 { return &f.Factor }, whole[int64](2, 1000))},
			short:  shortForm("target", targetOf, target()),
			set:    func(f *sim.Fault) { f.Factor = 10 },
		},
		only(protocols.FaultStall, "{at: 2s, for: 500ms, fsync-stall: leader}"),
		only(protocols.FaultTorn, "{at: 2s, for: 3s, torn-write: all}"),
		only(protocols.FaultReordered, "{at: 2s, for: 3s, reordered-writes: n2}"),
		{
			kind: protocols.FaultDiskError, example: "{at: 2s, for: 1s, fsync-error: {target: leader, probability: 10%}}",
			fields: []field[sim.Fault]{targetField(), key("probability", "Of each fsync; without it all fail.", probabilityOf, probability())},
			short:  shortForm("target", targetOf, target()),
			set:    certain,
		},
		only(protocols.FaultDiskFull, "{at: 2s, for: 1s, disk-full: n2}"),
		only(protocols.FaultLying, "{at: 2s, for: 3s, lying-fsync: n2}"),
		only(protocols.FaultCorrupt, "{at: 2s, for: 100ms, bit-rot: n2}"),
		only(protocols.FaultMisdirect, "{at: 2s, for: 1s, misdirected-write: n2}"),
	}
}

func crashPoint() codec[sim.CrashPoint] {
	var words []string
	for _, p := range sim.CrashPoints() {
		words = append(words, p.String())
	}
	return scalar("a crash point such as before sync", sim.ParseCrashPoint, sim.CrashPoint.String, object{"enum": words})
}

// nodeFaultStrength refuses a fault that lacks what makes it one.
func nodeFaultStrength(f *sim.Fault) string {
	switch {
	case f.Kind == protocols.FaultStrobe && f.Step == 0:
		return "want a step"
	case f.Kind == protocols.FaultCrashPoint && f.Point == 0:
		return "want a point such as before sync"
	case f.Kind == protocols.FaultDiskError && f.Prob == 0:
		return "want a probability above 0%"
	}
	return ""
}
