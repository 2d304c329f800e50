package checker

import "math/bits"

// valueIndex maps values to small numbers. Values that lie densely from 0, as
// workloads write them, index an array; others go into an open hash table. There
// is no map, as a million operations are to be judged in a fraction of a second.
type valueIndex struct {
	dense []int32 // number+1; 0: absent
	keys  []int64 // hash table
	slots []int32 // number+1
	shift uint
}

// size prepares the index for at most n values between smallest and largest.
func (x *valueIndex) size(n int, smallest, largest int64) {
	if smallest >= 0 && largest <= 4*int64(n)+1024 {
		x.dense = make([]int32, largest+1)
		return
	}
	logSize := uint(bits.Len(uint(n))) + 1
	x.keys, x.slots = make([]int64, 1<<logSize), make([]int32, 1<<logSize)
	x.shift = 64 - logSize
}

// slot returns where v is or would be in the hash table.
func (x *valueIndex) slot(v int64) int {
	i := int(uint64(v) * 0x9E3779B97F4A7C15 >> x.shift)
	for x.slots[i] != 0 && x.keys[i] != v {
		i = (i + 1) & (len(x.slots) - 1)
	}
	return i
}

// find returns the number of v, or -1.
func (x *valueIndex) find(v int64) int32 {
	if x.slots == nil {
		if v < 0 || v >= int64(len(x.dense)) {
			return -1
		}
		return x.dense[v] - 1
	}
	return x.slots[x.slot(v)] - 1
}

// add gives v the number id unless it has one. It returns its number, and whether
// that is new. At most as many values as the index was sized for may be added.
func (x *valueIndex) add(v int64, id int32) (int32, bool) {
	if x.slots == nil {
		if have := x.dense[v]; have != 0 {
			return have - 1, false
		}
		x.dense[v] = id + 1
		return id, true
	}
	i := x.slot(v)
	if x.slots[i] != 0 {
		return x.slots[i] - 1, false
	}
	x.keys[i], x.slots[i] = v, id+1
	return id, true
}
