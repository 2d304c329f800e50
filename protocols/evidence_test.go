package protocols_test

import (
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// The story of one leader of three nodes, told step by step.
func TestReadEvidence(t *testing.T) {
	quorum := protocols.Majority{Of: protocols.NodesUpTo(3)}
	read := protocols.Command{Client: -1, Kind: protocols.Read, Seq: 1}
	answer := protocols.Answer{Command: read, Result: protocols.Result{Position: 5}}
	for _, c := range []struct {
		name string
		tell func(e *protocols.ReadEvidence)
		want string // part of what is wrong; "": nothing
	}{
		{"a round that left afterwards is answered", func(e *protocols.ReadEvidence) {
			e.Arrived(1, &read, 7)
			e.Left(1, 7, 1, 10)
			e.Heard(1, 2, 7, 1)
		}, ""},
		{"the round had left before", func(e *protocols.ReadEvidence) {
			e.Left(1, 7, 1, 10)
			e.Arrived(1, &read, 7)
			e.Heard(1, 2, 7, 1)
		}, "round 1 had left"},
		{"a second copy of the read comes after the round", func(e *protocols.ReadEvidence) {
			e.Arrived(1, &read, 7)
			e.Left(1, 7, 1, 10)
			e.Arrived(1, &read, 7)
			e.Heard(1, 2, 7, 1)
		}, ""},
		{"the answer is of another epoch", func(e *protocols.ReadEvidence) {
			e.Arrived(1, &read, 7)
			e.Left(1, 7, 1, 10)
			e.Heard(1, 2, 6, 1)
		}, "none is answered"},
		{"the round was never sent", func(e *protocols.ReadEvidence) {
			e.Arrived(1, &read, 7)
			e.Heard(1, 2, 7, 1)
		}, "none is answered"},
		{"the round was sent in an earlier leadership", func(e *protocols.ReadEvidence) {
			e.Arrived(1, &read, 7)
			e.Left(1, 7, 1, 10)
			e.Heard(1, 2, 7, 1)
			e.Leads(1, 7, 5)
		}, "none is answered"},
		{"it has a lease", func(e *protocols.ReadEvidence) {
			e.Leased(1, 101)
			e.Arrived(1, &read, 7)
		}, ""},
		{"its lease is over", func(e *protocols.ReadEvidence) {
			e.Leased(1, 100)
			e.Arrived(1, &read, 7)
		}, "none is answered"},
		{"it has resigned", func(e *protocols.ReadEvidence) {
			e.Leased(1, 101)
			e.Arrived(1, &read, 7)
			e.Resigns(1)
		}, "leads nobody"},
		{"more was committed before it led", func(e *protocols.ReadEvidence) {
			e.Leads(1, 7, 6)
			e.Leased(1, 101)
			e.Arrived(1, &read, 7)
		}, "up to 6"},
		{"more was shown before the read arrived", func(e *protocols.ReadEvidence) {
			e.Leased(1, 101)
			e.Shows(6)
			e.Arrived(1, &read, 7)
		}, "6 was shown"},
		{"more was shown after the read arrived", func(e *protocols.ReadEvidence) {
			e.Leased(1, 101)
			e.Arrived(1, &read, 7)
			e.Shows(6)
		}, ""},
		{"the read is not known", func(*protocols.ReadEvidence) {}, ""},
	} {
		e := protocols.NewReadEvidence(3)
		e.Leads(1, 7, 5)
		c.tell(&e)
		if got := e.Judge(1, &answer, 7, 100, quorum); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// Rounds are known for as long as a lease may rest on them.
func TestReadEvidenceConfirmed(t *testing.T) {
	quorum := protocols.Majority{Of: protocols.NodesUpTo(3)}
	e := protocols.NewReadEvidence(3)
	e.Leads(1, 7, 5)
	if at, ok := e.Confirmed(1, protocols.Majority{Of: protocols.Nodes(1)}, 99); !ok || at != 99 {
		t.Errorf("alone: got %v %v, want now", at, ok)
	}
	for round := uint64(1); round <= 65; round++ {
		e.Left(1, 7, round, protocols.Time(round*10))
	}
	if _, ok := e.Confirmed(1, quorum, 999); ok {
		t.Error("no answer: a round is confirmed")
	}
	e.Heard(1, 3, 7, 1)
	if _, ok := e.Confirmed(1, quorum, 999); ok {
		t.Error("a round of 64 rounds ago is known")
	}
	e.Heard(1, 3, 7, 40)
	if at, ok := e.Confirmed(1, quorum, 999); !ok || at != 400 {
		t.Errorf("got %v %v, want round 40, which left at 400", at, ok)
	}
}

// A copy of a question is answered as the question is, and not judged by what was shown
// since the first has come.
func TestReadEvidenceKnowsCopies(t *testing.T) {
	quorum := protocols.Majority{Of: protocols.NodesUpTo(3)}
	e := protocols.NewReadEvidence(3)
	e.Leads(1, 7, 5)
	e.Leased(1, 101)
	e.Asked(1, 2, 9, 7)
	e.Shows(6)
	e.Asked(1, 2, 9, 7)
	for _, position := range []protocols.Index{6, 5} {
		if wrong := e.JudgeIndex(1, 2, 9, position, 7, 100, quorum); wrong != "" {
			t.Errorf("position %d: %s", position, wrong)
		}
	}
	for question := range uint64(100) { // no more than the last are kept
		e.Asked(1, 2, 10+question, 7)
	}
	if wrong := e.JudgeIndex(1, 2, 10, 5, 7, 100, quorum); wrong != "" {
		t.Errorf("a question that is forgotten: %s", wrong)
	}
	if wrong := e.JudgeIndex(1, 2, 109, 5, 7, 100, quorum); wrong == "" {
		t.Error("the last question may be answered with less than was shown")
	}
}
