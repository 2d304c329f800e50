package raft

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// claims appends what m says about its sender's disk: a request for votes and a
// granted vote say how the sender has voted, and an acknowledgement says up to
// where its log is the leader's. Nothing else claims anything.
func claims(from protocols.NodeID, m protocols.Message, facts []protocols.DurableFact) []protocols.DurableFact {
	switch m := m.(type) {
	case *RequestVote:
		return append(facts, protocols.DurableFact{Kind: protocols.FactVote, Epoch: m.Term, Node: from})
	case *RequestVoteResponse:
		if m.VoteGranted {
			return append(facts, protocols.DurableFact{Kind: protocols.FactVote, Epoch: m.Term, Node: m.CandidateID})
		}
	case *AppendEntriesResponse:
		if m.Success && m.MatchIndex > 0 {
			return append(facts,
				protocols.DurableFact{Kind: protocols.FactEpoch, Epoch: m.Term},
				protocols.DurableFact{Kind: protocols.FactLog, Epoch: m.MatchTerm, Index: m.MatchIndex})
		}
	}
	return facts
}

// durableImage is what one node's disk holds, and what it ever held.
type durableImage struct {
	term uint64
	vote protocols.NodeID
	// held[t] is the highest index at which an entry of that term has ever been
	// durable here. By the log matching property that stands for all below.
	held []heldTerm
}

type heldTerm struct {
	term  uint64
	index protocols.Index
}

func newDurableImage(protocols.NodeID) protocols.DurableImage { return new(durableImage) }

// Persisted implements [protocols.DurableImage].
func (d *durableImage) Persisted(r protocols.Record, _ bool) {
	switch r := r.(type) {
	case *HardState:
		d.term, d.vote = r.Term, r.Vote
	case *Append:
		for i := range r.Entries {
			d.hold(r.Entries[i].Term, r.PrevLogIndex+1+protocols.Index(i))
		}
	case *Snapshot:
		d.term, d.vote = r.Term, r.Vote
		c := r.Checkpoint
		d.hold(c.LastTerm, c.LastIndex)
		for i := range r.Entries {
			d.hold(r.Entries[i].Term, c.LastIndex+1+protocols.Index(i))
		}
	}
}

func (d *durableImage) hold(term uint64, index protocols.Index) {
	i := d.search(term)
	if i == len(d.held) || d.held[i].term != term {
		d.held = append(d.held, heldTerm{})
		copy(d.held[i+1:], d.held[i:])
		d.held[i] = heldTerm{term: term}
	}
	d.held[i].index = max(d.held[i].index, index)
}

// search returns the position of the first term not below term. It looks from the
// end, where new entries are.
func (d *durableImage) search(term uint64) int {
	i := len(d.held)
	for i > 0 && d.held[i-1].term >= term {
		i--
	}
	return i
}

// Lost implements [protocols.DurableImage].
func (d *durableImage) Lost() { *d = durableImage{} }

// Holds implements [protocols.DurableImage]. It words only what does not hold.
func (d *durableImage) Holds(f protocols.DurableFact) (bool, string) {
	switch f.Kind {
	case protocols.FactEpoch:
		if d.term >= f.Epoch {
			return true, ""
		}
		return false, fmt.Sprintf("durable term %d", d.term)
	case protocols.FactVote:
		if d.term > f.Epoch || d.term == f.Epoch && d.vote == f.Node {
			return true, ""
		}
		return false, fmt.Sprintf("durable term %d with a vote for %v", d.term, d.vote)
	case protocols.FactLog:
		var index protocols.Index
		if i := d.search(f.Epoch); i < len(d.held) && d.held[i].term == f.Epoch {
			index = d.held[i].index
		}
		if index >= f.Index {
			return true, ""
		}
		return false, fmt.Sprintf("durable entries of term %d up to index %d", f.Epoch, index)
	}
	return false, "no such fact in Raft"
}
