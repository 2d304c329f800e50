package docs

import (
	"fmt"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios/diagram"
	"github.com/lockstep-sim/lockstep/sim"
)

const ms = protocols.Duration(1_000_000)

// story is one run to draw for each protocol.
type story struct {
	name     string // as in the file's name
	title    string
	subtitle string
	latency  sim.Dist // of every link, one way
	workload sim.Workload
	faults   []sim.Fault
	before   protocols.Duration // where the window begins, before begin
	after    protocols.Duration // what it shows after the last result
	height   int                // of the plot, in pixels
	// fits says whether a run tells the story in its plainest form; the seeds are tried
	// from 1 on.
	fits func(w *sim.World, history []protocols.Operation) bool
	// quiet names messages, by protocol, that are left out: they go on all the time.
	quiet map[string][]string
}

// begin is when clients call, long after the first leader was found.
const begin = protocols.Time(1_000_000_000)

// stories are the two that the page of each protocol tells. All protocols have the
// same network and disks, and their default parameters.
func stories() []story {
	put := sim.Share{Op: protocols.Put, Kind: protocols.Write, Weight: 1}
	get := sim.Share{Op: protocols.Get, Kind: protocols.Read, Weight: 1}
	return []story{
		{
			name: "normal", title: "one write and one read",
			subtitle: "3 replicas, links of 4 to 5 ms, fsync of 1 to 2 ms",
			latency:  sim.Between(4*ms, 5*ms),
			workload: sim.Workload{Clients: 1, Operations: 2, Mix: []sim.Share{put, get}, Begin: begin.Add(4 * ms)},
			before:   0, after: 14 * ms, height: 480,
			fits: func(_ *sim.World, history []protocols.Operation) bool {
				return len(history) == 2 && history[0].Op == protocols.Put && history[1].Op == protocols.Get &&
					history[0].Node == 1 && history[0].Attempts == 1 && history[1].Attempts == 1
			},
		},
		{
			name: "failover", title: "fail-over after a crash",
			subtitle: "3 replicas, links of 20 to 24 ms, fsync of 1 to 2 ms; a client that hears nothing for 300 ms asks the next replica",
			latency:  sim.Between(20*ms, 24*ms),
			workload: sim.Workload{Clients: 1, Operations: 1, Mix: []sim.Share{put}, Begin: begin.Add(6 * ms), Timeout: 300 * ms},
			faults:   []sim.Fault{{Kind: protocols.FaultCrash, At: begin, For: sim.Forever, Target: mustTarget("n1")}},
			before:   8 * ms, after: 24 * ms, height: 1000,
			fits: func(w *sim.World, history []protocols.Operation) bool {
				return len(history) == 1 && history[0].Node == 2 && history[0].Attempts == 2 && oneFailover(w.Trace(), begin)
			},
			quiet: map[string][]string{"primarybackup": {"Ping"}},
		},
	}
}

func mustTarget(text string) sim.Target {
	t, err := sim.ParseTarget(text)
	if err != nil {
		panic(err)
	}
	return t
}

// oneFailover reports whether n1 led until a time, and one other came to lead after it.
func oneFailover(trace []sim.TraceEvent, crash protocols.Time) bool {
	var before protocols.NodeID
	after := 0
	for i := range trace {
		e := &trace[i]
		switch {
		case e.Kind != sim.TraceNote || e.Note.Kind != protocols.NoteLeader:
		case e.Time < crash:
			before = e.Node
		default:
			after++
		}
	}
	return before == 1 && after == 1
}

// mostSeeds bounds how long a run is looked for.
const mostSeeds = 500

func (s *story) draw(p *protocols.Protocol) ([]byte, error) {
	for seed := uint64(1); seed <= mostSeeds; seed++ {
		w, err := s.run(p, seed)
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", p.Name, s.name, err)
		}
		history := w.History()
		if !s.fits(w, history) {
			continue
		}
		subtitle := s.subtitle
		if quiet := s.quiet[p.Name]; len(quiet) > 0 {
			subtitle += "; not drawn: " + strings.Join(quiet, ", ")
		}
		return diagram.SVG(diagram.Of(w), diagram.Options{
			Title:    p.Title + ": " + s.title,
			Subtitle: subtitle,
			Height:   s.height,
			From:     begin.Add(-s.before),
			To:       history[len(history)-1].Ended.Add(s.after),
			Hide:     s.quiet[p.Name],
			Timers:   timersOf(p),
		})
	}
	return nil, fmt.Errorf("%s, %s: none of the seeds 1..%d fits the story", p.Name, s.name, mostSeeds)
}

// timersOf returns the timers that make a protocol look for a new leader.
func timersOf(p *protocols.Protocol) (names []string) {
	for _, t := range p.Timers {
		if t == "election" || t == "view" {
			names = append(names, t)
		}
	}
	return names
}

func (s *story) run(p *protocols.Protocol, seed uint64) (*sim.World, error) {
	w, err := sim.New(sim.Config{
		Protocol: p, Replicas: 3, Seed: seed, Trace: true,
		Network:  sim.Network{Between: sim.Link{Latency: s.latency}, Client: sim.Link{Latency: s.latency}},
		Disk:     sim.Disk{Fsync: sim.Between(1*ms, 2*ms)},
		Workload: s.workload, Faults: s.faults,
	})
	if err != nil {
		return nil, err
	}
	w.Run(begin.Add(1200 * ms))
	if v := w.Violations(); len(v) > 0 {
		return nil, fmt.Errorf("seed %d: %s", seed, v[0])
	}
	return w, nil
}
