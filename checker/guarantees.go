package checker

import (
	"fmt"
	"slices"
	"strings"
)

// Guarantee names something weaker than linearizability that a history may still
// give its clients.
type Guarantee uint8

// The guarantees. The four of sessions are those of Terry et al., Session
// guarantees for weakly consistent replicated data, PDIS 1994; a session is a
// client. Causal consistency is CC of Bouajjani et al., On verifying causal
// consistency, POPL 2017, and implies none of the others' order of writes in real
// time.
//
// Sequential consistency is Lamport's, over all keys together.
const (
	Sequential Guarantee = iota
	Causal
	ReadYourWrites
	MonotonicReads
	MonotonicWrites
	WritesFollowReads
	guarantees
)

var guaranteeNames = [...]string{"sequential consistency", "causal consistency", "read your writes", "monotonic reads", "monotonic writes", "writes follow reads"}

// String returns the guarantee's name.
func (g Guarantee) String() string {
	if g < guarantees {
		return guaranteeNames[g]
	}
	return fmt.Sprintf("guarantee(%d)", uint8(g))
}

// MarshalText implements encoding.TextMarshaler.
func (g Guarantee) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// Finding says whether one guarantee holds.
type Finding struct {
	Guarantee Guarantee
	Verdict   Verdict // OK, Violation or Inconclusive
	// Text says what breaks it, or why it was not decided.
	Text string
}

// Staleness says how far answers lagged behind acknowledged writes.
type Staleness struct {
	Decided bool
	Reads   int // that were compared
	Stale   int // of them, those that some newer acknowledged write should have reached
	// Versions is the largest number of acknowledged writes that a read lacked,
	// Nanoseconds the longest time since the first of them had been acknowledged, by
	// Began and Ended.
	Versions, Nanoseconds int64
}

// Holds is what a history gives its clients.
type Holds struct {
	Findings  []Finding // one per guarantee, in their order
	Staleness Staleness
	Effects   Effects
}

// Held lists the guarantees that hold, in their order.
func (h *Holds) Held() []Guarantee {
	var held []Guarantee
	for _, f := range h.Findings {
		if f.Verdict == OK {
			held = append(held, f.Guarantee)
		}
	}
	return held
}

// Strongest names the strongest model that holds, see [StrongestOf]: linearizability
// is not looked at.
func (h *Holds) Strongest() string {
	held := h.Held()
	if len(held) == 0 && slices.ContainsFunc(h.Findings, func(f Finding) bool { return f.Verdict == Inconclusive }) {
		return "not decided"
	}
	return StrongestOf(held)
}

// StrongestOf names the strongest of guarantees that hold, which are in their order.
// Each model implies the next, up to the session guarantees, which do not imply each
// other and are listed.
func StrongestOf(held []Guarantee) string {
	switch {
	case len(held) == 0:
		return "none of those looked for"
	case held[0] < ReadYourWrites:
		return held[0].String()
	case len(held) == int(guarantees-ReadYourWrites):
		return "all session guarantees"
	}
	names := make([]string, len(held))
	for i, g := range held {
		names[i] = g.String()
	}
	return strings.Join(names, ", ")
}
