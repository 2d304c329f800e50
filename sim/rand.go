package sim

import (
	"math/bits"

	"github.com/lockstep-sim/lockstep/protocols"
)

// golden is 2^64 divided by the golden ratio: the step of SplitMix64.
const golden = 0x9E3779B97F4A7C15

// at is draw k of a stream: a pure function of (seed, stream, k), so that one
// more draw in one place never shifts a draw elsewhere.
func at(seed, stream, k uint64) uint64 { return streamBase(seed, stream).at(k) }

// base is what at computes once per stream.
type base uint64

func streamBase(seed, stream uint64) base {
	return base(protocols.Mix64(seed ^ protocols.Mix64(stream+golden)))
}

// at returns draw k.
func (b base) at(k uint64) uint64 { return protocols.Mix64(uint64(b) + k*golden) }

// sub derives a stream within the stream, named by n.
func (b base) sub(n uint64) base { return streamBase(uint64(b), n) }

// below maps a random word to 0..n-1 by one multiplication. There is no
// rejection loop, so that every decision costs exactly one draw; the bias is at
// most n/2^64.
func below(u, n uint64) uint64 {
	hi, _ := bits.Mul64(u, n)
	return hi
}

// stream is a stream with a position, for what draws in order.
type stream struct {
	base base
	k    uint64
}

// next returns the next draw.
func (s *stream) next() uint64 {
	s.k++
	return s.base.at(s.k - 1)
}

// purpose separates the streams of different kinds of entity. Faults have the
// topmost number: a stream is named purpose<<48 | entity, so nothing that is
// added to a plan can collide with another purpose.
type purpose uint64

const (
	ofLink       purpose = iota + 1 // entity: index of the directed link; draws by message number
	ofDisk                          // entity: node
	ofTimer                         // entity: node<<8 | timer
	ofClock                         // entity: node
	ofClient                        // entity: client
	ofWorkload                      // arrivals of the open loop
	ofCore                          // the choice of the healed core
	ofNonce                         // entity: node; draws by life
	ofSubscriber                    // entity: number of the subscriber, with one stream within for whom it asks and one for its restarts
	ofPayload                       // entity: client; draws by request
	ofFault      purpose = 0xfffe   // entity: Fault.ID
)

// streamOf returns the stream of one entity.
func streamOf(seed uint64, p purpose, entity uint64) base {
	return streamBase(seed, uint64(p)<<48|entity)
}
