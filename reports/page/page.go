// Package page writes a report as one HTML file that needs nothing else: no network,
// no script and no other file. It can be read from the keyboard alone and in the dark.
//
// Every text is escaped, whatever it holds. A content security policy in the page
// forbids all loading, and every script.
package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
)

// MaxSize bounds the pictures of one page, in bytes. What does not fit is left out
// with a note.
const MaxSize = 6_000_000

// Page is a report. The zero value is empty; a page has a title.
type Page struct {
	Title, Lead string
	Verdict     string // one word that stands beside the title: ok, violation; "" for none
	sections    []*Section
	size        int
}

// Section is a part of a page under a heading of its own.
type Section struct {
	Title, ID string
	page      *Page
	Blocks    []block
}

// block is one thing in a section; what is set is shown.
type block struct {
	Text, Note, Pre, Summary string
	Head                     []string
	Rows                     [][]string
	Picture                  template.HTML
	Image                    template.URL
	Caption, Alt             string
	Ladder                   *Ladder
}

// Section begins a new section.
func (p *Page) Section(title string) *Section {
	s := &Section{Title: title, ID: fmt.Sprintf("s%d", len(p.sections)+1), page: p}
	p.sections = append(p.sections, s)
	return s
}

// Text adds a paragraph.
func (s *Section) Text(text string) { s.Blocks = append(s.Blocks, block{Text: text}) }

// Note adds a paragraph that stands out.
func (s *Section) Note(text string) { s.Blocks = append(s.Blocks, block{Note: text}) }

// Pre adds text that keeps its lines. With a summary it is folded.
func (s *Section) Pre(summary, text string) {
	s.Blocks = append(s.Blocks, block{Pre: text, Summary: summary})
}

// Table adds a table whose first column holds headings.
func (s *Section) Table(caption string, head []string, rows [][]string) {
	s.Blocks = append(s.Blocks, block{Caption: caption, Head: head, Rows: rows})
}

// Ladder adds a ladder of logs.
func (s *Section) Ladder(l *Ladder) { s.Blocks = append(s.Blocks, block{Ladder: l}) }

// SVG adds a picture that becomes part of the page. The caller vouches for its markup:
// texts in it must be escaped, and it must hold no style sheet and no id.
func (s *Section) SVG(caption string, svg []byte) {
	if !s.fits(caption, len(svg)) {
		return
	}
	if from := bytes.Index(svg, []byte("<svg")); from > 0 { // the XML declaration is not for HTML
		svg = svg[from:]
	}
	s.Blocks = append(s.Blocks, block{Picture: template.HTML(svg), Caption: caption})
}

// Image adds an SVG with a style sheet of its own as an image. alt says what it shows.
func (s *Section) Image(caption, alt string, svg []byte) {
	coded := base64.StdEncoding.EncodeToString(svg)
	if !s.fits(caption, len(coded)) {
		return
	}
	s.Blocks = append(s.Blocks, block{Image: template.URL("data:image/svg+xml;base64," + coded), Caption: caption, Alt: alt})
}

// fits takes room for a picture, or notes that there is none.
func (s *Section) fits(caption string, size int) bool {
	if s.page.size+size > MaxSize {
		s.Note(fmt.Sprintf("Left out, since the pictures of this page have reached %d bytes: %s", MaxSize, caption))
		return false
	}
	s.page.size += size
	return true
}

// Write writes the page. Equal pages give equal bytes.
func (p *Page) Write(w io.Writer) error {
	var b bytes.Buffer
	sum := sha256.Sum256([]byte(styleSheet))
	err := document.Execute(&b, map[string]any{
		"Page": p, "Sections": p.sections, "Style": template.CSS(styleSheet),
		"Policy": "default-src 'none'; img-src data:; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; style-src-attr 'unsafe-inline'; base-uri 'none'; form-action 'none'",
	})
	if err != nil {
		return fmt.Errorf("writing the page %q: %w", p.Title, err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

var document = template.Must(template.New("page").Funcs(template.FuncMap{"class": func(verdict string) string {
	if verdict == "ok" {
		return "ok"
	}
	return "bad"
}, "lines": strings.TrimSpace}).Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{.Policy}}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{.Page.Title}}</title>
<style>{{.Style}}</style>
</head>
<body>
<a class="skip" href="#{{(index .Sections 0).ID}}">Skip to the first section</a>
<header>
<h1>{{.Page.Title}}{{with .Page.Verdict}} <span class="verdict {{class .}}">{{.}}</span>{{end}}</h1>
{{with .Page.Lead}}<p>{{.}}</p>{{end}}
<nav aria-label="Sections"><ul>{{range .Sections}}<li><a href="#{{.ID}}">{{.Title}}</a></li>{{end}}</ul></nav>
</header>
<main>
{{range .Sections}}<section id="{{.ID}}" aria-labelledby="{{.ID}}h">
<h2 id="{{.ID}}h">{{.Title}}</h2>
{{range .Blocks}}{{template "block" .}}{{end}}</section>
{{end}}</main>
</body>
</html>
{{define "block"}}{{if .Text}}<p>{{.Text}}</p>
{{else if .Note}}<p class="note" role="note">{{.Note}}</p>
{{else if .Pre}}{{if .Summary}}<details><summary>{{.Summary}}</summary><pre tabindex="0">{{lines .Pre}}</pre></details>
{{else}}<pre tabindex="0">{{lines .Pre}}</pre>
{{end}}{{else if .Head}}<div class="scroll" role="region" aria-label="{{.Caption}}" tabindex="0"><table><caption>{{.Caption}}</caption>
<thead><tr>{{range .Head}}<th scope="col">{{.}}</th>{{end}}</tr></thead>
<tbody>{{range .Rows}}<tr>{{range $i, $cell := .}}{{if $i}}<td>{{$cell}}</td>{{else}}<th scope="row">{{$cell}}</th>{{end}}{{end}}</tr>
{{end}}</tbody></table></div>
{{else if .Picture}}<figure><div class="scroll paper" role="img" aria-label="{{.Caption}}" tabindex="0">{{.Picture}}</div><figcaption>{{.Caption}}</figcaption></figure>
{{else if .Image}}<figure><div class="scroll" role="region" aria-label="{{.Caption}}" tabindex="0"><img src="{{.Image}}" alt="{{.Alt}}"></div><figcaption>{{.Caption}}</figcaption></figure>
{{else if .Ladder}}<p>{{.Ladder.Caption}}</p>
<div class="scroll" role="region" aria-label="Ladder of the logs" tabindex="0"><table class="ladder">
<thead><tr><th scope="col">position</th>{{range .Ladder.Replicas}}<th scope="col">{{.}}</th>{{end}}</tr></thead>
<tbody>{{range .Ladder.Rows}}<tr><th scope="row">{{.Position}}</th>{{range .Cells}}<td{{if .Held}} class="{{.Class}}" title="{{.Title}}"{{end}}>{{.Text}}</td>{{end}}</tr>
{{end}}</tbody></table></div>
{{end}}{{end}}`))

// styleSheet is all of the page's styles. Its hash is in the policy.
const styleSheet = `:root{--ink:#1f2328;--dim:#59636e;--paper:#fff;--soft:#f6f8fa;--line:#d0d7de;--link:#0550ae}
*{box-sizing:border-box}body{margin:0 auto;padding:1rem 1.5rem 4rem;max-width:72rem;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,"Liberation Sans",Arial,sans-serif}
h1{font-size:1.6rem;margin:.6rem 0}h2{font-size:1.2rem;margin:2.2rem 0 .6rem;border-bottom:1px solid var(--line)}a{color:var(--link)}
a:focus-visible,summary:focus-visible,[tabindex]:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-99rem}.skip:focus{position:static}
nav ul{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;padding:0;list-style:none}
.verdict{font-size:1rem;padding:.1rem .6rem;border-radius:1rem;border:2px solid;vertical-align:middle}.verdict.ok{color:#1a7f37}.verdict.bad{color:#cf222e}
.note{border-left:4px solid #bf8700;padding:.3rem .8rem;background:var(--soft)}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:.6rem 0}caption{text-align:left;color:var(--dim);padding:.2rem 0}
th,td{padding:.2rem .7rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;max-width:24rem}thead th{background:var(--soft)}tbody th{font-weight:600}
pre{background:var(--soft);padding:.7rem;overflow-x:auto;font:13px/1.4 ui-monospace,"Liberation Mono",monospace}summary{cursor:pointer;padding:.2rem 0}
figure{margin:1rem 0}figcaption{color:var(--dim)}.paper svg,img{display:block}
.ladder td{text-align:center;min-width:4.5rem;border:1px solid var(--line);color:var(--ink)}.ladder .c{font-weight:bold;border:2px solid var(--ink)}.ladder .v{border-style:dashed}
.e0{background:#cfe3f5}.e1{background:#f8dcc4}.e2{background:#c9ecdf}.e3{background:#f1d9e6}.e4{background:#f7e3b5}.e5{background:#d7eefa}.e6{background:#dddddd}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9ea7b3;--paper:#0d1117;--soft:#161b22;--line:#30363d;--link:#6cb0ff}
.paper svg{filter:invert(.93) hue-rotate(180deg)}.verdict.ok{color:#56d364}.verdict.bad{color:#ff7b72}
.e0{background:#0b3a5c}.e1{background:#5a2c08}.e2{background:#0b4a38}.e3{background:#572f45}.e4{background:#553c05}.e5{background:#16455f}.e6{background:#3a3a3a}}
@media print{nav,.skip{display:none}.scroll{overflow:visible}}
`
