package primarybackup

import "github.com/lockstep-sim/lockstep/protocols"

// digest folds words one by one. What a word means is given by its place.
type digest uint64

func newDigest() digest { return digest(protocols.HashSeed) }

func (d digest) word(x uint64) digest { return digest(protocols.Fold(uint64(d), x)) }

func (d digest) index(i protocols.Index) digest { return d.word(uint64(i)) }

func (d digest) flag(b bool) digest {
	if b {
		return d.word(1)
	}
	return d.word(0)
}

func (d digest) set(s protocols.NodeSet) digest {
	lo, hi := s.Words()
	return d.word(lo).word(hi)
}

func (d digest) life(l Life) digest { return d.word(l.Nonce).word(uint64(l.Since)) }

// hash digests an entry, epoch and effect included.
func (e *Entry) hash() uint64 {
	d := newDigest().word(e.Epoch).word(e.Command.Hash())
	if f := e.Effect; f != nil {
		d = d.word(f.Result.Hash())
		for _, c := range f.Changes {
			d = d.word(uint64(c.Kind)<<32 | uint64(c.Key)).word(uint64(c.Value))
		}
	}
	return protocols.Mix64(uint64(d))
}

// Digest implements [protocols.Digested].
func (m *Ping) Digest() uint64 {
	d := newDigest().life(m.Life).word(uint64(m.Sent)).word(uint64(m.Echo)).word(m.View).word(m.Holds)
	return uint64(d.word(m.LastEpoch).index(m.LastIndex).set(m.Suspects).set(m.Ready))
}

// Digest implements [protocols.Digested].
func (m *Acknowledge) Digest() uint64 {
	return uint64(newDigest().word(m.View).life(m.Life).word(m.StartEpoch).index(m.Start))
}

// Digest implements [protocols.Digested].
func (m *Announce) Digest() uint64 {
	d := newDigest().view(&m.View)
	return uint64(d.flag(m.Acked).set(m.Idle).word(uint64(m.Sent)).life(m.Life).word(uint64(m.Ping)).flag(m.Grant))
}

// Digest implements [protocols.Digested].
func (m *Replicate) Digest() uint64 {
	d := newDigest().word(m.Epoch).index(m.Start).index(m.PrevIndex).word(m.PrevEpoch).index(m.Commit).flag(m.Member).flag(m.Ack)
	d = d.word(uint64(len(m.Entries)))
	for i := range m.Entries {
		d = d.word(m.Entries[i].hash())
	}
	return uint64(d)
}

// Digest implements [protocols.Digested].
func (m *ReplicateResponse) Digest() uint64 {
	return uint64(newDigest().word(m.Epoch).flag(m.Success).index(m.Match).word(m.MatchEpoch).word(m.ConflictEpoch).index(m.ConflictIndex))
}

// Digest implements [protocols.Digested]. What the state is follows from its position.
func (m *State) Digest() uint64 {
	return uint64(newDigest().word(m.Epoch).index(m.Start).flag(m.Member).index(m.Position).word(m.PositionEpoch))
}

// Digest implements [protocols.Digested].
func (m *Heartbeat) Digest() uint64 {
	return uint64(newDigest().word(m.Epoch).index(m.Commit).index(m.Match).index(m.Sent))
}

// Digest implements [protocols.Digested].
func (m *HeartbeatResponse) Digest() uint64 { return uint64(newDigest().word(m.Epoch)) }

// Digest implements [protocols.Digested].
func (m *Progress) Digest() uint64 {
	return uint64(newDigest().word(m.Epoch).index(m.Match).word(m.MatchEpoch).index(m.Sent))
}

// Digest implements [protocols.Digested].
func (m *Confirm) Digest() uint64 { return uint64(newDigest().word(m.Epoch).word(m.Round)) }

// Digest implements [protocols.Digested].
func (m *ConfirmResponse) Digest() uint64 { return uint64(newDigest().word(m.Epoch).word(m.Round)) }
