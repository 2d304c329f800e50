package primarybackup

import "github.com/lockstep-sim/lockstep/protocols"

// Sizes in bytes under the encoding of [protocols.WireSize]: fixed widths, and four
// bytes of length before each list. State and Checkpoint, which are rare, are
// measured by reflection.
const (
	sizeOfCommand = 2 + 1 + 1 + 4 + 8 + 8 + 8 // Client, Kind, Op, Key, Seq, Arg, Old
	sizeOfChange  = 1 + 4 + 8                 // Kind, Key, Value
	sizeOfEffect  = 1 + 1 + 8 + 8 + 4 + 1 + 4 // Status, Swapped, Value, Position, List, Follow; Changes
	sizeOfSet     = 16
	sizeOfLife    = 16
	sizeOfView    = 8 + 2 + sizeOfLife + sizeOfSet
)

// sizeOf returns the size of a list of entries with its length.
func sizeOf(entries []Entry) int {
	size := 4
	for i := range entries {
		size += 8 + sizeOfCommand + 1 + int(entries[i].Command.Payload)
		if f := entries[i].Effect; f != nil {
			size += sizeOfEffect + 8*len(f.Result.List) + sizeOfChange*len(f.Changes)
			if f.Result.Follow != nil { // no write has one
				size += protocols.ReflectedSize(f.Result.Follow)
			}
		}
	}
	return size
}

// Size implements [protocols.Sized].
func (*Ping) Size() int { return sizeOfLife + 6*8 + 2*sizeOfSet }

// Size implements [protocols.Sized].
func (*Acknowledge) Size() int { return sizeOfLife + 3*8 }

// Size implements [protocols.Sized].
func (*Announce) Size() int { return sizeOfView + 1 + sizeOfSet + 8 + sizeOfLife + 8 + 1 }

// Size implements [protocols.Sized].
func (m *Replicate) Size() int { return 5*8 + 2 + sizeOf(m.Entries) }

// Size implements [protocols.Sized].
func (*ReplicateResponse) Size() int { return 41 }

// Size implements [protocols.Sized].
func (*Heartbeat) Size() int { return 32 }

// Size implements [protocols.Sized].
func (*HeartbeatResponse) Size() int { return 8 }

// Size implements [protocols.Sized].
func (*Progress) Size() int { return 32 }

// Size implements [protocols.Sized].
func (*Confirm) Size() int { return 16 }

// Size implements [protocols.Sized].
func (*ConfirmResponse) Size() int { return 16 }

// Size implements [protocols.Sized].
func (*ViewState) Size() int { return sizeOfView + 8 + sizeOfSet }

// Size implements [protocols.Sized].
func (*Promise) Size() int { return 16 }

// Size implements [protocols.Sized].
func (r *Append) Size() int { return 8 + sizeOf(r.Entries) }

// Size implements [protocols.Sized].
func (*Rewind) Size() int { return 8 }
