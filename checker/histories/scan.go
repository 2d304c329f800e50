package histories

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

const (
	maxForm  = 64 << 20 // bytes of text in one form
	maxNodes = 16 << 20 // forms in one form
	maxDepth = 200
)

// Error is what is wrong with a file, and where.
type Error struct {
	File         string
	Line, Column int // from 1; columns count bytes
	Text         string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Text)
}

// scanner reads forms of EDN or JSON from a stream. Tags, metadata, comments and
// discarded forms of EDN are dropped.
type scanner struct {
	in      *bufio.Reader
	file    string
	at      place // of the byte read last
	past    place // of the byte before that
	newline bool  // the byte read last ends its line
	begun   place // of the current top-level form
	json    bool
	out     forms
}

func newScanner(in io.Reader, file string) scanner {
	return scanner{in: bufio.NewReaderSize(in, 1<<16), file: file, at: place{line: 1}}
}

func (s *scanner) errorf(at place, format string, args ...any) error {
	return &Error{s.file, int(at.line), int(max(at.column, 1)), fmt.Sprintf(format, args...)}
}

// placeOf returns where form i begins; of one that is not there, where the top-level
// form does.
func (s *scanner) placeOf(i int32) place {
	if at := s.out.nodes[i].at; at.line > 0 {
		return at
	}
	return s.begun
}

// next returns the next byte; io.EOF at the end.
func (s *scanner) next() (byte, error) {
	c, err := s.in.ReadByte()
	if err != nil {
		if !errors.Is(err, io.EOF) {
			err = s.errorf(s.at, "reading: %v", err)
		}
		return 0, err
	}
	s.past, s.at = s.at, s.end()
	s.newline = c == '\n'
	return c, nil
}

// end returns the place after the byte read last.
func (s *scanner) end() place {
	if s.newline {
		return place{s.at.line + 1, 1}
	}
	return place{s.at.line, s.at.column + 1}
}

// back takes back the byte read last, once.
func (s *scanner) back() {
	s.at, s.newline = s.past, s.at.line > s.past.line
	_ = s.in.UnreadByte() // cannot fail: a byte has just been read
}

// skip skips white space and comments and returns the byte after it.
func (s *scanner) skip() (byte, error) {
	for {
		c, err := s.next()
		if err != nil {
			return 0, err
		}
		switch {
		case c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f':
		case !s.json && c == ',':
		case !s.json && c == ';':
			for c != '\n' {
				if c, err = s.next(); err != nil {
					return 0, err
				}
			}
		default:
			return c, nil
		}
	}
}

// ended turns the end of the file inside a form into an error.
func (s *scanner) ended(err error) error {
	if errors.Is(err, io.EOF) {
		return s.errorf(s.begun, "the file ends inside the form that begins here")
	}
	return err
}

// form reads the form that begins with c and returns its number.
func (s *scanner) form(c byte, depth int) (int32, error) {
	if depth > maxDepth {
		return 0, s.errorf(s.at, "forms are nested more than %d deep", maxDepth)
	}
	if len(s.out.nodes) > maxNodes || len(s.out.text) > maxForm {
		return 0, s.errorf(s.begun, "a form is larger than %d MiB", maxForm>>20)
	}
	at := s.at
	i, err := s.formAt(c, depth)
	if err == nil && i != discarded {
		s.out.nodes[i].at = at
	}
	return i, err
}

func (s *scanner) formAt(c byte, depth int) (int32, error) {
	switch {
	case c == '"':
		return s.text()
	case c == '{':
		return s.list(mapForm, '}', depth)
	case c == '[':
		return s.list(listForm, ']', depth)
	case c == ']' || c == '}' || c == ')':
		return 0, s.errorf(s.at, "unexpected %q", c)
	case s.json:
		return s.atom(c)
	case c == '(':
		return s.list(listForm, ')', depth)
	case c == '#':
		return s.dispatch(depth)
	case c == '^': // metadata, then what it is about
		if _, err := s.inner(depth); err != nil {
			return 0, err
		}
		return s.inner(depth)
	case c == '\\':
		return s.character()
	}
	return s.atom(c)
}

// inner reads a form inside another one.
func (s *scanner) inner(depth int) (int32, error) {
	for {
		c, err := s.skip()
		if err != nil {
			return 0, s.ended(err)
		}
		i, err := s.form(c, depth+1)
		if i >= 0 || err != nil {
			return i, err
		}
	}
}

// discarded is the number of a form that is not there.
const discarded = int32(-1)

// dispatch reads what follows a #.
func (s *scanner) dispatch(depth int) (int32, error) {
	c, err := s.next()
	if err != nil {
		return 0, s.ended(err)
	}
	switch {
	case c == '{':
		return s.list(setForm, '}', depth)
	case c == '"':
		return s.text()
	case c == '_':
		_, err := s.inner(depth)
		return discarded, err
	case c == '#': // ##NaN and the like
		return s.inner(depth)
	case isDelimiter(c):
		return 0, s.errorf(s.at, "unexpected %q after #", c)
	}
	if _, err := s.atom(c); err != nil {
		return 0, err
	}
	return s.inner(depth) // the tag says nothing that a history needs
}

// list reads children up to end.
func (s *scanner) list(kind formKind, end byte, depth int) (int32, error) {
	self := s.out.add(form{kind: kind})
	last := int32(0)
	for n := int64(0); ; {
		c, err := s.skip()
		if err != nil {
			return 0, s.ended(err)
		}
		if c == end {
			if kind == mapForm && n%2 != 0 {
				return 0, s.errorf(s.at, "a map has a key without a value")
			}
			s.out.nodes[self].n = n
			return self, nil
		}
		if s.json && n > 0 {
			want := byte(',')
			if kind == mapForm && n%2 == 1 {
				want = ':'
			}
			if c != want {
				return 0, s.errorf(s.at, "unexpected %q: want %q", c, want)
			}
			if c, err = s.skip(); err != nil {
				return 0, s.ended(err)
			}
		}
		i, err := s.form(c, depth+1)
		if err != nil {
			return 0, err
		}
		if i == discarded {
			continue
		}
		if last == 0 {
			s.out.nodes[self].first = i
		} else {
			s.out.nodes[last].next = i
		}
		last = i
		n++
	}
}

func isDelimiter(c byte) bool {
	switch c {
	case ' ', '\n', '\t', '\r', '\f', ',', ';', '(', ')', '[', ']', '{', '}', '"':
		return true
	}
	return false
}

// word reads the rest of an atom into the text.
func (s *scanner) word(c byte) (from int, err error) {
	from = len(s.out.text)
	for {
		if c < ' ' || c == 0x7f {
			return 0, s.errorf(s.at, "byte 0x%02x: this is no text", c)
		}
		s.out.text = append(s.out.text, c)
		if len(s.out.text) > maxForm {
			return 0, s.errorf(s.begun, "a form is larger than %d MiB", maxForm>>20)
		}
		if c, err = s.next(); err != nil {
			if errors.Is(err, io.EOF) {
				return from, nil
			}
			return 0, err
		}
		if isDelimiter(c) || s.json && c == ':' {
			s.back()
			return from, nil
		}
	}
}

// atom reads a number, a keyword, a symbol, nil, null, true or false.
func (s *scanner) atom(c byte) (int32, error) {
	at := s.at
	from, err := s.word(c)
	if err != nil {
		return 0, err
	}
	n := form{kind: otherForm, from: int32(from), to: int32(len(s.out.text))}
	word := s.out.text[from:]
	switch {
	case startsNumber(word):
		return s.number(at, from)
	case string(word) == "nil" && !s.json || string(word) == "null" && s.json:
		n.kind = nilForm
	case string(word) == "true" || string(word) == "false":
		n.kind = boolForm
	case s.json:
		return 0, s.errorf(at, "%s is no JSON value", shorten(word))
	case c == ':':
		n.kind = keywordForm
		n.from++
	}
	if !utf8.Valid(word) {
		return 0, s.errorf(at, "%s is not UTF-8", shorten(word))
	}
	return s.out.add(n), nil
}

// number makes a form of the number whose text begins at from. Other numbers than
// integers of 64 bits are known by their text, which is made the same for equal ones.
func (s *scanner) number(at place, from int) (int32, error) {
	word := s.out.text[from:]
	if n, err := strconv.ParseInt(string(word), 10, 64); err == nil && word[0] != '+' && !leadingZero(word) { // nearly all are
		return s.out.add(form{kind: intForm, n: n, from: int32(from), to: int32(len(s.out.text))}), nil
	}
	if !s.json && bytes.IndexByte(word, '/') > 0 { // a ratio
		return s.out.add(form{kind: otherForm, from: int32(from), to: int32(len(s.out.text))}), nil
	}
	d, ok := parseDecimal(word, s.json)
	switch {
	case !ok && s.json:
		return 0, s.errorf(at, "%s is no JSON number", shorten(word))
	case !ok: // as in #object[java.lang.Thread 0x1f "…"], where it does not matter
		return s.out.add(form{kind: oddForm, from: int32(from), to: int32(len(s.out.text))}), nil
	}
	n := form{kind: otherForm, from: int32(from)}
	text := d.text(s.json)
	if value, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		n.kind, n.n = intForm, value
	}
	s.out.text = append(s.out.text[:from], text...)
	n.to = int32(len(s.out.text))
	return s.out.add(n), nil
}

// leadingZero reports whether an integer begins with a zero that it does not need.
func leadingZero(word []byte) bool {
	word = bytes.TrimPrefix(word, []byte("-"))
	return len(word) > 1 && word[0] == '0'
}

// shorten quotes the beginning of a word for an error.
func shorten(word []byte) string {
	if len(word) > 40 {
		return strconv.Quote(string(word[:40])) + "…"
	}
	return strconv.Quote(string(word))
}

// character reads \c, \newline, \u0041.
func (s *scanner) character() (int32, error) {
	c, err := s.next()
	if err != nil {
		return 0, s.ended(err)
	}
	from := len(s.out.text)
	s.out.text = append(s.out.text, '\\', c)
	if c, err = s.next(); err == nil {
		if s.back(); !isDelimiter(c) {
			c, _ = s.next()
			if _, err := s.word(c); err != nil {
				return 0, err
			}
		}
	} else if !errors.Is(err, io.EOF) {
		return 0, err
	}
	if word := s.out.text[from:]; !utf8.Valid(word) {
		return 0, s.errorf(s.at, "%s is not UTF-8", shorten(word))
	}
	return s.out.add(form{kind: otherForm, from: int32(from), to: int32(len(s.out.text))}), nil
}

// text reads a string up to its closing quote.
func (s *scanner) text() (int32, error) {
	from := len(s.out.text)
	for {
		c, err := s.next()
		if err != nil {
			return 0, s.ended(err)
		}
		if c == '"' {
			break
		}
		if c == '\\' {
			if err := s.escape(); err != nil {
				return 0, err
			}
			continue
		}
		if s.json && c < ' ' {
			return 0, s.errorf(s.begun, "a string holds byte 0x%02x, which JSON writes as an escape: is its end missing?", c)
		}
		s.out.text = append(s.out.text, c)
		if len(s.out.text) > maxForm {
			return 0, s.errorf(s.begun, "a form is larger than %d MiB", maxForm>>20)
		}
	}
	if !utf8.Valid(s.out.text[from:]) {
		return 0, s.errorf(s.at, "a string is not UTF-8")
	}
	return s.out.add(form{kind: stringForm, from: int32(from), to: int32(len(s.out.text))}), nil
}

// escape reads what follows a backslash in a string. Halves of surrogate pairs
// become the replacement character.
func (s *scanner) escape() error {
	c, err := s.next()
	if err != nil {
		return s.ended(err)
	}
	switch c {
	case 'n':
		c = '\n'
	case 't':
		c = '\t'
	case 'r':
		c = '\r'
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'u':
		var digits [4]byte
		for i := range digits {
			if digits[i], err = s.next(); err != nil {
				return s.ended(err)
			}
		}
		n, err := strconv.ParseUint(string(digits[:]), 16, 32)
		if err != nil {
			return s.errorf(s.at, "\\u%s is no character", shorten(digits[:]))
		}
		s.out.text = utf8.AppendRune(s.out.text, rune(n))
		return nil
	case '"', '\\', '/':
	default:
		if s.json {
			return s.errorf(s.at, "\\%c is no escape of JSON", c)
		}
	}
	s.out.text = append(s.out.text, c)
	return nil
}
