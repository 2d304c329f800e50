package protocoltest

import (
	"math/bits"

	"github.com/lockstep-sim/lockstep/protocols"
)

// draws is a stream of random words: draw k is a function of the seed and k.
type draws struct{ seed, k uint64 }

func newDraws(seed, stream uint64) *draws {
	return &draws{seed: protocols.Mix64(protocols.Fold(protocols.Fold(protocols.HashSeed, seed), stream))}
}

func (d *draws) word() uint64 {
	d.k++
	return protocols.Mix64(d.seed + d.k*0x9e3779b97f4a7c15)
}

// below draws from 0..n-1.
func (d *draws) below(n int) int {
	hi, _ := bits.Mul64(d.word(), uint64(n))
	return int(hi)
}

// chance is true in percent of 100 draws.
func (d *draws) chance(percent int) bool { return d.below(100) < percent }

// between draws from low..high.
func (d *draws) between(low, high protocols.Duration) protocols.Duration {
	if high <= low {
		return low
	}
	hi, _ := bits.Mul64(d.word(), uint64(high-low)+1)
	return low + protocols.Duration(hi)
}
