package sim

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// byScript marks a record that a step of a script damaged, and no fault.
const byScript = -1

// harmEach does to nodes what no protocol does by itself: it takes their disks,
// damages a record, or sets the rate of their clocks.
func (w *World) harmEach(s *ScriptStep) error {
	set, err := w.set(s.Names)
	if err != nil {
		return err
	}
	for id := set.Next(protocols.Nobody); id != protocols.Nobody && len(w.violations) == 0; id = set.Next(id) {
		n := &w.nodes[id-1]
		w.begin(evStrike, id, protocols.Nobody, uint64(verbNumber(s.Verb)), 0)
		switch s.Verb {
		case VerbWipe:
			w.wipeNamed(n)
		case VerbRot:
			err = w.rotNamed(n)
		case VerbClock:
			err = w.clockNamed(n, s.Span)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// wipeNamed stops n, if it is up, and takes all that its disk holds.
func (w *World) wipeNamed(n *node) {
	if n.up {
		w.digest.mix(w.crashLosing(n, losesDisk))
		return
	}
	w.digest.mix(w.wipeDisk(&n.disk))
}

// rotNamed damages the latest durable record of n that stores log positions, all of
// which an undamaged disk holds as well.
func (w *World) rotNamed(n *node) error {
	d := &n.disk
	copies := w.copies(n)
	for k := int(d.durable-d.first) - 1; k >= 0; k-- {
		if e := &d.log[k]; e.state == protocols.RecordOK && !e.snapshot && copies.hold(e.record) {
			e.state, e.by = protocols.RecordCorrupt, byScript
			return nil
		}
	}
	return fmt.Errorf("the disk of %s has no record whose entries another disk holds as well", w.cluster.Name(n.id))
}

// clockNamed makes the clock of n show span more in each second of true time.
func (w *World) clockNamed(n *node, span protocols.Duration) error {
	ppb, bound := int64(span)-billion, w.cfg.Clock.Drift
	if ppb < -bound || ppb > bound {
		return fmt.Errorf("%s a second is %d ppb off, and clock.drift declares at most %d ppb", FormatDuration(span), max(ppb, -ppb), bound)
	}
	n.clock.home = ppb
	w.setRate(n)
	return nil
}
