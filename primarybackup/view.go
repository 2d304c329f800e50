package primarybackup

import "github.com/lockstep-sim/lockstep/protocols"

// This file holds the only ways to change view and role: adopt, becomeStarting,
// becomePrimary, stepDown and becomeStopped.

// ping tells the view service how this replica is.
func (n *Node) ping(out *protocols.Effects) {
	last := n.log.Last()
	m := Ping{
		Life: n.life, Sent: n.now, Echo: n.echo, View: n.view.Number, Holds: n.holds,
		LastEpoch: n.epochAt(last), LastIndex: last,
	}
	if n.role == starting || n.role == primary {
		m.Suspects = n.suspects()
		m.Ready = n.ready()
	}
	// Early: a slow disk is no sign of death. Holds and the position may be ahead of
	// the disk; why that is harmless is said at Service.
	protocols.SendEarly(out, n.service, m)
	if n.role == starting && n.synced {
		n.acknowledge(out)
	}
}

// acknowledge tells the service that this view can begin. Gated: it says that the
// log up to start is on this disk; that of the backups has been acknowledged.
func (n *Node) acknowledge(out *protocols.Effects) {
	protocols.Send(out, n.service, Acknowledge{View: n.view.Number, Life: n.life, StartEpoch: n.epochAt(n.start), Start: n.start})
}

// onAnnounce hears the view service.
func (n *Node) onAnnounce(m *Announce, out *protocols.Effects) {
	first := n.echo == 0
	n.echo = max(n.echo, m.Sent)
	if why := n.impossible(&m.View); why != "" {
		n.drop(out, why)
		return
	}
	switch {
	case m.View.Number < n.view.Number:
		return // late
	case m.View.Number > n.view.Number, n.role == idle && n.isNamed(&m.View):
		// Named may also be who has heard of the view before, from one who refused its
		// last one.
		n.adopt(m.View, out)
	case m.View.Number > 0 && n.role == idle:
		n.view = m.View // after a restart, or when the primary was heard first
	}
	if first {
		n.ping(out) // the service takes nobody in who has not heard it
	}
	if n.role != starting && n.role != primary {
		return
	}
	n.takeIn(m.Idle, out)
	if m.Acked && n.role == starting {
		n.becomePrimary(out)
	}
	if m.Grant && m.Life == n.life && n.role == primary {
		n.extendLease(m.Ping, out)
	}
}

// impossible returns why the service cannot have announced v, or "".
func (n *Node) impossible(v *View) string {
	everyone := protocols.NodesUpTo(n.replicas)
	switch {
	case v.Number > maxEpoch:
		return "view out of range"
	case v.Number > 0 && !everyone.Has(v.Primary) || v.Number == 0 && v.Primary != protocols.Nobody:
		return "a primary that is no replica"
	case !v.Backups.Minus(everyone).Empty() || v.Backups.Has(v.Primary):
		return "backups that are none"
	case v.Number == n.view.Number && (n.role == starting || n.role == primary) && v.Primary != n.id:
		return "two primaries in one view"
	}
	return ""
}

// adopt takes a later view over, and with it ends all earlier ones here. It is
// durable before anything is said in the name of the new view.
func (n *Node) adopt(v View, out *protocols.Effects) {
	n.countDrops(&v)
	n.resumes = n.role == primary || n.role == starting && n.resumes
	n.stepDown(out)
	// What is committed equals the log of every later primary.
	n.view, n.verified, n.aside = v, n.commit, n.aside[:0]
	named := n.isNamed(&v)
	if named {
		n.holds = v.Number
	}
	protocols.Persist(out, Promise{Epoch: n.view.Number, Holds: n.holds})
	if named {
		n.becomeStarting(out)
	}
}

// countDrops remembers whom the next view no longer has, as long as this replica is
// the primary of both. Of the next view it may hear first by a refusal, which does not
// say who serves it.
func (n *Node) countDrops(next *View) {
	switch {
	case n.isNamed(next):
		dropped := n.led.Minus(next.Backups)
		for id := dropped.Next(protocols.Nobody); id != protocols.Nobody; id = dropped.Next(id) {
			n.progress[id].drops = min(n.progress[id].drops+1, maxDrops)
		}
		n.led = next.Backups
	case next.Primary != protocols.Nobody:
		for i := range n.progress {
			n.progress[i].drops = 0
		}
		n.led = protocols.NodeSet{}
	}
}

// isNamed reports whether v names this life of this replica as primary.
func (n *Node) isNamed(v *View) bool {
	return v.Primary == n.id && (v.Life == n.life || n.bugs.anyLife) // B-17
}

// hear handles the epoch of a message that only a primary sends. It returns false
// when the sender is not the primary of this replica's view; a lower epoch is
// answered by refuse, which deposes it.
func (n *Node) hear(from protocols.NodeID, epoch uint64, out *protocols.Effects) bool {
	switch {
	case epoch < n.view.Number:
		return false
	case epoch > maxEpoch || epoch == 0:
		n.drop(out, "view out of range")
		return false
	case from == n.id || epoch == n.view.Number && (n.role != idle || n.view.Primary != protocols.Nobody && n.view.Primary != from):
		n.drop(out, "two primaries in one view")
		return false
	case epoch > n.view.Number:
		// Who else is in the view is not known yet: the service will tell.
		n.adopt(View{Number: epoch, Primary: from}, out)
	case n.view.Primary == protocols.Nobody:
		n.view.Primary = from
	}
	return true
}

// becomeStarting takes over a view that names this life of this replica. Its log,
// as it is, becomes that of the view; all backups must have it before the view can
// be acknowledged.
func (n *Node) becomeStarting(out *protocols.Effects) {
	n.role = starting
	n.verified = n.log.Last()
	n.primaryState.reset(&n.view, n.k, n.log.Last(), n.now)
	for id := n.targets.Next(protocols.Nobody); id != protocols.Nobody; id = n.targets.Next(id) {
		n.probe(id, n.log.Last()+1, out)
	}
	n.checkSynced(out)
}

// checkSynced acknowledges the view once every backup holds it durably.
func (n *Node) checkSynced(out *protocols.Effects) {
	if !n.synced && n.view.Backups.Minus(n.holders).Empty() {
		n.synced = true
		n.acknowledge(out)
	}
}

// becomePrimary begins to serve: the view is acknowledged, so every later primary
// will have the log up to start, which is thereby committed.
func (n *Node) becomePrimary(out *protocols.Effects) {
	n.role = primary
	n.match[n.id] = n.start // on disk: what was acknowledged was gated
	if !n.resumes {
		n.answered = n.commit
	}
	out.Note(protocols.Note{Kind: protocols.NoteLeader, Epoch: n.view.Number, Index: n.start})
	out.Note(protocols.Note{Kind: protocols.NoteMembers, Epoch: n.view.Number, Index: n.start + 1, Members: n.view.Members()})
	n.advanceCommit(n.start, out)
	assert(n.commit == n.log.Last(), "a primary that starts without having executed its log")
	if n.bugs.ownSessions && !n.resumes { // B-06b
		n.execute.Sessions = protocols.Sessions{}
	}
	n.forkExecutors()
	out.Note(protocols.Note{Kind: protocols.NoteNormal, Epoch: n.view.Number, Index: n.start})
	n.advance(out)
}

// stepDown ends this replica's part as primary, if it has one. Writes that wait
// stay unanswered: they may be committed by a later primary.
func (n *Node) stepDown(out *protocols.Effects) {
	if n.role == primary {
		out.Note(protocols.Note{Kind: protocols.NoteSteppedDown, Epoch: n.view.Number})
		n.refuseReads(out)
		out.CancelTimer(timerWait)
	}
	n.visible, n.ahead = nil, nil
	n.role = idle
}

// deposed hears of a later view from somebody who refuses this one.
func (n *Node) deposed(epoch uint64, out *protocols.Effects) bool {
	if epoch <= n.view.Number {
		return false
	}
	if epoch > maxEpoch {
		n.drop(out, "view out of range")
		return true
	}
	if n.bugs.noFencing { // B-01
		return true
	}
	n.adopt(View{Number: epoch}, out)
	return true
}

// becomeStopped falls silent: after a failed write nobody knows what the disk
// holds, and what was persisted since may never become durable.
func (n *Node) becomeStopped(out *protocols.Effects) {
	n.stepDown(out)
	out.CancelTimer(timerTick)
	n.role = stopped
}
