package histories

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// Jepsen's own log prints every event of a history as it happens:
//
//	INFO  jepsen.util - 0	:invoke	:read	nil
//	2021-02-26 23:39:01,300{GMT}	INFO	[jepsen worker 1] jepsen.util: 1	:ok	:write	[0 2]
//
// The process, the type, the operation and its value are the last words of a line,
// and an :error may follow. Lines of other kinds stand between them.

// types are the types of events that the log shows.
var types = [...]string{":invoke", ":ok", ":fail", ":info"}

// readLog takes the events out of a log.
func (r *reader) readLog() error {
	lines := bufio.NewScanner(r.scan.in)
	lines.Buffer(make([]byte, 1<<16), maxForm)
	text := bytes.NewReader(nil)
	r.scan.in = bufio.NewReader(text)
	found := false
	number := int32(0)
	for lines.Scan() {
		number++
		event := logEvent(lines.Bytes())
		if event == nil {
			continue
		}
		found = true
		text.Reset(event)
		r.scan.in.Reset(text)
		r.scan.begun = place{number, int32(len(lines.Bytes())-len(event)) + 1}
		r.scan.at, r.scan.newline = place{number, r.scan.begun.column - 1}, false
		if err := r.logForms(); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return r.scan.errorf(place{number + 1, 1}, "reading: %v", err)
	}
	if !found {
		return r.scan.errorf(place{1, 1}, "the file begins neither with a map nor with a vector, so that it should be a log of Jepsen, but no line ends in process, :invoke, operation and value")
	}
	return nil
}

// logEvent returns the end of a line that begins with the process of an event; nil
// if there is none.
func logEvent(line []byte) []byte {
	words := 0 // where the word before begins
	for at := 0; at < len(line); {
		end := at
		for end < len(line) && !isDelimiter(line[end]) {
			end++
		}
		if isType(line[at:end]) && isProcess(line[words:at]) {
			if f := bytes.TrimLeft(line[end:], " \t"); len(f) > 0 && f[0] == ':' {
				return line[words:]
			}
		}
		if end > at {
			words = at
		}
		for at = end; at < len(line) && isDelimiter(line[at]); at++ {
		}
	}
	return nil
}

func isType(word []byte) bool {
	for _, t := range types {
		if string(word) == t {
			return true
		}
	}
	return false
}

// isProcess reports whether the word is a number or a keyword, followed by blanks.
func isProcess(word []byte) bool {
	word = bytes.TrimRight(word, " \t")
	if len(word) == 0 {
		return false
	}
	if word[0] == ':' {
		return len(word) > 1
	}
	for _, c := range word {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// logForms reads process, type, operation and value, and takes the event.
func (r *reader) logForms() error {
	s := &r.scan
	s.out.reset()
	s.out.add(form{kind: mapForm}) // number 0 is no field
	var e ednEvent
	for _, to := range [...]*int32{&e.process, &e.kind, &e.f, &e.value} {
		c, err := s.skip()
		if errors.Is(err, io.EOF) {
			break // an event without a value
		}
		if err != nil {
			return err
		}
		if *to, err = s.form(c, 0); err != nil {
			return err
		}
		if *to == discarded {
			return s.errorf(s.at, "unexpected #_ in an event")
		}
	}
	if e.value == 0 {
		e.value = s.out.add(form{kind: nilForm})
	}
	return r.take(e)
}
