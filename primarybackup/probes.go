package primarybackup

import "github.com/lockstep-sim/lockstep/protocols"

// Positions in probeList.
const (
	probeRewound = iota
	probeViewUnacked
	probeDegraded
	probeStateSent
	probeStaleEpoch
	probeDeposed
	probePrimaryResumes
	probeReadWaits
	probeAlone
	probeServiceRestarted
	probeStopped
	probeOwnDiskLast
	probeLateAck
)

var probeList = []protocols.ProbeInfo{
	probeRewound:          {ID: "primarybackup-rewound", Text: "a replica drops entries that the view's primary does not have", By: "slow-lossy-network", With: "primarybackup"},
	probeViewUnacked:      {ID: "primarybackup-view-unacknowledged", Text: "a primary is replaced before it has acknowledged its view", By: "crash-storm", With: "primarybackup"},
	probeDegraded:         {ID: "primarybackup-degraded", Text: "a primary under semisync begins to answer as async does", By: "primarybackup-silent-degrade", With: "primarybackup"},
	probeStateSent:        {ID: "primarybackup-state-transferred", Text: "a replica gets the whole state", By: "primarybackup-transfer-without-table", With: "primarybackup"},
	probeStaleEpoch:       {ID: "primarybackup-stale-epoch", Text: "a Replicate of an older view arrives", By: "primarybackup-one-confirms", With: "primarybackup"},
	probeDeposed:          {ID: "primarybackup-told-deposed", Text: "a primary learns from a backup that there is a later view", By: "primarybackup-one-confirms", With: "primarybackup"},
	probePrimaryResumes:   {ID: "primarybackup-resumed", Text: "the primary of the view before is named again", By: "primarybackup-early-holder", With: "primarybackup"},
	probeReadWaits:        {ID: "primarybackup-reads-refused", Text: "a primary with reads waiting for their round is deposed", By: "async-failover", With: "primarybackup"},
	probeAlone:            {ID: "primarybackup-alone", Text: "a primary serves without backups", By: "primarybackup-early-holder", With: "primarybackup"},
	probeServiceRestarted: {ID: "primarybackup-service-restarted", Text: "the view service boots again", By: "primarybackup-forgotten-view", With: "primarybackup"},
	probeStopped:          {ID: "primarybackup-stopped", Text: "a replica falls silent after a failed write", By: "disk-full", With: "primarybackup"},
	probeOwnDiskLast:      {ID: "primarybackup-own-disk-last", Text: "a commit advances by the primary's own durable write, after the backups'", By: "primarybackup-empty-table", With: "primarybackup"},
	probeLateAck:          {ID: "primarybackup-late-acknowledgement", Text: "a primary gets an acknowledgement of an older view", By: "replay", With: "primarybackup"},
}

// probed is what the prober remembers of a replica after its last step.
type probed struct {
	boots    uint64
	known    bool
	role     role
	view     uint64
	last     protocols.Index
	commit   protocols.Index
	degraded bool
	reads    int
}

// prober counts the rare situations of primary-backup. Cost: O(1) per step.
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
	was := &p.nodes[m.Node]
	if m.Kind == protocols.Booted {
		*was = probed{boots: was.boots + 1}
	}
	n, ok := m.Replica.(*Node)
	if !ok {
		p.When(probeServiceRestarted, m.Kind == protocols.Booted && was.boots > 1)
		return
	}
	if m.Kind == protocols.Stepped && was.known {
		p.stepped(m, n, was)
		if m.Event.Kind == protocols.Receive {
			p.received(m, n, was)
		}
	}
	was.known, was.role, was.view, was.last, was.commit = true, n.role, n.view.Number, n.log.Last(), n.commit
	was.degraded, was.reads = n.degraded, len(n.reads)
}

// stepped compares the replica with what it was before the step.
func (p *prober) stepped(m *protocols.Moment, n *Node, was *probed) {
	serves := n.role == primary && was.role != primary
	p.When(probeStopped, n.role == stopped && was.role != stopped)
	p.When(probeRewound, n.log.Last() < was.last)
	p.When(probeViewUnacked, was.role == starting && n.role != primary && n.view.Number > was.view)
	p.When(probeDegraded, n.role == primary && n.degraded && !was.degraded)
	p.When(probePrimaryResumes, serves && n.resumes)
	p.When(probeReadWaits, was.role == primary && n.role != primary && was.reads > 0)
	p.When(probeAlone, serves && n.view.Backups.Len() == 0)
	p.When(probeOwnDiskLast, n.role == primary && n.commit > was.commit && m.Event.Kind == protocols.Receive && m.Event.From == m.Node)
}

// received looks at the message of the step.
func (p *prober) received(m *protocols.Moment, n *Node, was *probed) {
	switch v := m.Event.Message.(type) {
	case *Replicate:
		p.When(probeStaleEpoch, v.Epoch < n.view.Number)
	case *State:
		p.When(probeStateSent, v.Epoch == n.view.Number && n.commit > was.commit)
	case *ReplicateResponse:
		p.When(probeDeposed, was.role == primary && v.Epoch > was.view)
		p.When(probeLateAck, was.role == primary && v.Success && v.Epoch < was.view)
	}
}
