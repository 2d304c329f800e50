package sim

import "github.com/lockstep-sim/lockstep/protocols"

// networkFaults describes the kinds of fault that bend links without cutting them
// or losing anything on purpose.
func networkFaults() []FaultInfo {
	return []FaultInfo{
		{protocols.FaultClog, "hold back what arrives over the target's links until the end", "OneWay"},
		{protocols.FaultSwizzleClog, "clog the target's nodes one by one in the first half, and free them in another order in the second", "OneWay"},
		{protocols.FaultBandwidth, "let the target's links carry so many bytes a second, with a queue before each", "Rate, Queue, OneWay"},
		{protocols.FaultReplay, "deliver messages of the target's links once more, up to an age later, at random", "Prob, Age, OneWay"},
		{protocols.FaultCorruptMessage, "damage messages of the target's links at random: a checksum catches it, and they are dropped", "Prob, OneWay"},
	}
}

// describeNetwork names what a fault of the network was given beyond a direction, a
// probability and a latency.
func describeNetwork(f *Fault) (s string) {
	if f.Shape != Isolate {
		s += " " + f.Shape.String()
	}
	if !f.From.Empty() {
		s += " from " + f.From.String()
	}
	if f.Clients != BothSides {
		s += " clients " + f.Clients.String()
	}
	if f.Flap > 0 {
		s += " flapping every " + FormatDuration(f.Flap)
	}
	if f.Rate > 0 {
		s += " " + formatDecimal(f.Rate, 0) + "B/s"
	}
	if f.Queue > 0 {
		s += " queue " + formatDecimal(f.Queue, 0) + "B"
	}
	if f.Age > 0 {
		s += " age " + FormatDuration(f.Age)
	}
	return s
}

// resolvedFrom returns whom an isolating partition cuts its target off from; nil:
// everybody else.
func (w *World) resolvedFrom(f *fault) *Resolved {
	if f.Fault.From.Empty() {
		return nil
	}
	r, _ := w.resolveTarget(f.Fault.From, f, f.stream.sub(subFrom))
	return &r
}

// validateNetwork says what is wrong with a fault of the network, or with a fault
// that has what only those have.
func (f *Fault) validateNetwork(bad func(string, ...any) error) error {
	partition, two := f.Kind == protocols.FaultPartition, f.Shape != Ring && f.Shape != Star
	switch {
	case f.Shape > Star || f.Clients > SplitClients:
		return bad("%s and clients %s: want one of those that have a name", f.Shape, f.Clients)
	case !partition && (f.Shape != Isolate || !f.From.Empty() || f.Clients != BothSides || f.Flap != 0):
		return bad("only a partition has a shape, from, clients and flap")
	case f.Flap < 0 || f.Flap == 1 || f.Flap > MaxDist:
		return bad("flap %s: want 2ns to %s, or 0", FormatDuration(f.Flap), FormatDuration(MaxDist))
	case !f.From.Empty() && f.Shape != Isolate:
		return bad("from %s: only the shape isolate has it", f.From)
	case f.Clients != BothSides && (!two || !f.From.Empty()):
		return bad("clients %s: this one has no two sides", f.Clients)
	case f.OneWay != Both && (!two || f.Shape == Bridge):
		return bad("direction %s: a %s cuts both ways", f.OneWay, f.Shape)
	case f.Rate < 0 || f.Rate > maxRate || f.Queue < 0 || f.Queue > maxQueue:
		return bad("rate %d B/s and queue %d B: want at most %d and %d", f.Rate, f.Queue, int64(maxRate), int64(maxQueue))
	case f.Kind != protocols.FaultBandwidth && (f.Rate != 0 || f.Queue != 0):
		return bad("only a bandwidth fault has a rate and a queue")
	case f.Age < 0 || f.Age > MaxDist || f.Age != 0 && f.Kind != protocols.FaultReplay:
		return bad("age %s: only a replay has one, up to %s", FormatDuration(f.Age), FormatDuration(MaxDist))
	}
	switch f.Kind {
	case protocols.FaultBandwidth:
		if f.Rate == 0 {
			return bad("needs a rate above 0")
		}
	case protocols.FaultReplay, protocols.FaultCorruptMessage:
		if f.Prob == 0 {
			return bad("needs a probability above 0%%")
		}
	case protocols.FaultSwizzleClog:
		if f.For == Forever || f.For < 2 {
			return bad("needs an interval with an end: nodes are freed in its second half")
		}
	}
	return nil
}
