package raft

import "github.com/lockstep-sim/lockstep/protocols"

// Sizes in bytes under the encoding of [protocols.WireSize]: fixed widths, and
// four bytes of length before the entries.
const (
	sizeOfEntry = 8 + 2 + 1 + 1 + 4 + 8 + 8 + 8 + 1 // Term; Client, Kind, Op, Key, Seq, Arg, Old; no Configuration
)

// sizeOf is that of entries without their length, with what their values take.
func sizeOf(entries []Entry) int {
	size := sizeOfEntry * len(entries)
	for i := range entries {
		size += entries[i].Configuration.size() - 1 + int(entries[i].Command.Payload)
	}
	return size
}

// size is that of a pointer to a configuration, and of what it points to.
func (c *Configuration) size() int {
	if c == nil {
		return 1
	}
	return 1 + 3*16 + 4 + (2+8)*len(c.Disks)
}

// size is that of a pointer to a checkpoint, and of what it points to. Only the state
// machine knows how large its state is.
func (c *Checkpoint) size() int {
	if c == nil {
		return 1
	}
	size := 1 + 8 + 8 + c.Configuration.size() + 1
	if c.State != nil {
		size += protocols.ReflectedSize(c.State)
	}
	return size
}

// Size implements [protocols.Sized].
func (*RequestVote) Size() int { return 25 }

// Size implements [protocols.Sized].
func (*RequestVoteResponse) Size() int { return 11 }

// Size implements [protocols.Sized].
func (*PreVote) Size() int { return 24 }

// Size implements [protocols.Sized].
func (*PreVoteResponse) Size() int { return 9 }

// Size implements [protocols.Sized].
func (m *AppendEntries) Size() int { return 36 + sizeOf(m.Entries) }

// Size implements [protocols.Sized].
func (*AppendEntriesResponse) Size() int { return 49 }

// Size implements [protocols.Sized].
func (*Heartbeat) Size() int { return 32 }

// Size implements [protocols.Sized].
func (*HeartbeatResponse) Size() int { return 24 }

// Size implements [protocols.Sized].
func (m *InstallSnapshot) Size() int {
	return 33 + m.LastConfig.size() + protocols.ReflectedSize(m.Data)
}

// Size implements [protocols.Sized].
func (*InstallSnapshotResponse) Size() int { return 32 }

// Size implements [protocols.Sized].
func (*TimeoutNow) Size() int { return 8 }

// Size implements [protocols.Sized].
func (*ReadIndex) Size() int { return 16 }

// Size implements [protocols.Sized].
func (*ReadIndexResponse) Size() int { return 24 }

// Size implements [protocols.Sized].
func (r *Snapshot) Size() int { return 10 + 8 + r.Checkpoint.size() + 4 + sizeOf(r.Entries) }

// Size implements [protocols.Sized].
func (*Wiped) Size() int { return 8 }

// Size implements [protocols.Sized].
func (*HardState) Size() int { return 10 }

// Size implements [protocols.Sized].
func (r *Append) Size() int { return 12 + sizeOf(r.Entries) }
