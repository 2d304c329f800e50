package vr

import "github.com/lockstep-sim/lockstep/protocols"

// fold2 and fold3 digest a few words. What a word means is given by its place.
func fold2(a, b uint64) uint64    { return protocols.Fold(a, b) }
func fold3(a, b, c uint64) uint64 { return protocols.Fold(protocols.Fold(a, b), c) }

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// hash digests an entry, the view of its assignment included.
func (e *Entry) hash() uint64 {
	c := &e.Command
	h := fold3(uint64(e.View), uint64(c.Client), c.Seq)
	h = fold3(h, uint64(c.Kind)<<40|uint64(c.Op)<<32|uint64(c.Key), uint64(c.Arg))
	h = fold2(h, uint64(c.Old))
	if !e.Members.Empty() {
		h = foldSet(h, e.Members)
	}
	return protocols.Mix64(h)
}

func foldEntries(h uint64, entries []Entry) uint64 {
	h = fold2(h, uint64(len(entries)))
	for i := range entries {
		h = fold2(h, entries[i].hash())
	}
	return h
}

func foldVector(h uint64, v []uint64) uint64 {
	h = fold2(h, uint64(len(v)))
	for _, x := range v {
		h = fold2(h, x)
	}
	return h
}

// fold digests a tail. Of a checkpoint the position is enough: the state at a
// position is the same wherever it comes from, and checked to be.
func (t *Tail) fold(h uint64) uint64 {
	h = foldEntries(fold2(h, uint64(t.After)), t.Entries)
	if b := t.base(); b != nil {
		h = fold2(h, uint64(b.op))
	}
	return h
}

// Digest implements [protocols.Digested].
func (m *Prepare) Digest() uint64 {
	return foldEntries(fold3(uint64(m.View), uint64(m.Op), uint64(m.Commit)), m.Entries)
}

// Digest implements [protocols.Digested].
func (m *PrepareOK) Digest() uint64 { return fold2(uint64(m.View), uint64(m.Op)) }

// Digest implements [protocols.Digested].
func (m *Commit) Digest() uint64 { return fold3(uint64(m.View), uint64(m.Commit), m.Round) }

// Digest implements [protocols.Digested].
func (m *CommitOK) Digest() uint64 { return fold3(uint64(m.View), m.Round, uint64(m.Op)) }

// Digest implements [protocols.Digested].
func (m *StartViewChange) Digest() uint64 { return foldVector(uint64(m.View), m.Vector) }

// Digest implements [protocols.Digested].
func (m *DoViewChange) Digest() uint64 {
	h := fold3(fold2(uint64(m.View), uint64(m.LastNormal)), uint64(m.Op), uint64(m.Commit))
	return foldVector(m.Log.fold(h), m.Vector)
}

// Digest implements [protocols.Digested].
func (m *StartView) Digest() uint64 {
	return m.Log.fold(fold3(uint64(m.View), uint64(m.Op), uint64(m.Commit)))
}

// Digest implements [protocols.Digested].
func (m *Recovery) Digest() uint64 { return foldVector(m.Nonce, m.Vector) }

// Digest implements [protocols.Digested].
func (m *RecoveryResponse) Digest() uint64 {
	h := fold3(fold3(uint64(m.View), m.Nonce, bit(m.Primary)), uint64(m.Op), uint64(m.Commit))
	h = foldSet(h, m.Members)
	return foldVector(m.Log.fold(h), m.Vector)
}

// Digest implements [protocols.Digested].
func (m *GetState) Digest() uint64 { return fold2(uint64(m.View), uint64(m.Op)) }

// Digest implements [protocols.Digested].
func (m *NewState) Digest() uint64 {
	return m.Log.fold(fold3(uint64(m.View), uint64(m.Op), uint64(m.Commit)))
}

// Digest implements [protocols.Digested].
func (m *StartEpoch) Digest() uint64 {
	return foldSet(foldSet(fold3(uint64(m.View), uint64(m.Op), uint64(m.Prepared)), m.Old), m.Members)
}

// Digest implements [protocols.Digested].
func (m *EpochStarted) Digest() uint64 { return fold2(uint64(m.View), uint64(m.Op)) }
