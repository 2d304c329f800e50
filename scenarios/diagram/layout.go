package diagram

import (
	"cmp"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// placed is a text with its place: turned by way, which points in the direction of
// reading, around its middle.
type placed struct {
	text   string
	middle point
	way    point
	class  string
	beads  []point // circles that cover it, with radius halfLetter
}

// Bounds of the height of the plot in pixels, and how much of it a message takes.
const (
	minHeight  = 320
	maxHeight  = 1500
	perMessage = 21
)

// scale fixes the height of the plot.
func (p *picture) scale(height int) {
	if height <= 0 {
		height = min(max(perMessage*len(p.arrows), minHeight), maxHeight)
	}
	p.height = int64(height) * px
}

// y returns where a time is drawn; outside the window it is above or below the plot.
func (p *picture) y(t protocols.Time) int64 {
	if len(p.stops) > 0 && t >= p.from && t <= p.to {
		return p.foldedY(t)
	}
	high := int64(t - p.from)
	window := int64(p.to - p.from)
	// The product may exceed 64 bits in a long run: whole windows first.
	whole, rest := high/window, high%window
	for window > 1<<40 {
		window, rest = window>>10, rest>>10
	}
	return plotTop + whole*p.height + rest*p.height/window
}

func laneX(i int) int64 { return laneLeft + int64(i)*laneGap }

// ends returns where an arrow is drawn, the way of its whole flight if it does not
// fit into the window.
func (p *picture) ends(a *arrow) (from, to point) {
	end := a.end
	if a.short {
		end = a.sent + protocols.Time(p.usualFlight())
	}
	from, to = point{laneX(a.from), p.y(a.sent)}, point{laneX(a.to), p.y(end)}
	switch {
	case a.short:
		to = along(from, to, 2, 5)
	case a.fate == lost:
		to = along(from, to, 7, 10)
	}
	return from, to
}

// usualFlight is the mean time that the drawn messages take: the slope of those
// that were dropped as they left.
func (p *picture) usualFlight() int64 {
	var sum, n int64
	for i := range p.arrows {
		if a := &p.arrows[i]; !a.short {
			sum += int64(a.end - a.sent)
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / n
}

// visible cuts a segment to the plot.
func (p *picture) visible(from, to point) (point, point) {
	top, bottom := int64(plotTop), plotTop+p.height
	if from.y < top && to.y > from.y {
		from = along(from, to, top-from.y, to.y-from.y)
	}
	if to.y > bottom && to.y > from.y {
		to = along(from, to, bottom-from.y, to.y-from.y)
	}
	return from, to
}

// place finds places for all texts: first for bands and marks, then for messages,
// those with the least choice first. A message for which there is no room goes without a text:
// its colour tells its kind.
func (p *picture) place() {
	for i := range p.bands {
		b := &p.bands[i]
		w := width(b.text) + width(b.text)/12 // bold
		p.texts = append(p.texts, lay(b.text, "bandname", point{laneX(b.lanes[0]) - laneHalf - px - w/2, p.y(b.from) + 11*px}, point{1, 0}, w))
	}
	for i := range p.marks {
		p.placeMark(&p.marks[i])
	}
	order := make([]int, len(p.arrows))
	hub := make([]int, len(p.lanes))
	for i := range p.arrows {
		order[i] = i
		hub[p.arrows[i].from]++
		hub[p.arrows[i].to]++
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Compare(p.arrows[i].gaps(), p.arrows[j].gaps())
	})
	for _, i := range order {
		p.placeMessage(i, hub)
	}
}

// gaps returns how many gaps between lanes an arrow crosses.
func (a *arrow) gaps() int { return max(a.from-a.to, a.to-a.from) }

// placeMark puts the text of a mark beside its lane.
func (p *picture) placeMark(m *mark) {
	const beside = laneHalf + 4*px
	class := "note"
	if m.chief {
		class = "chief"
	}
	w := width(m.text)
	if m.chief {
		w += w / 12 // bold
	}
	best, least := placed{}, int64(-1)
	for _, down := range [...]int64{0, 60, -60, 120, -120, 180, -180, 250, -250, 330} {
		for _, side := range [...]int64{1, -1} {
			middle := point{laneX(m.lane) + side*(beside+w/2), p.y(m.time) + down}
			if middle.y < plotTop-6*px || middle.y > plotTop+p.height {
				continue
			}
			t := lay(m.text, class, middle, point{1, 0}, w)
			cost := max(down, -down)/10 + int64(p.crossed(&t, -1))*25
			if m.lane == len(p.lanes)-1 && side < 0 || m.lane == 0 && side > 0 {
				cost += 6 // outside there are no messages
			}
			if p.overlaps(&t) {
				cost += 400
			}
			if least < 0 || cost < least {
				best, least = t, cost
			}
		}
	}
	p.texts = append(p.texts, best)
}

// placeMessage puts the text of an arrow along it.
func (p *picture) placeMessage(i int, hub []int) {
	a := &p.arrows[i]
	from, to := p.visible(p.ends(a))
	way := to.minus(from)
	if way.x == 0 {
		return
	}
	if way.x < 0 {
		way = point{-way.x, -way.y}
	}
	across := point{way.y, -way.x}.scaled(75) // upwards
	w := width(a.text)
	shown := to.minus(from).length()
	best, least := placed{}, int64(-1)
	for _, gap := range p.gapOrder(a, hub) {
		left := laneX(gap) + laneGap/2
		for _, shift := range [...]int64{0, -12, 12, -24, 24, -36, 36, -48, 48} {
			x := left + shift*px
			num, den := x-from.x, to.x-from.x
			if num*den < 0 || max(num, -num) > max(den, -den) || w > shown {
				continue
			}
			on := along(from, to, max(num, -num), max(den, -den))
			if room := laneGap/2 - laneHalf - max(shift, -shift)*px; w/2 > room && w < laneGap-2*laneHalf {
				continue
			}
			for _, side := range [...]int64{1, -1} {
				t := lay(a.text, "", point{on.x + side*across.x, on.y + side*across.y}, way, w)
				if p.overlaps(&t) || !p.inside(&t) {
					continue
				}
				cost := max(shift, -shift)/4 + int64(p.crossed(&t, i))*30
				if side < 0 {
					cost += 4
				}
				if gap != p.gapOrder(a, hub)[0] {
					cost += 12
				}
				if least < 0 || cost < least {
					best, least = t, cost
				}
			}
		}
	}
	if least >= 0 && least < 90 {
		best.class = kindClass(a.kind)
		p.texts = append(p.texts, best)
	}
}

// gapOrder returns the gaps that an arrow crosses, beginning at the end which has
// fewer messages: there its text is least among others.
func (p *picture) gapOrder(a *arrow, hub []int) []int {
	low, high := min(a.from, a.to), max(a.from, a.to)
	var gaps []int
	for g := low; g < high; g++ {
		gaps = append(gaps, g)
	}
	if hub[high] < hub[low] {
		slices.Reverse(gaps)
	}
	return gaps
}

// lay makes a text with the circles that cover it.
func lay(text, class string, middle, way point, w int64) placed {
	t := placed{text: text, class: class, middle: middle, way: way}
	const step = 60
	n := max(w/step, 1)
	for k := int64(0); k <= n; k++ {
		offset := -w/2 + w*k/n
		t.beads = append(t.beads, middle.plus(way.scaled(max(offset, -offset)).signed(offset)))
	}
	return t
}

func (a point) signed(by int64) point {
	if by < 0 {
		return point{-a.x, -a.y}
	}
	return a
}

// overlaps reports whether t would stand on another text.
func (p *picture) overlaps(t *placed) bool {
	for i := range p.texts {
		for _, a := range p.texts[i].beads {
			for _, b := range t.beads {
				d := a.minus(b)
				if d.x*d.x+d.y*d.y < 4*halfLetter*halfLetter {
					return true
				}
			}
		}
	}
	return false
}

// inside reports whether t stays clear of what is above and below the plot.
func (p *picture) inside(t *placed) bool {
	return !slices.ContainsFunc(t.beads, func(b point) bool { return b.y < plotTop || b.y > plotTop+p.height })
}

// crossed counts the arrows that run through t, other than the one it belongs to.
func (p *picture) crossed(t *placed, own int) int {
	count := 0
	for i := range p.arrows {
		if i == own {
			continue
		}
		from, to := p.visible(p.ends(&p.arrows[i]))
		if slices.ContainsFunc(t.beads, func(b point) bool { return near(b, from, to, halfLetter) }) {
			count++
		}
	}
	return count
}
