package sim

import "github.com/lockstep-sim/lockstep/protocols"

// readAtMost and followAtMost bound one answer of a log read and of a follow.
const (
	readAtMost   = 8
	followAtMost = 64
)

// maxWaiting bounds the operations that wait for an idle client; those that arrive
// beyond it are turned away, and are in no history.
const maxWaiting = 1_000_000

// arrivals is the queue of operations that arrived while no client was idle.
type arrivals struct {
	times []protocols.Time
	head  int
}

func (a *arrivals) len() int { return len(a.times) - a.head }

func (a *arrivals) pop() protocols.Time {
	t := a.times[a.head]
	if a.head++; a.head*2 >= len(a.times) {
		a.times = a.times[:copy(a.times, a.times[a.head:])]
		a.head = 0
	}
	return t
}

// arrival handles the next arrival of the open loop: an idle client takes it, or
// it waits for one.
func (w *World) arrival(cause uint64) {
	if !w.mayCall() {
		return
	}
	w.begin(evArrival, protocols.Nobody, protocols.Nobody, 0, cause)
	for range max(1, w.workload.Burst) {
		if w.arrivals.len() >= maxWaiting {
			break
		}
		w.arrivals.times = append(w.arrivals.times, w.now)
		w.offer()
	}
	w.nextArrival(w.now)
}

// offer lets an idle client, if there is one, take what has arrived.
func (w *World) offer() {
	for i := range w.clients {
		c := &w.clients[(w.turn+i)%len(w.clients)]
		if c.state == idle {
			w.turn = (w.turn + i + 1) % len(w.clients)
			c.state = pausing
			w.sleep(c, w.now)
			break
		}
	}
}

func (w *World) nextArrival(after protocols.Time) {
	p := w.queue.add(after.Add(w.workload.Every.Draw(w.arrivalDraws.next())), w.seq)
	p.kind, p.ref = evArrival, w.arrivalGen
}

// resetClients makes the clients and their first calls.
func (w *World) resetClients() {
	wl := &w.cfg.Workload
	if cap(w.clients) < wl.Clients {
		w.clients = make([]client, wl.Clients)
	}
	w.clients = w.clients[:wl.Clients]
	w.requests.list, w.requests.spare = w.requests.list[:0], w.requests.spare[:0]
	w.answers.list, w.answers.spare = w.answers.list[:0], w.answers.spare[:0]
	w.arrivals.times, w.arrivals.head = w.arrivals.times[:0], 0
	w.history.reset()
	w.calls, w.pending, w.turn, w.stopped, w.patient, w.unlimited = 0, 0, 0, false, false, false
	w.askable = protocols.NodesUpTo(w.cluster.Replicas)
	w.keyed, w.keys = w.cfg.Machine == "kv", max(1, wl.Keys)
	w.probe, w.arrivalGen = mixOf(w.cfg.Machine), 0
	w.explicit = len(wl.Calls) > 0
	w.conduct(wl)
	for i := range w.clients {
		w.resetClient(&w.clients[i], protocols.NodeID(-i-1))
	}
	w.arrivalDraws = stream{base: streamOf(w.cfg.Seed, ofWorkload, 0)}
	if w.openLoop && len(w.clients) > 0 {
		w.nextArrival(wl.Begin)
	}
}

func (w *World) resetClient(c *client, id protocols.NodeID) {
	seen := c.seen[:0]
	for range w.keys + 1 {
		seen = append(seen, 0)
	}
	*c = client{id: id, follow: 1, seen: seen}
	c.draws.base = streamOf(w.cfg.Seed, ofClient, uint64(-id))
	c.node = w.anyNode(c.draws.next())
	switch {
	case w.explicit:
		w.await(c)
	case !w.openLoop:
		c.state = pausing
		w.sleep(c, w.cfg.Workload.Begin.Add(w.cfg.Workload.Think.Draw(c.draws.next())))
	}
}

// mixOf returns one write and one read of a state machine: what clients call
// where no mix is given, and as probes.
func mixOf(machine string) [2]Share {
	write, read := protocols.Put, protocols.Get
	switch machine {
	case "counter":
		write = protocols.Increment
	case "log":
		write, read = protocols.AppendTo, protocols.ReadRange
	case "stamp":
		write = protocols.ReadClock
	}
	return [2]Share{{Op: write, Kind: protocols.Write, Weight: 1}, {Op: read, Kind: protocols.Read, Weight: 1}}
}

// mayCall reports whether the workload goes on.
func (w *World) mayCall() bool {
	limit := w.cfg.Workload.Operations
	return !w.stopped && (limit == 0 || w.calls < limit || w.unlimited)
}

// share draws what the next operation is.
func (w *World) share(c *client, probe bool) *Share {
	if probe {
		return &w.probe[c.probes%2] // two probes are left: the write comes first
	}
	x := below(c.draws.next(), uint64(w.weight))
	for i := range w.mix {
		s := &w.mix[i]
		if x < uint64(s.Weight) {
			return s
		}
		x -= uint64(s.Weight)
	}
	panic("sim: weights do not add up")
}

// payload draws how large the value of c's next write is, from a stream of its own.
func (w *World) payload(c *client) protocols.Payload {
	s := w.workload.Payload
	if s.Max == 0 {
		return 0
	}
	return s.Min + protocols.Payload(below(streamOf(w.cfg.Seed, ofPayload, uint64(-c.id)).at(c.seq), uint64(s.Max-s.Min)+1))
}

// command makes a command of the given kind; key 0 draws one where there are keys.
func (w *World) command(c *client, s *Share, key protocols.Key) protocols.Command {
	cmd := protocols.Command{Client: c.id, Kind: s.Kind, Op: s.Op, Seq: c.seq, Key: key}
	if w.keyed && key == 0 {
		cmd.Key = w.popular.key(&c.draws)
	}
	switch {
	case s.Kind == protocols.Follow:
		cmd.Key = 0
		cmd.Arg, cmd.Old = int64(c.follow), followAtMost
	case s.Op == protocols.ReadRange:
		cmd.Arg, cmd.Old = max(1, c.length-readAtMost/2), readAtMost
	case s.Kind == protocols.Write:
		// unique: the request number and the client, at most 1000
		cmd.Arg = int64(c.seq)*1024 + int64(-c.id)
		cmd.Payload = w.payload(c)
		if s.Op == protocols.CAS {
			cmd.Old = int64(c.seen[cmd.Key])
		}
	}
	return cmd
}
