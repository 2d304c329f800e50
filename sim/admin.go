package sim

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// AdminStep is one thing that an operator wants done during the run. It is put to
// the leader when its time comes, and again every adminRetry until it is done or
// its interval ends.
type AdminStep struct {
	ID   int // position in the plan, from 1; 0 takes it
	Kind protocols.AdminKind
	At   protocols.Time
	For  protocols.Duration // Forever: until the heal

	// When, where set, is the event after which it is asked for, After later; events
	// count from At up to Until (0: always).
	When  Trigger
	After protocols.Duration
	Until protocols.Time

	// Reconfigure: the wanted members are those that the leader shows, with Add and
	// without Remove. Learners are wanted as members that do not vote.
	Add, Remove, Learners protocols.NodeSet
	To                    protocols.NodeID // TransferLeadership: the wanted leader
}

// adminRetry is the time after which an operator asks again.
const adminRetry = protocols.Duration(100_000_000)

// maxAdmin bounds an operator's plan.
const maxAdmin = 1000

// AdminRecord is what became of one step of the operator's plan.
type AdminRecord struct {
	Step      AdminStep
	State     FaultState // Active: asked, and not seen done
	Asked     protocols.NodeID
	Times     int               // how often somebody was asked
	Wanted    protocols.NodeSet // Reconfigure: the members asked for last
	Struck    protocols.Time    // when it was first asked; meaningless before
	Ended     protocols.Time    // when it was done or given up; meaningless before
	Effective bool              // seen done: the members in force, or the leader elected
}

// String says what is wanted: "add n4, remove n2", "to n3".
func (s *AdminStep) String() string {
	if s.Kind == protocols.TransferLeadership {
		return "to " + s.To.String()
	}
	var parts []string
	for _, p := range [...]struct {
		word string
		ids  protocols.NodeSet
	}{{"add", s.Add}, {"remove", s.Remove}, {"learner", s.Learners}} {
		if !p.ids.Empty() {
			parts = append(parts, p.word+" "+NodeNames(p.ids))
		}
	}
	return strings.Join(parts, ", ")
}

// Resolved says whom it was put to, and for what: "n1, for n1 n3 n4"; "" while
// nobody.
func (r *AdminRecord) Resolved() string {
	switch {
	case r.Asked == protocols.Nobody:
		return ""
	case r.Step.Kind == protocols.Reconfigure:
		return r.Asked.String() + ", for " + NodeNames(r.Wanted)
	}
	return r.Asked.String()
}

// How says in words what came of it.
func (r *AdminRecord) How() string {
	asked := fmt.Sprintf("asked %d times", r.Times)
	if r.Times == 1 {
		asked = "asked once"
	}
	switch {
	case r.Effective:
		return asked + ", done"
	case r.Times > 0:
		return asked + ", not seen done"
	case r.State == Over:
		return "nothing was left to do"
	}
	return "nobody was asked (" + r.State.String() + ")"
}

// NodeNames prints a set of replicas as targets write it: "n1 n3".
func NodeNames(s protocols.NodeSet) string { return strings.Trim(s.String(), "{}") }

// Supports reports whether p does what kind asks for, and why not.
func Supports(p *protocols.Protocol, kind protocols.AdminKind) error {
	for _, k := range p.Admin {
		if k == kind {
			return nil
		}
	}
	if kind == protocols.TransferLeadership {
		return fmt.Errorf("%s has no leadership transfer", p.Name)
	}
	return fmt.Errorf("%s has no reconfiguration: its members are fixed", p.Name)
}

// Validate says what is wrong with s for a protocol and so many replicas.
func (s *AdminStep) Validate(p *protocols.Protocol, replicas int) error {
	all := protocols.NodesUpTo(replicas)
	switch {
	case s.Kind != protocols.Reconfigure && s.Kind != protocols.TransferLeadership:
		return fmt.Errorf("%s: want reconfigure or transfer-leadership", s.Kind)
	case s.At < 0 || s.At > maxSpan:
		return fmt.Errorf("at: want 0s..%s, got %s", FormatDuration(maxSpan), s.At)
	case s.For != Forever && (s.For <= 0 || s.For > maxSpan):
		return fmt.Errorf("for: want above 0s and at most %s, or forever, got %s", FormatDuration(maxSpan), FormatDuration(s.For))
	}
	if err := Supports(p, s.Kind); err != nil {
		return err
	}
	if s.Kind == protocols.TransferLeadership {
		if !all.Has(s.To) {
			return fmt.Errorf("no replica %q; this cluster has n1..n%d", s.To, replicas)
		}
		return nil
	}
	named := s.Add.Or(s.Remove).Or(s.Learners)
	switch {
	case named.Empty():
		return errors.New("want members to add or to remove")
	case !named.Minus(all).Empty():
		return fmt.Errorf("no replica %s; this cluster has n1..n%d", NodeNames(named.Minus(all)), replicas)
	case !s.Add.And(s.Remove).Empty() || !s.Add.And(s.Learners).Empty() || !s.Remove.And(s.Learners).Empty():
		return errors.New("a replica is named twice")
	case !s.Learners.Empty() && !p.Learners:
		return fmt.Errorf("%s has no learners", p.Name)
	}
	return nil
}

// checkAdmin checks the first membership and the operator's plan.
func checkAdmin(cfg *Config) error {
	if !cfg.Members.Empty() {
		all := protocols.NodesUpTo(cfg.Replicas)
		if !cfg.Members.Minus(all).Empty() {
			return fmt.Errorf("members: no replica %s; there are %d", NodeNames(cfg.Members.Minus(all)), cfg.Replicas)
		}
		if err := Supports(cfg.Protocol, protocols.Reconfigure); cfg.Members != all && err != nil {
			return fmt.Errorf("members: %w", err)
		}
	}
	if len(cfg.Admin) > maxAdmin {
		return fmt.Errorf("admin: %d steps are more than %d", len(cfg.Admin), maxAdmin)
	}
	for i := range cfg.Admin {
		s := &cfg.Admin[i]
		err := s.Validate(cfg.Protocol, cfg.Replicas)
		if err == nil {
			err = checkOccasion(cfg, occasion{when: s.When, after: s.After, until: s.Until, admin: i + 1})
		}
		if err != nil {
			return fmt.Errorf("admin[%d]: %w", i, err)
		}
	}
	return nil
}

// resetAdmin plans what the operator wants.
func (w *World) resetAdmin() {
	w.admin, w.asked = w.admin[:0], 0
	for i, s := range w.cfg.Admin {
		s.ID = i + 1
		w.admin = append(w.admin, AdminRecord{Step: s})
		if s.When.Set() {
			w.admin[i].State = Armed
			w.triggers.armed++
			continue
		}
		w.plan(i, s.At, evAdmin)
	}
}

// AdminLog returns what has become of the operator's plan, in its order.
func (w *World) AdminLog() []AdminRecord { return append([]AdminRecord(nil), w.admin...) }

// membersOf returns the first membership as node id is told it.
func (w *World) membersOf(id protocols.NodeID) protocols.NodeSet {
	members := w.cluster.First()
	if int(id) <= w.cluster.Replicas && !members.Has(id) {
		return protocols.NodeSet{} // joins later
	}
	return members
}

// administer puts step i of the operator's plan to the leader, or gives it up.
func (w *World) administer(i int) {
	r := &w.admin[i]
	if w.healed || r.State == Over || r.State == Missed || r.State == Cancelled {
		return
	}
	w.begin(evAdmin, protocols.Nobody, protocols.Nobody, uint64(r.Step.ID), 0)
	leader := w.leader()
	switch {
	case r.Step.For != Forever && w.now >= r.Step.At.Add(r.Step.For):
		w.giveUpAdmin(r)
	case leader == protocols.Nobody:
		if r.State == Planned {
			r.State = Waiting
			w.adminLine(r, "waits for a leader")
		}
		w.askLater(i)
	default:
		w.ask(i, &w.nodes[leader-1])
	}
}

func (w *World) giveUpAdmin(r *AdminRecord) {
	if r.State == Active {
		w.asked--
		r.State = Over
	} else {
		r.State = Missed
	}
	r.Ended = w.now
	w.adminLine(r, "ends, not done")
}

// ask lets n step with what step i of the plan wants of it.
func (w *World) ask(i int, n *node) {
	r := &w.admin[i]
	wish := protocols.Admin{Kind: r.Step.Kind, Target: r.Step.To, Learner: r.Step.Learners}
	done := n.id == r.Step.To
	if r.Step.Kind == protocols.Reconfigure {
		wish.Members = n.view.Members.Or(r.Step.Add).Minus(r.Step.Remove).Minus(r.Step.Learners)
		done = r.Step.Learners.Empty() && wish.Members == n.view.Members && r.Times == 0
	}
	if done { // before anybody was asked
		if r.State == Active {
			w.asked--
		}
		r.State, r.Struck, r.Ended = Over, w.now, w.now
		w.adminLine(r, "finds nothing to do")
		return
	}
	if r.State != Active {
		r.State, r.Struck = Active, w.now
		w.asked++
	}
	r.Asked, r.Wanted = n.id, wish.Members
	if r.Times++; r.Times == 1 {
		w.happens(onAdminAsked, uint64(r.Step.ID), n.id)
	}
	w.digest.mix(uint64(uint16(n.id)))
	w.adminLine(r, "is put to "+n.id.String())
	w.petition(n, wish)
	if w.admin[i].State == Active {
		w.askLater(i)
	}
}

// petition lets n step with an operator's wish.
func (w *World) petition(n *node, wish protocols.Admin) {
	w.event.Kind, w.event.Admin = protocols.AdminEvent, wish
	w.step(n)
	w.event.Admin = protocols.Admin{}
}

// askLater puts step i to somebody again, or ends it with its interval.
func (w *World) askLater(i int) {
	s := &w.admin[i].Step
	at := w.now.Add(adminRetry)
	if s.For != Forever {
		at = min(at, s.At.Add(s.For))
	}
	w.plan(i, at, evAdmin)
}

// noteAdmin looks whether a note of n shows that what was asked for is done.
func (w *World) noteAdmin(n *node, note *protocols.Note) {
	for i := range w.admin {
		r := &w.admin[i]
		if r.State != Active {
			continue
		}
		if r.Step.Kind == protocols.Reconfigure && note.Kind == protocols.NoteMembers && note.Members == r.Wanted ||
			r.Step.Kind == protocols.TransferLeadership && note.Kind == protocols.NoteLeader && n.id == r.Step.To {
			r.State, r.Ended, r.Effective = Over, w.now, true
			w.asked--
			w.adminLine(r, "is done")
			w.happens(onAdminDone, uint64(r.Step.ID), n.id)
		}
	}
}

// cancelAdmin withdraws, at a heal, what nobody has been asked for.
func (w *World) cancelAdmin() {
	for i := range w.admin {
		if r := &w.admin[i]; r.State == Planned || r.State == Waiting {
			r.State = Cancelled
		}
	}
}

func (w *World) adminLine(r *AdminRecord, what string) {
	if w.tracing {
		w.record(TraceEvent{Kind: TraceAdmin, Fault: r.Step.ID, Detail: r.Step.Kind.String() + " " + r.Step.String() + " " + what})
	}
}
