package sim

import (
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Stop says why Run returned.
type Stop uint8

const (
	Reached   Stop = iota + 1 // virtual time is up
	Violated                  // an observer or a panic reported a violation
	Exhausted                 // the event budget is spent
	Satisfied                 // the condition given to RunUntil holds
)

var stops = [...]string{"", "reached", "violated", "exhausted", "satisfied"}

// String prints the reason in a word.
func (s Stop) String() string { return stops[s] }

// World is one simulation. It belongs to one goroutine.
type World struct {
	cfg     Config
	cluster protocols.Cluster
	budget  uint64
	late    ending

	now    protocols.Time
	seq    uint64 // the event being handled, from 1
	cause  uint64 // what scheduled it
	digest digest
	queue  queue
	memory *protocols.Memory

	nodes       []node
	links       links
	behaviours  []behaviour
	kinds       [protocols.MaxKinds]KindCount
	sized       [protocols.MaxKinds]bool // messages that know their size
	digested    [protocols.MaxKinds]bool // messages that know their digest
	early       [protocols.MaxKinds]bool // Config.Early
	declared    declared
	lose        [protocols.MaxKinds]bool // Config.Lose
	instant     bool                     // the disk takes no time
	computes    bool                     // steps take CPU time
	weighs      bool                     // the size of requests and answers matters
	requestSize uint64                   // of every request
	placed      placement                // who is in which region; empty without regions
	narrow      int                      // active faults that bound bandwidth
	clogged     []heldEvent              // what has reached the end of a clogged link, in order
	freed       []heldEvent              // clogged, while what is free goes on
	serialised  protocols.Kind           // the message that is being sent to several
	sessions    bool                     // Protocol.SessionTransport

	faults      []fault
	linkFaults  []int // active faults that disturb links
	waiting     int   // faults that wait for their targets
	atlas       bool  // some fault damages records: where copies are is kept
	roles       bool  // somebody came, went or changed epoch or role: waiting faults look again
	admin       []AdminRecord
	asked       int              // steps of the operator's plan that are Active
	triggers    triggers         // what waits for events
	chief       protocols.NodeID // who became leader last, in epoch chiefEpoch
	chiefEpoch  uint64
	former      protocols.NodeID // who did so before
	struck      protocols.NodeID // the leader that a fault hit last, then in struckEpoch
	struckEpoch uint64
	script      script            // Config.Scripted
	healed      bool              // nothing ends or strikes by itself any more
	mended      protocols.NodeSet // healed nodes

	clients      []client
	subscribers  []subscriber             // their ids go on after the clients'
	delivered    protocols.Log[delivered] // position 0, the empty table, first; kept only for subscribers
	forgotten    delivered                // stands for those before the first that is kept
	compares     bool                     // what subscribers are told with what replicas execute
	requests     requests
	answers      answers
	history      history
	mix          []Share
	weight       int64
	probe        [2]Share // write, read
	keyed        bool
	keys         int
	timeout      protocols.Duration
	giveUp       protocols.Duration
	openLoop     bool
	workload     *Workload // in force
	popular      popular
	arrivalGen   uint32 // of the pending arrival; older ones are out of date
	explicit     bool   // clients call what Workload.Calls says
	arrivals     arrivals
	arrivalDraws stream
	turn         int // whose turn it is to take an arrival
	calls        int
	pending      int
	stopped      bool // no new calls
	patient      bool // nobody gives up
	unlimited    bool // Workload.Operations is no bound any more
	askable      protocols.NodeSet

	out            *protocols.Effects
	event          protocols.Event
	calling        *node // whose protocol code runs
	moments        protocols.MomentKind
	watchers       [8][]protocols.Observer // by bit of the moment
	watching       bool                    // an observer runs
	asking         bool                    // the protocol's CanProgress runs
	shown          protocols.Moment
	violations     []protocols.Violation
	progress       bool // this event changed client or node progress
	led            bool
	leaderless     protocols.Time // since when, or since when led
	vacancies      []Span
	stats          Stats
	tracing        bool
	trace          []TraceEvent
	checkpoints    []Checkpoint
	nextCheckpoint uint64 // the event before which the next one is taken; 0: none
	stride         uint64
	nextMark       uint64     // the event before which there is a checkpoint to take, or a seed to change; 0: none
	recoveries     []Recovery // what crashes lost and boots found, where it is asked for
}

// New returns a world at time 0, before the first event. Errors name the field
// of cfg and say what was wanted.
func New(cfg Config) (*World, error) {
	w := new(World)
	if err := w.Reset(cfg); err != nil {
		return nil, err
	}
	return w, nil
}

// Reset makes w what New(cfg) returns, using its memory again. What the last run
// returned, history, trace, statistics and records, is no longer valid. After an
// error w is as before.
func (w *World) Reset(cfg Config) error {
	cfg, err := completed(cfg)
	if err != nil {
		return err
	}
	w.reclaim(&cfg)
	w.cfg = cfg
	w.now, w.seq, w.cause, w.digest = 0, 0, 0, digest(protocols.HashSeed)
	w.budget = cfg.MaxEvents
	w.resetLate()
	w.resetCheckpoints()
	w.cluster = clusterOf(&cfg)
	w.queue.reset(cfg.Trace)
	w.tracing, w.trace, w.recoveries = cfg.Trace, w.trace[:0], nil
	w.stats, w.violations = Stats{}, nil
	w.healed, w.mended, w.roles, w.waiting = false, protocols.NodeSet{}, false, 0
	w.led, w.leaderless, w.progress = false, 0, false
	w.vacancies = w.vacancies[:0]
	w.calling, w.watching, w.asking, w.event = nil, false, false, protocols.Event{}
	w.instant = cfg.Disk.Write.Zero() && cfg.Disk.Fsync.Zero()
	w.sessions = cfg.Protocol.SessionTransport
	w.resetKinds()
	w.resetObservers()
	w.resetNodes()
	w.resetClients()
	w.resetSubscribers()
	w.resetNetwork()
	w.resetTriggers()
	w.chief, w.former, w.struck, w.chiefEpoch = protocols.Nobody, protocols.Nobody, protocols.Nobody, 0
	w.resetFaults()
	w.resetAdmin()
	w.resetScript()
	w.resetPhases()
	return nil
}

// reclaim hands the messages and records of the last run back to the memory, if
// the next run can use it.
func (w *World) reclaim(next *Config) {
	if w.memory == nil || w.cfg.Protocol != next.Protocol || w.cfg.Memory != next.Memory {
		w.memory = protocols.NewMemory(next.Memory)
		w.out = protocols.NewEffects(w.memory)
		return
	}
	w.out.Reset()
	w.memory.Rewind()
}

func clusterOf(cfg *Config) protocols.Cluster {
	c := protocols.Cluster{Replicas: cfg.Replicas, Members: cfg.Members}
	if s := cfg.Protocol.Services; s != nil {
		c.Services = s(cfg.Parameters)
	}
	return c
}

func (w *World) resetKinds() {
	w.kinds = [protocols.MaxKinds]KindCount{}
	w.sized, w.digested = [protocols.MaxKinds]bool{}, [protocols.MaxKinds]bool{}
	w.declared = declaredBy(w.cfg.Protocol)
	w.early, w.lose = [protocols.MaxKinds]bool{}, [protocols.MaxKinds]bool{}
	for _, k := range w.cfg.Protocol.Messages {
		zero := k.New()
		w.kinds[k.Kind].Name = k.Name
		_, w.sized[k.Kind] = zero.(protocols.Sized)
		_, w.digested[k.Kind] = zero.(protocols.Digested)
		w.early[k.Kind] = contains(w.cfg.Early, k.Name)
	}
	for _, k := range w.cfg.Protocol.Records {
		w.lose[k.Kind] = contains(w.cfg.Lose, k.Name)
	}
}

func contains(list []string, s string) bool {
	for _, t := range list {
		if s == t {
			return true
		}
	}
	return false
}

func (w *World) resetNodes() {
	n := w.cluster.Nodes()
	if cap(w.nodes) < n {
		w.nodes = make([]node, n)
	}
	w.nodes = w.nodes[:n]
	for i := range w.nodes {
		w.nodes[i].reset(w, protocols.NodeID(i+1))
		p := w.queue.add(0, 0)
		p.kind, p.to = evBoot, w.nodes[i].id
	}
}

func (w *World) resetFaults() {
	w.faults, w.linkFaults, w.atlas = w.faults[:0], w.linkFaults[:0], false
	for i, f := range w.cfg.Faults {
		if f.ID == 0 {
			f.ID = i + 1
		}
		w.atlas = w.atlas || f.Kind == protocols.FaultCorrupt || f.Kind == protocols.FaultMisdirect
		one := fault{FaultRecord: FaultRecord{Fault: f}, stream: streamOf(w.cfg.Seed, ofFault, uint64(f.streamName())), links: worksOnLinks(f.Kind)}
		if f.When.Set() {
			w.awaitEvent(one)
			continue
		}
		w.faults = append(w.faults, one)
		w.plan(len(w.faults)-1, f.At, evStrike)
	}
}

// awaitEvent adds a fault that strikes when events come, once for each of them.
func (w *World) awaitEvent(f fault) {
	stream := f.stream
	f.State = Armed
	for k := range max(1, f.Fault.Count) {
		if f.Firing = k; k > 0 {
			f.stream = stream.sub(1<<63 | uint64(k))
		}
		w.faults = append(w.faults, f)
		w.triggers.armed++
	}
}

func worksOnLinks(k protocols.FaultKind) bool {
	switch k {
	case protocols.FaultPartition, protocols.FaultLoss, protocols.FaultDuplicate, protocols.FaultReorder, protocols.FaultDelay,
		protocols.FaultClog, protocols.FaultSwizzleClog, protocols.FaultBandwidth, protocols.FaultReplay, protocols.FaultCorruptMessage:
		return true
	}
	return false
}

// Run handles events until the given time. It stops early at a violation or when
// the event budget is spent; after a violation it handles nothing any more.
func (w *World) Run(until protocols.Time) Stop { return w.RunUntil(until, nil) }

// RunUntil is Run that also stops once done holds. It is asked at the start, and
// after every event that changed the progress of a client or a node: operations
// that end, notes, boots, crashes.
func (w *World) RunUntil(limit protocols.Time, done func() bool) (stop Stop) {
	defer w.guard(&stop)
	if len(w.violations) > 0 {
		return Violated
	}
	if done != nil && done() {
		return Satisfied
	}
	for {
		t, ok := w.queue.next()
		if !ok || t > limit {
			w.now = max(w.now, limit)
			return Reached
		}
		if w.stats.Events >= w.budget {
			return Exhausted
		}
		w.now = t
		w.progress = false
		what, cause := w.queue.pop()
		p := *what
		w.dispatch(&p, cause)
		if len(w.violations) > 0 {
			return Violated
		}
		if w.progress && done != nil && done() {
			return Satisfied
		}
	}
}

// dispatch handles one event. Events that turn out to be out of date are not
// counted and leave no trace.
func (w *World) dispatch(p *payload, cause uint64) {
	switch p.kind {
	case evMessage, evSelf:
		w.arrive(p, cause)
	case evRequest:
		w.requestArrives(p, cause)
	case evAnswer:
		w.answered(p, cause)
	case evAlarm:
		n := &w.nodes[p.to-1]
		switch {
		case n.timers.gen != p.ref:
		case n.held(w.computes):
			w.hold(n, p, cause)
		default:
			w.ring(n, cause)
		}
	case evFlush:
		if n := &w.nodes[p.to-1]; n.disk.gen == p.ref {
			w.flushed(n, cause)
		}
	case evDrain:
		if n := &w.nodes[p.to-1]; n.drainGen == p.ref {
			w.drain(n)
		}
	case evClient:
		if c := &w.clients[-p.to-1]; c.gen == p.ref {
			w.wakeUp(c, cause)
		}
	case evTimeout:
		w.timeOut(&w.clients[-p.to-1], cause)
	case evSubscriber:
		if s := w.subscriber(p.to); s.gen == p.ref {
			w.roused(s, cause)
		}
	case evRestart:
		w.restart(w.subscriber(p.to), cause)
	case evArrival:
		if p.ref == w.arrivalGen {
			w.arrival(cause)
		}
	case evStrike:
		w.planned(int(p.ref))
	case evEnd:
		w.ended(int(p.ref))
	case evPhase:
		w.enter(int(p.ref))
	case evAttrition:
		w.wearOut(&w.nodes[p.to-1], int(p.ref), p.stamp)
	case evRevive:
		w.revive(&w.nodes[p.to-1], int(p.ref), p.stamp)
	case evStrobe:
		w.strobe(int(p.ref), p.stamp)
	case evAdmin:
		w.administer(int(p.ref))
	case evSwizzle:
		w.swizzled(int(p.ref), p.to, p.says == clogs)
	case evFlap:
		w.flapped(int(p.ref))
	case evBoot:
		w.begin(evBoot, p.to, protocols.Nobody, 0, cause)
		w.boot(&w.nodes[p.to-1])
	}
	if w.roles {
		w.roles = false
		if w.waiting > 0 {
			w.retry()
		}
	}
}

// begin counts an event and enters it into the digest.
func (w *World) begin(kind eventKind, to, from protocols.NodeID, x, cause uint64) {
	w.stats.Events++
	w.seq, w.cause = w.stats.Events, cause
	if w.seq == w.nextMark {
		w.mark()
	}
	if w.seq > w.late.after {
		w.countLate(kind, to, from, x)
	}
	w.digest.mix(uint64(w.now))
	w.digest.mix(uint64(kind)<<32 | uint64(uint16(to))<<16 | uint64(uint16(from)))
	w.digest.mix(x)
}

// Grant raises the event budget by n events.
func (w *World) Grant(n uint64) {
	w.budget += n
	w.resetLate()
}

// Now returns the true virtual time.
func (w *World) Now() protocols.Time { return w.now }

// Events returns how many events have been handled.
func (w *World) Events() uint64 { return w.stats.Events }

// Pending returns how many events are scheduled, those that will turn out to be
// out of date included.
func (w *World) Pending() int { return w.queue.len() }

// Cluster returns the shape of the run.
func (w *World) Cluster() protocols.Cluster { return w.cluster }

// Config returns the configuration with its defaults filled in.
func (w *World) Config() Config { return w.cfg }

// History returns the operations in the order of their calls; those under way
// are Unknown. It is valid until the next call of History: copy it to keep it.
func (w *World) History() []protocols.Operation { return w.history.list() }

// Violations returns what was found; the run stops at the event that shows one.
func (w *World) Violations() []protocols.Violation { return w.violations }

// Trace returns the recorded lines; empty without Config.Trace. It is valid until
// Reset.
func (w *World) Trace() []TraceEvent { return w.trace }

// FaultLog returns what has become of every fault, in the order of the plan. A
// fault that an event triggers has a record for each event that came, and one where
// none came.
func (w *World) FaultLog() []FaultRecord {
	log := make([]FaultRecord, 0, len(w.faults))
	for i := range w.faults {
		if f := &w.faults[i]; f.State != Armed || f.Firing == 0 {
			log = append(log, f.FaultRecord)
		}
	}
	return log
}

// Stats returns the figures of the run so far.
func (w *World) Stats() *Stats {
	s := w.stats
	for _, k := range w.cfg.Protocol.Messages {
		s.ByKind = append(s.ByKind, w.kinds[k.Kind])
	}
	s.LeaderlessSpans = slices.Clone(w.vacancies)
	if !w.led {
		s.Leaderless += w.now.Sub(w.leaderless)
		s.LeaderlessSpans = append(s.LeaderlessSpans, Span{w.leaderless, w.now})
	}
	return &s
}

// View returns what a node showed of itself after its last step; false: it is
// down or does not exist.
func (w *World) View(id protocols.NodeID) (protocols.View, bool) {
	if id < 1 || int(id) > len(w.nodes) || !w.nodes[id-1].up {
		return protocols.View{}, false
	}
	return w.nodes[id-1].view, true
}

// Node returns a node's program, for tests that look inside; nil: it is down.
func (w *World) Node(id protocols.NodeID) protocols.Node {
	if id < 1 || int(id) > len(w.nodes) {
		return nil
	}
	return w.nodes[id-1].replica
}
