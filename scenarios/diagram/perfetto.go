package diagram

import (
	"encoding/json"
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Threads of a process in the Chrome form: what a node does, and how it shows itself.
const (
	threadEvents = 1
	threadState  = 2
	threadFaults = 1
)

// faultsProcess is the process that shows the fault plan; nodes follow, then clients.
const faultsProcess = 1

// micros is a time of the Chrome form: microseconds with three decimals.
type micros int64

// MarshalJSON writes nanoseconds as microseconds.
func (m micros) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "%d.%03d", int64(m)/1000, int64(m)%1000), nil
}

// chromeEvent is one event of the Chrome trace format, which ui.perfetto.dev reads.
type chromeEvent struct {
	Name     string            `json:"name"`
	Phase    string            `json:"ph"` // X slice, s and f flow, i instant, M metadata
	Time     micros            `json:"ts"`
	Duration *micros           `json:"dur,omitempty"`
	Process  int               `json:"pid"`
	Thread   int               `json:"tid"`
	ID       int               `json:"id,omitempty"`
	Bind     string            `json:"bp,omitempty"`
	Scope    string            `json:"s,omitempty"`
	Category string            `json:"cat,omitempty"`
	Args     map[string]string `json:"args,omitempty"`
}

// process gives nodes and clients numbers above the fault plan's.
func (x *exporter) process(id protocols.NodeID) int {
	switch {
	case id == protocols.Nobody:
		return faultsProcess
	case id > 0:
		return faultsProcess + int(id)
	}
	return faultsProcess + x.run.Cluster.Nodes() + int(-id)
}

// sliceLength is how wide an event is drawn: arrows begin and end in slices.
const sliceLength = micros(2000)

// perfetto writes one array element per line.
func (x *exporter) perfetto() error {
	x.out.WriteString("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n")
	first := true
	emit := func(e chromeEvent) error {
		b, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if !first {
			x.out.WriteString(",\n")
		}
		first = false
		_, err = x.out.Write(b)
		return err
	}
	for _, part := range []func(func(chromeEvent) error) error{x.chromeNames, x.chromeStates, x.chromeFaults, x.chromeEvents} {
		if err := part(emit); err != nil {
			return err
		}
	}
	x.out.WriteString("\n]}\n")
	return nil
}

func (x *exporter) chromeNames(emit func(chromeEvent) error) error {
	name := func(process, thread int, kind, name string) error {
		return emit(chromeEvent{Name: kind, Phase: "M", Process: process, Thread: thread, Args: map[string]string{"name": name}})
	}
	if err := name(faultsProcess, threadFaults, "process_name", "faults"); err != nil {
		return err
	}
	for _, id := range everybody(x.run) {
		p := x.process(id)
		if err := name(p, threadEvents, "process_name", x.name(id)); err != nil {
			return err
		}
		if err := name(p, threadEvents, "thread_name", "events"); err != nil {
			return err
		}
		if id > 0 {
			if err := name(p, threadState, "thread_name", "state"); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *exporter) slice(name string, from, to protocols.Time, process, thread int) chromeEvent {
	d := micros(to.Sub(from))
	return chromeEvent{Name: name, Phase: "X", Time: micros(from), Duration: &d, Process: process, Thread: thread}
}

// chromeStates draws how nodes show themselves as slices.
func (x *exporter) chromeStates(emit func(chromeEvent) error) error {
	for i, s := range x.run.States {
		end := x.run.End
		for _, next := range x.run.States[i+1:] {
			if next.Node == s.Node {
				end = next.From
				break
			}
		}
		text := s.Text
		if text == "" {
			text = "down"
		}
		if err := emit(x.slice(text, s.From, end, x.process(s.Node), threadState)); err != nil {
			return err
		}
	}
	return nil
}

func (x *exporter) chromeFaults(emit func(chromeEvent) error) error {
	for i := range x.run.Faults {
		f := &x.run.Faults[i]
		if f.State != sim.Active && f.State != sim.Over {
			continue
		}
		end := x.run.End
		if f.State == sim.Over {
			end = f.Ended
		}
		e := x.slice(fmt.Sprintf("fault %d: %s %s", f.Fault.ID, f.Fault.Kind, f.Names), f.Struck, end, faultsProcess, threadFaults+i)
		e.Args = map[string]string{"did": f.How()}
		if err := emit(e); err != nil {
			return err
		}
	}
	return nil
}

// chromeEvents draws what happened, and messages as arrows from the event that sent
// them.
func (x *exporter) chromeEvents(emit func(chromeEvent) error) error {
	p := &picture{run: x.run, to: x.run.End}
	for _, id := range everybody(x.run) {
		p.lanes = append(p.lanes, lane{id: id})
	}
	for n, i := range x.kept {
		e := &x.run.Trace[i]
		own := chromeEvent{Name: x.run.Text(e), Phase: "i", Time: micros(e.Time), Process: x.process(e.Node), Thread: threadEvents, Scope: "t"}
		if e.Node == protocols.Nobody {
			own.Scope = "g"
		}
		a, arrow := p.message(i)
		if arrow {
			own = x.slice(own.Name, e.Time, e.Time.Add(protocols.Duration(sliceLength)), own.Process, threadEvents)
		}
		own.Args = map[string]string{"event": fmt.Sprint(e.Seq), "cause": fmt.Sprint(e.Cause)}
		if err := emit(own); err != nil {
			return err
		}
		if !arrow {
			continue
		}
		sender := x.process(e.Peer)
		begin := x.slice("sends "+a.text, a.sent, a.sent.Add(protocols.Duration(sliceLength)), sender, threadEvents)
		flow := chromeEvent{Name: a.text, Category: "message", Phase: "s", Time: micros(a.sent), Process: sender, Thread: threadEvents, ID: n + 1}
		end := flow
		end.Phase, end.Bind, end.Time, end.Process = "f", "e", micros(e.Time), x.process(e.Node)
		for _, c := range []chromeEvent{begin, flow, end} {
			if err := emit(c); err != nil {
				return err
			}
		}
	}
	return nil
}
