package protocoltest

import (
	"slices"
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
)

// client keeps one request under way, and retries it at other nodes until it is
// answered.
type client struct {
	id      protocols.NodeID
	command protocols.Command // Seq 0: none yet
	open    bool
	target  protocols.NodeID
	wakeAt  protocols.Time // other wake-ups are outdated
	done    int
}

// wake lets a client send its next request, or the open one again.
func (w *world) wake(c *client) {
	if w.now < c.wakeAt {
		return
	}
	if !c.open {
		c.command, c.open = w.command(c), true
	} else if c.target == protocols.Nobody || w.draw.chance(50) {
		c.target = protocols.NodeID(1 + w.draw.below(w.n))
	}
	if c.target == protocols.Nobody {
		c.target = protocols.NodeID(1 + w.draw.below(w.n))
	}
	w.sleep(c, clientTimeout)
	if h := w.hosts[c.target]; h.up() && !w.cut.Has(h.id) {
		w.handle(h, &protocols.Event{Kind: protocols.Request, From: c.id, Command: c.command})
	}
}

// sleep wakes the client after d, and not before.
func (w *world) sleep(c *client, d protocols.Duration) {
	c.wakeAt = w.now.Add(d)
	w.push(item{at: c.wakeAt, kind: wake, node: c.id})
}

// command draws the next command of a client.
func (w *world) command(c *client) protocols.Command {
	k := protocols.Command{Client: c.id, Kind: protocols.Write, Key: protocols.Key(w.draw.below(3)), Seq: c.command.Seq + 1, Arg: int64(w.draw.below(1000) + 1)}
	writes, read := w.operations()
	switch {
	case len(writes) > 0 && w.draw.chance(70):
		k.Op, k.Old = writes[w.draw.below(len(writes))], int64(w.draw.below(3))
	case w.s.protocol.Operations != nil || w.draw.chance(70):
		k.Kind, k.Op, k.Arg, k.Old = protocols.Read, read, 1, 5
	default:
		k = protocols.Command{Client: c.id, Kind: protocols.Follow, Seq: k.Seq, Arg: int64(w.draw.below(10) + 1), Old: int64(w.draw.below(20) + 1)}
	}
	return k
}

// operations are those of the machine that the protocol executes.
func (w *world) operations() (writes []protocols.Op, read protocols.Op) {
	writes, read = machineOperations(w.s.machine)
	if only := w.s.protocol.Operations; only != nil {
		writes = slices.DeleteFunc(writes, func(op protocols.Op) bool { return !slices.Contains(only, op) })
	}
	return writes, read
}

func machineOperations(machine string) (writes []protocols.Op, read protocols.Op) {
	switch machine {
	case "kv":
		return []protocols.Op{protocols.Put, protocols.AppendTo, protocols.CAS, protocols.Delete}, protocols.Get
	case "register":
		return []protocols.Op{protocols.Put, protocols.CAS}, protocols.Get
	case "counter":
		return []protocols.Op{protocols.Increment, protocols.Double}, protocols.Get
	case "log":
		return []protocols.Op{protocols.AppendTo}, protocols.ReadRange
	}
	return []protocols.Op{protocols.ReadClock}, protocols.Get
}

func (w *world) waiting(k protocols.Command) *client {
	if at := -1 - int(k.Client); at >= 0 && at < len(w.clients) {
		if c := w.clients[at]; c.open && c.command.SameRequest(k) {
			return c
		}
	}
	return nil
}

func (w *world) answered(from protocols.NodeID, a protocols.Answer) {
	if w.rehash {
		w.keep(a)
	}
	if c := w.waiting(a.Command); c != nil {
		c.open = false
		c.done++
		c.target = from
		w.sleep(c, w.draw.between(0, clientPause))
	}
}

func (w *world) refused(k protocols.Command, hint protocols.NodeID) {
	if c := w.waiting(k); c != nil {
		c.target = protocols.Nobody
		if hint >= 1 && int(hint) <= w.n {
			c.target = hint
		}
		w.sleep(c, w.draw.between(time.Millisecond, 10*time.Millisecond))
	}
}
