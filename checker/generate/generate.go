// Package generate makes client histories for tests and benchmarks of checkers:
// linearizable by construction, with a stale read where one is asked for.
// Equal configurations make equal histories on any machine; all arithmetic is on
// integers.
package generate

import (
	"math/bits"
	"math/rand/v2"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Config says what history to make.
type Config struct {
	Machine string // kv, register, counter or log. Empty: register
	Seed    uint64
	N       int // operations
	Clients int // in a closed loop
	Keys    int // kv only: 1..Keys, uniform. 0: 1
	// Unknown is the chance of a write, in parts per thousand, that its outcome
	// stays unknown. Half of those are never executed, the others at any instant in
	// the next 20 latencies.
	Unknown int
	// Mix weighs the operations: see [Mix]. The zero value is half gets, half puts
	// for kv and register, half reads, half appends for log, and increments,
	// doublings and reads alike for counter.
	Mix Mix
	// Tick cuts times to multiples of it, in nanoseconds, so that many are equal.
	// 0: no cut.
	Tick int64
	// Stale makes one read stale: the first one at or after this part per thousand
	// of the history for which two writes of its key had returned, one after the
	// other, before it was called; it gets the value of the first of the two. 0:
	// none. For get and put only.
	Stale int
	// WithLog asks for [History.Log].
	WithLog bool
}

// Mix holds the relative frequencies of operations. Values written are 1, 2, 3, …
// and never repeat.
type Mix struct{ Read, Put, CAS, Delete, Append, Increment, Double int }

// History is a generated history.
type History struct {
	Operations []protocols.Operation
	// Log, if asked for, is the order in which changes took effect, at positions from 1.
	Log []protocols.LogCommand
	// Stale is the number of the read that was made stale, or -1.
	Stale int
}

const (
	minLatency  = int64(1_000_000)
	meanLatency = 1_000_000 // on top of the least
	meanThink   = 100_000
)

// New makes a history. Calls, returns and effects are instants in nanoseconds:
// first calls after about 1 ms, latencies 1 ms plus an exponential of mean 1 ms,
// think times exponential of mean 0.1 ms, effects uniform in between.
func New(cfg Config) History {
	g := newGenerator(cfg)
	for g.queue.len() > 0 {
		g.handle(g.queue.pop())
	}
	h := History{Operations: g.ops, Log: g.log, Stale: -1}
	if cfg.Stale > 0 {
		h.Stale = makeStale(h.Operations, cfg.Stale)
	}
	return h
}

type generator struct {
	cfg    Config
	random *rand.Rand
	queue  queue
	ops    []protocols.Operation
	log    []protocols.LogCommand
	cells  []cell
	ids    []int32  // by client slot: its present id
	seqs   []uint64 // by id: the last request
	busy   []bool   // by id: a client has it
	newest int32    // the id given out last
	next   int64    // value to write
	total  int      // of the mix
	at     int      // changes executed so far
}

func newGenerator(cfg Config) *generator {
	if cfg.Machine == "" {
		cfg.Machine = "register"
	}
	cfg.Keys = max(cfg.Keys, 1)
	if cfg.Mix == (Mix{}) {
		switch cfg.Machine {
		case "counter":
			cfg.Mix = Mix{Read: 1, Increment: 1, Double: 1}
		case "log":
			cfg.Mix = Mix{Read: 1, Append: 1}
		default:
			cfg.Mix = Mix{Read: 1, Put: 1}
		}
	}
	m := cfg.Mix
	g := &generator{cfg: cfg, random: rand.New(rand.NewPCG(cfg.Seed, 42)), ops: make([]protocols.Operation, 0, cfg.N),
		cells: make([]cell, cfg.Keys+1), total: m.Read + m.Put + m.CAS + m.Delete + m.Append + m.Increment + m.Double}
	for c := range cfg.Clients {
		g.queue.push(happening{at: g.exponential(1_000_000), kind: calls, subject: int32(c)})
		g.ids = append(g.ids, g.freshID())
	}
	return g
}

// exponential draws from an exponential distribution of about this mean, on
// integers: the logarithm of a random word, linear between powers of two.
func (g *generator) exponential(mean int64) int64 {
	u := g.random.Uint64() | 1
	zeros := bits.LeadingZeros64(u)
	fraction := int64(u<<zeros<<1>>48) ^ 0xffff // 16 bits, falling
	log2 := int64(zeros)<<16 + fraction         // -log2(u / 2^64), in 1/65536
	return mean * (log2 * 45426 >> 16) >> 16    // 45426/65536 = ln 2
}

func (g *generator) handle(h happening) {
	switch h.kind {
	case calls:
		if len(g.ops) < cap(g.ops) {
			g.call(h)
		}
	case takesEffect:
		g.execute(&g.ops[h.subject])
	}
}

// maxIDs bounds the ids of clients, which are 16 bits wide.
const maxIDs = 30_000

// freshID returns an id that no client has. By the time one comes round again,
// what its last owner left open has long been executed.
func (g *generator) freshID() int32 {
	for {
		g.newest = g.newest%maxIDs + 1
		for len(g.seqs) <= int(g.newest) {
			g.seqs, g.busy = append(g.seqs, 0), append(g.busy, false)
		}
		if !g.busy[g.newest] {
			g.busy[g.newest] = true
			return g.newest
		}
	}
}

// call makes one operation of a client: its interval, the instant of its effect
// and the client's next call.
func (g *generator) call(h happening) {
	slot := int(h.subject)
	latency := minLatency + g.exponential(meanLatency)
	op := protocols.Operation{Outcome: protocols.Done, Call: h.at, Return: h.at + latency, Attempts: 1}
	op.Command = g.command()
	client := g.ids[slot]
	g.seqs[client]++
	op.Seq, op.Client = g.seqs[client], protocols.NodeID(-client)
	op.Began, op.Ended = protocols.Time(op.Call), protocols.Time(op.Return)
	id := int32(len(g.ops))
	effect := op.Call + 1 + g.random.Int64N(latency-1)
	if op.Kind == protocols.Write && g.random.IntN(1000) < g.cfg.Unknown {
		op.Outcome, op.Return = protocols.Unknown, protocols.Infinity
		effect = -1
		// A session executes in order: what is still open needs one of its own.
		g.ids[slot] = g.freshID()
		g.busy[client] = false
		if g.random.IntN(2) == 0 {
			effect = op.Call + 1 + g.random.Int64N(20*latency)
		}
	}
	if effect >= 0 {
		g.queue.push(happening{at: effect, kind: takesEffect, subject: id})
	}
	if tick := g.cfg.Tick; tick > 0 {
		op.Call -= op.Call % tick
		if op.Return != protocols.Infinity {
			op.Return -= op.Return % tick
		}
	}
	g.ops = append(g.ops, op)
	g.queue.push(happening{at: h.at + latency + g.exponential(meanThink), kind: calls, subject: h.subject})
}

// command draws an operation. What a cas expects is settled when it is executed.
func (g *generator) command() protocols.Command {
	m, draw := g.cfg.Mix, g.random.IntN(g.total)
	c := protocols.Command{Kind: protocols.Write}
	if g.cfg.Machine == "kv" {
		c.Key = protocols.Key(1 + g.random.IntN(g.cfg.Keys))
	}
	for _, choice := range [...]struct {
		weight int
		op     protocols.Op
	}{{m.Put, protocols.Put}, {m.CAS, protocols.CAS}, {m.Delete, protocols.Delete}, {m.Append, protocols.AppendTo},
		{m.Increment, protocols.Increment}, {m.Double, protocols.Double}} {
		if draw -= choice.weight; draw < 0 {
			c.Op = choice.op
			break
		}
	}
	switch c.Op {
	case protocols.Noop:
		c.Kind, c.Op = protocols.Read, protocols.Get
		if g.cfg.Machine == "log" {
			// Mostly the tail, sometimes anything.
			length := int64(len(g.cells[0].list))
			c.Op, c.Arg, c.Old = protocols.ReadRange, max(1, length-g.random.Int64N(8)), g.random.Int64N(4)
			if g.random.IntN(8) == 0 {
				c.Arg = 1 + g.random.Int64N(length+1)
			}
		}
	case protocols.CAS:
		g.next++
		c.Arg = g.next
		// Often what is there now, sometimes what will never be.
		c.Old = int64(g.cells[c.Key].value())
		if g.random.IntN(4) == 0 {
			c.Old = g.random.Int64N(g.next + 1)
		}
	case protocols.Put, protocols.AppendTo:
		g.next++
		c.Arg = g.next
	}
	return c
}

// makeStale looks for the first read that can be made stale.
func makeStale(ops []protocols.Operation, perMille int) int {
	for i := len(ops) * perMille / 1000; i < len(ops); i++ {
		r := &ops[i]
		if r.Op != protocols.Get || r.Outcome != protocols.Done {
			continue
		}
		// The latest completed write before the read, and one before that.
		var last, old *protocols.Operation
		for j := i - 1; j >= 0; j-- {
			w := &ops[j]
			if w.Op != protocols.Put || w.Outcome != protocols.Done || w.Key != r.Key || w.Return >= r.Call {
				continue
			}
			if last == nil {
				last = w
			} else if w.Return < last.Call {
				old = w
				break
			}
		}
		if old != nil {
			r.Value = protocols.Value(old.Arg)
			return i
		}
	}
	return -1
}
