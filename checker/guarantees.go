package checker

import "fmt"

// Guarantee names something weaker than linearizability that a history may still
// give its clients.
type Guarantee uint8

// The guarantees. The four of sessions are those of Terry et al., Session
// guarantees for weakly consistent replicated data, PDIS 1994; a session is a
// client. Causal consistency is CC of Bouajjani et al., On verifying causal
// consistency, POPL 2017, and implies none of the others' order of writes in real
// time.
const (
	Causal Guarantee = iota
	ReadYourWrites
	MonotonicReads
	MonotonicWrites
	WritesFollowReads
	guarantees
)

var guaranteeNames = [...]string{"causal consistency", "read your writes", "monotonic reads", "monotonic writes", "writes follow reads"}

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
}

// Strongest names the strongest model that holds: linearizability is not looked at.
func (h *Holds) Strongest() string {
	all := true
	held := ""
	for _, f := range h.Findings {
		if f.Verdict != OK {
			all = all && f.Guarantee == Causal
			continue
		}
		if f.Guarantee == Causal {
			return f.Guarantee.String()
		}
		if held != "" {
			held += ", "
		}
		held += f.Guarantee.String()
	}
	switch {
	case all:
		return "all session guarantees"
	case held == "":
		return "none of those looked for"
	}
	return held
}
