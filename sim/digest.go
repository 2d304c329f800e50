package sim

import "github.com/lockstep-sim/lockstep/protocols"

// digest is a running hash over everything that happens: equal runs have equal
// digests on any machine. It is fast, not collision-resistant.
type digest uint64

func (d *digest) mix(x uint64) { *d = digest(protocols.Fold(uint64(*d), x)) }

// Digest returns a hash over every event so far and every node's state. Neither
// observers nor trace nor memory mode change it.
func (w *World) Digest() uint64 {
	d := w.digest
	d.mix(w.stats.Events)
	d.mix(uint64(w.now))
	for i := range w.nodes {
		n := &w.nodes[i]
		v := &n.view
		flags := uint64(v.Role) << 8
		if n.up {
			flags |= 1
		}
		if v.Leading {
			flags |= 2
		}
		lo, hi := v.Members.Words()
		for _, x := range [...]uint64{
			flags, uint64(n.life), n.disk.durable, n.disk.appended, v.Epoch, uint64(uint16(v.Leader)), uint64(v.Commit),
			uint64(v.Applied), uint64(v.First), uint64(v.Last), lo, hi, uint64(v.LeaseUntil), v.StateHash,
		} {
			d.mix(x)
		}
	}
	return uint64(d)
}

// Checkpoint is the digest over all events before one event.
type Checkpoint struct {
	Event  uint64
	Digest uint64
}

// maxCheckpoints bounds how many are kept. When there are as many, every second one
// goes, and from then on half as many are taken.
const maxCheckpoints = 64

// firstStride is how many events lie between two checkpoints at first.
const firstStride = 16

func (w *World) resetCheckpoints() {
	w.checkpoints, w.stride = nil, firstStride
	w.nextCheckpoint = 0 // never: events number from 1
	if w.cfg.Checkpoints {
		w.nextCheckpoint = firstStride
	}
	w.nextMark = w.nextCheckpoint
	if at := w.reseedAt(); at > 0 && (w.nextMark == 0 || at < w.nextMark) {
		w.nextMark = at
	}
}

// reseedAt is the event before which the seed changes; 0: none.
func (w *World) reseedAt() uint64 {
	if w.cfg.Reseed.After == 0 {
		return 0
	}
	return w.cfg.Reseed.After + 1
}

// mark does what is due before the event that begins, and finds out when it is next.
func (w *World) mark() {
	at := w.reseedAt()
	if w.seq == at {
		w.reseed(w.cfg.Reseed.Seed)
	}
	if w.seq == w.nextCheckpoint {
		w.takeCheckpoint()
	}
	w.nextMark = w.nextCheckpoint
	if at > w.seq && (w.nextMark == 0 || at < w.nextMark) {
		w.nextMark = at
	}
}

// takeCheckpoint keeps the digest before the event that begins.
func (w *World) takeCheckpoint() {
	w.checkpoints = append(w.checkpoints, Checkpoint{w.seq, uint64(w.digest)})
	if len(w.checkpoints) == maxCheckpoints {
		for i := range maxCheckpoints / 2 {
			w.checkpoints[i] = w.checkpoints[2*i+1]
		}
		w.checkpoints = w.checkpoints[:maxCheckpoints/2]
		w.stride *= 2
	}
	w.nextCheckpoint = w.seq - w.seq%w.stride + w.stride
}

// Checkpoints returns digests on the way, evenly spaced; empty without
// Config.Checkpoints. They are as unaffected by observers and trace as Digest.
func (w *World) Checkpoints() []Checkpoint { return w.checkpoints }
