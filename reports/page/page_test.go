package page

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

const hostile = `</style></title><script>alert(1)</script><img src=x onerror=alert(1)>"' onload="alert(1)`

// filled uses a text in every place of a page.
func filled(text string) *Page {
	p := &Page{Title: text, Lead: text, Verdict: text}
	s := p.Section(text)
	s.Text(text)
	s.Note(text)
	s.Pre("", text)
	s.Pre(text, text)
	s.Table(text, []string{text, text}, [][]string{{text, text}})
	s.SVG(text, Timeline([]Lane{{text, []Bar{{0, 1e9, text, text, false}, {1e9, 2e9, text, text, true}}}}, 0, 2e9, func(int64) string { return text }))
	s.Image(text, text, []byte("<svg/>"))
	s.Ladder(&Ladder{Caption: text, Replicas: []string{text}, Rows: []Rung{{1, []Cell{{Held: true, Epoch: 3, Entry: text}}}, {2, []Cell{{}}}}})
	return p
}

func written(t *testing.T, p *Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestHostileTextsStayTexts: no text becomes markup, wherever it stands: the page has
// the same elements as with a harmless one.
func TestHostileTextsStayTexts(t *testing.T) {
	tags := func(page string) string {
		var list []string
		for part := range strings.SplitSeq(page, "<") {
			name, _, _ := strings.Cut(part, ">")
			name, _, _ = strings.Cut(name, " ")
			list = append(list, strings.TrimSuffix(name, "/"))
		}
		return strings.Join(list[1:], " ")
	}
	bad := written(t, filled(hostile))
	if strings.Contains(bad, "<script") || strings.Contains(bad, "<img src=x") {
		t.Error("a hostile text became markup")
	}
	long := strings.Repeat("h", len(hostile)) // as long, so that the same labels fit
	if got, want := tags(bad), tags(written(t, filled(long))); got != want {
		t.Errorf("elements:\n%s\nwant\n%s", got, want)
	}
	if !strings.Contains(bad, "default-src 'none'") && !strings.Contains(bad, "default-src &#39;none&#39;") {
		t.Error("the page has no content security policy")
	}
}

func TestEqualPagesGiveEqualBytes(t *testing.T) {
	first, second := written(t, filled("x")), written(t, filled("x"))
	if first != second {
		t.Error("two pages differ")
	}
}

func TestPicturesBeyondTheLimitAreLeftOutWithANote(t *testing.T) {
	p := &Page{Title: "big"}
	s := p.Section("pictures")
	huge := append([]byte("<svg>"), bytes.Repeat([]byte(" "), MaxSize/2)...)
	s.SVG("first", huge)
	s.SVG("second", huge)
	s.Image("third", "", huge)
	page := written(t, p)
	if len(page) > MaxSize || !strings.Contains(page, "bytes: second") || !strings.Contains(page, "bytes: third") || strings.Contains(page, "bytes: first") {
		t.Errorf("a page of %d bytes, want one picture and two notes", len(page))
	}
}

func TestTimelineIsWellFormed(t *testing.T) {
	for _, svg := range [][]byte{Timeline(nil, 0, 0, func(int64) string { return "" }),
		Timeline([]Lane{{hostile, []Bar{{-5, 9e18, hostile, hostile, true}}}}, 0, 3e9, func(int64) string { return hostile })} {
		d := xml.NewDecoder(bytes.NewReader(svg))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%v in %s", err, svg)
			}
		}
	}
}

func TestCellsSayWithoutColourWhatTheyAre(t *testing.T) {
	for want, c := range map[string]Cell{"": {}, "2 ◌": {Held: true, Epoch: 2}, "2 ✓": {Held: true, Epoch: 2, Committed: true, Durable: true}, "3": {Held: true, Epoch: 3, Durable: true}} {
		if got := c.Text(); got != want {
			t.Errorf("%+v: %q, want %q", c, got, want)
		}
	}
}
