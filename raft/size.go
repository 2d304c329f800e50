package raft

// Sizes in bytes under the encoding of [protocols.WireSize]: fixed widths, and
// four bytes of length before the entries.
const (
	sizeOfEntry = 8 + 2 + 1 + 1 + 4 + 8 + 8 + 8 // Term; Client, Kind, Op, Key, Seq, Arg, Old
)

// sizeOf returns the size of entries with what their values take.
func sizeOf(entries []Entry) int {
	size := sizeOfEntry * len(entries)
	for i := range entries {
		size += int(entries[i].Command.Payload)
	}
	return size
}

// Size implements [protocols.Sized].
func (*RequestVote) Size() int { return 24 }

// Size implements [protocols.Sized].
func (*RequestVoteResponse) Size() int { return 11 }

// Size implements [protocols.Sized].
func (*PreVote) Size() int { return 24 }

// Size implements [protocols.Sized].
func (*PreVoteResponse) Size() int { return 9 }

// Size implements [protocols.Sized].
func (m *AppendEntries) Size() int { return 36 + sizeOf(m.Entries) }

// Size implements [protocols.Sized].
func (*AppendEntriesResponse) Size() int { return 41 }

// Size implements [protocols.Sized].
func (*Heartbeat) Size() int { return 24 }

// Size implements [protocols.Sized].
func (*HeartbeatResponse) Size() int { return 16 }

// Size implements [protocols.Sized].
func (*HardState) Size() int { return 10 }

// Size implements [protocols.Sized].
func (r *Append) Size() int { return 12 + sizeOf(r.Entries) }
