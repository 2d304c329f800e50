package diagram

import (
	"fmt"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// stop is a moment and where it is drawn, in tenths of a pixel below the top of the
// plot. Between two stops time is to scale.
type stop struct {
	time   protocols.Time
	y      int64
	folded bool // the time before it is drawn shorter than it is
}

// fold lets time run fast where nothing is drawn: no gap between two things is more
// than foldMost times the usual one, and none less than a quarter of it.
func (p *picture) fold() {
	times := p.moments()
	if len(times) < 3 {
		return
	}
	gaps := make([]int64, len(times)-1)
	for i := range gaps {
		gaps[i] = int64(times[i+1].Sub(times[i]))
	}
	sorted := slices.Clone(gaps)
	slices.Sort(sorted)
	usual := max(sorted[len(sorted)/2], 4)
	total := int64(0)
	for i := range gaps {
		gaps[i] = min(max(gaps[i], usual/4), foldMost*usual)
		total += gaps[i]
	}
	p.stops = append(p.stops, stop{time: times[0]})
	sum := int64(0)
	for i, t := range times[1:] {
		sum += gaps[i]
		p.stops = append(p.stops, stop{t, mulDiv(sum, p.height, total), int64(t.Sub(times[i])) > foldMost*usual})
	}
}

const foldMost = 5

// mulDiv returns a*b/c for 0 <= a <= c, also where a*b does not fit.
func mulDiv(a, b, c int64) int64 {
	for c > 1<<40 {
		a, c = a>>10, c>>10
	}
	return a * b / max(c, 1)
}

// moments are the times of all that is drawn, in order, with the ends of the window.
func (p *picture) moments() []protocols.Time {
	times := []protocols.Time{p.from, p.to}
	add := func(t protocols.Time) {
		if t > p.from && t < p.to {
			times = append(times, t)
		}
	}
	for i := range p.arrows {
		add(p.arrows[i].sent)
		add(p.arrows[i].end)
	}
	for i := range p.marks {
		add(p.marks[i].time)
	}
	for _, b := range p.bands {
		add(b.from)
		add(b.to)
	}
	slices.Sort(times)
	return slices.Compact(times)
}

// foldedY is y where time is folded; t is inside the window.
func (p *picture) foldedY(t protocols.Time) int64 {
	i, exact := slices.BinarySearchFunc(p.stops, t, func(s stop, t protocols.Time) int { return int(min(max(s.time.Sub(t), -1), 1)) })
	if exact {
		return plotTop + p.stops[i].y
	}
	a, b := p.stops[i-1], p.stops[i]
	return plotTop + a.y + mulDiv(int64(t.Sub(a.time)), b.y-a.y, int64(b.time.Sub(a.time)))
}

// foldedAxis draws times where things happen, and says how long folded gaps are.
func (w *writer) foldedAxis() {
	const apart = 24 * px
	right := laneX(len(w.p.lanes)-1) + 66*px
	last := int64(-apart)
	for i, s := range w.p.stops {
		if s.folded {
			middle := plotTop + (w.p.stops[i-1].y+s.y)/2
			gap := s.time.Sub(w.p.stops[i-1].time)
			fmt.Fprintf(w, `<path class="downlane" d="M84 %sH%s"/><text class="time" x="76" y="%s" text-anchor="end">… %s</text>`+"\n",
				num(middle), num(right), num(middle+38), length(gap))
			last = middle - plotTop
		}
		if s.y-last < apart {
			continue
		}
		last = s.y
		fmt.Fprintf(w, `<path class="grid" d="M84 %sH%s"/><text class="time" x="76" y="%s" text-anchor="end">%s</text>`+"\n",
			num(plotTop+s.y), num(right), num(plotTop+s.y+38), brief(protocols.Duration(s.time)))
	}
}

// brief prints a duration to the microsecond, or from 10 s up to the millisecond.
func brief(d protocols.Duration) string { return rounded(d, 1000, 10_000_000_000) }

// length prints how long a gap is: to the microsecond, or from 10 ms up to the
// millisecond.
func length(d protocols.Duration) string { return rounded(d, 1000, 10_000_000) }

// rounded prints d in multiples of unit, from the limit up of a thousand units.
func rounded(d, unit, limit protocols.Duration) string {
	if d >= limit {
		unit *= 1000
	}
	return sim.FormatDuration((d + unit/2) / unit * unit)
}
