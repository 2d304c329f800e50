package primarybackup

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Service is the view service: the one node that says who is primary. It is a
// single point of failure for failover, not for service: while it is down, the
// primary of its last view goes on.
//
// # Who may be primary
//
// A view in which nothing was committed may be passed over; one in which something
// was may not. A primary commits only once it has heard that the service has, on
// its disk, its acknowledgement of the view. So let A be the last view that is
// acknowledged on the service's disk: no view after A has committed anything. The
// next primary may be any replica whose disk holds the log of A, which it says by
// Ping.Holds >= A. Whether the current view was ever acknowledged does not matter,
// nor who has been restarted: a restart of everybody leaves at least one holder as
// soon as one member of A is back.
//
// Claim: a replica X with holds = h >= A has every entry that any view up to A has
// committed or will commit, once X has taken over a view after A.
//
//   - h is set in view h, by its primary when it takes the view over, or by a backup
//     of it whose log has reached the log with which h starts.
//   - h = A: X is a member of A, and nothing is committed in A without being durable
//     at X. Once X is in a later view it refuses A's entries, so nothing more is
//     committed in A. What X is rewound by, and what it is given, comes from a
//     primary of a later view that had such a claim itself, so it removes only what
//     was not committed.
//   - h > A: the primary of h had the claim when it was named. It took h over, which
//     ends A, before it sent the log that X has reached.
//
// The view is given to one life of the replica. A primary that restarts may have
// lost what it told its backups and had not yet written, so it never goes on with
// its view; it can only be given the next one. Ping.Holds may be ahead of the
// sender's disk for a moment. That does no harm: a crash that undoes it also ends
// the life that was named.
type Service struct {
	replicas   int        `hash:"-"`
	parameters Parameters `hash:"-"`
	bugs       bugs       `hash:"-"`

	// Durable. Announce is sent with Send, so nobody hears what is not.
	state ViewState

	// Volatile.
	stopped bool           // the disk failed
	now     protocols.Time `hash:"-"`
	boot    protocols.Time // when it booted: nobody is taken for dead on older grounds
	// granted is when the last ping was received that extended a lease, or boot: a
	// lease may last until DeadAfter from then.
	granted protocols.Time
	heard   []report // by node id
}

// report is what the last ping of a replica said.
type report struct {
	at protocols.Time // when it was received; 0: never
	Ping
}

func newService(cfg protocols.Config, p *Parameters, switches bugs, disk protocols.Recovered) (protocols.Node, error) {
	s := &Service{replicas: cfg.Cluster.Replicas, parameters: *p, bugs: switches, heard: make([]report, cfg.Cluster.Replicas+1)}
	err := recoverRecords(cfg.ID, disk, func(r protocols.Record) error {
		v, ok := r.(*ViewState)
		if !ok {
			return fmt.Errorf("unknown record type %T", r)
		}
		if !switches.forgetView { // B-14
			s.state = *v
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Step implements [protocols.Node].
func (s *Service) Step(ev *protocols.Event, out *protocols.Effects) {
	s.now = ev.Now
	if s.stopped {
		return
	}
	switch ev.Kind {
	case protocols.Receive:
		s.receive(ev.From, ev.Message, out)
	case protocols.Fire:
		if ev.Timer == timerTick {
			out.SetTimer(timerTick, s.parameters.Ping)
			s.review(out)
		}
	case protocols.Start:
		s.boot, s.granted = s.now, s.now
		out.SetTimer(timerTick, s.parameters.Ping)
	case protocols.Request:
		if ev.Command.Client < 0 {
			out.Refuse(ev.Command, s.state.View.Primary)
		}
	case protocols.DiskFailed:
		s.stopped = true // nobody knows what the disk holds
	}
}

func (s *Service) receive(from protocols.NodeID, m protocols.Message, out *protocols.Effects) {
	if from < 1 || int(from) > s.replicas {
		s.drop(out, "sender is no replica")
		return
	}
	switch m := m.(type) {
	case *Ping:
		s.onPing(from, m, out)
	case *Acknowledge:
		s.onAcknowledge(from, m, out)
	}
}

// onPing takes the report over, changes the view if need be, and answers.
func (s *Service) onPing(from protocols.NodeID, m *Ping, out *protocols.Effects) {
	r := &s.heard[from]
	v := &s.state.View
	switch {
	case m.Sent < r.Sent || m.Life.Since < r.Life.Since:
		return // overtaken, or of a life that is over
	case from == v.Primary && m.Life.Since < v.Life.Since:
		return // the same, and this service has restarted since
	}
	*r = report{at: s.now, Ping: *m}
	s.review(out)
	grant := from == s.state.View.Primary && m.Life == s.state.View.Life && !s.deaf(from)
	if grant {
		s.granted = s.now
	}
	s.announce(from, m, grant, out)
}

// onAcknowledge: the primary of the current view has made its log that of all
// backups.
func (s *Service) onAcknowledge(from protocols.NodeID, m *Acknowledge, out *protocols.Effects) {
	v := &s.state.View
	if from != v.Primary || m.View != v.Number || m.Life != v.Life {
		return // of a view that is over
	}
	if s.state.Acked == v.Number {
		s.announce(from, &Ping{}, false, out) // again: the first answer may be lost
		return
	}
	s.state.Acked, s.state.Holders = v.Number, v.Members()
	s.save(out)
}

// save makes the state durable and tells everybody once it is.
func (s *Service) save(out *protocols.Effects) {
	protocols.Persist(out, s.state)
	for id := protocols.NodeID(1); int(id) <= s.replicas; id++ {
		s.announce(id, &Ping{}, false, out)
	}
}

// announce tells one replica the view. Gated: a view that the service could
// forget must not be heard of.
func (s *Service) announce(to protocols.NodeID, answers *Ping, grant bool, out *protocols.Effects) {
	protocols.Send(out, to, Announce{
		View: s.state.View, Acked: s.state.Acked == s.state.View.Number, Idle: s.idle(),
		Sent: s.now, Life: answers.Life, Ping: answers.Sent, Grant: grant,
	})
}

// review forms the next view when there is a reason to.
func (s *Service) review(out *protocols.Effects) {
	next, ok := s.nextView()
	if !ok || next.Number > maxEpoch {
		return
	}
	s.state.View = next
	// A lease of the primary that was is over, or it is the same primary again.
	s.granted = s.now
	s.save(out)
}

func (s *Service) nextView() (View, bool) {
	v := &s.state.View
	switch {
	case v.Number == 0 || s.lost(v.Primary):
		return s.promote()
	default:
		return s.reshape()
	}
}

// lost reports whether the view has lost its primary: it is dead, or another life
// of it. A dead one may only be lonely and hold a lease, which must run out; with a
// life its lease ends.
func (s *Service) lost(primary protocols.NodeID) bool {
	r := &s.heard[primary]
	if r.at > 0 && r.Life != s.state.View.Life && !s.bugs.anyLife { // B-17
		return true
	}
	return s.dead(primary) && s.now.Sub(s.granted) >= s.parameters.DeadAfter
}

// dead reports whether a replica has been silent, or deaf, for too long.
func (s *Service) dead(id protocols.NodeID) bool {
	return s.now.Sub(max(s.heard[id].at, s.boot)) >= s.parameters.DeadAfter || s.deaf(id)
}

// deaf reports whether a replica shows no sign of hearing this service, which it
// can only be of use to if it does.
func (s *Service) deaf(id protocols.NodeID) bool {
	return s.now.Sub(max(s.heard[id].Echo, s.boot)) >= s.parameters.deafAfter()
}

// alive reports whether a replica has been heard lately, and hears this service.
func (s *Service) alive(id protocols.NodeID) bool {
	r := &s.heard[id]
	return r.at > 0 && r.Echo > 0 && !s.dead(id)
}

// idle returns the live replicas outside the view.
func (s *Service) idle() protocols.NodeSet {
	var set protocols.NodeSet
	members := s.state.View.Members()
	for id := protocols.NodeID(1); int(id) <= s.replicas; id++ {
		if !members.Has(id) && s.alive(id) {
			set = set.With(id)
		}
	}
	return set
}

// mayLead applies the rule above.
func (s *Service) mayLead(id protocols.NodeID) bool {
	if s.bugs.earlyAdvance { // B-02
		return true
	}
	return s.heard[id].Holds >= s.state.Acked
}

// promote names the most advanced live replica that may lead, with those members
// of the current view that live. In the first view everybody is a member. It waits
// for members of whom it is not known yet whether they live: they may be more
// advanced.
func (s *Service) promote() (View, bool) {
	v := &s.state.View
	members := v.Members()
	if v.Number == 0 {
		members = protocols.NodesUpTo(s.replicas)
	}
	best := protocols.Nobody
	var backups protocols.NodeSet
	for id := protocols.NodeID(1); int(id) <= s.replicas; id++ {
		if !s.alive(id) {
			if members.Has(id) && !s.dead(id) {
				return View{}, false
			}
			continue
		}
		if members.Has(id) {
			backups = backups.With(id)
		}
		if s.mayLead(id) && (best == protocols.Nobody || s.heard[id].isAheadOf(&s.heard[best])) {
			best = id
		}
	}
	if best == protocols.Nobody {
		return View{}, false
	}
	return View{Number: v.Number + 1, Primary: best, Life: s.heard[best].Life, Backups: backups.Without(best)}, true
}

// isAheadOf compares how far two logs are: by the epoch of the last entry, then by
// its index.
func (r *report) isAheadOf(q *report) bool {
	return r.LastEpoch > q.LastEpoch || r.LastEpoch == q.LastEpoch && r.LastIndex > q.LastIndex
}

// reshape keeps the primary and drops backups that are dead or that the primary
// does not hear. Once the view is acknowledged it also takes in replicas that the
// primary has brought up to date.
func (s *Service) reshape() (View, bool) {
	v := &s.state.View
	r := &s.heard[v.Primary]
	backups := v.Backups
	for id := backups.Next(protocols.Nobody); id != protocols.Nobody; id = backups.Next(id) {
		if s.dead(id) {
			backups = backups.Without(id)
		}
	}
	if r.at > 0 && r.View == v.Number {
		backups = backups.Minus(r.Suspects)
		if s.state.Acked == v.Number {
			backups = backups.Or(r.Ready.And(s.idle()))
		}
	}
	if backups == v.Backups {
		return View{}, false
	}
	next := *v
	next.Number, next.Backups = v.Number+1, backups
	return next, true
}

// drop notes that a message was ignored which no correct node can send.
func (s *Service) drop(out *protocols.Effects, why string) {
	out.Note(protocols.Note{Kind: protocols.NoteDropped, Epoch: s.state.View.Number, Text: why})
}

// View implements [protocols.Node]. Members are those who hold the log of the last
// acknowledged view: one of them has to be the next primary, or a replica that one
// of them has brought up to date since.
func (s *Service) View(v *protocols.View) {
	*v = protocols.View{
		Role: roleService, Epoch: s.state.View.Number, Leader: s.state.View.Primary,
		First: 1, Members: s.state.Holders,
	}
	if s.stopped {
		v.Role = uint8(stopped)
	}
}
