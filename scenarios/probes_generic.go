package scenarios

import "github.com/lockstep-sim/lockstep/protocols"

// Positions in genericProbes.
const (
	twoLeaders = iota
	leaderCrashed
	leaderCrashedAsked
	leaderDeposed
	leaderAgain
	leaderRebooted
	epochSkipped
	oldEpochExecuted
	retryAnswered
	retryElsewhere
	crashedWithinStep
	crashedIdle
	majorityDown
	allDown
	tornAtBoot
	wipedAtBoot
	snapshotAtBoot
	snapshotInstalled
	diskFailed
	membersChanged
	leaderRemoved
	leaseLapsed
	wallBack
	messageDropped
	farBehind
	deposedWithTail
	crashedUnsynced
	executedLate
	damagedAtBoot
)

var genericProbes = []protocols.ProbeInfo{
	twoLeaders:         {ID: "two-leaders", Text: "two nodes that are up believe at once that they lead, in different epochs", By: "paxos-first-reported", With: "paxos"},
	leaderCrashed:      {ID: "leader-crashed", Text: "a leader crashes", By: "paxos-compacted-slots", With: "paxos"},
	leaderCrashedAsked: {ID: "leader-crashed-asked", Text: "a leader crashes while a client waits for its answer", By: "paxos-late-accepted", With: "paxos"},
	leaderDeposed:      {ID: "leader-deposed", Text: "a leader that is up learns that it leads no more", By: "paxos-duel", With: "paxos"},
	leaderAgain:        {ID: "leader-again", Text: "the node that led last leads again, in a later epoch", By: "paxos-duel", With: "paxos"},
	leaderRebooted:     {ID: "leader-rebooted", Text: "a node that has crashed and booted again becomes leader", By: "paxos-late-accepted", With: "paxos"},
	epochSkipped:       {ID: "epoch-skipped", Text: "between two epochs with a leader lies one without", By: "paxos-compacted-slots", With: "paxos"},
	oldEpochExecuted:   {ID: "old-epoch-executed", Text: "a leader executes an entry of an epoch before its own", By: "primarybackup-fail-over", With: "primarybackup"},
	retryAnswered:      {ID: "retry-answered", Text: "a retry of an executed request is answered at once, from the table of sessions", By: "raft-figure-7", With: "raft"},
	retryElsewhere:     {ID: "retry-elsewhere", Text: "a retry is answered from the table of sessions by another node than the one asked before", By: "raft-figure-7", With: "raft"},
	crashedWithinStep:  {ID: "crashed-within-step", Text: "a node crashes in the middle of a step, with effects not carried out", By: "crash-storm", With: "raft"},
	crashedIdle:        {ID: "crashed-again", Text: "a node crashes again before it has executed anything since its boot", By: "paxos-shared-ballot", With: "paxos"},
	majorityDown:       {ID: "majority-down", Text: "most replicas are down at once", By: "primarybackup-early-holder", With: "primarybackup"},
	allDown:            {ID: "all-down", Text: "all replicas are down at once", By: "primarybackup-unknown-log", With: "primarybackup"},
	tornAtBoot:         {ID: "torn-at-boot", Text: "a boot finds the last record torn", By: "torn-write", With: "raft"},
	wipedAtBoot:        {ID: "wiped-at-boot", Text: "a node boots from a wiped disk", By: "wipe", With: "raft"},
	snapshotAtBoot:     {ID: "snapshot-at-boot", Text: "a node boots from a checkpoint", By: "paxos-snapshot-without-table", With: "paxos"},
	snapshotInstalled:  {ID: "snapshot-installed", Text: "a node installs the snapshot of another", By: "primarybackup-transfer-without-table", With: "primarybackup"},
	diskFailed:         {ID: "disk-failed", Text: "a node learns that its disk has failed", By: "disk-full", With: "raft"},
	membersChanged:     {ID: "members-changed", Text: "other members come into force", By: "paxos-compacted-slots", With: "paxos"},
	leaderRemoved:      {ID: "leader-removed", Text: "a leader learns that it is no member any more", By: "raft-counts-itself", With: "raft"},
	leaseLapsed:        {ID: "lease-lapsed", Text: "a lease runs out at a node that still believes that it leads", By: "paxos-lease-from-receipt", With: "paxos"},
	wallBack:           {ID: "wall-clock-back", Text: "the wall clock of a node goes back", By: "clock", With: "raft"},
	messageDropped:     {ID: "message-dropped", Text: "a node ignores a message that no correct node sends", By: "paxos-reconfiguration", With: "paxos"},
	farBehind:          {ID: "far-behind", Text: "a node executes a position when another is 50 positions ahead", By: "crash-storm", With: "raft"},
	deposedWithTail:    {ID: "leader-deposed-with-tail", Text: "a leader is deposed while its log ends with entries that it does not know to be committed", By: "leader-cut-off", With: "raft"},
	crashedUnsynced:    {ID: "crashed-unsynced", Text: "a node crashes while something that it wrote is not durable", By: "leader-crash", With: "raft"},
	executedLate:       {ID: "executed-late", Text: "a request is executed for the first time after its client has gone on to another", By: "leader-crash", With: "raft"},
	damagedAtBoot:      {ID: "damaged-at-boot", Text: "a boot finds a record that is corrupt or missing", By: "raft-cut-at-damage", With: "raft"},
}

// lag is how far behind is far.
const lag = 50

// life is what the generic prober knows of a node.
type life struct {
	boots    uint64
	leads    uint64 // the epoch that it leads; 0: none
	stepped  uint64 // Seq of its last step
	effects  int    // of that step
	executed bool   // anything since its boot
	wrote    int    // records and snapshots since its boot
	durable  int    // of them
	lease    protocols.Time
	wall     protocols.Time
	members  protocols.NodeSet
	up       bool
}

// session is what the generic prober knows of a client.
type session struct {
	asked    uint64           // the last request that reached a node
	executed uint64           // the last one executed anywhere
	answered uint64           // the last one answered
	at       protocols.NodeID // whom it asked last
}

// genericProber counts what can be told of any protocol. Cost: O(1) per step and note.
type genericProber struct {
	protocols.Tally
	cluster  protocols.Cluster
	lives    []life
	sessions []session // by client
	highest  uint64    // epoch with a leader
	last     protocols.NodeID
	reached  protocols.Index // executed by anybody
	view     protocols.View  // of a leader that steps down
}

func newGenericProber(c protocols.Cluster) protocols.Prober {
	return &genericProber{Tally: protocols.NewTally(genericProbes), cluster: c, lives: make([]life, c.Nodes()+1)}
}

// Moments implements [protocols.Observer].
func (g *genericProber) Moments() protocols.MomentKind {
	return protocols.Stepped | protocols.Durable | protocols.Crashed | protocols.Booted | protocols.Replied
}

// Observe implements [protocols.Observer].
func (g *genericProber) Observe(m *protocols.Moment) {
	l := &g.lives[m.Node]
	switch m.Kind {
	case protocols.Stepped:
		g.stepped(m, l)
	case protocols.Durable:
		l.durable++
	case protocols.Crashed:
		g.crashed(m, l)
	case protocols.Booted:
		g.booted(m, l)
	case protocols.Replied:
		s := g.session(m.Answer.Command.Client)
		s.answered = max(s.answered, m.Answer.Command.Seq)
	}
}

func (g *genericProber) session(client protocols.NodeID) *session {
	for int(-client) >= len(g.sessions) {
		g.sessions = append(g.sessions, session{})
	}
	return &g.sessions[-client]
}

func (g *genericProber) stepped(m *protocols.Moment, l *life) {
	e := m.Event
	g.When(wallBack, e.Wall < l.wall)
	l.wall = e.Wall
	l.stepped, l.effects = m.Seq, len(m.Effects.List)
	for i := range m.Effects.List {
		if k := m.Effects.List[i].Kind; k == protocols.EffectPersist || k == protocols.EffectSaveSnapshot {
			l.wrote++
		}
	}
	if e.Kind == protocols.Request && e.Command.Client < 0 {
		g.requested(m)
	}
	g.When(diskFailed, e.Kind == protocols.DiskFailed)
	for i := range m.Effects.Notes {
		g.noted(m, l, &m.Effects.Notes[i])
	}
	if l.lease != 0 && e.Now >= l.lease {
		g.When(leaseLapsed, l.leads != 0)
		l.lease = 0
	}
}

func (g *genericProber) requested(m *protocols.Moment) {
	c, s := &m.Event.Command, g.session(m.Event.Command.Client)
	answered := false
	for i := range m.Effects.List {
		kind := m.Effects.List[i].Kind
		answered = answered || kind == protocols.EffectReply || kind == protocols.EffectReplyEarly
	}
	again := c.Seq == s.asked
	fromTable := again && answered && s.executed >= c.Seq
	g.When(retryAnswered, fromTable)
	g.When(retryElsewhere, fromTable && s.at != m.Node)
	s.asked, s.at = max(s.asked, c.Seq), m.Node
}

func (g *genericProber) noted(m *protocols.Moment, l *life, note *protocols.Note) {
	switch note.Kind {
	case protocols.NoteLeader:
		g.led(m, l, note.Epoch)
	case protocols.NoteSteppedDown:
		g.When(leaderDeposed, l.leads != 0)
		if l.leads != 0 {
			m.Replica.View(&g.view)
			g.When(deposedWithTail, g.view.Last > g.view.Commit)
		}
		l.leads, l.lease = 0, 0
	case protocols.NoteApplied:
		g.When(oldEpochExecuted, l.leads != 0 && note.Epoch < l.leads)
		g.When(farBehind, note.Index+lag <= g.reached)
		g.reached = max(g.reached, note.Index)
		l.executed = true
		if c := &note.Command; c.Client < 0 {
			s := g.session(c.Client)
			g.When(executedLate, s.executed < c.Seq && c.Seq < s.asked)
			s.executed = max(s.executed, c.Seq)
		}
	case protocols.NoteInstalled:
		g.When(snapshotInstalled, true)
	case protocols.NoteMembers:
		g.When(membersChanged, l.members.Len() > 0 && l.members != note.Members)
		g.When(leaderRemoved, l.leads != 0 && !note.Members.Has(m.Node))
		l.members = note.Members
	case protocols.NoteLease:
		l.lease = note.Until
	case protocols.NoteDropped:
		g.When(messageDropped, true)
	}
}

func (g *genericProber) led(m *protocols.Moment, l *life, epoch uint64) {
	l.leads = epoch
	for i := range g.lives {
		other := &g.lives[i]
		if protocols.NodeID(i) != m.Node && other.up && other.leads != 0 && other.leads != epoch {
			g.When(twoLeaders, true)
			break
		}
	}
	g.When(leaderAgain, g.last == m.Node && epoch > g.highest)
	g.When(leaderRebooted, l.boots > 1)
	g.When(epochSkipped, g.highest != 0 && epoch > g.highest+1)
	g.highest, g.last = max(g.highest, epoch), m.Node
}

func (g *genericProber) crashed(m *protocols.Moment, l *life) {
	g.When(leaderCrashed, l.leads != 0)
	if l.leads != 0 {
		waiting := false
		for i := range g.sessions {
			s := &g.sessions[i]
			waiting = waiting || s.at == m.Node && s.answered < s.asked
		}
		g.When(leaderCrashedAsked, waiting)
	}
	g.When(crashedWithinStep, l.stepped == m.Seq && l.effects > 0)
	g.When(crashedIdle, l.boots > 1 && !l.executed)
	g.When(crashedUnsynced, l.wrote > l.durable)
	l.leads, l.lease, l.up = 0, 0, false
	down := 0
	for id := 1; id <= g.cluster.Replicas; id++ {
		if other := &g.lives[id]; other.boots > 0 && !other.up {
			down++
		}
	}
	g.When(majorityDown, down == g.cluster.Replicas/2+1)
	g.When(allDown, down == g.cluster.Replicas)
}

func (g *genericProber) booted(m *protocols.Moment, l *life) {
	*l = life{boots: l.boots + 1, up: true, wall: l.wall}
	d := m.Disk
	if d == nil {
		return
	}
	g.When(wipedAtBoot, d.Wiped)
	g.When(snapshotAtBoot, d.Snapshot != nil)
	for i := range d.Records {
		state := d.Records[i].State
		g.When(tornAtBoot, state == protocols.RecordTorn)
		g.When(damagedAtBoot, state == protocols.RecordCorrupt || state == protocols.RecordMissing)
	}
}
