package protocols

import "math/bits"

// Mix64 is the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a
// bijection of 64-bit words in which every input bit moves about half of the
// output bits. Counter-based random streams and state hashes are built on it.
func Mix64(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// HashSeed is where a hash of a sequence of words begins. It is not 0, so that
// leading zero words count.
const HashSeed uint64 = 0x243f6a8885a308d3

// Fold adds the word x to the hash h of what came before it. Order matters. It
// is fast and not collision-resistant: it guards against accidents, not against
// an adversary. Begin with [HashSeed]. The rotation keeps a small h and an equally
// small x from cancelling each other, should somebody begin with a plain number.
func Fold(h, x uint64) uint64 {
	hi, lo := bits.Mul64(bits.RotateLeft64(h, 25)^x, 0x9e3779b97f4a7c15)
	return hi ^ lo
}

// Hash digests what a command asks for and who asks: all of its fields.
func (c Command) Hash() uint64 {
	h := Fold(HashSeed, uint64(uint16(c.Client))|uint64(c.Kind)<<16|uint64(c.Op)<<24|uint64(c.Key)<<32)
	h = Fold(h, c.Seq)
	h = Fold(h, uint64(c.Arg))
	return Fold(h, uint64(c.Old))
}

// Hash digests a result in constant time: of a list it takes the length and the
// last element, since the state that the list shows has a hash of its own.
// Follow results, which no session keeps, are not looked at.
func (r Result) Hash() uint64 { return r.hash() }

func (r *Result) hash() uint64 {
	flags := uint64(r.Status) << 1
	if r.Swapped {
		flags |= 1
	}
	h := Fold(HashSeed, flags)
	h = Fold(h, uint64(r.Value))
	h = Fold(h, uint64(r.Position))
	if n := len(r.List); n > 0 {
		h = Fold(h, uint64(n))
		h = Fold(h, uint64(r.List[n-1]))
	}
	return h
}
