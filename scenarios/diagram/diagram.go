package diagram

import (
	"fmt"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// MaxMessages bounds how many arrows one diagram may have. About 60 are readable.
const MaxMessages = 120

// Run is what a diagram is drawn from.
type Run struct {
	Protocol *protocols.Protocol
	Cluster  protocols.Cluster
	Trace    []sim.TraceEvent
	Faults   []sim.FaultRecord
	End      protocols.Time // where the run ends

	// Text says in words what a line of the trace tells.
	Text func(*sim.TraceEvent) string
	// States are how nodes showed themselves, in the order of time; only Export uses
	// them.
	States []State
}

// State is how a node shows itself from one moment on.
type State struct {
	From protocols.Time
	Node protocols.NodeID
	Text string // leader, term 2; "" while it is down
}

// Of takes a traced run out of its world. The trace is valid until the world is
// reset.
func Of(w *sim.World) Run {
	return Run{Protocol: w.Config().Protocol, Cluster: w.Cluster(), Trace: w.Trace(), Faults: w.FaultLog(), End: w.Now(), Text: w.TraceText}
}

// Options say what of a run is drawn, and how. The zero value draws all of it.
type Options struct {
	Title    string // the first line
	Subtitle string // the second, smaller
	// From and To are the window, in true virtual time; To 0 is the end of the run.
	From, To protocols.Time
	// Lanes are the nodes and clients to draw, from left to right; what others send
	// and get is left out. Empty: clients, replicas and services of the trace.
	Lanes []protocols.NodeID
	// Hide names kinds of messages to leave out.
	Hide []string
	// Timers names timers whose firing is marked, as in Protocol.Timers.
	Timers []string
	// Fold lets time run fast where nothing is drawn, and says where and how much.
	Fold bool
	// Height is that of the plot in pixels; 0 goes by the number of messages.
	Height int
}

// SVG draws a run. Errors say which option does not fit the run: a window without
// time in it, a lane that does not exist, an unknown kind or timer, or more than
// MaxMessages arrows.
func SVG(run Run, o Options) ([]byte, error) {
	if o.To == 0 {
		o.To = run.End
	}
	if err := check(&run, &o); err != nil {
		return nil, err
	}
	p := read(&run, &o)
	if n := len(p.arrows); n > MaxMessages {
		return nil, fmt.Errorf("the window %v to %v has %d messages, want at most %d: narrow it, or hide kinds or lanes", o.From, o.To, n, MaxMessages)
	}
	p.scale(o.Height)
	if o.Fold {
		p.fold()
	}
	p.place()
	return p.write(&o), nil
}

// check looks up everything that the options name.
func check(run *Run, o *Options) error {
	if o.From < 0 || o.To <= o.From {
		return fmt.Errorf("window %v to %v: want an end above the start, which is 0 or later", o.From, o.To)
	}
	if len(o.Lanes) == 0 {
		o.Lanes = everybody(run)
	}
	for i, id := range o.Lanes {
		if id == protocols.Nobody || int(id) > run.Cluster.Nodes() {
			return fmt.Errorf("lane %s: no such node", run.Cluster.Name(id))
		}
		if slices.Contains(o.Lanes[:i], id) {
			return fmt.Errorf("lane %s is named twice", run.Cluster.Name(id))
		}
	}
	for _, name := range o.Hide {
		if !slices.ContainsFunc(run.Protocol.Messages, func(k protocols.KindInfo) bool { return k.Name == name }) {
			return fmt.Errorf("hide %q: %s has no such message", name, run.Protocol.Name)
		}
	}
	for _, name := range o.Timers {
		if !slices.Contains(run.Protocol.Timers, name) {
			return fmt.Errorf("timer %q: %s has no such timer", name, run.Protocol.Name)
		}
	}
	return nil
}

// everybody returns the clients that the trace names, from c1 on, and all nodes.
func everybody(run *Run) []protocols.NodeID {
	clients := 0
	for i := range run.Trace {
		e := &run.Trace[i]
		clients = max(clients, -int(e.Node), -int(e.Peer))
	}
	var lanes []protocols.NodeID
	for c := 1; c <= clients; c++ {
		lanes = append(lanes, protocols.NodeID(-c))
	}
	for n := 1; n <= run.Cluster.Nodes(); n++ {
		lanes = append(lanes, protocols.NodeID(n))
	}
	return lanes
}
