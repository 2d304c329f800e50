package primarybackup

import "github.com/lockstep-sim/lockstep/protocols"

// PB-I8 is about what an answer to a read rests on: a primary that was replaced does not
// know it, and a history shows that only where another has written meanwhile what is
// read.

// watchReads takes in what a step says about reads.
func (w *watcher) watchReads(m *protocols.Moment, n *Node) {
	switch m.Event.Kind {
	case protocols.Request:
		if c := &m.Event.Command; c.Kind == protocols.Read {
			w.reads.Arrived(m.Node, c, n.view.Number)
		}
	case protocols.Receive:
		if v, ok := m.Event.Message.(*ConfirmResponse); ok {
			w.reads.Heard(m.Node, m.Event.From, v.Epoch, v.Round)
		}
	}
}

// checkRead judges an answer to a client as far as it is about reads.
func (w *watcher) checkRead(m *protocols.Moment, n *Node, a *protocols.Answer) {
	if a.Command.Kind == protocols.Follow {
		return // it gets what is committed, as far as the replica knows
	}
	if a.Command.Kind == protocols.Read {
		members := n.view.Members()
		all := protocols.Threshold{Of: members, Size: members.Len()}
		if wrong := w.reads.Judge(m.Node, a, n.view.Number, m.Event.Now, all); wrong != "" {
			m.Violate(readEvidence, "%v answers %v of %v in view %d: %s", m.Node, a.Command, a.Command.Client, n.view.Number, wrong)
		}
	}
	if !w.lossy {
		w.reads.Shows(a.Result.Position)
	}
}

// checkGrant: a lease is taken when the view service grants it, and counts from the ping
// that the service answers.
func (w *watcher) checkGrant(m *protocols.Moment, n *Node, note *protocols.Note) {
	w.reads.Leased(m.Node, note.Until)
	a, ok := m.Event.Message.(*Announce)
	switch {
	case !ok || !a.Grant || a.Life != n.life || a.View.Number != note.Epoch:
		m.Violate(readEvidence, "%v takes a lease of view %d that the view service has not granted", m.Node, note.Epoch)
	case note.Until > a.Ping.Add(w.lease):
		m.Violate(readEvidence, "%v takes a lease of view %d until %v on its clock, but the ping that was answered, of %v, is good for %v", m.Node, note.Epoch, note.Until, a.Ping, w.lease)
	}
}
