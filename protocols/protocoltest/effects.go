package protocoltest

import (
	"reflect"

	"github.com/lockstep-sim/lockstep/protocols"
)

// checkEffects checks the effects of the last step against what the protocol
// declares.
func (w *world) checkEffects() {
	for i := range w.out.List {
		if why := w.wrong(&w.out.List[i]); why != "" {
			w.fail("%s: %s", effectText(w.out, &w.out.List[i]), why)
			return
		}
	}
}

// wrong says what is wrong with an effect, or nothing.
func (w *world) wrong(e *protocols.Effect) string {
	p := w.s.protocol
	switch e.Kind {
	case protocols.EffectSend, protocols.EffectSendEarly:
		if e.To < 1 || int(e.To) >= len(w.hosts) {
			return "there is no such node"
		}
		if !declares(p.Messages, e.Message.Kind(), e.Message) {
			return "the message is not declared in Protocol.Messages with its kind"
		}
	case protocols.EffectPersist, protocols.EffectSaveSnapshot:
		if e.Record == nil || !declares(p.Records, e.Record.Kind(), e.Record) {
			return "the record is not declared in Protocol.Records with its kind"
		}
	case protocols.EffectReply, protocols.EffectReplyEarly, protocols.EffectRefuse:
		if c := w.out.Answers[e.Answer].Command; c.Client >= 0 {
			return "answers somebody who is no client"
		}
	case protocols.EffectSetTimer, protocols.EffectSetTimerWithin, protocols.EffectCancelTimer:
		if int(e.Timer) >= len(p.Timers) || e.Timer >= protocols.MaxTimers {
			return "the timer is not declared in Protocol.Timers"
		}
		if e.Min < 0 || e.Max < e.Min {
			return "want a timer of 0 <= min <= max"
		}
	case protocols.EffectNote:
		if k := w.out.Notes[e.Note].Kind; k < protocols.NoteLeader || k > protocols.NoteDropped {
			return "there is no such note"
		}
	}
	return ""
}

func declares(infos []protocols.KindInfo, kind protocols.Kind, v any) bool {
	for _, info := range infos {
		if info.Kind == kind {
			return info.New != nil && reflect.TypeOf(info.New()) == reflect.TypeOf(v)
		}
	}
	return false
}

// checkSizes compares each Size method with the stated encoding.
func (w *world) checkSizes() {
	for i := range w.out.List {
		e := &w.out.List[i]
		var v any = e.Message
		if e.Record != nil {
			v = e.Record
		}
		if why := wrongSize(v); why != "" {
			w.fail("%s", why)
			return
		}
	}
}

func wrongSize(v any) string {
	s, ok := v.(protocols.Sized)
	if !ok {
		return ""
	}
	if got, want := s.Size(), protocols.ReflectedSize(v); got != want {
		return failf("%s.Size is %d bytes, but its content takes %d: %s", typeName(v), got, want, contentText(v)).text
	}
	return ""
}

// checkView checks that View sets every field, to sane values, and changes
// nothing.
func (w *world) checkView(h *host) {
	a := w.view(h, protocols.View{})
	b := w.view(h, protocols.View{
		Role: 201, Leading: true, Epoch: 1<<63 + 7, Leader: 99, Commit: 1<<62 + 7, Applied: 1<<62 + 7, First: 1<<62 + 7, Last: 1<<62 + 7,
		Members: protocols.Nodes(101), LeaseUntil: 1<<62 + 7, StateHash: 1<<63 + 7,
	})
	if a != b {
		x, y := reflect.ValueOf(a), reflect.ValueOf(b)
		for i := range x.NumField() {
			if !x.Field(i).Equal(y.Field(i)) {
				w.fail("View does not set %s, or answers differently each time", x.Type().Field(i).Name)
				return
			}
		}
	}
	if why := w.wrongView(h, &a); why != "" {
		w.fail("View: %s", why)
	}
}

func (w *world) wrongView(h *host, v *protocols.View) string {
	roles := max(1, len(w.s.protocol.Roles))
	switch {
	case int(v.Role) >= roles:
		return failf("role %d, want one of the %d in Protocol.Roles", v.Role, roles).text
	case v.Leader < 0 || int(v.Leader) >= len(w.hosts):
		return failf("leader %s is no node", v.Leader).text
	case v.Applied > v.Commit:
		return failf("applied %d is above commit %d", v.Applied, v.Commit).text
	case !v.Members.Minus(protocols.NodesUpTo(w.n)).Empty():
		return failf("members %s, want some of the %d replicas", v.Members, w.n).text
	case v.LeaseUntil < 0:
		return failf("lease until %d", v.LeaseUntil).text
	case int(h.id) <= w.n && (v.First < 1 || v.First > v.Last+1):
		return failf("first %d and last %d, want 1 <= first <= last+1", v.First, v.Last).text
	}
	return ""
}
