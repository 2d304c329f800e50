package sim

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/lockstep-sim/lockstep/protocols"
)

// What a link has beyond latency, loss, duplication and order: a bounded rate with
// a queue, jitter that stays for a while, damage, and replays of what it carried
// long ago.

// Uses of the stream that a link has for these, by message; jitter that lasts has
// draws by slice of time instead.
const (
	drawCorrupt = iota
	drawReplay
	drawReplayAge
	drawJitter
	drawMoreUses
)

// Streams within a link's stream.
const (
	subMore   = iota + 1 // by message and use
	subJitter            // by slice of time; draw 0 is where slices begin
)

// resetNetwork makes the links, and says what depends on sizes.
func (w *World) resetNetwork() {
	cfg := &w.cfg
	w.links.reset(cfg, len(w.nodes), len(w.clients)+len(w.subscribers))
	w.place()
	w.behaviours = behavioursOf(w.behaviours[:0], &cfg.Network)
	w.computes = cfg.CPU.on() && !cfg.Scripted
	w.weighs = w.computes && cfg.CPU.Kilobyte > 0
	for _, b := range w.behaviours {
		w.weighs = w.weighs || b.Bandwidth > 0
	}
	for i := range cfg.Phases {
		for _, b := range behavioursOf(nil, &cfg.Phases[i].Network) {
			w.weighs = w.weighs || b.Bandwidth > 0
		}
	}
	for i := range cfg.Faults {
		w.weighs = w.weighs || cfg.Faults[i].Kind == protocols.FaultBandwidth
	}
	w.requestSize = 0
	if w.weighs {
		w.requestSize = uint64(protocols.WireSize(protocols.Command{}))
	}
	w.narrow, w.clogged, w.freed = 0, w.clogged[:0], w.freed[:0]
}

// behavioursOf appends how links behave, in the order of their numbers.
func behavioursOf(list []behaviour, n *Network) []behaviour {
	list = append(list, behaviourOf(n.Between), behaviourOf(n.Client), behaviourOf(healed))
	for _, r := range n.Links {
		list = append(list, behaviourOf(r.Link))
	}
	return list
}

// carry lets message k leave l when the link is free, jitters it, and decides
// whether it is damaged or comes again. It returns when it has left, jitter included.
func (w *World) carry(l *link, b *behaviour, k uint64, from, to protocols.NodeID, leaves protocols.Time, size uint64, p *passage) protocols.Time {
	leaves, ok := w.transmit(l, b, from, to, leaves, size)
	if !ok {
		w.stats.Overflowed++
		p.fate = overflowed
		return leaves
	}
	if !b.more {
		return leaves
	}
	draws := l.stream.sub(subMore)
	if b.Corrupt > 0 && b.Corrupt.hit(draws.at(k*drawMoreUses+drawCorrupt)) {
		w.stats.Corrupted++
		p.fate = corrupted
		return leaves
	}
	if b.Replay > 0 && b.Replay.hit(draws.at(k*drawMoreUses+drawReplay)) {
		p.replayAt = replayAfter(draws.at(k*drawMoreUses+drawReplayAge), b.ReplayAge)
	}
	switch {
	case b.Jitter.Zero():
	case b.Correlation == 0:
		leaves = leaves.Add(b.Jitter.Draw(draws.at(k*drawMoreUses + drawJitter)))
	default:
		slices := l.stream.sub(subJitter)
		phase := below(slices.at(0), uint64(b.Correlation))
		leaves = leaves.Add(b.Jitter.Draw(slices.at(1 + (uint64(w.now)+phase)/uint64(b.Correlation))))
	}
	return leaves
}

// replayAfter draws how long after a message its replay arrives: at least 1 ns.
func replayAfter(u uint64, age protocols.Duration) protocols.Time {
	if age == 0 {
		age = DefaultReplayAge
	}
	return protocols.Time(1 + below(u, uint64(age)))
}

// replayed is the stamp of a replay. It has lain somewhere in the network: cuts of
// the link before its arrival do not matter to it.
const replayed = ^uint32(0)

// severs reports whether a message whose stamp is not the link's count of cuts is
// lost.
func (l *link) severs(stamp uint32) bool {
	return stamp != replayed || l.cut > 0 && !l.clean
}

// transmit returns when a message has left that may leave now at the earliest, or
// false where the queue before the link has no room for it. The tightest of the
// link's own bounds and those of faults holds.
func (w *World) transmit(l *link, b *behaviour, from, to protocols.NodeID, leaves protocols.Time, size uint64) (protocols.Time, bool) {
	rate, room, by, full := b.Bandwidth, b.Queue, -1, -1
	if l.faulty > 0 && !l.clean && w.narrow > 0 {
		for _, i := range w.linkFaults {
			f := &w.faults[i]
			if f.Fault.Kind != protocols.FaultBandwidth || !f.touches(from, to) {
				continue
			}
			if rate == 0 || f.Fault.Rate < rate {
				rate, by = f.Fault.Rate, i
			}
			if f.Fault.Queue > 0 && (room == 0 || f.Fault.Queue < room) {
				room, full = f.Fault.Queue, i
			}
		}
	}
	if rate == 0 {
		return leaves, true
	}
	start := max(leaves, l.free)
	if waiting := proportion(uint64(start-leaves), uint64(rate), billion); room > 0 && waiting+size > uint64(room) {
		if full = max(full, by); full >= 0 {
			w.hit(full, 1)
		}
		return leaves, false
	}
	if start > leaves {
		w.stats.Queued++
	}
	if by >= 0 {
		w.hit(by, 1)
	}
	l.free = min(start+protocols.Time(proportion(size, billion, uint64(rate))), beyond)
	return l.free, true
}

// beyond is later than any run ends, and far from the largest time.
const beyond = protocols.Time(1 << 62)

// proportion returns a·b/c rounded up, or the longest time where it is longer.
func proportion(a, b, c uint64) uint64 {
	const most = uint64(MaxDist)
	hi, lo := bits.Mul64(a, b)
	if hi >= c {
		return most
	}
	q, r := bits.Div64(hi, lo, c)
	if r > 0 {
		q++
	}
	return min(q, most)
}

// Bounds of what a link carries: a terabyte a second, and as much before it.
const maxRate, maxQueue = 1_000_000_000_000, 1_000_000_000_000

// checkTraffic says what is wrong with l beyond latency, loss and duplication.
func checkTraffic(l *Link) error {
	switch err := l.Jitter.Validate(); {
	case err != nil:
		return fmt.Errorf("jitter: %w", err)
	case l.Correlation < 0 || l.Correlation > MaxDist:
		return fmt.Errorf("correlation %s is outside 0s..%s", FormatDuration(l.Correlation), FormatDuration(MaxDist))
	case !l.Corrupt.valid() || !l.Replay.valid():
		return fmt.Errorf("corrupt %s and replay %s must be within 0%%..100%%", l.Corrupt, l.Replay)
	case l.ReplayAge < 0 || l.ReplayAge > MaxDist:
		return fmt.Errorf("replay age %s is outside 0s..%s", FormatDuration(l.ReplayAge), FormatDuration(MaxDist))
	case l.Bandwidth < 0 || l.Bandwidth > maxRate || l.Queue < 0 || l.Queue > maxQueue:
		return fmt.Errorf("bandwidth %d B/s and queue %d B: want at most %d and %d", l.Bandwidth, l.Queue, int64(maxRate), int64(maxQueue))
	case l.Queue > 0 && l.Bandwidth == 0:
		return errors.New("a queue needs a bandwidth")
	}
	return nil
}
