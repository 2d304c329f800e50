package paxos

import "github.com/lockstep-sim/lockstep/protocols"

// Sizes in bytes under the encoding of [protocols.WireSize]: fixed widths, four
// bytes of length before a slice, one before a pointer or interface.
const (
	sizeOfValue      = 2 + 1 + 1 + 4 + 8 + 8 + 8 + 16 // Client, Kind, Op, Key, Seq, Arg, Old; Members
	sizeOfPvalue     = 8 + 8 + sizeOfValue
	sizeOfMembership = 8 + 16
)

// Size implements [protocols.Sized].
func (*Prepare) Size() int { return 16 }

// Size implements [protocols.Sized].
func (m *Promise) Size() int { return 28 + sizeOfPvalue*len(m.Accepted) }

// Size implements [protocols.Sized].
func (*Accept) Size() int { return 24 + sizeOfValue }

// Size implements [protocols.Sized].
func (*Accepted) Size() int { return 16 }

// Size implements [protocols.Sized].
func (*Nack) Size() int { return 16 }

// Size implements [protocols.Sized].
func (*Decide) Size() int { return 16 }

// Size implements [protocols.Sized].
func (*Heartbeat) Size() int { return 24 }

// Size implements [protocols.Sized].
func (*HeartbeatResponse) Size() int { return 24 }

// Size implements [protocols.Sized].
func (*CatchupRequest) Size() int { return 8 }

// Size implements [protocols.Sized].
func (m *CatchupResponse) Size() int {
	return m.Checkpoint.size() + 20 + sizeOfValue*len(m.Values)
}

// Size implements [protocols.Sized].
func (*Wiped) Size() int { return 0 }

// Size implements [protocols.Sized].
func (*Promised) Size() int { return 8 }

// Size implements [protocols.Sized].
func (*AcceptedValue) Size() int { return sizeOfPvalue + 8 }

// Size implements [protocols.Sized].
func (r *Learned) Size() int { return 12 + sizeOfValue*len(r.Values) }

// Size implements [protocols.Sized].
func (r *Snapshot) Size() int { return 9 + r.Checkpoint.size() + 4 + sizeOfPvalue*len(r.Accepted) }

// size is that of a pointer to a checkpoint, and of what it points to. Only the
// state machine knows how large its state is.
func (c *Checkpoint) size() int {
	if c == nil {
		return 1
	}
	state := 1
	if c.State != nil {
		state += protocols.ReflectedSize(c.State)
	}
	return 1 + 8 + state + 4 + sizeOfMembership*len(c.Configurations)
}
