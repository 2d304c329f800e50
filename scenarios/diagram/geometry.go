package diagram

import "math/bits"

// All lengths are tenths of a pixel.
const (
	px = 10

	laneGap    = 184 * px // between lanes
	laneLeft   = 150 * px // the first lane
	laneRight  = 150 * px // behind the last one, for what is written beside it
	laneHalf   = 7 * px   // half the width of what is drawn on a lane
	bandHalf   = 62 * px  // half the width of a band
	plotTop    = 118 * px // where the window begins
	headDrop   = 26 * px  // from the middle of a lane's name to the window
	fontWidth  = 62       // of an average letter of 11 pixels, generously
	halfLetter = 55       // half the height of a line of text
)

type point struct{ x, y int64 }

func (a point) plus(b point) point  { return point{a.x + b.x, a.y + b.y} }
func (a point) minus(b point) point { return point{a.x - b.x, a.y - b.y} }

// along returns the point at num/den of the way from a to b.
func along(a, b point, num, den int64) point {
	return point{a.x + (b.x-a.x)*num/den, a.y + (b.y-a.y)*num/den}
}

// length is rounded down.
func (a point) length() int64 { return root(a.x*a.x + a.y*a.y) }

// root returns the integer square root of n >= 0.
func root(n int64) int64 {
	if n < 2 {
		return n
	}
	x := int64(1) << ((bits.Len64(uint64(n)) + 1) / 2)
	for {
		next := (x + n/x) / 2
		if next >= x {
			return x
		}
		x = next
	}
}

// scaled returns v made n long; v must not be zero.
func (a point) scaled(n int64) point {
	l := max(a.length(), 1)
	return point{a.x * n / l, a.y * n / l}
}

// near reports whether c lies within r of the segment from a to b.
func near(c, a, b point, r int64) bool {
	d, v := b.minus(a), c.minus(a)
	dot, square := d.x*v.x+d.y*v.y, d.x*d.x+d.y*d.y
	switch {
	case dot <= 0:
		return v.x*v.x+v.y*v.y < r*r
	case dot >= square:
		v = c.minus(b)
		return v.x*v.x+v.y*v.y < r*r
	}
	cross := d.x*v.y - d.y*v.x
	if cross < 0 {
		cross = -cross
	}
	return cross < r*root(square)
}

// width estimates how wide a text of 11 pixels is, so that it fits in the common
// sans-serif fonts.
func width(text string) int64 {
	var w int64
	for _, r := range text {
		switch {
		case r == 'i' || r == 'l' || r == 'j' || r == ' ' || r == '.' || r == ',' || r == ':' || r == '|':
			w += 33
		case r == 't' || r == 'f' || r == 'r' || r == '-' || r == '(' || r == ')':
			w += 44
		case r == 'm' || r == 'w' || r == 'M' || r == 'W':
			w += 94
		case r >= 'A' && r <= 'Z':
			w += 76
		default:
			w += fontWidth
		}
	}
	return w
}
