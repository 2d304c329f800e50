package checker

import (
	"fmt"
	"slices"
)

// crossShare is the part of the budget that a second judgement gets: it must not
// cost more than the first.
const crossShare = 10

// Check judges the part.
//
// If zones or the log check apply they decide, and the witness is tried on small
// parts only, to see whether it contradicts them. Otherwise a verified witness
// decides, and a check that knows no positions goes over the whole of a small
// part or the first operations of a large one. What is left goes to the search.
func (p Part) Check() PartReport {
	r := p.check()
	if x := r.Counterexample; x != nil && x.Class == "" {
		x.Class = p.classify()
	}
	return r
}

func (p *Part) check() PartReport {
	r := PartReport{Key: p.Key, Operations: len(p.ops)}
	if result, by, found := p.checkFast(); result != notApplicable {
		p.decideFast(&r, result, by, found)
		return r
	}
	suspicion := ""
	if p.opt.Positions {
		if suspicion = p.witness(); suspicion == "" {
			r.Verdict, r.DecidedBy = OK, ByWitness
			p.crossCheck(&r)
			return r
		}
	}
	p.decideBySearch(&r, suspicion)
	return r
}

// checkFast runs the one linear check that fits the part, if any.
func (p *Part) checkFast() (fastResult, Decider, *conflict) {
	if result, found := p.checkZones(); result != notApplicable {
		return result, ByZones, found
	}
	if result, found := p.checkLog(); result != notApplicable {
		return result, ByLog, found
	}
	if result, found := p.checkQueue(); result != notApplicable {
		return result, ByQueue, found
	}
	return notApplicable, ByNobody, nil
}

func (p *Part) decideFast(r *PartReport, result fastResult, by Decider, found *conflict) {
	r.DecidedBy = by
	r.Verdict = OK
	if result == fails {
		r.Verdict = Violation
		r.Counterexample = p.explain(by, found)
	}
	if p.opt.Positions && len(p.ops) <= p.opt.Small {
		r.CrossChecked = true
		if result == fails && p.witness() == "" {
			p.internalError("the witness proves what %s refutes: %s", by, found.text)
		}
	}
}

// crossCheck judges again what the witness acquitted.
func (p *Part) crossCheck(r *PartReport) {
	q := *p
	if len(p.ops) > p.opt.Small {
		q = p.prefix(p.opt.Prefix)
	}
	q.opt.Budget.Steps /= crossShare
	q.opt.Budget.CacheBytes /= crossShare
	r.CrossChecked = true
	result, by, found := q.checkFast()
	if result == fails {
		p.internalError("the witness proves what %s refutes: %s", by, found.text)
	}
	if result == holds {
		return
	}
	s := q.search()
	r.Steps += s.steps
	switch s.verdict {
	case Violation:
		p.internalError("the witness proves what porcupine refutes in the first %d operations", len(q.ops))
	case Inconclusive:
		r.CrossExhausted = true
	}
}

// decideBySearch asks porcupine, about the whole and, if that is too much, about
// the beginning: a violation there is one of the whole.
func (p *Part) decideBySearch(r *PartReport, suspicion string) {
	searches := [...]func(*PartReport) bool{p.decideByPorcupine, p.decideByWindow}
	if len(p.ops) > p.opt.Small { // where porcupine's memory grows with the square
		slices.Reverse(searches[:])
	}
	for _, decide := range searches {
		if decide(r) {
			r.Reason = ""
			return
		}
	}
	if len(p.ops) > p.opt.Prefix {
		q := p.prefix(p.opt.Prefix)
		if result, by, found := q.checkFast(); result == fails {
			r.Verdict, r.DecidedBy, r.Counterexample, r.Reason = Violation, by, q.explain(by, found), ""
			return
		} else if result == notApplicable {
			s := q.search()
			r.Steps += s.steps
			if s.verdict == Violation {
				r.Verdict, r.DecidedBy, r.Counterexample, r.Reason = Violation, ByPorcupine, q.explainSearch(), ""
				return
			}
		}
	}
	r.Verdict = Inconclusive
	r.Reason = p.keyPrefix() + r.Reason + fmt.Sprintf("%d operations: searches out of budget after %d steps (%d steps and %d bytes each)",
		len(p.ops), r.Steps, p.opt.Budget.Steps, p.opt.Budget.CacheBytes)
	if suspicion != "" {
		r.Reason += "; the system's own order does not explain it: " + suspicion
	}
}

// keyPrefix names the part's key, if it has one.
func (p *Part) keyPrefix() string {
	if name := p.opt.Names.Key(p.Key); name != "" {
		return "key " + name + ", "
	}
	return ""
}

func (p *Part) decideByPorcupine(r *PartReport) bool {
	s := p.search()
	r.Steps += s.steps
	if s.verdict == Inconclusive {
		return false
	}
	r.Verdict, r.DecidedBy = s.verdict, ByPorcupine
	if s.verdict == Violation {
		r.Counterexample = p.explainSearch()
	}
	return true
}

func (p *Part) decideByWindow(r *PartReport) bool {
	s, failed := p.searchWindow()
	r.Steps += s.steps
	if s.crowded {
		r.Reason = "more than 64 operations are open at a time, so the window search gave up; "
	}
	if s.verdict == Inconclusive {
		return false
	}
	r.Verdict, r.DecidedBy = s.verdict, ByWindow
	if s.verdict == Violation {
		r.Counterexample = p.explainWindow(failed)
	}
	return true
}
