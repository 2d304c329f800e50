package histories

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
)

// Format is how a file is written.
type Format string

// The formats. Detect looks at the beginning of the file.
const (
	Detect Format = ""
	EDN    Format = "edn"
	JSON   Format = "json"
	Log    Format = "log" // what Jepsen prints while it runs
)

// reader builds a history from forms.
type reader struct {
	*History
	scan     scanner
	known    []named
	open     map[int32]*openOperation // by process; looked up, never ranged over
	retired  map[int32]int            // by process: the line on which it ended with :info
	clock    int64                    // number of the last event
	index    int64                    // the last :index
	time     int64                    // the last :time
	decided  bool                     // whether operations name keys
	key      []byte                   // working memory
	function place                    // of the present event's :f
	saws     int                      // answered writes that say what they saw
	writes   int                      // answered writes
	placed   bool                     // every answered operation had a position
	ordered  bool                     // calls came in order
	amounts  bool                     // something was added that is not 1
	faults   map[string]int           // by the name of what began it: its mark; looked up, never ranged over
	ended    string                   // the event that ended a fault, until its completion
}

// Read reads a history as one of [Models]. The name stands for the file in errors,
// which are of type *[Error] where a line is to blame.
//
// Read takes the events of EDN in the order of the file, which must be that of
// :index where there is one. What it cannot give a meaning to it refuses.
func Read(in io.Reader, name, model string, format Format) (*History, error) {
	if !slices.Contains(Models, model) {
		return nil, fmt.Errorf("model %q: want %s", model, strings.Join(Models, ", "))
	}
	r := &reader{History: &History{Model: model, Timed: true}, open: map[int32]*openOperation{}, retired: map[int32]int{}, faults: map[string]int{}, index: math.MinInt64, time: math.MinInt64, placed: true, ordered: true}
	r.scan = newScanner(in, name)
	found, err := r.detect()
	if err != nil {
		return nil, err
	}
	if format == Detect {
		format = found
	}
	r.known = known(model, format == JSON)
	switch format {
	case EDN:
		err = r.readAll(r.event)
	case Log:
		err = r.readLog()
	case JSON:
		r.scan.json, r.jsonKeys = true, true
		err = r.readAll(r.operation)
	default:
		err = fmt.Errorf("format %q: want edn, json or log", format)
	}
	if err != nil {
		return nil, err
	}
	r.finish()
	return r.History, nil
}

// detect drops a byte order mark, refuses what is no text, and tells the formats
// apart: JSON objects begin with a string and a colon, EDN maps do not, and logs begin
// with a word or a date.
func (r *reader) detect() (Format, error) {
	head, err := r.scan.in.Peek(1 << 12)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", r.scan.errorf(r.scan.at, "reading: %v", err)
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return "", r.scan.errorf(r.scan.at, "the file is compressed by gzip: unpack it first, or pipe it: gunzip -c FILE | lockstep check - …")
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return "", r.scan.errorf(r.scan.at, "the file is compressed by zstd: unpack it first, or pipe it: zstd -dc FILE | lockstep check - …")
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return "", r.scan.errorf(r.scan.at, "the file is UTF-16: want UTF-8")
	case bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
		head = head[3:]
		_, _ = r.scan.in.Discard(3) // they have been peeked at
	}
	if i := bytes.IndexByte(head, '{'); i >= 0 {
		if rest := bytes.TrimLeft(head[i+1:], " \t\r\n"); len(rest) > 0 && rest[0] == '"' && bytes.IndexByte(head[:i], ';') < 0 && !stringThenSpace(rest) {
			return JSON, nil
		}
	}
	if begin := bytes.TrimLeft(head, " \t\r\n"); len(begin) > 0 && (begin[0] >= '0' && begin[0] <= '9' || begin[0] >= 'A' && begin[0] <= 'Z' || begin[0] >= 'a' && begin[0] <= 'z') {
		return Log, nil
	}
	return EDN, nil
}

// stringThenSpace reports whether a text begins with a string, blanks and something
// other than the colon of JSON.
func stringThenSpace(text []byte) bool {
	end := bytes.IndexByte(text[1:], '"')
	if end < 0 {
		return false
	}
	rest := bytes.TrimLeft(text[end+2:], " \t\r\n,")
	return len(rest) > 0 && rest[0] != ':'
}

// readAll gives every map of the file to take: one after the other, or in one
// vector or list.
func (r *reader) readAll(take func(i int32) error) error {
	s := &r.scan
	end, separated := byte(0), true // what ends the vector or list that holds all
	for {
		c, err := s.skip()
		if errors.Is(err, io.EOF) {
			if end != 0 {
				return s.errorf(s.end(), "the file ends before the vector or list that holds it does")
			}
			return nil
		}
		if err != nil {
			return err
		}
		s.begun = s.at
		switch {
		case (c == '[' || c == '(' && !s.json) && end == 0 && len(r.Operations) == 0 && r.Skipped == 0:
			if end = ']'; c == '(' {
				end = ')'
			}
			continue
		case end != 0 && c == end:
			return r.nothingMore()
		case s.json && c == ',' && end != 0 && !separated:
			separated = true
			continue
		}
		s.out.reset()
		i, err := s.form(c, 0)
		if err != nil {
			return err
		}
		if i == discarded {
			continue
		}
		if s.out.nodes[i].kind != mapForm {
			return s.errorf(s.begun, "%s: want a map", shorten(s.out.print(nil, i)))
		}
		separated = false
		if err := take(i); err != nil {
			return err
		}
	}
}

// nothingMore refuses what follows the vector or list that holds the history.
func (r *reader) nothingMore() error {
	c, err := r.scan.skip()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	return r.scan.errorf(r.scan.at, "unexpected %q after the vector or list that holds the history", c)
}

// add appends an operation of a process.
func (r *reader) add(op protocols.Operation, process int32) error {
	if len(r.Operations) == math.MaxInt32 {
		return r.scan.errorf(r.scan.begun, "more than %d operations", len(r.Operations))
	}
	op.Seq = uint64(len(r.Operations) + 1)
	op.Client = -1
	r.Operations = append(r.Operations, op)
	r.Processes = append(r.Processes, process)
	return nil
}

// finish settles what is known at the end only.
func (r *reader) finish() {
	if !r.ordered {
		slices.SortStableFunc(r.Operations, func(a, b protocols.Operation) int {
			switch {
			case a.Call < b.Call:
				return -1
			case a.Call > b.Call:
				return 1
			}
			return 0
		})
	}
	r.endFaults()
	r.Positions = r.placed && len(r.Operations) > 0
	if r.Model == "log" {
		r.seated = r.saws < r.writes && checker.Seat(r.Operations)
		r.Blind = r.saws < r.writes && !r.seated
	} else if r.Model != "queue" {
		r.Blind = r.saws < r.writes || r.amounts
	}
}

// value numbers a value. Counters keep their integers.
func (r *reader) value(i int32) (int64, error) {
	f := &r.scan.out
	n := &f.nodes[i]
	switch {
	case n.kind == nilForm:
		return 0, nil
	case n.kind == oddForm:
		return 0, r.oddNumber(i)
	case r.Model == "counter":
		if n.kind != intForm {
			return 0, r.scan.errorf(r.scan.placeOf(i), "%s: a counter has whole numbers of 64 bits", shorten(f.print(nil, i)))
		}
		return n.n, nil
	case n.kind == intForm && (n.n > 0 || n.n == 0 && r.scan.json):
		return n.n, nil
	}
	r.key = f.print(r.key[:0], i)
	id, err := r.values.id(r.key)
	return -1 - int64(id), err
}

func (r *reader) oddNumber(i int32) error {
	return r.scan.errorf(r.scan.placeOf(i), "%s is no number of EDN: want a decimal one without leading zeros", shorten(r.scan.out.textOf(i)))
}

// keyOf numbers a key from 1.
func (r *reader) keyOf(i int32) (protocols.Key, error) {
	if r.scan.out.nodes[i].kind == oddForm {
		return 0, r.oddNumber(i)
	}
	r.key = r.key[:0]
	if r.jsonKeys && r.scan.out.nodes[i].kind == intForm {
		r.key = append(r.key, 'k')
	}
	r.key = r.scan.out.print(r.key, i)
	id, err := r.keys.id(r.key)
	return protocols.Key(id + 1), err
}

// list numbers the elements of a list form.
func (r *reader) list(i int32) ([]protocols.Value, error) {
	f := &r.scan.out
	if f.nodes[i].kind == nilForm {
		return nil, nil
	}
	if f.nodes[i].kind != listForm {
		return nil, r.scan.errorf(r.scan.placeOf(i), "%s: want a vector of what was read", shorten(f.print(nil, i)))
	}
	out := make([]protocols.Value, 0, f.nodes[i].n)
	for c := f.nodes[i].first; c != 0; c = f.nodes[c].next {
		v, err := r.value(c)
		if err != nil {
			return nil, err
		}
		out = append(out, protocols.Value(v))
	}
	return out, nil
}
