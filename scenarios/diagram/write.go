package diagram

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// colours are those of message kinds, on light and on dark pages.
var colours = [...][2]string{
	{"#1f6feb", "#6cb0ff"}, {"#b35900", "#ffa657"}, {"#8250df", "#c297ff"}, {"#1a7f37", "#56d364"},
	{"#bf3989", "#f778ba"}, {"#0b7a83", "#39c5cf"}, {"#cf222e", "#ff7b72"}, {"#7d6200", "#e3b341"},
	{"#4b53c9", "#9aa5ff"}, {"#4c7a00", "#a5d64f"}, {"#8a4b2a", "#d9a77b"}, {"#57606a", "#9ea7b3"},
}

// kindClass is the class of a kind's lines and texts.
func kindClass(kind int) string {
	if kind < 0 {
		return "client"
	}
	return "k" + strconv.Itoa(kind%len(colours))
}

// writer writes SVG.
type writer struct {
	bytes.Buffer
	p *picture
}

// num prints tenths of a pixel as pixels.
func num(n int64) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	if n%px == 0 {
		return sign + strconv.FormatInt(n/px, 10)
	}
	return sign + strconv.FormatInt(n/px, 10) + "." + strconv.FormatInt(n%px, 10)
}

func escaped(text string) string {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.String()
}

// write draws everything that has its place.
func (p *picture) write(o *Options) []byte {
	w := &writer{p: p}
	legend := w.legendItems()
	wide := laneX(len(p.lanes)-1) + laneRight
	legendTop := plotTop + p.height + 44*px
	rows := legendRows(legend, wide)
	high := legendTop + int64(rows)*20*px + 4*px
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %s %s" role="img" font-family="Helvetica, Arial, 'Liberation Sans', sans-serif" font-size="11">`+"\n",
		num(wide), num(high), num(wide), num(high))
	fmt.Fprintf(w, "<title>%s</title>\n<desc>%s</desc>\n", escaped(o.Title), escaped(o.Subtitle))
	w.style()
	fmt.Fprintf(w, `<rect class="paper" width="%s" height="%s"/>`+"\n", num(wide), num(high))
	fmt.Fprintf(w, `<text class="title" x="24" y="34">%s</text>`+"\n", escaped(o.Title))
	fmt.Fprintf(w, `<text class="subtitle" x="24" y="54">%s</text>`+"\n", escaped(o.Subtitle))
	w.bands()
	w.axis()
	w.lanes()
	w.arrows()
	w.marks()
	w.texts()
	w.legend(legend, legendTop, wide)
	w.WriteString("</svg>\n")
	return w.Bytes()
}

// style writes the classes, and what differs on dark pages.
func (w *writer) style() {
	w.WriteString("<style>\n")
	fixed := `.paper{fill:#fff}.title{font-size:17px;font-weight:bold}.subtitle{font-size:12px}text{fill:#1f2328}` +
		`.subtitle,.time,.note,.key{fill:#59636e}.halo text{stroke:#fff;stroke-width:3px;stroke-linejoin:round;paint-order:stroke}` +
		`.grid{stroke:#e3e7eb}.lane{stroke:#59636e;stroke-width:1.4}.head{fill:#f6f8fa;stroke:#59636e}.name{font-size:13px;font-weight:bold}` +
		`.chief{font-weight:bold}.down{fill:#d0d7de}.downlane{stroke:#9ea7b3;stroke-dasharray:3 4}.hatch{stroke:#9ea7b3}.paused{stroke:#9ea7b3}` +
		`.band{fill:#d4a72c;fill-opacity:.16;stroke:#bf8700;stroke-dasharray:5 4}.bandname{fill:#7d5700;font-weight:bold}` +
		`.dot{fill:#59636e;stroke:#fff}.star{fill:#d4a72c;stroke:#7d5700}.disk{fill:#1f2328}` +
		`.arrow{fill:none;stroke-width:1.5}.cross{stroke:#cf222e;stroke-width:2;fill:none}.faded{stroke-opacity:.38;stroke-dasharray:2 3}.late{stroke-opacity:.6}`
	w.WriteString(fixed + "\n")
	w.WriteString(kindStyles("#59636e", 0) + "\n")
	w.WriteString("@media (prefers-color-scheme:dark){" +
		`.paper{fill:#0d1117}text{fill:#e6edf3}.subtitle,.time,.note,.key{fill:#9ea7b3}.halo text{stroke:#0d1117}` +
		`.grid{stroke:#21262d}.lane{stroke:#9ea7b3}.head{fill:#161b22;stroke:#9ea7b3}.down{fill:#30363d}.downlane,.hatch,.paused{stroke:#6e7681}` +
		`.band{fill-opacity:.22}.bandname{fill:#e3b341}.dot{fill:#9ea7b3;stroke:#0d1117}.disk{fill:#e6edf3}.cross{stroke:#ff7b72}` + "\n" +
		kindStyles("#9ea7b3", 1) + "}\n</style>\n")
	w.WriteString(`<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 0V6" stroke-width="2.5"/></pattern></defs>` + "\n")
}

func kindStyles(client string, page int) string {
	one := func(class, colour string) string {
		return "path." + class + "{stroke:" + colour + "}text." + class + ",polygon." + class + "{fill:" + colour + "}"
	}
	s := one("client", client)
	for i := range colours {
		s += one("k"+strconv.Itoa(i), colours[i][page])
	}
	return s
}

// bands draws faults of links, disks and clocks behind the lanes they hit.
func (w *writer) bands() {
	for i := range w.p.bands {
		b := &w.p.bands[i]
		top, bottom := w.p.y(b.from), w.p.y(b.to)
		for _, l := range b.lanes {
			fmt.Fprintf(w, `<rect class="band" x="%s" y="%s" width="%s" height="%s" rx="4"/>`+"\n", num(laneX(l)-bandHalf), num(top), num(2*bandHalf), num(bottom-top))
		}
	}
}

// axis draws the scale of time.
func (w *writer) axis() {
	if len(w.p.stops) > 0 {
		w.foldedAxis()
		return
	}
	right := laneX(len(w.p.lanes)-1) + 66*px
	step := stepOf(w.p.to.Sub(w.p.from), w.p.height)
	for t := (w.p.from + protocols.Time(step) - 1) / protocols.Time(step) * protocols.Time(step); t <= w.p.to; t += protocols.Time(step) {
		y := w.p.y(t)
		fmt.Fprintf(w, `<path class="grid" d="M84 %sH%s"/><text class="time" x="76" y="%s" text-anchor="end">%s</text>`+"\n",
			num(y), num(right), num(y+38), sim.FormatDuration(protocols.Duration(t)))
	}
}

// stepOf returns a round step of time that is 40 pixels or more high.
func stepOf(window protocols.Duration, height int64) protocols.Duration {
	least := int64(window) / max(height/(40*px), 1)
	for unit := int64(1); ; unit *= 10 {
		for _, m := range [...]int64{1, 2, 5} {
			if unit*m >= least {
				return protocols.Duration(unit * m)
			}
		}
	}
}

// lanes draws life lines: grey and broken while down, hatched while paused.
func (w *writer) lanes() {
	top, bottom := int64(plotTop), plotTop+w.p.height
	for i := range w.p.lanes {
		l := &w.p.lanes[i]
		x := laneX(i)
		for _, s := range l.down {
			fmt.Fprintf(w, `<rect class="down" x="%s" y="%s" width="%s" height="%s" rx="2"/>`+"\n", num(x-laneHalf), num(w.p.y(s.from)), num(2*laneHalf), num(w.p.y(s.to)-w.p.y(s.from)))
		}
		for _, s := range l.paused {
			fmt.Fprintf(w, `<rect class="paused" fill="url(#hatch)" x="%s" y="%s" width="%s" height="%s" rx="2"/>`+"\n", num(x-laneHalf), num(w.p.y(s.from)), num(2*laneHalf), num(w.p.y(s.to)-w.p.y(s.from)))
		}
		y := top - headDrop/2
		for _, s := range l.down {
			fmt.Fprintf(w, `<path class="lane" d="M%s %sV%s"/><path class="downlane" d="M%s %sV%s"/>`+"\n", num(x), num(y), num(w.p.y(s.from)), num(x), num(w.p.y(s.from)), num(w.p.y(s.to)))
			y = w.p.y(s.to)
		}
		if y < bottom {
			fmt.Fprintf(w, `<path class="lane" d="M%s %sV%s"/>`+"\n", num(x), num(y), num(bottom+headDrop/4))
		}
		w.head(l.name, point{x, top - headDrop})
	}
}

func (w *writer) head(name string, at point) {
	const half, tall = 24 * px, 22 * px
	fmt.Fprintf(w, `<rect class="head" x="%s" y="%s" width="%s" height="%s" rx="4"/><text class="name" x="%s" y="%s" text-anchor="middle">%s</text>`+"\n",
		num(at.x-half), num(at.y-tall/2), num(2*half), num(tall), num(at.x), num(at.y+46), escaped(name))
}

// arrows draws the messages: whole ones with a head, dropped ones with a cross,
// those that reached a dead node faded and without a head.
func (w *writer) arrows() {
	for i := range w.p.arrows {
		a := &w.p.arrows[i]
		from, to := w.p.ends(a)
		inside := to.y <= plotTop+w.p.height
		from, to = w.p.visible(from, to)
		class := "arrow " + kindClass(a.kind)
		switch a.fate {
		case dead:
			class += " faded"
		case late:
			class += " late"
		}
		fmt.Fprintf(w, `<path class="%s" d="M%s %sL%s %s"/>`+"\n", class, num(from.x), num(from.y), num(to.x), num(to.y))
		switch {
		case !inside:
		case a.fate == lost:
			w.cross(to)
		case a.fate != dead:
			w.arrowHead(from, to, kindClass(a.kind))
		}
	}
}

func (w *writer) arrowHead(from, to point, class string) {
	back := to.minus(from).scaled(85)
	side := point{-back.y * 2 / 5, back.x * 2 / 5}
	base := to.minus(back)
	left, right := base.plus(side), base.minus(side)
	fmt.Fprintf(w, `<polygon class="%s" points="%s,%s %s,%s %s,%s"/>`+"\n", class, num(to.x), num(to.y), num(left.x), num(left.y), num(right.x), num(right.y))
}

func (w *writer) cross(at point) {
	const r = 45
	fmt.Fprintf(w, `<path class="cross" d="M%s %sL%s %sM%s %sL%s %s"/>`+"\n",
		num(at.x-r), num(at.y-r), num(at.x+r), num(at.y+r), num(at.x-r), num(at.y+r), num(at.x+r), num(at.y-r))
}

// marks draws milestones, and the moments when records became durable, on the lanes.
func (w *writer) marks() {
	for _, t := range w.p.ticks {
		w.disk(point{laneX(t.lane), w.p.y(t.time)})
	}
	for i := range w.p.marks {
		w.milestone(point{laneX(w.p.marks[i].lane), w.p.y(w.p.marks[i].time)}, w.p.marks[i].chief)
	}
}

func (w *writer) disk(at point) {
	fmt.Fprintf(w, `<rect class="disk" x="%s" y="%s" width="9" height="3.4"/>`+"\n", num(at.x-45), num(at.y-17))
}

func (w *writer) milestone(at point, chief bool) {
	if chief {
		const r = 58
		fmt.Fprintf(w, `<polygon class="star" points="%s,%s %s,%s %s,%s %s,%s"/>`+"\n", num(at.x), num(at.y-r), num(at.x+r), num(at.y), num(at.x), num(at.y+r), num(at.x-r), num(at.y))
		return
	}
	fmt.Fprintf(w, `<circle class="dot" cx="%s" cy="%s" r="3.6"/>`+"\n", num(at.x), num(at.y))
}

// texts draws what place has placed, with a halo so that lines do not run through.
func (w *writer) texts() {
	w.WriteString(`<g class="halo">` + "\n")
	for i := range w.p.texts {
		t := &w.p.texts[i]
		if t.way.y == 0 {
			fmt.Fprintf(w, `<text class="%s" x="%s" y="%s" text-anchor="middle">%s</text>`+"\n", t.class, num(t.middle.x), num(t.middle.y+38), escaped(t.text))
			continue
		}
		turn := t.way.scaled(10_000)
		fmt.Fprintf(w, `<text class="%s" transform="matrix(%s %s %s %s %s %s)" y="3.8" text-anchor="middle">%s</text>`+"\n", t.class,
			fraction(turn.x), fraction(turn.y), fraction(-turn.y), fraction(turn.x), num(t.middle.x), num(t.middle.y), escaped(t.text))
	}
	w.WriteString("</g>\n")
}

// fraction prints ten-thousandths.
func fraction(n int64) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%04d", sign, n/10_000, n%10_000)
}
