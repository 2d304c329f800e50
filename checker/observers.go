package checker

import "github.com/lockstep-sim/lockstep/protocols"

// What the generic observers can report. They hold for every protocol that
// replicates one log, and look at notes, views, messages and answers only.
const (
	CheckSame   = "SAME"   // equal positions hold equal entries
	CheckOrder  = "ORDER"  // positions are executed one after the other
	CheckState  = "STATE"  // equal positions mean equal states
	CheckLead   = "LEAD"   // one leader per epoch
	CheckCommit = "COMMIT" // what is known to be committed does not shrink
	CheckEpoch  = "EPOCH"  // no restart forgets an epoch that was promised
	CheckIssued = "ISSUED" // answers are to questions
	CheckOnce   = "ONCE"   // a request takes effect once
	CheckDur    = "DUR"    // what a message claims to be on disk is there
)

// Generic returns fresh observers that suit any protocol. Each costs O(1) per
// moment, amortised; the durability oracle costs what the protocol's claims do.
func Generic(p *protocols.Protocol, c protocols.Cluster, parameters any) []protocols.Observer {
	// Where acknowledged writes may be lost, a retry of a lost one takes effect anew.
	once := p.Guarantee == nil || !p.Guarantee(parameters).LosesAcknowledged
	list := []protocols.Observer{newExecution(c), newClients(once)}
	if p.Durability != nil {
		if d := p.Durability(parameters); d != nil {
			list = append(list, newDurability(p, c, d))
		}
	}
	return list
}

// position is what some node made of one log position first.
type position struct {
	entry, state uint64
	node         protocols.NodeID // 0: only a snapshot or nothing is known
	stated       bool             // state is known
}

// life is what a node has noted since it booted.
type life struct {
	applied   protocols.Index
	committed protocols.Index
}

// execution watches notes: what is executed, in which order, and who leads.
type execution struct {
	cluster   protocols.Cluster
	positions protocols.Log[position] // the initial state first: position i is at i+1
	lives     []life                  // by node
	leaders   map[uint64]protocols.NodeID
	view      protocols.View
}

func newExecution(c protocols.Cluster) *execution {
	x := &execution{cluster: c, lives: make([]life, c.Nodes()+1), leaders: map[uint64]protocols.NodeID{}}
	x.positions.Append(position{})
	return x
}

// Moments implements [protocols.Observer].
func (x *execution) Moments() protocols.MomentKind { return protocols.Stepped | protocols.Booted }

// Checks implements [protocols.Observer].
func (x *execution) Checks() []protocols.CheckInfo {
	return []protocols.CheckInfo{
		{ID: CheckSame, Text: "all nodes execute the same entry at the same position, ever, over all restarts"},
		{ID: CheckOrder, Text: "each node executes positions in order and leaves none out, but for those that a snapshot covers"},
		{ID: CheckState, Text: "equal position means equal state, at all nodes, whether executed, installed or recovered"},
		{ID: CheckLead, Text: "at most one node leads an epoch, ever"},
		{ID: CheckCommit, Text: "what a node knows to be committed does not shrink while it is up"},
	}
}

// Observe implements [protocols.Observer].
func (x *execution) Observe(m *protocols.Moment) {
	if m.Kind == protocols.Booted {
		x.booted(m)
		return
	}
	if m.Past > x.positions.First() {
		x.positions.CompactTo(min(m.Past, x.newest()))
	}
	for i := range m.Effects.Notes {
		note := &m.Effects.Notes[i]
		switch note.Kind {
		case protocols.NoteApplied:
			x.applied(m, note)
		case protocols.NoteInstalled:
			x.installed(m, note)
		case protocols.NoteCommit:
			x.committed(m, note)
		case protocols.NoteLeader:
			x.leader(m, note)
		}
	}
}

// newest returns the highest position that some node has executed.
func (x *execution) newest() protocols.Index { return x.positions.Last() - 1 }

// at returns what is known of a position up to the newest, or nil where it is past.
func (x *execution) at(index protocols.Index) *position {
	if index+1 < x.positions.First() {
		return nil
	}
	return x.positions.At(index + 1)
}

func (x *execution) name(id protocols.NodeID) string { return x.cluster.Name(id) }

// booted starts a life: with what the node says it has executed, that is, what
// its snapshot holds.
func (x *execution) booted(m *protocols.Moment) {
	m.Replica.View(&x.view)
	v := &x.view
	x.lives[m.Node] = life{applied: v.Applied}
	if v.Applied == 0 || x.newest() == 0 {
		return // it begins anew, or nodes note nothing that they execute
	}
	if v.Applied > x.newest() {
		m.Violate(CheckOrder, "%s booted with position %d executed, and no node had executed more than %d",
			x.name(m.Node), v.Applied, x.newest())
		return
	}
	x.compareState(m, x.at(v.Applied), v.Applied, v.StateHash, "recovered")
}

func (x *execution) applied(m *protocols.Moment, note *protocols.Note) {
	at := &x.lives[m.Node]
	if note.Index != at.applied+1 {
		m.Violate(CheckOrder, "%s executed position %d after %d", x.name(m.Node), note.Index, at.applied)
	}
	at.applied = note.Index
	newest := x.newest()
	if note.Index == 0 || note.Index > newest+1 {
		return // out of order, and reported
	}
	if note.Index == newest+1 {
		x.positions.Append(position{entry: note.Hash, state: note.State, node: m.Node, stated: true})
		return
	}
	first := x.at(note.Index)
	switch {
	case first == nil:
		return
	case first.node == protocols.Nobody:
		first.node, first.entry = m.Node, note.Hash
	case first.entry != note.Hash:
		m.Violate(CheckSame, "at position %d %s executed entry %016x, and %s before it %016x",
			note.Index, x.name(m.Node), note.Hash, x.name(first.node), first.entry)
		return // then the states differ as well
	}
	x.compareState(m, first, note.Index, note.State, "reached")
}

func (x *execution) installed(m *protocols.Moment, note *protocols.Note) {
	at := &x.lives[m.Node]
	if note.Index < at.applied {
		m.Violate(CheckOrder, "%s installed a snapshot of position %d after it had executed %d", x.name(m.Node), note.Index, at.applied)
	}
	at.applied = note.Index
	if note.Index > x.newest() {
		m.Violate(CheckOrder, "%s installed a snapshot of position %d, and no node had executed more than %d",
			x.name(m.Node), note.Index, x.newest())
		return
	}
	x.compareState(m, x.at(note.Index), note.Index, note.State, "installed")
}

// compareState compares the state at a position with first, what was seen there first.
func (x *execution) compareState(m *protocols.Moment, first *position, index protocols.Index, state uint64, how string) {
	if first == nil {
		return
	}
	if !first.stated {
		first.state, first.stated = state, true
		return
	}
	if first.state != state {
		m.Violate(CheckState, "at position %d %s %s state %016x, and %s had %016x",
			index, x.name(m.Node), how, state, x.name(first.node), first.state)
	}
}

func (x *execution) committed(m *protocols.Moment, note *protocols.Note) {
	at := &x.lives[m.Node]
	if note.Index < at.committed {
		m.Violate(CheckCommit, "%s knew position %d to be committed, and now only %d", x.name(m.Node), at.committed, note.Index)
	}
	at.committed = max(at.committed, note.Index)
}

func (x *execution) leader(m *protocols.Moment, note *protocols.Note) {
	other, led := x.leaders[note.Epoch]
	if !led {
		x.leaders[note.Epoch] = m.Node
	} else if other != m.Node {
		m.Violate(CheckLead, "%s became leader of epoch %d, which %s had led", x.name(m.Node), note.Epoch, x.name(other))
	}
}
