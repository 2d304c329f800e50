package scenarios

import (
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// partitionKind is the row of partitions, with all their shapes.
func partitionKind() faultKind {
	return faultKind{
		kind: protocols.FaultPartition, example: "{at: 2s, for: 1s, partition: {target: leader, direction: both}}",
		fields: []field[sim.Fault]{
			targetField(),
			unlessZero("shape", "isolate: the target is cut off. halves: it is in the smaller half. random: it and a random number of others are cut off. ring: each replica hears a different majority. bridge: the others are two halves that see the target and not each other. star: the others see the target only. Without a target, all but isolate take a random one.", func(f *sim.Fault) *sim.Shape { return &f.Shape }, shape()),
			unlessZero("from", "isolate: from whom the target is cut off; without it, from everybody else.", func(f *sim.Fault) *sim.Target { return &f.From }, target()),
			directionField(),
			unlessZero("clients", "Where the clients are: both sides (they reach everybody), with-majority (with the larger side) or split (each on a random side). Clients that the target names are on its side.", func(f *sim.Fault) *sim.ClientSide { return &f.Clients }, clientSide()),
			unlessZero("flap", "The partition opens and closes, half of this each: 600ms. Without it, it stays closed.", func(f *sim.Fault) *protocols.Duration { return &f.Flap }, span(0, sim.MaxDist)),
		},
		short: shortForm("target", targetOf, target()),
		after: func(given []string, f *sim.Fault) {
			if f.Shape != sim.Isolate && !slices.Contains(given, "target") {
				f.Target = Target("random")
			}
		},
	}
}

// networkKinds are the rows of what bends links.
func networkKinds() []faultKind {
	return []faultKind{
		{
			kind: protocols.FaultClog, example: "{at: 2s, for: 1s, clog: {target: leader, direction: in}}",
			fields: []field[sim.Fault]{targetField(), directionField()},
			short:  shortForm("target", targetOf, target()),
		},
		{
			kind: protocols.FaultSwizzleClog, target: "majority", example: "{at: 2s, for: 4s, swizzle-clog: majority}",
			fields: []field[sim.Fault]{targetField(), directionField()},
			short:  shortForm("target", targetOf, target()),
		},
		{
			kind: protocols.FaultBandwidth, target: "all", example: "{at: 2s, for: 3s, bandwidth: {target: leader, rate: 20kB/s, queue: 8kB}}",
			fields: []field[sim.Fault]{
				targetField(),
				key("rate", "What each link of the target carries: 20kB/s, 1Mbit/s.", rateOf, byteRate()),
				unlessZero("queue", "What may wait before each link; what finds no room is dropped. Without it, anything.", func(f *sim.Fault) *int64 { return &f.Queue }, byteSize()),
				directionField(),
			},
			short: shortForm("rate", rateOf, byteRate()),
		},
		{
			kind: protocols.FaultReplay, target: "all", example: "{at: 2s, for: 3s, replay: {target: all, probability: 5%, age: 3s}}",
			fields: []field[sim.Fault]{
				targetField(), probabilityField(),
				unlessZero("age", "How much later a replay arrives at most; without it 30s.", func(f *sim.Fault) *protocols.Duration { return &f.Age }, span(0, sim.MaxDist)),
				directionField(),
			},
			short: shortForm("probability", probabilityOf, probability()),
		},
		{
			kind: protocols.FaultCorruptMessage, target: "all", example: "{at: 2s, for: 3s, corrupt-message: {target: all, probability: 20%}}",
			fields: []field[sim.Fault]{targetField(), probabilityField(), directionField()},
			short:  shortForm("probability", probabilityOf, probability()),
		},
	}
}

func rateOf(f *sim.Fault) *int64 { return &f.Rate }

func shape() codec[sim.Shape] {
	return scalar("a shape", sim.ParseShape, sim.Shape.String, object{"enum": sim.ShapeNames()})
}

func clientSide() codec[sim.ClientSide] {
	return scalar("a side", sim.ParseClientSide, sim.ClientSide.String, object{"enum": sim.ClientSideNames()})
}

// completing is a mapping that runs the row's after once the keys are read.
func (k *faultKind) completing(d *decoder, n *yaml.Node, path string, given []string, f *sim.Fault) {
	if k.after != nil {
		k.after(given, f)
	}
}

// networkStrength refuses a fault of the network that cannot be.
func networkStrength(f *sim.Fault) error {
	switch f.Kind {
	case protocols.FaultPartition, protocols.FaultClog, protocols.FaultSwizzleClog, protocols.FaultBandwidth, protocols.FaultReplay, protocols.FaultCorruptMessage:
		return f.Validate(0)
	}
	return nil
}
