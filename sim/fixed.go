package sim

import (
	"math/bits"

	"github.com/lockstep-sim/lockstep/protocols"
)

// This file is the arithmetic behind the distributions: logarithm, power of two
// and the normal curve in fixed point. Floating-point functions differ between
// architectures in the last bits, so they cannot decide anything here.

// ln2 is the natural logarithm of 2 in 32.32 fixed point.
const ln2 = 2977044472

// tableBits is the size of the tables: 2^tableBits steps, between which values
// are interpolated in a straight line (error below 2^-23).
const tableBits = 10

var (
	log2Table = makeLog2Table()
	exp2Table = makeExp2Table()
)

// makeLog2Table computes log2(1+i/1024) in 0.32 fixed point, bit by bit: squaring
// doubles the logarithm, and whether the square reaches 2 is its next bit.
func makeLog2Table() (t [1<<tableBits + 1]uint64) {
	for i := range t[:1<<tableBits] {
		x := uint64(1<<tableBits+i) << (63 - tableBits)
		for bit := 31; bit >= 0; bit-- {
			hi, lo := bits.Mul64(x, x)
			if hi>>63 == 1 {
				t[i] |= 1 << bit
				x = hi
			} else {
				x = hi<<1 | lo>>63
			}
		}
	}
	t[1<<tableBits] = 1 << 32
	return t
}

// makeExp2Table computes 2^(i/1024) in 2.62 fixed point, from the square roots
// of 2, 2^(1/2), 2^(1/4), …
func makeExp2Table() (t [1<<tableBits + 1]uint64) {
	var roots [tableBits]uint64 // roots[k] is 2^(2^k/1024)
	r := uint64(2) << 62
	for k := tableBits - 1; k >= 0; k-- {
		r = sqrt62(r)
		roots[k] = r
	}
	for i := range t[:1<<tableBits] {
		p := uint64(1) << 62
		for k, root := range roots {
			if i>>k&1 == 1 {
				hi, lo := bits.Mul64(p, root)
				p = hi<<2 | lo>>62
			}
		}
		t[i] = p
	}
	t[1<<tableBits] = 2 << 62
	return t
}

// sqrt62 is the square root in 2.62 fixed point, rounded down.
func sqrt62(x uint64) uint64 {
	wantHi, wantLo := x>>2, x<<62
	var r uint64
	for bit := 63; bit >= 0; bit-- {
		c := r | 1<<bit
		if hi, lo := bits.Mul64(c, c); hi < wantHi || hi == wantHi && lo <= wantLo {
			r = c
		}
	}
	return r
}

// log2 is the binary logarithm of x >= 1 in 32.32 fixed point.
func log2(x uint64) uint64 {
	zeros := bits.LeadingZeros64(x)
	frac := x << zeros << 1 // what follows the leading 1
	i := frac >> (64 - tableBits)
	rest := frac << tableBits >> 32
	lo, hi := log2Table[i], log2Table[i+1]
	return uint64(63-zeros)<<32 + lo + (hi-lo)*rest>>32
}

// negLog2 is -log2(u/2^64) in 32.32 fixed point: exponential with mean 1/ln 2,
// in 0..64.
func negLog2(u uint64) uint64 { return 64<<32 - log2(u|1) }

// scale returns a·2^e, e in 32.32 fixed point, at most 1000·MaxDist.
func scale(a protocols.Duration, e int64) protocols.Duration {
	whole, frac := e>>32, uint64(e)&(1<<32-1)
	i := frac >> (32 - tableBits)
	rest := frac & (1<<(32-tableBits) - 1)
	lo, hi := exp2Table[i], exp2Table[i+1]
	m := lo + (hi-lo)>>(32-tableBits)*rest
	h, l := bits.Mul64(uint64(a), m)
	v := h<<2 | l>>62
	const most = uint64(1000 * MaxDist)
	switch {
	case whole < 0:
		return protocols.Duration(v >> min(-whole, 63))
	case whole >= 63 || v > most>>whole:
		return protocols.Duration(most)
	}
	return protocols.Duration(v << whole)
}

// gauss is a normal deviate in units of 2^-16 standard deviations, within ±6: the
// sum of twelve uniform words, whose variance is exactly 1.
func gauss(u uint64) int64 {
	sum := int64(0)
	for range 3 {
		sum += int64(u&0xffff) + int64(u>>16&0xffff) + int64(u>>32&0xffff) + int64(u>>48)
		u = protocols.Mix64(u + golden)
	}
	return sum - 6*0xffff
}

// p99 is the 99th percentile of the normal curve in hundred-thousandths.
const p99 = 232635

// sigmaOf returns the standard deviation, in bits and 32.32 fixed point, of the
// binary logarithm of a lognormal variable.
func sigmaOf(median, percentile99 protocols.Duration) int64 {
	if median <= 0 || percentile99 < median {
		return 0
	}
	return int64((log2(uint64(percentile99)) - log2(uint64(median))) * 100_000 / p99)
}

// mulShift16 returns a·b/2^16 for a >= 0, rounded toward zero.
func mulShift16(a, b int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(max(b, -b)))
	v := int64(hi<<48 | lo>>16)
	if b < 0 {
		return -v
	}
	return v
}
