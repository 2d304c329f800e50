package sim

import (
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// fault is a planned fault with what becomes of it.
type fault struct {
	FaultRecord
	stream  base
	subject protocols.NodeID  // whom the event of When was about
	down    protocols.NodeSet // of kinds that stop: nodes it keeps down; pause: keeps paused
	links   bool              // works on links
	done    protocols.NodeSet // misdirected-write: nodes that it has hit
	forward bool              // strobe: the clocks are ahead

	division division          // partition
	clogs    protocols.NodeSet // clog: nodes that it clogs now
	clogging bool              // clog: is on
}

// touches reports whether a link fault works on the link from→to. Links of a
// client are touched only if the target names the client.
func (f *fault) touches(from, to protocols.NodeID) bool {
	switch f.Fault.Kind {
	case protocols.FaultPartition:
		return f.division.cuts(from, to, f.Fault.OneWay)
	case protocols.FaultClog, protocols.FaultSwizzleClog:
		return f.clogging && f.clogsLink(from, to, f.clogs)
	}
	out, in := f.Resolved.has(from), f.Resolved.has(to)
	if from < 0 && !out || to < 0 && !in {
		return false
	}
	switch f.Fault.OneWay {
	case In:
		return in
	case Out:
		return out
	}
	return in || out
}

// hit counts an effect of fault i.
func (w *World) hit(i int, n uint64) {
	f := &w.faults[i]
	f.Effective = true
	f.Count += n
}

// hitPause counts something that the pauses of n hold back.
func (w *World) hitPause(n *node) {
	for i := range w.faults {
		if f := &w.faults[i]; f.Fault.Kind == protocols.FaultPause && f.State == Active && f.down.Has(n.id) {
			w.hit(i, 1)
		}
	}
}

// killed counts a live node that fault i stopped.
func (w *World) killed(i int, lost uint64) {
	f := &w.faults[i]
	f.Effective = true
	f.Killed++
	f.Count += lost
	w.digest.mix(lost)
}

// planned handles the time of fault i: it strikes, or waits for its target.
func (w *World) planned(i int) {
	f := &w.faults[i]
	if f.State != Planned {
		return
	}
	w.begin(evStrike, protocols.Nobody, protocols.Nobody, uint64(f.Fault.ID), 0)
	if r, ok := w.resolve(f); ok {
		w.strike(i, r)
		return
	}
	f.State = Waiting
	w.waiting++
	w.faultLine(f, "waits for "+f.Fault.Target.String())
	if f.Fault.For != Forever {
		w.plan(i, f.Fault.At.Add(f.Fault.For), evEnd)
	}
}

// plan schedules an event of fault i.
func (w *World) plan(i int, t protocols.Time, kind eventKind) {
	p := w.queue.add(max(t, w.now), w.seq)
	p.kind, p.ref = kind, uint32(i)
}

// retry lets waiting faults look for their targets again.
func (w *World) retry() {
	for i := range w.faults {
		f := &w.faults[i]
		if f.State != Waiting {
			continue
		}
		if r, ok := w.resolve(f); ok {
			w.waiting--
			w.strike(i, r)
		}
	}
}

// strike makes fault i happen to r.
func (w *World) strike(i int, r Resolved) {
	f := &w.faults[i]
	waited := f.State == Waiting
	f.State, f.Resolved, f.Struck = Active, r, w.now
	f.Names = r.Names(w.cluster)
	if f.Fault.Kind == protocols.FaultPartition {
		w.divide(f, w.resolvedFrom(f))
	}
	lo, hi := r.Nodes.Words()
	w.digest.mix(uint64(f.Fault.ID)<<32 | uint64(len(r.Clients)))
	w.digest.mix(lo)
	w.digest.mix(hi)
	w.aims(f)
	w.faultLine(f, "strikes "+f.Names)
	w.progress = true
	w.happens(onFaultStrikes, uint64(f.Fault.ID), protocols.Nobody)
	if f.links {
		w.strikeLinks(i)
	} else {
		for id := r.Nodes.Next(protocols.Nobody); id != protocols.Nobody; id = r.Nodes.Next(id) {
			w.strikeNode(i, &w.nodes[id-1])
		}
	}
	if f.Fault.Kind == protocols.FaultStrobe {
		w.strobe(i, 0)
	}
	if f.Fault.For != Forever && !f.stays() && !waited {
		w.plan(i, f.Fault.At.Add(f.Fault.For), evEnd)
	}
}

// stays reports whether f is a step of the clock that nothing takes back.
func (f *fault) stays() bool { return f.Fault.Kind == protocols.FaultClock && f.Fault.For == 0 }

// strikeLinks lets link fault i begin.
func (w *World) strikeLinks(i int) {
	f := &w.faults[i]
	switch f.Fault.Kind {
	case protocols.FaultPartition:
		w.sever(i, true)
		if f.Fault.Flap > 0 {
			w.plan(i, w.now.Add(f.Fault.Flap/2), evFlap)
		}
		return
	case protocols.FaultClog:
		w.reclog(i, f.Resolved.Nodes, true)
		return
	case protocols.FaultSwizzleClog:
		w.swizzle(i)
		return
	case protocols.FaultBandwidth:
		w.narrow++
	}
	w.links.each(func(from, to protocols.NodeID, l *link) {
		if !l.clean && f.touches(from, to) {
			l.faulty++
		}
	})
	w.linkFaults = append(w.linkFaults, i)
}

// strikeNode lets fault i begin at n.
func (w *World) strikeNode(i int, n *node) {
	f := &w.faults[i]
	switch f.Fault.Kind {
	case protocols.FaultCrash:
		w.keepDown(i, n)
		if n.up && f.Fault.Cut > 0 {
			n.cutAt, n.cutter = f.Fault.Cut, i
		} else if n.up {
			w.killed(i, w.crash(n))
		}
	case protocols.FaultPause:
		if n.up { // a node that is down boots as a new process, which nothing pauses
			f.down = f.down.With(n.id)
			w.pause(n)
		}
	case protocols.FaultSlowDisk:
		if f.Fault.Factor > n.disk.slow {
			n.disk.slow, n.disk.slower = f.Fault.Factor, i
		}
	case protocols.FaultClock, protocols.FaultSkew:
		n.clock.wall += protocols.Time(f.Fault.Step)
		w.setRate(n)
		if n.up {
			w.hit(i, 1)
		}
	case protocols.FaultPowerLoss:
		w.cutOff(i, n, losesCache)
	case protocols.FaultWipe:
		w.cutOff(i, n, losesDisk)
	case protocols.FaultAttrition:
		w.attrition(i, n, 0)
	case protocols.FaultCrashPoint:
		w.setTrap(i, n)
	case protocols.FaultSlowNode:
		w.setSlow(n)
	case protocols.FaultCorrupt:
		w.rot(i, n)
	default:
		w.treat(n)
	}
}

// setRate makes n's clock run at the rate that the latest active fault in the
// plan asks for, or else its own, and moves the timers.
func (w *World) setRate(n *node) {
	ppb := n.clock.home
	for i := range w.faults {
		f := &w.faults[i]
		if f.State == Active && f.Fault.Drift != 0 && f.Resolved.Nodes.Has(n.id) && !w.mended.Has(n.id) {
			ppb = f.Fault.Drift
		}
	}
	if ppb == n.clock.ppb {
		return
	}
	n.clock.bend(w.now, ppb)
	if n.timers.alarm != never {
		w.reschedule(n)
	}
}

// ended handles the end of fault i's interval. After a heal nothing ends by
// itself: what was not healed stays broken.
func (w *World) ended(i int) {
	f := &w.faults[i]
	if w.healed || f.State != Active && f.State != Waiting {
		return
	}
	w.begin(evEnd, protocols.Nobody, protocols.Nobody, uint64(f.Fault.ID), 0)
	if f.State == Waiting {
		w.waiting--
		f.State = Missed
		w.faultLine(f, "never found "+f.Fault.Target.String())
		w.happens(onFaultEnds, uint64(f.Fault.ID), protocols.Nobody)
		return
	}
	w.faultLine(f, "ends")
	w.end(i)
	w.happens(onFaultEnds, uint64(f.Fault.ID), protocols.Nobody)
}

// end undoes what fault i still does.
func (w *World) end(i int) {
	f := &w.faults[i]
	f.State, f.Ended = Over, w.now
	w.progress = true
	if f.links {
		w.endLinks(i)
		return
	}
	r := f.Resolved.Nodes
	for id := r.Next(protocols.Nobody); id != protocols.Nobody; id = r.Next(id) {
		w.endNode(i, &w.nodes[id-1])
	}
}

// endLinks lets link fault i end.
func (w *World) endLinks(i int) {
	f := &w.faults[i]
	switch f.Fault.Kind {
	case protocols.FaultPartition:
		if !f.division.open {
			w.sever(i, false)
		}
		return
	case protocols.FaultClog, protocols.FaultSwizzleClog:
		w.reclog(i, protocols.NodeSet{}, false)
		w.unclog()
		return
	case protocols.FaultBandwidth:
		w.narrow--
	}
	w.links.each(func(from, to protocols.NodeID, l *link) {
		if !l.clean && f.touches(from, to) {
			l.faulty--
		}
	})
	for k, j := range w.linkFaults {
		if j == i {
			w.linkFaults = append(w.linkFaults[:k], w.linkFaults[k+1:]...)
			break
		}
	}
}

// endNode lets fault i end at n.
func (w *World) endNode(i int, n *node) {
	f := &w.faults[i]
	switch f.Fault.Kind {
	case protocols.FaultCrash:
		if f.down.Has(n.id) && n.cutAt > 0 && n.cutter == i {
			n.cutAt = 0 // its step never came
		}
		w.letUp(i, n)
	case protocols.FaultPause:
		if f.down.Has(n.id) {
			f.down = f.down.Without(n.id)
			w.resume(n)
		}
	case protocols.FaultSlowDisk:
		w.slowest(n)
	case protocols.FaultClock, protocols.FaultSkew:
		n.clock.wall -= protocols.Time(f.Fault.Step)
		w.setRate(n)
	case protocols.FaultStrobe:
		w.endStrobe(i, n)
	case protocols.FaultPowerLoss, protocols.FaultWipe, protocols.FaultAttrition:
		w.letUp(i, n)
	case protocols.FaultCrashPoint:
		w.clearTrap(i, n)
		w.letUp(i, n)
	case protocols.FaultSlowNode:
		w.setSlow(n)
	case protocols.FaultCorrupt: // what is damaged stays so
	case protocols.FaultDiskError, protocols.FaultDiskFull:
		w.treat(n)
		w.replaceDisk(n)
	default:
		w.treat(n)
	}
}

// slowest makes n's disk as slow as the faults that are still active say.
func (w *World) slowest(n *node) {
	n.disk.slow, n.disk.slower = 1, -1
	for i := range w.faults {
		f := &w.faults[i]
		if f.Fault.Kind == protocols.FaultSlowDisk && f.State == Active && f.Resolved.Nodes.Has(n.id) && f.Fault.Factor > n.disk.slow {
			n.disk.slow, n.disk.slower = f.Fault.Factor, i
		}
	}
}

// faultLine writes a fault's line into the trace.
func (w *World) faultLine(f *fault, what string) {
	if w.tracing {
		w.record(TraceEvent{Kind: TraceFault, Fault: f.Fault.ID, Detail: describe(&f.Fault) + " " + what})
	}
}

// describe names a fault with what it was given.
func describe(f *Fault) string {
	var b strings.Builder
	b.WriteString(string(f.Kind))
	if f.OneWay != Both {
		b.WriteString(" " + f.OneWay.String())
	}
	if f.Prob > 0 {
		b.WriteString(" " + f.Prob.String())
	}
	if !f.Latency.Zero() {
		b.WriteString(" +" + f.Latency.String())
	}
	if f.Factor > 0 {
		b.WriteString(" x" + formatDecimal(f.Factor, 0))
	}
	b.WriteString(describeNetwork(f))
	if f.Cut > 0 {
		b.WriteString(" after effect " + formatDecimal(int64(f.Cut), 0))
	}
	if f.Point != 0 {
		b.WriteString(" " + f.Point.String())
	}
	if f.Nth > 1 {
		b.WriteString(" no. " + formatDecimal(int64(f.Nth), 0))
	}
	if f.Every != 0 {
		b.WriteString(" every " + FormatDuration(f.Every))
	}
	if !f.Down.Zero() {
		b.WriteString(" down " + f.Down.String())
	}
	if f.Step != 0 {
		b.WriteString(" step " + FormatDuration(f.Step))
	}
	if f.Drift != 0 {
		b.WriteString(" drift " + formatDecimal(f.Drift, 0) + "ppb")
	}
	return b.String()
}
