// Package floats decides by floats, which differ between architectures.
package floats

import "math"

type delay struct {
	mean float64 // want: float
}

func exponential(d delay, u uint32) int64 {
	return int64(-math.Log(float64(u)) * d.mean) // want: float
}

func half(n int) bool {
	x := float32(n) / 2 // want: float
	return x > 1        // want: float
}

type ratio float64 // want: float

func above(r ratio) bool { // want: float
	return r > 0.5 // want: float
}

func polar(c complex128) bool { // want: float
	return real(c) > 0 // want: float
}

// A constant without a type is exact.
const billion = 1e9

func nanoseconds(seconds int64) int64 { return seconds * billion }

var _, _, _, _, _ = exponential, half, above, polar, nanoseconds
