package sim

import (
	"errors"
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Phase is a stretch of the run, up to the next phase or the heal, with a network
// and a workload of its own. Of Workload it changes Mix, Popularity, Think, Every,
// Burst, Payload, Timeout and GiveUp; the rest is as in Config.
type Phase struct {
	Name     string
	At       protocols.Time // ascending, above 0
	Network  Network
	Workload Workload
}

// maxPhases bounds a plan of phases.
const maxPhases = 100

// checkPhases checks the phases: each as if it were the whole run.
func checkPhases(cfg *Config, cluster protocols.Cluster) error {
	if len(cfg.Phases) > maxPhases {
		return fmt.Errorf("phases: %d are more than %d", len(cfg.Phases), maxPhases)
	}
	before := protocols.Time(0)
	for i := range cfg.Phases {
		p := &cfg.Phases[i]
		as := *cfg
		as.Network, as.Workload = p.Network, p.Workload
		w, base := &p.Workload, &cfg.Workload
		err := checkWorld(&as, cluster)
		switch {
		case err != nil:
		case p.At <= before || p.At > maxSpan:
			err = fmt.Errorf("at %s: phases begin one after the other, after the start", p.At)
		case w.Clients != base.Clients || w.Keys != base.Keys || w.Subscribers != base.Subscribers || w.Operations != base.Operations || w.Begin != base.Begin:
			err = errors.New("workload: clients, keys, subscribers, operations and begin are those of the whole run")
		default:
			err = checkWorkload(&as)
		}
		if err != nil {
			return fmt.Errorf("phases[%d]: %w", i, err)
		}
		before = p.At
	}
	return nil
}

func (w *World) resetPhases() {
	for i := range w.cfg.Phases {
		w.plan(i, w.cfg.Phases[i].At, evPhase)
	}
}

// enter begins phase i.
func (w *World) enter(i int) {
	if w.healed {
		return
	}
	w.begin(evPhase, protocols.Nobody, protocols.Nobody, uint64(i), 0)
	p := &w.cfg.Phases[i]
	if w.tracing {
		w.record(TraceEvent{Kind: TracePhase, Detail: "phase " + p.Name + " begins"})
	}
	w.behave(&p.Network)
	w.conduct(&p.Workload)
	if w.stopped {
		return
	}
	w.arrivals.times, w.arrivals.head = w.arrivals.times[:0], 0
	if w.openLoop {
		w.nextArrival(max(w.now, w.cfg.Workload.Begin))
		return
	}
	for i := range w.clients { // who waited for arrivals goes on by itself
		if c := &w.clients[i]; c.state == idle {
			w.nextCall(c)
		}
	}
}

// behave makes every link that is not healed behave as n says.
func (w *World) behave(n *Network) {
	w.behaviours = behavioursOf(w.behaviours[:0], n)
	w.links.each(func(from, to protocols.NodeID, l *link) {
		if l.clean {
			return
		}
		l.behave = behaveBetween
		if from < 0 || to < 0 {
			l.behave = behaveClient
		}
	})
	for i, r := range n.Links {
		if l := w.links.of(r.From, r.To); !l.clean {
			l.behave = uint16(behaveRules + i)
		}
		if l := w.links.of(r.To, r.From); r.Both && !l.clean {
			l.behave = uint16(behaveRules + i)
		}
	}
}

// conduct makes clients behave as wl says.
func (w *World) conduct(wl *Workload) {
	w.workload = wl
	w.mix, w.weight = wl.Mix, weightOf(wl.Mix)
	if len(w.mix) == 0 {
		w.mix, w.weight = w.probe[:], 2
	}
	w.timeout, w.giveUp = DefaultTimeout, DefaultGiveUp
	if wl.Timeout > 0 {
		w.timeout = wl.Timeout
	}
	if wl.GiveUp > 0 {
		w.giveUp = wl.GiveUp
	}
	w.openLoop = !w.explicit && !wl.Every.Zero()
	w.arrivalGen++
	if w.keyed {
		w.popular.prepare(wl.Popularity, w.keys)
	}
}
