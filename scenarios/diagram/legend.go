package diagram

import (
	"fmt"
	"slices"
)

// legendItem is one sign and what it means.
type legendItem struct {
	text string
	draw func(at point) // at is the middle of the sign, which is 26 pixels wide
}

const (
	legendLeft = 24 * px
	signWidth  = 34 * px
	legendGap  = 20 * px
)

func (i *legendItem) width() int64 { return signWidth + width(i.text) + legendGap }

// legendItems lists the signs that the picture has.
func (w *writer) legendItems() []legendItem {
	var items []legendItem
	for k := range w.p.run.Protocol.Messages {
		if w.p.has(func(a arrow) bool { return a.kind == k }) {
			items = append(items, legendItem{w.p.run.Protocol.Messages[k].Name, w.sample(kindClass(k), "")})
		}
	}
	if w.p.has(func(a arrow) bool { return a.kind < 0 }) {
		items = append(items, legendItem{"client's request or answer", w.sample("client", "")})
	}
	if w.p.has(func(a arrow) bool { return a.fate == lost }) {
		items = append(items, legendItem{"dropped", w.cross})
	}
	if w.p.has(func(a arrow) bool { return a.fate == dead }) {
		items = append(items, legendItem{"reached a node that was down", w.sample("client", " faded")})
	}
	if w.p.has(func(a arrow) bool { return a.fate == late }) {
		items = append(items, legendItem{"answer that nobody waits for", w.sample("client", " late")})
	}
	return append(items, w.laneItems()...)
}

// laneItems lists the signs on lanes that the picture has.
func (w *writer) laneItems() []legendItem {
	var items []legendItem
	if len(w.p.ticks) > 0 {
		items = append(items, legendItem{"records are durable", w.disk})
	}
	for _, m := range [...]struct {
		chief bool
		text  string
	}{{true, "leadership, crash, boot"}, {false, "progress"}} {
		if slices.ContainsFunc(w.p.marks, func(n mark) bool { return n.chief == m.chief }) {
			items = append(items, legendItem{m.text, func(at point) { w.milestone(at, m.chief) }})
		}
	}
	if slices.ContainsFunc(w.p.lanes, func(l lane) bool { return len(l.down) > 0 }) {
		items = append(items, legendItem{"down", func(at point) { w.sampleRect(at, `class="down"`) }})
	}
	if slices.ContainsFunc(w.p.lanes, func(l lane) bool { return len(l.paused) > 0 }) {
		items = append(items, legendItem{"paused", func(at point) { w.sampleRect(at, `class="paused" fill="url(#hatch)"`) }})
	}
	if len(w.p.bands) > 0 {
		items = append(items, legendItem{"fault of links, disk or clock", func(at point) { w.sampleRect(at, `class="band"`) }})
	}
	return items
}

func (p *picture) has(is func(arrow) bool) bool { return slices.ContainsFunc(p.arrows, is) }

// sample draws a short arrow.
func (w *writer) sample(class, more string) func(point) {
	return func(at point) {
		from, to := point{at.x - 13*px, at.y}, point{at.x + 13*px, at.y}
		fmt.Fprintf(w, `<path class="arrow %s" d="M%s %sH%s"/>`, class+more, num(from.x), num(from.y), num(to.x))
		if more != " faded" {
			w.arrowHead(from, to, class)
		}
	}
}

func (w *writer) sampleRect(at point, attributes string) {
	fmt.Fprintf(w, `<rect %s x="%s" y="%s" width="20" height="10" rx="2"/>`+"\n", attributes, num(at.x-10*px), num(at.y-5*px))
}

// legendRows returns how many rows the legend takes.
func legendRows(items []legendItem, wide int64) int {
	rows := 0
	flow(items, wide, func(_ *legendItem, _ int64, row int) { rows = row + 1 })
	return rows
}

// flow visits the items with their places, row by row.
func flow(items []legendItem, wide int64, visit func(item *legendItem, x int64, row int)) {
	x, row := int64(legendLeft), 0
	for i := range items {
		if x > legendLeft && x+items[i].width() > wide {
			x, row = legendLeft, row+1
		}
		visit(&items[i], x, row)
		x += items[i].width()
	}
}

// legend draws the signs and what they mean.
func (w *writer) legend(items []legendItem, top, wide int64) {
	flow(items, wide, func(item *legendItem, x int64, row int) {
		at := point{x + 13*px, top + int64(row)*20*px}
		item.draw(at)
		fmt.Fprintf(w, `<text class="key" x="%s" y="%s">%s</text>`+"\n", num(x+signWidth), num(at.y+38), escaped(item.text))
	})
}
