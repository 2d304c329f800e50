package protocols

import "math/bits"

// Mix64 is the SplitMix64 finaliser: a bijection of 64-bit words whose output
// bits all depend on all input bits.
func Mix64(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// Fold adds one word to a running hash: a multiply and an exclusive or of both
// halves. It is fast and spreads well, and is no defence against an adversary.
func Fold(h, x uint64) uint64 {
	hi, lo := bits.Mul64(h^x^0xa0761d6478bd642f, 0x9e3779b97f4a7c15)
	return hi ^ lo
}
