package paxos

import "github.com/lockstep-sim/lockstep/protocols"

// The invariants. Each speaks of all nodes over the whole run, across crashes. They
// are judged on ghost state (ghost.go), made of what became durable, what left, and
// what nodes noted, never on a node's word about another.
const (
	oneChosen        = "PX-I1"
	oneProposed      = "PX-I2"
	safeAt           = "PX-I3"
	promiseKept      = "PX-I4"
	executedIsChosen = "PX-I5"
	leaseExclusion   = "PX-I6"
	readEvidence     = "PX-I7"
)

func invariants(c protocols.Cluster, parameters any) []protocols.Observer {
	p, ok := parameters.(*Parameters)
	if !ok {
		p = DefaultParameters()
	}
	return []protocols.Observer{&watcher{ghost: newGhost(c, *p), reads: protocols.NewReadEvidence(c.Replicas), judgesReads: parseReads(p.Reads) != readLog, promises: newPromises(c, p)}}
}

// watcher judges all invariants. Cost: O(1) per event and per durable record, O(n)
// per slot and ballot, and per read.
type watcher struct {
	ghost
	reads       protocols.ReadEvidence
	judgesReads bool // they do not go through the log

	promises   []ghostPromise // by node id; nil: no lease is ever taken
	highestLed Ballot         // the highest ballot that has had a leader
}

// Moments implements [protocols.Observer].
func (w *watcher) Moments() protocols.MomentKind {
	return protocols.Stepped | protocols.Left | protocols.Durable | protocols.Crashed | protocols.Booted
}

// Checks implements [protocols.Observer].
func (w *watcher) Checks() []protocols.CheckInfo {
	return []protocols.CheckInfo{
		{ID: oneChosen, Text: "at most one value is ever chosen in a slot"},
		{ID: oneProposed, Text: "at most one value is ever proposed in a slot at one ballot"},
		{ID: safeAt, Text: "when a value is proposed at a ballot, a phase 1 quorum has promised the ballot, and the highest value that it has accepted below is this one, or none"},
		{ID: promiseKept, Text: "a durable promise never goes down, and no acceptor accepts below what it has promised"},
		{ID: executedIsChosen, Text: "what is executed, answered, or taken for committed, is chosen, and a leader counts only who has accepted at its ballot"},
		{ID: leaseExclusion, Text: "while a leader holds a lease, no higher ballot has a leader under the same or a later configuration; who has answered a leader's round helps nobody else to a higher ballot until its promise is over, across restarts"},
		{ID: readEvidence, Text: "a read that skips the log rests on the answers to a round that left after it arrived, from nodes that meet every phase 1 quorum, or on a lease no longer than their promises; it shows all that its leader inherited, and all that was shown before it arrived"},
	}
}

// Observe implements [protocols.Observer].
func (w *watcher) Observe(m *protocols.Moment) {
	switch m.Kind {
	case protocols.Stepped:
		w.stepped(m)
	case protocols.Durable:
		w.durable(m, m.Record)
	case protocols.Left:
		w.left(m)
	case protocols.Crashed:
		w.forget(m.Node)
	case protocols.Booted:
		w.booted(m)
	}
}

func (w *watcher) stepped(m *protocols.Moment) {
	n, ok := m.Replica.(*Node)
	if !ok {
		return
	}
	w.forgetPast(m.Past)
	if v, ok := m.Event.Message.(*Accepted); ok && n.role == leader {
		w.checkVotes(m, n, v.Slot)
	}
	if w.judgesReads {
		w.watchReads(m, n)
	}
	if len(m.Effects.Answers) > 0 {
		w.effects(m, n)
	} else {
		for i := range m.Effects.Notes {
			w.noted(m, n, &m.Effects.Notes[i])
		}
	}
	switch {
	case n.role != leader:
	case n.leaseUntil == 0:
		w.nodes[m.Node].forget()
		w.reads.Leased(m.Node, 0)
	case m.Event.Now < n.leaseUntil:
		w.believes(m, n)
	}
}

func (w *watcher) noted(m *protocols.Moment, n *Node, note *protocols.Note) {
	switch note.Kind {
	case protocols.NoteLeader:
		w.elected(m, leaderOf(n))
		w.reads.Leads(m.Node, note.Epoch, note.Index)
	case protocols.NoteSteppedDown:
		w.forget(m.Node)
	case protocols.NoteCommit:
		if note.Index > w.chosen {
			m.Violate(executedIsChosen, "%v takes slot %d as chosen, but only those up to %d are", m.Node, note.Index, w.chosen)
		}
	case protocols.NoteInstalled:
		if note.Index > w.chosen {
			m.Violate(executedIsChosen, "%v installs a snapshot of slot %d, but only those up to %d are chosen", m.Node, note.Index, w.chosen)
		}
	case protocols.NoteApplied:
		if s := w.at(max(1, note.Index)); s != nil && s.chosen != note.Hash {
			m.Violate(executedIsChosen, "%v executes in slot %d another value than was chosen there", m.Node, note.Index)
		}
	case protocols.NoteLease:
		w.leased(m, leaderOf(n), note)
		w.checkPromises(m, n, note.Until)
	}
}

// checkVotes: a leader counts those who have accepted what it proposes in slot i, at its
// ballot.
func (w *watcher) checkVotes(m *protocols.Moment, n *Node, i protocols.Index) {
	mine, s := n.slots.at(i), w.at(i)
	if mine == nil || s == nil || mine.votes.Empty() {
		return
	}
	var accepted protocols.NodeSet
	if x := s.find(mine.ballot); x != nil {
		accepted = x.accepted
	}
	if extra := mine.votes.Minus(accepted); !extra.Empty() {
		m.Violate(executedIsChosen, "%v counts %v for slot %d at ballot %v, which never accepted there at that ballot", m.Node, extra, i, mine.ballot)
	}
}

// leaderOf describes the leader n.
func leaderOf(n *Node) ghostLeader {
	return ghostLeader{ballot: n.promised, from: n.governing(n.execute.Applied + 1).From}
}

func (w *watcher) elected(m *protocols.Moment, l ghostLeader) {
	w.highestLed = max(w.highestLed, l.ballot)
	if l.from > w.newest.from || l.from == w.newest.from && l.ballot > w.newest.ballot {
		w.newest = l
	}
	for id := range w.nodes {
		g := &w.nodes[id]
		if g.lease.ballot != 0 && m.Now < g.leaseEnd && l.excludes(g.lease.ballot, g.lease.from) {
			m.Violate(leaseExclusion, "%v leads ballot %v while %v holds the lease of ballot %v until %v", m.Node, l.ballot, protocols.NodeID(id), g.lease.ballot, g.leaseEnd)
		}
	}
}

// leased judges a lease. How the node's clock will run is not known here; it may
// be fast by the bound, so the lease is taken to last as long as it surely does.
func (w *watcher) leased(m *protocols.Moment, l ghostLeader, note *protocols.Note) {
	rest := note.Until.Sub(m.Event.Now)
	if rest <= 0 {
		return
	}
	end := m.Now.Add(scale(rest, billion, billion+w.parameters.MaxDrift))
	g := &w.nodes[m.Node]
	g.lease, g.leaseEnd = l, end
	if m.Now < end && w.newest.excludes(l.ballot, l.from) {
		m.Violate(leaseExclusion, "%v takes the lease of ballot %v until %v, but ballot %v has a leader", m.Node, l.ballot, end, w.newest.ballot)
	}
}

// left looks at promises that were made, and at what is proposed.
func (w *watcher) left(m *protocols.Moment) {
	switch v := m.Message.(type) {
	case *Prepare:
		w.promised(m.Node, v.Ballot)
		w.checkQuiet(m, v.Ballot, m.Node)
	case *Promise:
		w.promised(m.Node, v.Ballot)
		w.checkQuiet(m, v.Ballot, m.To)
	case *HeartbeatResponse:
		w.quiets(m, v)
	case *Accept:
		w.proposed(m, v.Slot, v.Ballot, &v.Value)
	case *Heartbeat:
		w.reads.Left(m.Node, uint64(v.Ballot), v.Round, m.Now)
	}
}

func (w *watcher) promised(node protocols.NodeID, b Ballot) {
	w.nodes[node].promised = max(w.nodes[node].promised, b)
}

// booted takes in what the disk holds: it may have survived the crash without having
// been reported durable, and it may be gone.
func (w *watcher) booted(m *protocols.Moment) {
	w.forget(m.Node)
	g := &w.nodes[m.Node]
	if m.Disk == nil {
		return
	}
	before := g.promised
	g.promised = 0
	if m.Disk.Snapshot != nil {
		w.durable(m, m.Disk.Snapshot)
	}
	for _, r := range m.Disk.Records {
		if r.State == protocols.RecordOK {
			w.durable(m, r.Record)
		}
	}
	if m.Disk.Wiped {
		g.wiped = max(g.wiped, before) // it never votes again, so what it promised it keeps
	}
	if g.promised < before && !m.Disk.Wiped {
		m.Violate(promiseKept, "%v boots with a promise of ballot %v, after it had promised %v", m.Node, g.promised, before)
		g.promised = before
	}
}

func (w *watcher) durable(m *protocols.Moment, r protocols.Record) {
	switch r := r.(type) {
	case *Promised:
		w.durablePromise(m, r.Ballot)
	case *AcceptedValue:
		w.accepted(m, &r.Pvalue)
	case *Snapshot:
		for i := range r.Accepted {
			if p := &r.Accepted[i]; p.Ballot != learned {
				w.proposed(m, p.Slot, p.Ballot, &p.Value)
				w.vote(m, p)
			}
		}
		w.durablePromise(m, r.Promised)
	}
}

func (w *watcher) durablePromise(m *protocols.Moment, b Ballot) {
	if g := &w.nodes[m.Node]; b < g.promised {
		m.Violate(promiseKept, "%v writes a promise of ballot %v after it promised %v", m.Node, b, g.promised)
	} else {
		g.promised = b
	}
}

// accepted judges an acceptance that has become durable.
func (w *watcher) accepted(m *protocols.Moment, p *Pvalue) {
	if g := &w.nodes[m.Node]; p.Ballot < g.promised {
		m.Violate(promiseKept, "%v accepts in slot %d at ballot %v after it promised %v", m.Node, p.Slot, p.Ballot, g.promised)
	} else {
		g.promised = p.Ballot
	}
	w.proposed(m, p.Slot, p.Ballot, &p.Value)
	w.vote(m, p)
}

// proposed judges a value that is asked for, or was accepted, at a ballot. The first
// to come is the proposal.
func (w *watcher) proposed(m *protocols.Moment, i protocols.Index, b Ballot, v *Value) {
	if i < w.slots.First() || i > w.slots.Last()+maxAhead {
		return // past, or so far ahead as nobody correct is
	}
	s, value := w.at(i), v.hash()
	if x := s.find(b); x != nil {
		if x.value != value {
			m.Violate(oneProposed, "two values are proposed in slot %d at ballot %v", i, b)
		}
		return
	}
	if !w.isSafe(i, b, value) {
		m.Violate(safeAt, "a value is proposed in slot %d at ballot %v, but no phase 1 quorum has promised that ballot and reported this value, or none", i, b)
	}
	s.add(b, value)
}

// vote counts m.Node's acceptance. A slot is chosen when a phase 2 quorum has ever
// accepted at one ballot.
func (w *watcher) vote(m *protocols.Moment, p *Pvalue) {
	s := w.at(p.Slot)
	if s == nil {
		return
	}
	x := s.find(p.Ballot)
	if x == nil || x.accepted.Has(m.Node) {
		return
	}
	x.accepted = x.accepted.With(m.Node)
	switch {
	case !w.governing(p.Slot).accept.Has(x.accepted):
	case s.chosen == 0:
		s.chosen, s.chosenAt = x.value, p.Ballot
		if !p.Value.Members.Empty() {
			from := p.Slot + protocols.Index(w.parameters.Window)
			w.configurations = append(w.configurations, configurationOf(&w.parameters, w.bugs, Membership{From: from, Members: p.Value.Members}))
		}
		for w.chosen < w.slots.Last() && w.slots.At(w.chosen+1).chosen != 0 {
			w.chosen++
		}
	case s.chosen != x.value:
		m.Violate(oneChosen, "slot %d: one value was chosen at ballot %v, and another at ballot %v", p.Slot, s.chosenAt, p.Ballot)
	}
}
