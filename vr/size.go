package vr

import "github.com/lockstep-sim/lockstep/protocols"

// Sizes in bytes under the encoding of [protocols.WireSize]: fixed widths, and four
// bytes of length before each list. A checkpoint, which is rare, is measured by
// reflection.
const (
	sizeOfCommand = 2 + 1 + 1 + 4 + 8 + 8 + 8 // Client, Kind, Op, Key, Seq, Arg, Old
	sizeOfSet     = 8 + 8
	sizeOfEntry   = 8 + sizeOfCommand + sizeOfSet
)

// sizeOf returns the size of entries with what their values take.
func sizeOf(entries []Entry) int {
	size := sizeOfEntry * len(entries)
	for i := range entries {
		size += int(entries[i].Command.Payload)
	}
	return size
}

func sizeOfBase(b any) int {
	if b == nil {
		return 1
	}
	return 2 + protocols.ReflectedSize(b)
}

func (t *Tail) size() int { return 8 + 4 + sizeOf(t.Entries) + sizeOfBase(t.Base) }

func sizeOfVector(v []uint64) int { return 4 + 8*len(v) }

// Size implements [protocols.Sized].
func (m *Prepare) Size() int { return 28 + sizeOf(m.Entries) }

// Size implements [protocols.Sized].
func (*PrepareOK) Size() int { return 16 }

// Size implements [protocols.Sized].
func (*Commit) Size() int { return 24 }

// Size implements [protocols.Sized].
func (*CommitOK) Size() int { return 24 }

// Size implements [protocols.Sized].
func (m *StartViewChange) Size() int { return 8 + sizeOfVector(m.Vector) }

// Size implements [protocols.Sized].
func (m *DoViewChange) Size() int { return 32 + m.Log.size() + sizeOfVector(m.Vector) }

// Size implements [protocols.Sized].
func (m *StartView) Size() int { return 24 + m.Log.size() }

// Size implements [protocols.Sized].
func (m *Recovery) Size() int { return 8 + sizeOfVector(m.Vector) }

// Size implements [protocols.Sized].
func (m *RecoveryResponse) Size() int { return 33 + sizeOfSet + m.Log.size() + sizeOfVector(m.Vector) }

// Size implements [protocols.Sized].
func (*GetState) Size() int { return 16 }

// Size implements [protocols.Sized].
func (m *NewState) Size() int { return 24 + m.Log.size() }

// Size implements [protocols.Sized].
func (*ViewState) Size() int { return 16 }

// Size implements [protocols.Sized].
func (r *Append) Size() int { return 12 + sizeOf(r.Entries) }

// Size implements [protocols.Sized].
func (r *Install) Size() int { return 20 + sizeOf(r.Entries) }

// Size implements [protocols.Sized].
func (r *Checkpoint) Size() int { return 16 + sizeOfBase(r.Base) + 4 + sizeOf(r.Entries) }

// Size implements [protocols.Sized].
func (*StartEpoch) Size() int { return 24 + 2*sizeOfSet }

// Size implements [protocols.Sized].
func (*EpochStarted) Size() int { return 16 }
