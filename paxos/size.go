package paxos

import "github.com/lockstep-sim/lockstep/protocols"

// Sizes in bytes under the encoding of [protocols.WireSize]: fixed widths, four
// bytes of length before a slice, one before a pointer or interface.
const (
	sizeOfValue      = 2 + 1 + 1 + 4 + 8 + 8 + 8 + 16 // Client, Kind, Op, Key, Seq, Arg, Old; Members
	sizeOfPvalue     = 8 + 8 + sizeOfValue
	sizeOfMembership = 8 + 16
)

// sizeOfValues returns the size of values with what they take on the wire.
func sizeOfValues(values []Value) int {
	size := sizeOfValue * len(values)
	for i := range values {
		size += int(values[i].Command.Payload)
	}
	return size
}

// sizeOfPvalues is the same for values with slot and ballot.
func sizeOfPvalues(accepted []Pvalue) int {
	size := sizeOfPvalue * len(accepted)
	for i := range accepted {
		size += int(accepted[i].Value.Command.Payload)
	}
	return size
}

// Size implements [protocols.Sized].
func (*Prepare) Size() int { return 16 }

// Size implements [protocols.Sized].
func (m *Promise) Size() int { return 28 + sizeOfPvalues(m.Accepted) }

// Size implements [protocols.Sized].
func (m *Accept) Size() int { return 24 + sizeOfValue + int(m.Value.Command.Payload) }

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
	return m.Checkpoint.size() + 20 + sizeOfValues(m.Values)
}

// Size implements [protocols.Sized].
func (*Wiped) Size() int { return 0 }

// Size implements [protocols.Sized].
func (*Promised) Size() int { return 8 }

// Size implements [protocols.Sized].
func (r *AcceptedValue) Size() int { return sizeOfPvalue + 8 + int(r.Value.Command.Payload) }

// Size implements [protocols.Sized].
func (r *Learned) Size() int { return 12 + sizeOfValues(r.Values) }

// Size implements [protocols.Sized].
func (r *Snapshot) Size() int { return 9 + r.Checkpoint.size() + 4 + sizeOfPvalues(r.Accepted) }

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
