package sim

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// CPU is what handling costs a node's only processor. The zero value is no cost at
// all: steps take no time. With a cost, what arrives queues up and is handled one
// after the other: a message is handled once it has been received, what a step sends
// leaves when it has been serialised, in order, and what comes next waits for it.
type CPU struct {
	Receive  protocols.Duration // per message from another node and per request
	Send     protocols.Duration // per message to another node and per answer
	Kilobyte protocols.Duration // per 1000 bytes received or sent
	Apply    protocols.Duration // per log entry executed
	// Broadcast: a message of one kind that a step sends to several nodes costs Send
	// once: it is serialised once. Kilobyte is paid for each.
	Broadcast bool
}

func (c *CPU) on() bool { return *c != CPU{Broadcast: c.Broadcast} }

// CPUPreset is a CPU with a name, and where its figures are from.
type CPUPreset struct {
	Name   string
	CPU    CPU
	Source string
}

// CPUPresets lists the presets.
func CPUPresets() []CPUPreset {
	const us = protocols.Duration(1000)
	return []CPUPreset{
		{"lan-server", CPU{Receive: 25 * us, Send: us, Broadcast: true}, "mean costs of the performance model of the Paxi study (SIGMOD 2019), acharapko/ppm paxos_defaults.py: 0.025 ms to deserialise a message, 0.001 ms to serialise one, a broadcast once"},
		{"library", CPU{Receive: 2 * us}, "about 2 us of CPU per message: etcd/raft v3.6.0 in memory, 3 to 7 nodes, without a network stack"},
	}
}

// cpu is the processor of one node.
type cpu struct {
	free protocols.Time     // when it has done what it has begun
	used protocols.Duration // so far
}

// compute lets n's processor work for cost after what it has begun, and returns
// when it has done that.
func (w *World) compute(n *node, cost protocols.Duration) protocols.Time {
	cost = min(cost, MaxDist) * protocols.Duration(max(1, n.slow))
	n.cpu.free = min(max(n.cpu.free, w.now).Add(cost), beyond)
	n.cpu.used += cost
	w.stats.Busiest = max(w.stats.Busiest, n.cpu.used)
	return n.cpu.free
}

// serialise lets n's processor send a message of a kind, 0 for an answer, and
// returns when it leaves.
func (w *World) serialise(n *node, kind protocols.Kind, size uint64) protocols.Time {
	c := &w.cfg.CPU
	cost := c.kilobytes(size)
	if !c.Broadcast || kind == 0 || kind != w.serialised {
		cost += c.Send
	}
	w.serialised = kind
	return w.compute(n, cost)
}

// receiveCost returns what it costs to receive what has arrived. Timers and what a
// node sends itself cost nothing.
// A slow node pays for every step, as it does where nothing else has a cost.
func (w *World) receiveCost(n *node, p *payload) (cost protocols.Duration) {
	c := &w.cfg.CPU
	if n.slow > 0 {
		cost = slowStep
	}
	switch {
	case p.kind == evMessage && c.Kilobyte > 0:
		cost += c.Receive + c.kilobytes(uint64(w.sizeOf(p.message, p.says)))
	case p.kind == evMessage:
		cost += c.Receive
	case p.kind == evRequest:
		cost += c.Receive + c.kilobytes(w.requestSize)
	}
	return cost
}

func (c *CPU) kilobytes(size uint64) protocols.Duration {
	return protocols.Duration(proportion(size, uint64(c.Kilobyte), 1000))
}

// MaxCost bounds each cost of a CPU: an hour.
const MaxCost = protocols.Duration(3_600_000_000_000)

// check says which cost is out of bounds.
func (c *CPU) check() error {
	for _, cost := range [...]struct {
		name string
		is   protocols.Duration
	}{{"receive", c.Receive}, {"send", c.Send}, {"kilobyte", c.Kilobyte}, {"apply", c.Apply}} {
		if cost.is < 0 || cost.is > MaxCost {
			return fmt.Errorf("%s: %s is outside 0s..%s", cost.name, FormatDuration(cost.is), FormatDuration(MaxCost))
		}
	}
	return nil
}
