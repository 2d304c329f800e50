package paxos

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

func foldSet(h uint64, s protocols.NodeSet) uint64 {
	low, high := s.Words()
	return fold3(h, low, high)
}

// hash digests a value. The ballot is no part of it: one value may be accepted at
// several.
func (v *Value) hash() uint64 {
	h := v.Command.Hash()
	if !v.Members.Empty() {
		h = foldSet(h, v.Members)
	}
	return h
}

func foldPvalues(h uint64, list []Pvalue) uint64 {
	h = fold2(h, uint64(len(list)))
	for i := range list {
		p := &list[i]
		h = fold2(fold3(h, uint64(p.Slot), uint64(p.Ballot)), p.Value.hash())
	}
	return h
}

// hash digests what a checkpoint is about. Its state follows from Applied.
func (c *Checkpoint) hash() uint64 {
	if c == nil {
		return 0
	}
	h := fold3(1, uint64(c.Applied), uint64(len(c.Configurations)))
	for _, m := range c.Configurations {
		h = foldSet(fold2(h, uint64(m.From)), m.Members)
	}
	return h
}

// Digest implements [protocols.Digested].
func (m *Prepare) Digest() uint64 { return fold2(uint64(m.Ballot), uint64(m.First)) }

// Digest implements [protocols.Digested].
func (m *Promise) Digest() uint64 {
	return foldPvalues(fold3(uint64(m.Ballot), uint64(m.Executed), uint64(m.Compacted)), m.Accepted)
}

// Digest implements [protocols.Digested].
func (m *Accept) Digest() uint64 {
	return fold2(fold3(uint64(m.Ballot), uint64(m.Slot), uint64(m.Commit)), m.Value.hash())
}

// Digest implements [protocols.Digested].
func (m *Accepted) Digest() uint64 { return fold2(uint64(m.Ballot), uint64(m.Slot)) }

// Digest implements [protocols.Digested].
func (m *Nack) Digest() uint64 { return fold2(uint64(m.Ballot), uint64(m.Promised)) }

// Digest implements [protocols.Digested].
func (m *Decide) Digest() uint64 { return fold2(uint64(m.Ballot), uint64(m.Commit)) }

// Digest implements [protocols.Digested].
func (m *Heartbeat) Digest() uint64 { return fold3(uint64(m.Ballot), uint64(m.Commit), m.Round) }

// Digest implements [protocols.Digested].
func (m *HeartbeatResponse) Digest() uint64 {
	return fold3(uint64(m.Ballot), m.Round, uint64(m.Executed))
}

// Digest implements [protocols.Digested].
func (m *CatchupRequest) Digest() uint64 { return protocols.Mix64(uint64(m.First)) }

// Digest implements [protocols.Digested].
func (m *CatchupResponse) Digest() uint64 {
	h := fold2(fold3(m.Checkpoint.hash(), uint64(m.First), uint64(m.Executed)), uint64(len(m.Values)))
	for i := range m.Values {
		h = fold2(h, m.Values[i].hash())
	}
	return h
}
