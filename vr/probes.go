package vr

import "github.com/lockstep-sim/lockstep/protocols"

// Positions in probeList.
const (
	probeDifferentNormal = iota
	probeShorterLaterView
	probeViewsSkipped
	probeTransferCut
	probeTailDropped
	probeRecoveryViews
	probeRecoveryStale
	probeRecovered
	probeStaleView
	probeEpoch
	probeOutside
	probeChangeAsked
	probeStopped
	probeOldPrimary
	probeOfferRebooted
	probePrepareAgain
)

var probeList = []protocols.ProbeInfo{
	probeDifferentNormal:  {ID: "vr-different-normal-views", Text: "DoViewChange of one view come from replicas with different last normal views", By: "vr-longest-log", With: "vr"},
	probeShorterLaterView: {ID: "vr-shorter-log-wins", Text: "of two DoViewChange, the one with the later normal view has the shorter log", By: "vr-longest-log", With: "vr"},
	probeViewsSkipped:     {ID: "vr-view-skipped", Text: "a replica in a view change moves on to a later view before it was normal", By: "crash-storm", With: "vr"},
	probeTransferCut:      {ID: "vr-transfer-cut", Text: "a state transfer is cut by a view change", By: "crash-storm", With: "vr"},
	probeTailDropped:      {ID: "vr-tail-dropped", Text: "a replica drops the tail of its log", By: "one-way-partition", With: "vr"},
	probeRecoveryViews:    {ID: "vr-recovery-different-views", Text: "answers to one recovery come from different views", By: "vr-recovery-race", With: "vr"},
	probeRecoveryStale:    {ID: "vr-recovery-stale-answer", Text: "an answer to an earlier recovery arrives", By: "vr-recovery-race", With: "vr"},
	probeRecovered:        {ID: "vr-recovered", Text: "a replica completes its recovery", By: "vr-forgotten-promise", With: "vr"},
	probeStaleView:        {ID: "vr-stale-view", Text: "a Prepare of an older view arrives", By: "vr-early-log", With: "vr"},
	probeEpoch:            {ID: "vr-epoch-started", Text: "a replica enters a later epoch", By: "vr-early-epoch", With: "vr"},
	probeOutside:          {ID: "vr-left", Text: "a replica is no member any more", By: "vr-early-epoch", With: "vr"},
	probeChangeAsked:      {ID: "vr-asked-to-change", Text: "a normal replica joins a view change because of another's message", By: "vr-broken-lease", With: "vr"},
	probeStopped:          {ID: "vr-stopped", Text: "a replica falls silent after a failed write", By: "disk-full", With: "vr"},
	probeOldPrimary:       {ID: "vr-primary-deposed", Text: "a primary learns of a later view", By: "vr-early-epoch", With: "vr"},
	probeOfferRebooted:    {ID: "vr-do-view-change-after-restart", Text: "a replica that has crashed and booted again sends a DoViewChange", By: "leader-crash", With: "vr"},
	probePrepareAgain:     {ID: "vr-prepare-repeated", Text: "after a view change a Prepare arrives once more whose entry the replica has", By: "replay", With: "vr"},
}

// offered is what a DoViewChange said.
type offered struct {
	normal View
	op     protocols.Index
}

// probed is what the prober remembers of a replica after its last step.
type probed struct {
	known       bool
	boots       int
	status      status
	view        View
	leading     bool
	transfer    bool
	last        protocols.Index
	offers      []offered // for offersFor
	offersFor   View
	nonce       uint64 // of the recovery whose answers are in views
	answerViews []View
}

// prober counts the rare situations of Viewstamped Replication. Cost: O(1) per step,
// and O(replicas) per DoViewChange and RecoveryResponse.
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
	} else if was.known {
		p.stepped(n, was)
		p.When(probeOfferRebooted, was.boots > 1 && offers(m.Effects))
		if m.Event.Kind == protocols.Receive {
			p.received(m, n, was)
		}
	}
	was.known, was.status, was.view, was.leading = true, n.status, n.view, n.leading
	was.transfer, was.last = n.transfer.active, n.log.Last()
}

// stepped compares the replica with what it was before the step.
func (p *prober) stepped(n *Node, was *probed) {
	p.When(probeStopped, n.status == stopped && was.status != stopped)
	p.When(probeOutside, n.status == outside && was.status != outside)
	p.When(probeRecovered, n.status == normal && was.status == recovering)
	p.When(probeEpoch, n.view>>viewBits > was.view>>viewBits)
	p.When(probeOldPrimary, was.leading && !n.leading && n.view > was.view)
	p.When(probeViewsSkipped, was.status == viewChange && n.status == viewChange && n.view > was.view)
	p.When(probeTransferCut, was.transfer && was.status != viewChange && n.status == viewChange)
	p.When(probeTailDropped, n.log.Last() < was.last && n.status != recovering)
}

// received looks at the message of the step.
func (p *prober) received(m *protocols.Moment, n *Node, was *probed) {
	switch v := m.Event.Message.(type) {
	case *Prepare:
		p.When(probeStaleView, v.View < n.view)
		has := v.Op >= n.log.First() && v.Op <= was.last && len(v.Entries) > 0 && *n.log.At(v.Op) == v.Entries[len(v.Entries)-1]
		p.When(probePrepareAgain, v.View < n.view && has)
	case *StartViewChange:
		p.When(probeChangeAsked, was.status == normal && n.status == viewChange)
	case *DoViewChange:
		p.offered(n, was, v)
	case *RecoveryResponse:
		p.answered(n, was, v)
	}
}

// offered compares a DoViewChange with those for the same view before it.
func (p *prober) offered(n *Node, was *probed, v *DoViewChange) {
	if v.View < n.view {
		return
	}
	if v.View != was.offersFor {
		was.offers, was.offersFor = was.offers[:0], v.View
	}
	different, shorter := false, false
	for _, o := range was.offers {
		different = different || o.normal != v.LastNormal
		shorter = shorter || o.normal > v.LastNormal && o.op < v.Op || o.normal < v.LastNormal && o.op > v.Op
	}
	p.When(probeDifferentNormal, different)
	p.When(probeShorterLaterView, shorter)
	was.offers = append(was.offers, offered{v.LastNormal, v.Op})
}

// answered compares an answer to a recovery with those before it.
func (p *prober) answered(n *Node, was *probed, v *RecoveryResponse) {
	if was.status != recovering {
		return
	}
	if v.Nonce != n.recovery.nonce {
		p.When(probeRecoveryStale, n.status == recovering)
		return
	}
	if was.nonce != v.Nonce {
		was.nonce, was.answerViews = v.Nonce, was.answerViews[:0]
	}
	different := false
	for _, view := range was.answerViews {
		different = different || view != v.View
	}
	p.When(probeRecoveryViews, different)
	was.answerViews = append(was.answerViews, v.View)
}

// offers reports whether a step sends a DoViewChange.
func offers(out *protocols.Effects) bool {
	for i := range out.List {
		if _, ok := out.List[i].Message.(*DoViewChange); ok {
			return true
		}
	}
	return false
}
