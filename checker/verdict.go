package checker

import "fmt"

// Verdict is the judgement over a history or a run.
type Verdict uint8

const (
	// Inconclusive: nothing decided within its budget.
	Inconclusive Verdict = iota
	// OK: every check that was asked for holds.
	OK
	// Violation: a check does not hold.
	Violation
	// Unavailable: the protocol stopped, and a quorum was out of reach.
	Unavailable
	// OutsideModel: the faults are more than the protocol claims to survive.
	OutsideModel
)

var verdictNames = [...]string{"inconclusive", "ok", "violation", "unavailable", "outside-model"}

// String returns the verdict as scenarios and reports write it.
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return fmt.Sprintf("verdict(%d)", uint8(v))
}

// ParseVerdict is the inverse of [Verdict.String].
func ParseVerdict(s string) (Verdict, error) {
	for i, name := range verdictNames {
		if s == name {
			return Verdict(i), nil
		}
	}
	return Inconclusive, fmt.Errorf("verdict %q: want ok, violation, inconclusive, unavailable or outside-model", s)
}

// MarshalText implements encoding.TextMarshaler.
func (v Verdict) MarshalText() ([]byte, error) {
	if int(v) >= len(verdictNames) {
		return nil, fmt.Errorf("verdict %d has no name", uint8(v))
	}
	return []byte(v.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *Verdict) UnmarshalText(text []byte) error {
	parsed, err := ParseVerdict(string(text))
	if err == nil {
		*v = parsed
	}
	return err
}

// Decider names the check that decided.
type Decider uint8

const (
	ByNobody Decider = iota
	ByWitness
	ByZones
	ByLog
	ByPorcupine
	ByWindow
	ByQueue
)

var deciderNames = [...]string{"nobody", "witness", "zones", "log", "porcupine", "window", "queue"}

// Deciders lists the checks in the order in which reports name them.
func Deciders() []Decider {
	return []Decider{ByWitness, ByZones, ByLog, ByQueue, ByWindow, ByPorcupine}
}

// String returns the check's name.
func (d Decider) String() string {
	if int(d) < len(deciderNames) {
		return deciderNames[d]
	}
	return fmt.Sprintf("decider(%d)", uint8(d))
}
