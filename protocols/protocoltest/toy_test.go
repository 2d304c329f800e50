package protocoltest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
)

// The toy: n1 is the primary for good. It orders what clients ask, sends it to all
// others, and executes what a majority has on disk. It keeps to the contract,
// unless a flaw is switched on.

// flaw is one way not to keep to it.
type flaw int

const (
	none flaw = iota
	keepsMessage
	mapOrder
	panicsOnOddAck
	panicsOnOddRequest
	panicsOnOddRecord
	panicsOnUnknownTimer
	answersStrangers
	changesSentSlice
	changesReceivedSlice
	changesRecord
	changesAnswer
	sendsWrongSize
	sendsUndeclared
	persistsUndeclared
	armsUndeclared
	sendsToNobody
	answersReplica
	forgetsViewField
	viewOutOfRange
	viewChangesNode
	viewPanics
	hashPanics
	refusesSomePrefix
	refusesTorn
	panicsOnCorrupt
	forgetsLog
	sleepsAfterRestart
	sendsEarly
	hashMissesField
	forkSharesMemory
	readsWithGap
	readsTooLittle
	readsWithoutLimit
	readOverwrites
	readsAnotherCommand
	readsAnotherEffect
	readingChangesNode
	baseElsewhere
	baseOfMachine
	baseOfNow
	notesNoCommand
	followsWithSnapshotOfMachine
	followsFromElsewhere
)

const primary protocols.NodeID = 1

type appendTo struct {
	Prev    protocols.Index
	Entries []protocols.Command
	Commit  protocols.Index
}

func (*appendTo) Kind() protocols.Kind { return 1 }

type ack struct{ Last protocols.Index }

func (*ack) Kind() protocols.Kind { return 2 }
func (*ack) Size() int            { return 8 }

type wrongSizeAck struct{ Last protocols.Index }

func (*wrongSizeAck) Kind() protocols.Kind { return 3 }
func (*wrongSizeAck) Size() int            { return 9 }

type undeclared struct{}

func (*undeclared) Kind() protocols.Kind { return 4 }

type entries struct {
	Prev    protocols.Index
	Entries []protocols.Command
}

func (*entries) Kind() protocols.Kind { return 1 }

type checkpoint struct {
	Log   []protocols.Command
	State any
}

func (*checkpoint) Kind() protocols.Kind { return 2 }

type toyParameters struct {
	flaw flaw
	beat protocols.Duration // between broadcasts; 0: 20 ms
}

type toy struct {
	parameters toyParameters     `hash:"-"`
	id         protocols.NodeID  `hash:"-"`
	members    protocols.NodeSet `hash:"-"`
	log        []protocols.Command
	matches    []protocols.Index // by node id
	commit     protocols.Index
	executor   protocols.Executor
	stopped    bool
	saved      protocols.Index
	asleep     bool                `hash:"-"`
	handed     []protocols.Command `hash:"-"`
	kept       *appendTo           `hash:"-"`
	list       []protocols.Value   `hash:"-"`
}

func toyProtocol(f flaw) *protocols.Protocol {
	p := &protocols.Protocol{
		Name: "toy", Roles: []string{"primary", "backup"}, Timers: []string{"resend"},
		Messages: []protocols.KindInfo{
			{Kind: 1, Name: "append", New: func() any { return new(appendTo) }},
			{Kind: 2, Name: "ack", New: func() any { return new(ack) }},
		},
		Records: []protocols.KindInfo{
			{Kind: 1, Name: "entries", New: func() any { return new(entries) }},
			{Kind: 2, Name: "checkpoint", New: func() any { return new(checkpoint) }},
		},
		Parameters: func() any { return &toyParameters{flaw: f} },
		New:        newToy,
		Survives: func(fault protocols.FaultKind, _ any, _ int) int {
			if fault == protocols.FaultCorrupt || fault == protocols.FaultWipe || fault == protocols.FaultDiskError {
				return 0
			}
			return -1
		},
	}
	if f == sendsWrongSize {
		p.Messages = append(p.Messages, protocols.KindInfo{Kind: 3, Name: "wrong-size", New: func() any { return new(wrongSizeAck) }})
	}
	return p
}

func newToy(cfg protocols.Config, disk protocols.Recovered) (protocols.Node, error) {
	n := &toy{parameters: *cfg.Parameters.(*toyParameters), id: cfg.ID, members: cfg.Members, matches: make([]protocols.Index, cfg.Cluster.Replicas+1), executor: protocols.Executor{Machine: cfg.Machine}}
	if c, ok := disk.Snapshot.(*checkpoint); ok {
		n.log = slices.Clone(c.Log)
		n.executor.Restore(c.State)
		n.commit, n.saved = n.executor.Applied, n.executor.Applied
	}
	if n.is(refusesSomePrefix) && len(disk.Records)%7 == 5 {
		return nil, errors.New("an odd number of records")
	}
	for i, r := range disk.Records {
		switch {
		case r.State == protocols.RecordTorn && i == len(disk.Records)-1 && !n.is(refusesTorn):
		case r.State != protocols.RecordOK:
			if n.is(panicsOnCorrupt) {
				panic(fmt.Sprintf("record %d is %s", i, r.State))
			}
			return nil, fmt.Errorf("record %d is %s", i, r.State)
		default:
			e := r.Record.(*entries)
			if e.Prev > n.last() {
				return nil, fmt.Errorf("record %d follows %d, but the log ends at %d", i, e.Prev, n.last())
			}
			n.log = append(n.log[:e.Prev], e.Entries...)
			if n.is(panicsOnOddRecord) && slices.ContainsFunc(e.Entries, func(c protocols.Command) bool { return c.Op > protocols.ReadClock }) {
				panic("no such operation")
			}
		}
	}
	if n.is(forgetsLog) && n.id == primary && len(n.log) > 4 {
		n.log = n.log[:max(int(n.executor.Applied), len(n.log)-4)]
	}
	return n, nil
}

func (n *toy) is(f flaw) bool { return n.parameters.flaw == f }

func (n *toy) last() protocols.Index { return protocols.Index(len(n.log)) }

func (n *toy) Step(ev *protocols.Event, out *protocols.Effects) {
	if n.stopped {
		return
	}
	if n.kept != nil { // the flaw: a message of an earlier step
		protocols.Send(out, primary, ack{min(n.kept.Prev, n.last())})
	}
	if len(n.handed) > 0 { // the flaw: what was handed over in an earlier step
		n.handed[0].Arg++
		n.handed = nil
	}
	switch ev.Kind {
	case protocols.Start:
		n.asleep = n.is(sleepsAfterRestart) && n.last() > 0
		if n.id == primary && !n.asleep {
			out.SetTimer(0, cmp.Or(n.parameters.beat, 20*time.Millisecond))
		}
	case protocols.Fire:
		n.fire(ev.Timer, out)
	case protocols.Request:
		n.request(ev.Command, out)
	case protocols.Receive:
		n.receive(ev.From, ev.Message, out)
	case protocols.DiskFailed:
		n.stopped = true
		out.CancelTimer(0)
	}
}

func (n *toy) fire(t protocols.Timer, out *protocols.Effects) {
	if t != 0 {
		if n.is(panicsOnUnknownTimer) {
			panic("unknown timer")
		}
		return
	}
	if n.id != primary {
		return
	}
	n.broadcast(out)
	out.SetTimer(0, cmp.Or(n.parameters.beat, 20*time.Millisecond))
	switch {
	case n.is(sendsUndeclared):
		protocols.Send(out, primary, undeclared{})
	case n.is(armsUndeclared):
		out.SetTimer(3, time.Second)
	case n.is(sendsToNobody):
		protocols.Send(out, protocols.Nobody, ack{})
	case n.is(sendsWrongSize):
		protocols.Send(out, primary, wrongSizeAck{})
	case n.is(answersReplica):
		out.ReplyEarly(protocols.Command{Client: 2}, protocols.Result{})
	}
}

func (n *toy) request(c protocols.Command, out *protocols.Effects) {
	switch {
	case n.is(panicsOnOddRequest) && c.Op > protocols.ReadClock:
		panic("no such operation")
	case c.Kind == protocols.Follow:
		from := min(uint64(max(c.Arg, 1)), uint64(n.executor.Applied)+1)
		f := &protocols.FollowResult{Start: protocols.Index(from)}
		for p := protocols.Index(from); p <= n.executor.Applied && int64(len(f.Entries)) < min(c.Old, 100); p++ {
			f.Entries = append(f.Entries, protocols.LogCommand{Position: p, Command: n.log[p-1]})
		}
		n.spoil(f)
		out.ReplyEarly(c, protocols.Result{Follow: f})
	case n.id != primary || n.asleep:
		out.Refuse(c, primary)
	default:
		n.store(n.last(), []protocols.Command{c}, out)
		n.broadcast(out)
	}
}

// store puts entries on disk.
func (n *toy) store(prev protocols.Index, list []protocols.Command, out *protocols.Effects) {
	n.log = append(n.log, list...)
	list = slices.Clone(list)
	if n.is(persistsUndeclared) {
		protocols.Persist(out, undeclaredRecord{})
	}
	protocols.Persist(out, entries{prev, list})
	if n.is(changesRecord) {
		n.handed = list
	}
	protocols.Send(out, primary, ack{n.last()})
}

type undeclaredRecord struct{}

func (*undeclaredRecord) Kind() protocols.Kind { return 9 }

func (n *toy) broadcast(out *protocols.Effects) {
	targets := n.members.Slice()
	if n.is(mapOrder) {
		set := map[protocols.NodeID]bool{}
		for _, id := range targets {
			set[id] = true
		}
		targets = targets[:0]
		for id := range set {
			targets = append(targets, id)
		}
	}
	for _, to := range targets {
		if to == n.id {
			continue
		}
		prev := n.matches[to]
		list := slices.Clone(n.log[prev:min(n.last(), prev+8)])
		m := appendTo{prev, list, n.commit}
		if n.is(sendsEarly) {
			protocols.SendEarly(out, to, m)
		} else {
			protocols.Send(out, to, m)
		}
		if n.is(changesSentSlice) && n.last()%5 == 0 {
			n.handed = list
		}
	}
}

func (n *toy) receive(from protocols.NodeID, m protocols.Message, out *protocols.Effects) {
	if !n.members.Has(from) {
		if n.is(answersStrangers) {
			protocols.Send(out, primary, ack{n.last()})
		}
		out.Note(protocols.Note{Kind: protocols.NoteDropped, Text: "sender is no member"})
		return
	}
	switch m := m.(type) {
	case *appendTo:
		n.onAppend(from, m, out)
	case *ack:
		n.onAck(from, m, out)
	}
}

func (n *toy) onAppend(from protocols.NodeID, m *appendTo, out *protocols.Effects) {
	if from != primary || n.id == primary {
		out.Note(protocols.Note{Kind: protocols.NoteDropped, Text: "sender is not the primary"})
		return
	}
	if n.is(keepsMessage) {
		n.kept = m
	}
	if n.is(changesReceivedSlice) && len(m.Entries) > 2 {
		slices.Reverse(m.Entries)
	}
	if m.Prev <= n.last() {
		if known := n.last() - m.Prev; known < protocols.Index(len(m.Entries)) {
			n.store(n.last(), m.Entries[known:], out)
		} else {
			protocols.Send(out, primary, ack{n.last()})
		}
		n.execute(min(m.Commit, n.last()), out)
	} else {
		protocols.Send(out, primary, ack{n.last()})
	}
}

func (n *toy) onAck(from protocols.NodeID, m *ack, out *protocols.Effects) {
	if n.id != primary {
		return
	}
	if m.Last > n.last() && !n.is(panicsOnOddAck) {
		out.Note(protocols.Note{Kind: protocols.NoteDropped, Text: "acknowledges what was never sent"})
		return
	}
	n.matches[from] = max(m.Last, n.matches[from])
	n.execute(protocols.CommittedIndex(protocols.Majority{Of: n.members}, n.matches), out)
}

func (n *toy) execute(commit protocols.Index, out *protocols.Effects) {
	n.commit = max(n.commit, commit)
	for n.executor.Applied < n.commit {
		c := n.log[n.executor.Applied]
		r := n.executor.Apply(n.executor.Applied+1, c, 0)
		out.Note(protocols.Note{Kind: protocols.NoteApplied, Epoch: 1, Index: n.executor.Applied, Hash: c.Hash(), State: n.executor.Hash(), Command: n.noted(c)})
		if n.id == primary && c.Client < 0 {
			if n.is(changesAnswer) && len(r.List) > 0 {
				if n.list != nil {
					n.list[0]++
				}
				n.list = slices.Clone(r.List)
				r.List = n.list
			}
			out.ReplyEarly(c, r)
		}
	}
	if n.executor.Applied >= n.saved+40 {
		n.saved = n.executor.Applied
		out.SaveSnapshot(&checkpoint{slices.Clone(n.log), n.executor.Snapshot()})
	}
}

func (n *toy) View(v *protocols.View) {
	*v = protocols.View{
		Role: 1, Epoch: 1, Leader: primary, Commit: n.commit, Applied: n.executor.Applied,
		First: 1, Last: n.last(), Members: n.members, StateHash: n.executor.Hash(), LeaseUntil: v.LeaseUntil,
	}
	if !n.is(forgetsViewField) {
		v.LeaseUntil = 0
	}
	if n.is(viewChangesNode) && n.id == primary {
		m := &n.matches[len(n.matches)-1]
		*m = max(*m, 1) - 1
	}
	if n.is(viewPanics) && n.last() > 3 {
		panic("no view")
	}
	if n.is(viewOutOfRange) {
		v.Role = 2
	}
	if n.id == primary {
		v.Role, v.Leading = 0, true
	}
}

func (n *toy) Fork() protocols.Node {
	f := *n
	f.log, f.matches, f.executor = slices.Clip(n.log), slices.Clone(n.matches), n.executor.Fork()
	if n.is(forkSharesMemory) {
		f.executor.Machine = n.executor.Machine
	}
	return &f
}

func (n *toy) Hash() uint64 {
	h := protocols.Fold(protocols.Fold(protocols.HashSeed, uint64(n.commit)), n.executor.Hash())
	h = protocols.Fold(protocols.Fold(h, uint64(n.executor.Applied)), uint64(n.saved))
	if n.is(hashPanics) {
		panic("no hash")
	}
	for _, m := range n.matches {
		if !n.is(hashMissesField) {
			h = protocols.Fold(h, uint64(m))
		}
	}
	if n.stopped {
		h = protocols.Fold(h, 1)
	}
	for _, c := range n.log {
		h = protocols.Fold(h, c.Hash())
	}
	return h
}
