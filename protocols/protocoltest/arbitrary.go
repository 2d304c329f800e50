package protocoltest

import (
	"errors"
	"reflect"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// checkArbitrary brings clusters into states of all sorts and then shows their
// nodes what the types allow and no correct node, client or operator would say:
// at first one such thing, later one among others again and again. None may make
// a node panic, neither at once nor when it boots from the records that it wrote.
func checkArbitrary(s *settings) *failure {
	for seed := range s.seeds * 8 {
		if f := arbitrary(s, uint64(seed), nil); f != nil {
			return f
		}
	}
	return nil
}

// Fuzz is [Run]'s check of arbitrary messages as a fuzz target: the fuzzer chooses
// the world and what its nodes are shown.
//
//	func FuzzMessages(f *testing.F) { protocoltest.Fuzz(f, myprotocol.Protocol()) }
func Fuzz(f *testing.F, p *protocols.Protocol, options ...Option) {
	s, err := newSettings(p, options)
	if err != nil {
		f.Fatalf("protocoltest: %v", err)
	}
	s.steps = min(s.steps, 300)
	f.Add(uint64(1), []byte("lockstep"))
	f.Add(uint64(7), []byte{0, 255, 3, 9, 27, 81, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Fuzz(func(t *testing.T, seed uint64, choices []byte) {
		if f := arbitrary(s, seed, choices); f != nil {
			t.Error(f.text)
		}
	})
}

// arbitrary is one world of checkArbitrary. The choices of a fuzzer, if any,
// stand for the seed of what the nodes are shown.
func arbitrary(s *settings, seed uint64, choices []byte) *failure {
	w := newWorldOf(s, s.sizes[int(seed%uint64(len(s.sizes)))], seed, protocols.Poison)
	lie := newDraws(seed, 2)
	if len(choices) > 0 {
		lie = newDraws(seed, hashBytes(choices))
	}
	x := &liar{world: w, filler: newFiller(lie, w.n)}
	w.watch.received = x.remember
	w.start()
	if f := w.run(lie.below(s.steps)); f != nil {
		return f
	}
	w.heal()
	for range 1 + lie.below(60) {
		x.near = w.landmarks()
		x.tell()
		if lie.chance(40) {
			w.run(lie.below(12))
		}
		if w.failure != nil {
			return w.failure
		}
	}
	for _, h := range w.hosts[1:] { // the records are what nonsense made nodes write
		if f := w.tryBoot(h.id, h.disk.recovered(false), false, "its disk, after nonsense"); f != nil {
			return f
		}
	}
	return nil
}

// liar shows nodes what nobody should.
type liar struct {
	*world
	*filler
	seen []protocols.Message // copies of the last messages that were received
}

func (x *liar) remember(m protocols.Message) {
	const most = 48
	c := reflect.New(reflect.TypeOf(m).Elem())
	c.Elem().Set(reflect.ValueOf(m).Elem())
	if len(x.seen) < most {
		x.seen = append(x.seen, c.Interface().(protocols.Message))
	} else {
		x.seen[x.filler.draw.below(most)] = c.Interface().(protocols.Message)
	}
}

func (x *liar) tell() {
	h := x.hosts[1+x.filler.draw.below(len(x.hosts)-1)]
	if !h.up() {
		return
	}
	ev := x.event(h)
	if ev.Kind == protocols.Receive && x.s.protocol.SessionTransport {
		ev.Life = uint32(x.number())
	}
	x.handle(h, ev)
	if ev.Kind == protocols.Receive && (ev.From < 1 || int(ev.From) >= len(x.hosts)) {
		x.dropped()
	}
}

// dropped demands that the last step, a message from somebody who cannot send any,
// had no effect but notes.
func (x *liar) dropped() {
	for i := range x.out.List {
		if e := &x.out.List[i]; e.Kind != protocols.EffectNote {
			x.fail("%s: want a message from no node of the cluster to be dropped, with a note", e.Kind)
			return
		}
	}
}

func (x *liar) event(h *host) *protocols.Event {
	d := x.filler.draw
	switch choice := d.below(100); {
	case choice < 80:
		return &protocols.Event{Kind: protocols.Receive, From: x.node(), Message: x.message()}
	case choice < 90:
		c := x.command()
		return &protocols.Event{Kind: protocols.Request, From: c.Client, Command: c}
	case choice < 94 && len(x.s.protocol.Timers) < protocols.MaxTimers:
		timer := protocols.Timer(d.below(protocols.MaxTimers))
		if int(timer) < len(x.s.protocol.Timers) && !h.timers[timer].set { // it cannot fire
			timer = protocols.Timer(max(len(x.s.protocol.Timers), protocols.MaxTimers-1))
		}
		h.timers[timer%protocols.MaxTimers].set = false
		return &protocols.Event{Kind: protocols.Fire, Timer: timer}
	case choice < 98:
		ev := &protocols.Event{Kind: protocols.AdminEvent}
		x.fill(reflect.ValueOf(&ev.Admin).Elem(), 0)
		return ev
	}
	return &protocols.Event{Kind: protocols.DiskFailed, Err: errors.New("fsync: input/output error")}
}

// message makes a message from nothing, or from one that was received.
func (x *liar) message() protocols.Message {
	d := x.filler.draw
	if len(x.seen) > 0 && d.chance(60) {
		old := reflect.ValueOf(x.seen[d.below(len(x.seen))]).Elem()
		m := reflect.New(old.Type())
		m.Elem().Set(old)
		for range d.below(3) {
			x.perturb(m.Elem())
		}
		return m.Interface().(protocols.Message)
	}
	infos := x.s.protocol.Messages
	m := infos[d.below(len(infos))].New()
	x.fill(reflect.ValueOf(m).Elem(), 0)
	return m.(protocols.Message)
}

func (x *liar) command() protocols.Command {
	var c protocols.Command
	if d := x.filler.draw; d.chance(50) {
		c = x.world.command(x.clients[d.below(len(x.clients))])
	}
	if v := reflect.ValueOf(&c).Elem(); c.Seq == 0 {
		x.fill(v, 0)
	} else {
		x.perturb(v)
	}
	if c.Client >= 0 { // the world takes requests from clients only
		c.Client = -1 - c.Client%4
	}
	return c
}
