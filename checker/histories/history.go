package histories

import (
	"fmt"
	"math"
	"strconv"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
)

// Models lists the models that a history can be read and judged as.
var Models = []string{"register", "cas-register", "kv", "queue", "log", "counter"}

// machines are the state machines of package checker for [Models].
var machines = [...]string{"register", "register", "kv", "queue", "log", "counter"}

// History is a history that was read.
type History struct {
	Model string // of Models
	// Operations are in the order of their calls. Seq is an operation's place in the
	// file, from 1, and Client says nothing: see Processes.
	Operations []protocols.Operation
	// Processes holds the number of every operation's process, by Seq-1. A process
	// has at most one operation open at a time unless Overlapping.
	Processes []int32
	// Overlapping: some process called before its last operation had returned.
	Overlapping bool
	// Keyed: every operation names its key, and keys are independent machines.
	Keyed bool
	// Blind: what writes saw is not known.
	Blind bool
	// Positions: every answered operation says at which position of the system's
	// log it took effect.
	Positions bool
	// Timed: Began and Ended say when operations were called and returned; otherwise
	// they say nothing.
	Timed bool
	// Skipped counts lines of nemeses and of the test itself.
	Skipped int
	// Marks are the faults of nemeses, on the scale of Call and Return.
	Marks []checker.Mark
	// Notes says what was found and ignored.
	Notes []string

	values, keys, processes names
	jsonKeys                bool // JSON lines: keys are printed as this project prints them
	seated                  bool // positions of appends are derived, not answered
}

// Options returns how to judge the history.
func (h *History) Options() checker.Options {
	machine := ""
	for i, m := range Models {
		if m == h.Model {
			machine = machines[i]
		}
	}
	return checker.Options{Machine: machine, Keyed: h.Keyed, Blind: h.Blind, Seated: h.seated, Positions: h.Positions, Names: h}
}

// Client implements checker.Names.
func (h *History) Client(op *protocols.Operation) string {
	if op.Seq == 0 || op.Seq > uint64(len(h.Processes)) {
		return op.Client.String()
	}
	return h.processes.name(int64(-1 - h.Processes[op.Seq-1]))
}

// Counted reports whether Call and Return count events, as the file gives an order and no
// instants.
func (h *History) Counted() bool { return !h.jsonKeys }

// Operation implements checker.Names: Jepsen's names where the file had those.
func (h *History) Operation(op protocols.Op) string {
	if !h.Counted() {
		return ""
	}
	return written(h.Model, op)
}

// Key implements checker.Names.
func (h *History) Key(k protocols.Key) string {
	if k == 0 || int(k) > len(h.keys.texts) {
		return ""
	}
	return h.keys.texts[k-1]
}

// Value implements checker.Names.
func (h *History) Value(v int64) string { return h.values.name(v) }

// names numbers what is no positive integer: -1, -2, … by first appearance.
type names struct {
	texts []string
	ids   map[string]int32 // looked up, never ranged over
}

func (n *names) id(text []byte) (int32, error) {
	if id, ok := n.ids[string(text)]; ok {
		return id, nil
	}
	if len(n.texts) == math.MaxInt32 {
		return 0, fmt.Errorf("more than %d different names", len(n.texts))
	}
	if n.ids == nil {
		n.ids = map[string]int32{}
	}
	n.texts = append(n.texts, string(text))
	n.ids[string(text)] = int32(len(n.texts) - 1)
	return int32(len(n.texts) - 1), nil
}

func (n *names) name(v int64) string {
	switch {
	case v == 0:
		return "nil"
	case v < 0 && -1-v < int64(len(n.texts)):
		return n.texts[-1-v]
	}
	return strconv.FormatInt(v, 10)
}
