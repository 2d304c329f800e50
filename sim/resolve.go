package sim

import (
	"fmt"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// check says what is wrong with t in this cluster.
func (t Target) check(cfg *Config, cluster protocols.Cluster, when Trigger) error {
	clients := cfg.Workload.Clients + cfg.Workload.Subscribers
	if t.has("subject") && !when.Set() {
		return fmt.Errorf("target %q: subject is whom an event was about: want when", t)
	}
	if t.Empty() {
		return fmt.Errorf("target names nobody; want names (n1 n3, s1, c1) or one of %s", wordList())
	}
	for _, item := range strings.Fields(t.items) {
		letter, number, ok := parseName(item)
		limit, what := cluster.Replicas, "replicas"
		switch {
		case !ok:
			continue
		case letter == 's':
			limit, what = cluster.Services, "service nodes"
		case letter == 'c':
			limit, what = clients, "clients"
		}
		if number > limit {
			return fmt.Errorf("target %q: %s does not exist; there are %d %s", t, item, limit, what)
		}
	}
	return t.checkRegionOf(&cfg.Network)
}

// resolve finds out who f's target is now; false: a role that nobody holds. Its
// random choices are the first draws of the fault's stream, every time it is
// asked, so that waiting costs no draws.
func (w *World) resolve(f *fault) (r Resolved, ok bool) {
	if from := f.Fault.From; !from.Empty() {
		if _, ok := w.resolveTarget(from, f, f.stream.sub(subFrom)); !ok {
			return Resolved{}, false
		}
	}
	return w.resolveTarget(f.Fault.Target, f, f.stream.sub(0))
}

// resolveTarget finds out who t is now for a fault, with the draws of a stream.
func (w *World) resolveTarget(t Target, f *fault, of base) (r Resolved, ok bool) {
	draws := stream{base: of}
	for _, item := range strings.Fields(t.items) {
		if !w.resolveItem(item, f, &draws, &r) {
			return Resolved{}, false
		}
	}
	if t.others {
		r.Nodes = protocols.NodesUpTo(w.cluster.Replicas).Minus(r.Nodes)
		r.Clients = nil
	}
	return r, true
}

// resolveItem adds one name or word to r.
func (w *World) resolveItem(item string, f *fault, draws *stream, r *Resolved) bool {
	if letter, number, ok := parseName(item); ok {
		switch letter {
		case 'n':
			r.Nodes = r.Nodes.With(protocols.NodeID(number))
		case 's':
			r.Nodes = r.Nodes.With(protocols.NodeID(w.cluster.Replicas + number))
		case 'c':
			r.addClient(protocols.NodeID(-number))
		}
		return true
	}
	if name, ok := RegionNamed(item); ok {
		w.addRegion(name, r)
		return true
	}
	switch item {
	case "leader":
		return r.addOne(w.leader())
	case "leaders":
		return r.addAll(w.leaders())
	case "former-leader":
		return r.addOne(w.former)
	case "successor":
		return r.addOne(w.successor())
	case "subject":
		if f.subject < 0 {
			r.addClient(f.subject)
			return true
		}
		return r.addOne(f.subject)
	}
	return w.resolveGroup(item, draws, r)
}

// resolveGroup adds a word for some of many.
func (w *World) resolveGroup(item string, draws *stream, r *Resolved) bool {
	replicas := protocols.NodesUpTo(w.cluster.Replicas)
	leader := w.leader()
	switch item {
	case "follower":
		return r.addRandom(w.voters().Without(leader).And(w.live()), 1, draws)
	case "followers":
		r.Nodes = r.Nodes.Or(w.voters().Without(leader))
	case "minority":
		voters := w.voters()
		r.addRandom(voters, (voters.Len()-1)/2, draws)
	case "minority-third":
		voters := w.voters()
		r.addRandom(voters, (voters.Len()-1)/3, draws)
	case "learner":
		return r.addRandom(replicas.Minus(w.voters()).And(w.live()), 1, draws)
	case "learners":
		r.Nodes = r.Nodes.Or(replicas.Minus(w.voters()))
	case "majority":
		voters := w.voters()
		r.addRandom(voters, voters.Len()/2+1, draws)
	case "random":
		return r.addRandom(replicas.And(w.live()), 1, draws)
	case "all":
		r.Nodes = r.Nodes.Or(replicas)
	case "services":
		r.Nodes = r.Nodes.Or(protocols.NodesUpTo(w.cluster.Nodes()).Minus(replicas))
	case "clients":
		for i := range w.clients {
			r.addClient(w.clients[i].id)
		}
		for i := range w.subscribers {
			r.addClient(w.subscribers[i].id)
		}
	}
	return true
}

// addOne adds a node; false: there is none.
func (r *Resolved) addOne(id protocols.NodeID) bool {
	return id != protocols.Nobody && r.addAll(protocols.Nodes(id))
}

// addAll adds nodes; false: there are none.
func (r *Resolved) addAll(ids protocols.NodeSet) bool {
	r.Nodes = r.Nodes.Or(ids)
	return !ids.Empty()
}

func (r *Resolved) addClient(id protocols.NodeID) {
	if !r.has(id) {
		r.Clients = append(r.Clients, id)
	}
}

// addRandom adds n random members of from; false: there are not as many.
func (r *Resolved) addRandom(from protocols.NodeSet, n int, draws *stream) bool {
	ids := from.Slice()
	if len(ids) < n {
		return false
	}
	for i := range n {
		j := i + int(below(draws.next(), uint64(len(ids)-i)))
		ids[i], ids[j] = ids[j], ids[i]
		r.Nodes = r.Nodes.With(ids[i])
	}
	return true
}

// live returns the nodes that are up and not paused.
func (w *World) live() (s protocols.NodeSet) {
	for i := range w.nodes {
		if n := &w.nodes[i]; n.up && n.pauses == 0 {
			s = s.With(n.id)
		}
	}
	return s
}

// leader returns the live replica that claims to lead with the highest epoch,
// the lowest id on ties, or Nobody.
func (w *World) leader() protocols.NodeID {
	best, epoch := protocols.Nobody, uint64(0)
	for i := range w.nodes[:w.cluster.Replicas] {
		n := &w.nodes[i]
		if n.up && n.pauses == 0 && n.view.Leading && (best == protocols.Nobody || n.view.Epoch > epoch) {
			best, epoch = n.id, n.view.Epoch
		}
	}
	return best
}

// leaders returns the live replicas that claim to lead.
func (w *World) leaders() (s protocols.NodeSet) {
	for i := range w.nodes[:w.cluster.Replicas] {
		if n := &w.nodes[i]; n.up && n.pauses == 0 && n.view.Leading {
			s = s.With(n.id)
		}
	}
	return s
}

// successor returns the leader, if it is one after the leader that a fault has hit
// last, or Nobody.
func (w *World) successor() protocols.NodeID {
	id := w.leader()
	if id == protocols.Nobody || w.struck == protocols.Nobody || id == w.struck || w.nodes[id-1].view.Epoch <= w.struckEpoch {
		return protocols.Nobody
	}
	return id
}

// aims keeps whom a fault on the leader hits, before it does.
func (w *World) aims(f *fault) {
	if !f.Fault.Target.others && (f.Fault.Target.has("leader") || f.Fault.Target.has("successor")) {
		w.struck = w.leader()
		w.struckEpoch = w.nodes[w.struck-1].view.Epoch
	}
}

// voters returns the current members: those that the leader knows, or without
// one the live replica of the highest epoch; where nobody says, the first ones.
func (w *World) voters() protocols.NodeSet {
	from := w.leader()
	if from == protocols.Nobody {
		epoch := uint64(0)
		for i := range w.nodes[:w.cluster.Replicas] {
			if n := &w.nodes[i]; n.up && !n.view.Members.Empty() && (from == protocols.Nobody || n.view.Epoch > epoch) {
				from, epoch = n.id, n.view.Epoch
			}
		}
	}
	if from != protocols.Nobody {
		if m := w.nodes[from-1].view.Members; !m.Empty() {
			return m
		}
	}
	return w.cluster.First()
}

// Voters returns the current members: see the target words minority and majority.
func (w *World) Voters() protocols.NodeSet { return w.voters() }

// leadership notes when the cluster gets or loses a leader; see Stats.Leaderless.
func (w *World) leadership() {
	w.roles = true
	led := w.leads()
	if led == w.led {
		return
	}
	if led {
		w.stats.Leaderless += w.now.Sub(w.leaderless)
		w.vacancies = append(w.vacancies, Span{w.leaderless, w.now})
	} else {
		w.happens(onLeaderLost, 0, protocols.Nobody)
	}
	w.led, w.leaderless = led, w.now
}

// leads reports whether some node leads those that it can talk to, and they are
// enough to make progress. A leader that is cut off from a quorum leads nobody.
func (w *World) leads() bool {
	for i := range w.nodes[:w.cluster.Replicas] {
		n := &w.nodes[i]
		if !n.up || n.pauses > 0 || !n.view.Leading {
			continue
		}
		f := w.Facts()
		group := protocols.Nodes(n.id)
		newest := true
		for id := f.Live.Next(protocols.Nobody); id != protocols.Nobody; id = f.Live.Next(id) {
			if f.Hears[n.id].Has(id) && f.Hears[id].Has(n.id) {
				group = group.With(id)
				newest = newest && (int(id) > w.cluster.Replicas || w.nodes[id-1].view.Epoch <= n.view.Epoch)
			}
		}
		f.Live = group
		if can, _ := w.CanProgress(f); newest && can {
			return true
		}
	}
	return false
}
