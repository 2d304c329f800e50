package paxos

import "github.com/lockstep-sim/lockstep/protocols"

// Positions in probeList.
const (
	probeDuel = iota
	probeDifferentValues
	probeGap
	probeInherited
	probeNacked
	probePromiseWithdrawn
	probeStaleAccept
	probeCatchup
	probeCatchupSnapshot
	probeCompacted
	probeHigherAccepted
	probeStopped
	probeOwnDiskLast
	probePromiseRebooted
)

var probeList = []protocols.ProbeInfo{
	probeDuel:             {ID: "paxos-duel", Text: "a candidate gives up its phase 1 for the higher ballot of another", By: "paxos-reconfiguration", With: "paxos"},
	probeDifferentValues:  {ID: "paxos-different-values", Text: "two promises of one phase 1 report different values for a slot", By: "paxos-first-reported", With: "paxos"},
	probeGap:              {ID: "paxos-gap-filled", Text: "a new leader fills a slot that nobody reported with a no-op, below one that was reported", By: "crash-storm", With: "paxos"},
	probeInherited:        {ID: "paxos-inherited", Text: "a leader proposes again what its phase 1 reported", By: "paxos-compacted-slots", With: "paxos"},
	probeNacked:           {ID: "paxos-nacked", Text: "a leader learns from a Nack that a higher ballot was promised", By: "paxos-duel", With: "paxos"},
	probePromiseWithdrawn: {ID: "paxos-leader-preempted", Text: "a leader promises the ballot of another", By: "paxos-duel", With: "paxos"},
	probeStaleAccept:      {ID: "paxos-stale-accept", Text: "an Accept of a lower ballot than promised arrives", By: "paxos-duel", With: "paxos"},
	probeCatchup:          {ID: "paxos-caught-up", Text: "a node executes values that CatchupResponse brought", By: "paxos-fail-over", With: "paxos"},
	probeCatchupSnapshot:  {ID: "paxos-caught-up-by-snapshot", Text: "a node that lacks compacted slots gets a checkpoint", By: "leader-crash", With: "paxos"},
	probeCompacted:        {ID: "paxos-compacted-promise", Text: "a candidate learns from a promise that slots it lacks are compacted", By: "leader-cut-off", With: "paxos"},
	probeHigherAccepted:   {ID: "paxos-foreign-report", Text: "a promise reports a pvalue of another owner's ballot", By: "paxos-compacted-slots", With: "paxos"},
	probeStopped:          {ID: "paxos-stopped", Text: "a node falls silent after a failed write", By: "disk-full", With: "paxos"},
	probeOwnDiskLast:      {ID: "paxos-own-disk-last", Text: "a slot is chosen by the leader's own acceptance, after that of others", By: "leader-crash", With: "paxos"},
	probePromiseRebooted:  {ID: "paxos-promise-after-restart", Text: "a node that has crashed and booted again promises another node's ballot", By: "leader-crash", With: "paxos"},
}

// probed is what the prober remembers of a node after its last step.
type probed struct {
	boots    int
	role     role
	promised Ballot
	applied  protocols.Index
	reports  []Pvalue // of the phase 1 under way
}

// prober counts the rare situations of Multi-Paxos. Cost: O(1) per step, and O(slots)
// per promise.
type prober struct {
	protocols.Tally
	nodes []probed
}

func probes(c protocols.Cluster) protocols.Prober {
	return &prober{protocols.NewTally(probeList), make([]probed, c.Nodes()+1)}
}

// Moments implements [protocols.Observer].
func (p *prober) Moments() protocols.MomentKind { return protocols.Stepped | protocols.Booted }

// Observe implements [protocols.Observer].
func (p *prober) Observe(m *protocols.Moment) {
	n, ok := m.Replica.(*Node)
	if !ok {
		return
	}
	was := &p.nodes[m.Node]
	if m.Kind == protocols.Booted {
		*was = probed{boots: was.boots + 1}
	} else {
		p.stepped(m, n, was)
	}
	if n.role != candidate || n.promised != was.promised {
		was.reports = was.reports[:0]
	}
	was.role, was.promised, was.applied = n.role, n.promised, n.execute.Applied
}

func (p *prober) stepped(m *protocols.Moment, n *Node, was *probed) {
	p.When(probeStopped, n.role == stopped && was.role != stopped)
	p.When(probeDuel, was.role == candidate && n.role == follower && n.promised > was.promised)
	p.When(probePromiseWithdrawn, was.role == leader && n.role != leader && n.promised > was.promised)
	if m.Event.Kind == protocols.Receive {
		p.received(m, n, was)
	}
	if n.role == leader && n.inherited > 0 {
		p.proposed(m, n)
	}
}

// proposed looks at what a leader proposes in the slots that it inherited.
func (p *prober) proposed(m *protocols.Moment, n *Node) {
	for i := range m.Effects.List {
		e := &m.Effects.List[i]
		a, ok := e.Message.(*Accept)
		if !ok || a.Slot > n.inherited || e.To == m.Node {
			continue
		}
		noop := a.Value.Command.Client == 0 && a.Value.Members.Len() == 0
		p.When(probeGap, noop && a.Slot < n.inherited)
		p.When(probeInherited, !noop)
	}
}

// received looks at the message of the step.
func (p *prober) received(m *protocols.Moment, n *Node, was *probed) {
	executed := n.execute.Applied > was.applied
	switch v := m.Event.Message.(type) {
	case *Prepare:
		p.When(probePromiseRebooted, was.boots > 1 && n.promised > was.promised && m.Event.From != m.Node)
	case *Promise:
		if was.role == candidate && v.Ballot == was.promised {
			p.promised(n, was, v)
		}
	case *Accept:
		p.When(probeStaleAccept, v.Ballot < n.promised)
	case *Accepted:
		p.When(probeOwnDiskLast, executed && m.Event.From == m.Node)
	case *Nack:
		p.When(probeNacked, was.role == leader && v.Promised > was.promised)
	case *CatchupResponse:
		p.When(probeCatchup, executed && len(v.Values) > 0)
		p.When(probeCatchupSnapshot, executed && v.Checkpoint != nil)
	}
}

// promised compares a promise with those before it.
func (p *prober) promised(n *Node, was *probed, v *Promise) {
	p.When(probeCompacted, v.Compacted > n.execute.Applied)
	foreign, different := false, false
	for i := range v.Accepted {
		a := &v.Accepted[i]
		foreign = foreign || a.Ballot.Owner() != n.id
		for k := range was.reports {
			r := &was.reports[k]
			different = different || r.Slot == a.Slot && r.Value != a.Value
		}
	}
	p.When(probeHigherAccepted, foreign)
	p.When(probeDifferentValues, different)
	was.reports = append(was.reports, v.Accepted...)
}
