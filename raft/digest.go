package raft

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

// hash digests an entry, its term included.
func (e *Entry) hash() uint64 {
	c := &e.Command
	h := fold3(e.Term, uint64(c.Client), c.Seq)
	h = fold3(h, uint64(c.Kind)<<40|uint64(c.Op)<<32|uint64(c.Key), uint64(c.Arg))
	if e.Configuration != nil {
		h = e.Configuration.fold(h)
	}
	return protocols.Mix64(fold2(h, uint64(c.Old)))
}

// digest tells configurations apart.
func (c *Configuration) digest() uint64 { return c.fold(protocols.HashSeed) }

func (c *Configuration) fold(h uint64) uint64 {
	h = foldSet(foldSet(foldSet(h, c.Voters), c.Outgoing), c.Learners)
	for _, d := range c.Disks {
		h = fold3(h, uint64(d.Node), d.Number)
	}
	return fold2(h, uint64(len(c.Disks)))
}

// Digest implements [protocols.Digested].
func (m *RequestVote) Digest() uint64 {
	return fold2(fold3(m.Term, uint64(m.LastLogIndex), m.LastLogTerm), bit(m.LeadershipTransfer))
}

// Digest implements [protocols.Digested].
func (m *RequestVoteResponse) Digest() uint64 {
	return fold3(m.Term, bit(m.VoteGranted), uint64(m.CandidateID))
}

// Digest implements [protocols.Digested].
func (m *PreVote) Digest() uint64 {
	return fold3(m.Term, uint64(m.LastLogIndex), m.LastLogTerm)
}

// Digest implements [protocols.Digested].
func (m *PreVoteResponse) Digest() uint64 { return fold2(m.Term, bit(m.VoteGranted)) }

// Digest implements [protocols.Digested].
func (m *AppendEntries) Digest() uint64 {
	h := fold3(m.Term, uint64(m.PrevLogIndex), m.PrevLogTerm)
	h = fold3(h, uint64(m.LeaderCommit), uint64(len(m.Entries)))
	for i := range m.Entries {
		h = fold2(h, m.Entries[i].hash())
	}
	return h
}

// Digest implements [protocols.Digested].
func (m *AppendEntriesResponse) Digest() uint64 {
	h := fold3(m.Term, bit(m.Success), uint64(m.MatchIndex))
	return fold3(fold3(h, m.MatchTerm, m.ConflictTerm), uint64(m.ConflictIndex), m.Disk)
}

// Digest implements [protocols.Digested].
func (m *Heartbeat) Digest() uint64 {
	return fold2(fold3(m.Term, uint64(m.Commit), m.Round), m.Disk)
}

// Digest implements [protocols.Digested].
func (m *HeartbeatResponse) Digest() uint64 { return fold3(m.Term, m.Round, m.Disk) }

// Digest implements [protocols.Digested]. The rows follow from index and offset.
func (m *InstallSnapshot) Digest() uint64 {
	h := fold3(m.Term, uint64(m.LastIncludedIndex), m.LastIncludedTerm)
	if m.LastConfig != nil {
		h = m.LastConfig.fold(h)
	}
	return fold3(fold2(h, m.Offset), m.Data.Rows(), bit(m.Done))
}

// Digest implements [protocols.Digested].
func (m *InstallSnapshotResponse) Digest() uint64 {
	return fold3(fold2(m.Term, uint64(m.LastIncludedIndex)), m.Offset, m.Disk)
}

// Digest implements [protocols.Digested].
func (m *TimeoutNow) Digest() uint64 { return protocols.Mix64(m.Term) }

// Digest implements [protocols.Digested].
func (m *ReadIndex) Digest() uint64 { return fold2(m.Term, m.ID) }

// Digest implements [protocols.Digested].
func (m *ReadIndexResponse) Digest() uint64 { return fold3(m.Term, m.ID, uint64(m.Index)) }
