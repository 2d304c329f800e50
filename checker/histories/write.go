package histories

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/lockstep-sim/lockstep/protocols"
)

// completion is an event of an EDN history that ends an operation, or begins it.
type completion struct {
	at   int64 // call or return; Infinity for :info
	item int32 // operation
	ends bool
}

// WriteEDN writes a history as Jepsen does, one event per line. Operations of
// unknown outcome end in :info, after everything else; their processes are used no
// more. A cas that was refused and a dequeue from an empty queue are a :fail. What
// writes and those saw stands under :saw, which other checkers ignore and [Read]
// reads back.
//
// Logs are written as transactions of one operation, which is what Elle's list-append
// takes; everything else as the models of Knossos and the counter of Jepsen want it.
func WriteEDN(out io.Writer, h *History) error {
	processes, err := h.renumber()
	if err != nil {
		return err
	}
	events := make([]completion, 0, 2*len(h.Operations))
	for i := range h.Operations {
		op := &h.Operations[i]
		if op.Op == protocols.Noop {
			continue
		}
		if h.Model == "kv" && (op.Op == protocols.AppendTo || len(op.List) > 0) || op.Op == protocols.Double ||
			op.Op == protocols.ReadRange && op.Outcome == protocols.Done && int64(len(op.List)) != int64(op.Value) {
			return fmt.Errorf("operation %d: append of kv, double, and reads of a part of a log have no form in Jepsen's histories", i+1)
		}
		events = append(events, completion{op.Call, int32(i), false}, completion{op.Return, int32(i), true})
	}
	// Intervals are closed: where instants are equal, calls come first.
	slices.SortStableFunc(events, func(a, b completion) int {
		if a.at != b.at {
			return cmp.Compare(a.at, b.at)
		}
		if a.ends != b.ends {
			if b.ends {
				return -1
			}
			return 1
		}
		return 0
	})
	b := bufio.NewWriterSize(out, 1<<16)
	var line []byte
	now := protocols.Time(0)
	for index, e := range events {
		at := h.Operations[e.item].Began
		if e.ends {
			at = h.Operations[e.item].Ended
		}
		now = max(now, at) // an :info stands later than the moment it tells of
		line = h.appendEvent(line[:0], index, now, e, processes[e.item])
		if _, err := b.Write(line); err != nil {
			return err
		}
	}
	return b.Flush()
}

// renumber gives every operation a process number: one per client, and a new one
// after each operation of unknown outcome, or while an earlier one is open.
func (h *History) renumber() ([]int32, error) {
	out := make([]int32, len(h.Operations))
	type state struct {
		number int32
		until  int64
		used   bool
	}
	now := make([]state, len(h.processes.texts))
	next := int32(0)
	for i := range h.Operations {
		op := &h.Operations[i]
		s := &now[h.Processes[op.Seq-1]]
		if !s.used || op.Call <= s.until {
			*s = state{number: next, used: true}
			next++
		}
		out[i], s.until = s.number, op.Return
		if next < 0 {
			return nil, fmt.Errorf("more than %d processes", int64(1)<<31-1)
		}
	}
	return out, nil
}

func (h *History) appendEvent(b []byte, index int, at protocols.Time, e completion, process int32) []byte {
	op := &h.Operations[e.item]
	b = append(b, "{:index "...)
	b = strconv.AppendInt(b, int64(index), 10)
	b = append(b, ", :time "...)
	b = strconv.AppendInt(b, int64(at), 10)
	b = append(b, ", :type :"...)
	b = append(b, h.eventType(op, e.ends)...)
	b = append(b, ", :process "...)
	b = strconv.AppendInt(b, int64(process), 10)
	b = append(b, ", :f :"...)
	answered := e.ends && op.Outcome == protocols.Done
	if h.Model == "log" {
		b = h.appendTransaction(append(b, "txn, :value "...), op, answered)
	} else {
		b = append(b, written(h.Model, op.Op)...)
		b = append(b, ", :value "...)
		if h.Keyed || h.Model == "kv" {
			key := h.Key(op.Key)
			if key == "" {
				key = "0" // JSON lines may leave it out, Jepsen's histories of kv may not
			}
			b = append(append(append(b, '['), key...), ' ')
		}
		b = h.appendValue(b, op, answered)
		if h.Keyed || h.Model == "kv" {
			b = append(b, ']')
		}
	}
	if answered && h.saw(op) {
		b = append(b, ", :saw "...)
		b = h.appendAnswer(b, op)
	}
	return append(b, '}', '\n')
}

// eventType returns the :type of an event of an operation.
func (h *History) eventType(op *protocols.Operation, ends bool) string {
	switch {
	case !ends:
		return "invoke"
	case op.Outcome == protocols.Unknown:
		return "info"
	case op.Outcome == protocols.Failed, op.Op == protocols.CAS && !op.Swapped, h.tookNothing(op):
		return "fail"
	}
	return "ok"
}

// tookNothing reports whether op found its queue empty.
func (h *History) tookNothing(op *protocols.Operation) bool {
	return h.Model == "queue" && op.Op == protocols.Delete && op.Outcome == protocols.Done && op.Value == 0
}

// saw reports whether op answered more than its :value tells.
func (h *History) saw(op *protocols.Operation) bool {
	switch {
	case h.Model == "queue":
		return h.tookNothing(op)
	case op.Kind != protocols.Write, h.Blind, h.Model == "log" && h.seated:
		return false
	}
	return op.Op != protocols.CAS || !op.Swapped
}

// appendTransaction appends an operation of a log as [[f k v]]. A log without a key
// gets the key 0.
func (h *History) appendTransaction(b []byte, op *protocols.Operation, answered bool) []byte {
	name := "r"
	if op.Op == protocols.AppendTo {
		name = "append"
	}
	key := "0"
	if h.Keyed {
		key = h.Key(op.Key)
	}
	b = append(append(append(append(append(b, "[[:"...), name...), ' '), key...), ' ')
	return append(h.appendValue(b, op, answered), "]]"...)
}

func (h *History) appendAnswer(b []byte, op *protocols.Operation) []byte {
	if h.Model == "log" || h.Model == "counter" {
		return strconv.AppendInt(b, int64(op.Value), 10)
	}
	return append(b, h.Value(int64(op.Value))...)
}

// appendValue appends what an operation is about, or what it answered.
func (h *History) appendValue(b []byte, op *protocols.Operation, answered bool) []byte {
	switch op.Op {
	case protocols.Put, protocols.AppendTo:
		return append(b, h.Value(op.Arg)...)
	case protocols.Increment:
		return strconv.AppendInt(b, op.Arg, 10)
	case protocols.CAS:
		return append(append(append(append(append(b, '['), h.Value(op.Old)...), ' '), h.Value(op.Arg)...), ']')
	case protocols.Get, protocols.Delete:
		if answered && (op.Op == protocols.Get || h.Model == "queue") {
			return h.appendAnswer(b, op)
		}
	case protocols.ReadRange:
		if answered {
			b = append(b, '[')
			for i, v := range op.List {
				if i > 0 {
					b = append(b, ' ')
				}
				b = append(b, h.Value(int64(v))...)
			}
			return append(b, ']')
		}
	}
	return append(b, "nil"...)
}
