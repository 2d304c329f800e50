package page

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"unicode/utf8"
)

// Lane is one row of a timeline.
type Lane struct {
	Name string
	Bars []Bar
}

// Bar is an interval on a lane, in nanoseconds.
type Bar struct {
	From, To int64
	Label    string // written on the bar where it fits
	Title    string // shown on request, and read aloud
	Bad      bool   // drawn hatched: it changed nothing, or its outcome is unknown
}

const (
	timelineWidth = 1000
	timelineLeft  = 150
	timelineRow   = 24
	glyphWidth    = 6.2 // of the labels, on average
)

// Timeline draws lanes over the time from..to, in nanoseconds, as SVG. ticks are labelled
// by label. Every text is escaped.
func Timeline(lanes []Lane, from, to int64, label func(int64) string) []byte {
	var b bytes.Buffer
	height := len(lanes)*timelineRow + 34
	x := func(at int64) float64 {
		at = min(max(at, from), to)
		return timelineLeft + float64(at-from)/float64(max(to-from, 1))*(timelineWidth-timelineLeft-40)
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="Liberation Sans,Arial,sans-serif" font-size="11">`, timelineWidth, height, timelineWidth, height)
	bottom := len(lanes)*timelineRow + 6
	step := tickStep(to - from)
	for at := (from + step - 1) / step * step; at <= to; at += step {
		fmt.Fprintf(&b, `<path d="M%.1f 4V%d" stroke="#d0d7de"/><text x="%.1f" y="%d" text-anchor="middle" fill="#444">%s</text>`, x(at), bottom, x(at), bottom+16, escape(label(at)))
	}
	for i, l := range lanes {
		y := i*timelineRow + 8
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end" fill="#222">%s</text>`, timelineLeft-8, y+12, escape(shorten(l.Name, 22)))
		for _, bar := range l.Bars {
			left := x(bar.From)
			width := max(x(bar.To)-left, 2)
			paint := `fill="#9cc4e4" stroke="#0072b2"`
			if bar.Bad {
				paint = `fill="#fff" stroke="#d55e00" stroke-dasharray="4 2"`
			}
			fmt.Fprintf(&b, `<g><title>%s</title><rect x="%.1f" y="%d" width="%.1f" height="16" rx="2" %s/>`, escape(bar.Title), left, y, width, paint)
			if float64(utf8.RuneCountInString(bar.Label))*glyphWidth < width-4 {
				fmt.Fprintf(&b, `<text x="%.1f" y="%d" fill="#111">%s</text>`, left+3, y+12, escape(bar.Label))
			}
			b.WriteString("</g>")
		}
	}
	b.WriteString("</svg>")
	return b.Bytes()
}

// tickStep returns a round step that divides span into at most ten.
func tickStep(span int64) int64 {
	for unit := int64(1); ; unit *= 10 {
		for _, m := range [...]int64{1, 2, 5} {
			if span/(unit*m) <= 10 {
				return unit * m
			}
		}
	}
}

func shorten(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

func escape(s string) string {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.String()
}
