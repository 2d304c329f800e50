package sim

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// declared is what a protocol declares, as the engine looks it up at every effect.
type declared struct {
	messages, records uint64 // a bit for each kind
	timers            int    // timers below this have a name, or none has
}

func declaredBy(p *protocols.Protocol) (d declared) {
	for _, k := range p.Messages {
		d.messages |= 1 << k.Kind
	}
	for _, k := range p.Records {
		d.records |= 1 << k.Kind
	}
	if d.timers = len(p.Timers); d.timers == 0 {
		d.timers = protocols.MaxTimers
	}
	return d
}

// permits reports whether the world can carry an effect out.
func (d *declared) permits(e *protocols.Effect) bool {
	switch e.Kind {
	case protocols.EffectSend, protocols.EffectSendEarly:
		return d.messages>>e.Message.Kind()&1 != 0
	case protocols.EffectPersist, protocols.EffectSaveSnapshot:
		return e.Record != nil && d.records>>e.Record.Kind()&1 != 0
	case protocols.EffectSetTimer, protocols.EffectSetTimerWithin, protocols.EffectCancelTimer:
		return int(e.Timer) < d.timers && e.Min >= 0 && e.Min <= e.Max
	}
	return true
}

// undeclared says what is wrong with an effect that is not permitted.
func (w *World) undeclared(e *protocols.Effect) string {
	p := w.cfg.Protocol
	switch e.Kind {
	case protocols.EffectSend, protocols.EffectSendEarly:
		return fmt.Sprintf("sent a %T of kind %d, which is not among the %d that Protocol.Messages declares", e.Message, e.Message.Kind(), len(p.Messages))
	case protocols.EffectPersist, protocols.EffectSaveSnapshot:
		if e.Record == nil {
			return "saved nil as its snapshot"
		}
		return fmt.Sprintf("wrote a %T of kind %d, which is not among the %d that Protocol.Records declares", e.Record, e.Record.Kind(), len(p.Records))
	}
	if int(e.Timer) >= w.declared.timers {
		return fmt.Sprintf("used timer %d, and Protocol.Timers declares %d, from 0", e.Timer, len(p.Timers))
	}
	return fmt.Sprintf("armed timer %d for %s..%s: want 0s or more, and the smaller first", e.Timer, FormatDuration(e.Min), FormatDuration(e.Max))
}
