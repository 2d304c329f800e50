package checker

import (
	"math"

	"github.com/lockstep-sim/lockstep/protocols"
)

// The zone test of Gibbons and Korach (1997, section 4), carried over to writes
// that answer what they saw.
//
// The plain test groups the operations on one value into a cluster: its write and
// its reads. With lo the earliest return and hi the latest call in a cluster,
// cluster A can stand before cluster B as a block if and only if hi(A) <= lo(B),
// and a total order of blocks exists if and only if no two of them exclude each
// other both ways. That argument uses nothing but the pair (lo, hi) of each
// block.
//
// A put, cas or delete that saw v stands right after v: nothing can come between.
// So values are linked to chains, each value with at most one successor, and a
// chain, not a value, is the block. Within a block the order of writes is forced;
// one scan decides whether real time allows it. Chains begin with the initial
// value or with a put whose outcome is unknown, as nobody knows what that saw.
//
// A write with unknown outcome whose value nobody saw is dropped: taken out of a
// linearization it leaves one, as the operation after it would have seen it. One
// that nobody saw but through another such write is dropped with that.
//
// Deletes make the absent value come back, which then is no longer unique. If the
// predecessor of every write is known, each block of a key with deletes goes from
// absent to absent, so all orders of blocks are open again, the reads of absent
// are blocks of their own, and one block, which must come last, may end with a
// value. Keys where a delete or a put has an unknown outcome that may matter are
// left to others.

const (
	noValue    int32 = -1 // predecessor: not known
	neverValue int32 = -2 // predecessor: a value that was never written
	before           = int64(math.MinInt64)
	after            = protocols.Infinity
)

// cluster is a value, its write and its reads.
type cluster struct {
	call, ret   int64 // of the write
	readsReturn int64 // earliest return of a read; Infinity without any
	readsCall   int64 // latest call of a read
	op          int32 // the write's number in the part; -1 for the initial value
	pred, succ  int32 // numbers of clusters
	kept        bool  // it took effect: it is done, or somebody saw it
	absent      bool  // it is a delete
}

// zones holds the test's working memory for one part.
type zones struct {
	p        *Part
	index    valueIndex
	clusters []cluster // 0 is the initial value
	deletes  bool
	found    *conflict
	// blocks holds forward zones from the front and backward zones from the back.
	blocks            []block
	forward, backward int
}

// block is a chain with its zone.
type block struct {
	lo, hi int64 // earliest return, latest call
	head   int32 // cluster, or -1-i for a read of absent: operation i of the part
}

// fastResult is the answer of a fast check.
type fastResult uint8

const (
	notApplicable fastResult = iota
	holds
	fails
)

// checkZones runs the zone test on a part.
func (p *Part) checkZones() (fastResult, *conflict) {
	if p.kind != kvMachine && p.kind != registerMachine {
		return notApplicable, nil
	}
	z := zones{p: p}
	if !z.collectWrites() {
		return notApplicable, nil
	}
	z.collectReads()
	if z.found == nil {
		z.keepSeen()
		if z.deletes && !z.deletesDecidable() {
			return notApplicable, nil
		}
		z.link()
	}
	if z.found == nil {
		z.walkChains()
	}
	if z.found == nil {
		z.compareBlocks()
	}
	if z.found != nil {
		return fails, z.found
	}
	return holds, nil
}

// collectWrites numbers the written values. It reports false if the history has
// operations that zones do not cover or writes a value twice.
func (z *zones) collectWrites() bool {
	p := z.p
	writes, smallest, largest := 0, int64(0), int64(0)
	for i := range p.ops {
		op := p.at(i)
		switch op.Op {
		case protocols.AppendTo:
			return false
		case protocols.Put, protocols.CAS:
			writes++
			smallest, largest = min(smallest, op.Arg), max(largest, op.Arg)
		case protocols.Delete:
			if p.opt.Blind {
				return false
			}
			writes++
		}
		if len(op.List) > 0 {
			return false
		}
	}
	z.index.size(writes+1, smallest, largest)
	z.clusters = append(make([]cluster, 0, writes+1), cluster{call: before, ret: before,
		readsReturn: after, readsCall: before, op: -1, pred: noValue, succ: noValue, kept: true})
	z.index.add(0, 0)
	for i := range p.ops {
		if op := p.at(i); writesValue(op) && !z.addWrite(int32(i), op) {
			return false
		}
	}
	return true
}

// writesValue reports whether op changes the value, or may.
func writesValue(op *protocols.Operation) bool {
	switch op.Op {
	case protocols.Put:
		return true
	case protocols.CAS:
		return op.Outcome == protocols.Unknown || op.Swapped
	case protocols.Delete:
		return op.Outcome == protocols.Unknown || op.Value != 0
	}
	return false
}

func (z *zones) addWrite(i int32, op *protocols.Operation) bool {
	if op.Op == protocols.Delete {
		z.deletes = true
	} else if _, fresh := z.index.add(op.Arg, int32(len(z.clusters))); !fresh {
		return false
	}
	z.clusters = append(z.clusters, cluster{call: op.Call, ret: op.Return, readsReturn: after, readsCall: before, op: i,
		pred: noValue, succ: noValue, kept: op.Outcome == protocols.Done, absent: op.Op == protocols.Delete})
	return true
}

// collectReads adds every answer to the cluster of the value that it names: reads
// as members, writes as successors.
func (z *zones) collectReads() {
	p := z.p
	write := int32(0)
	for i := range p.ops {
		op := p.at(i)
		if !writesValue(op) {
			if !z.addRead(int32(i), op) {
				return
			}
			continue
		}
		write++
		c := &z.clusters[write]
		switch {
		case op.Op == protocols.CAS:
			// Done and swapped, or unknown: either way it takes effect after Old only.
			if op.Outcome == protocols.Done && int64(op.Value) != op.Old {
				z.fail(int32(i), " although it expected %s", p.value(op.Old))
				return
			}
			c.pred = z.index.find(op.Old)
		case op.Outcome == protocols.Done && !p.opt.Blind:
			c.pred = z.index.find(int64(op.Value))
		default:
			continue
		}
		if c.pred < 0 {
			c.pred = neverValue
			if c.kept {
				z.fail(int32(i), " although %s", p.neverWritten(int64(sawValue(op))))
				return
			}
		}
	}
}

// addRead adds an operation that changed nothing: a get, a refused cas or a
// delete of nothing.
func (z *zones) addRead(i int32, op *protocols.Operation) bool {
	if op.Op == protocols.CAS && int64(op.Value) == op.Old {
		z.fail(i, " although it saw the value %s that it expected", z.p.value(op.Old))
		return false
	}
	v := z.index.find(int64(op.Value))
	if v < 0 {
		z.fail(i, " although %s", z.p.neverWritten(int64(op.Value)))
		return false
	}
	c := &z.clusters[v]
	c.readsReturn, c.readsCall = min(c.readsReturn, op.Return), max(c.readsCall, op.Call)
	c.kept = true
	return true
}

// keepSeen marks what was seen by a write that took effect. Marks spread against
// the direction of chains.
func (z *zones) keepSeen() {
	for i := range z.clusters {
		for c := &z.clusters[i]; c.kept && c.pred >= 0 && !z.clusters[c.pred].kept; {
			c = &z.clusters[c.pred]
			c.kept = true
		}
	}
}

// deletesDecidable reports whether every write that took effect names its
// predecessor. Deletes with unknown outcome that came too late for anybody to see
// absence after them are dropped; if no other is left, the key counts as one
// without deletes.
func (z *zones) deletesDecidable() bool {
	lastAbsence := z.lastAbsence()
	relevant, nameless := false, false
	for i := 1; i < len(z.clusters); i++ {
		c := &z.clusters[i]
		if c.absent {
			relevant = relevant || c.kept || c.call <= lastAbsence
			nameless = nameless || !c.kept && c.call <= lastAbsence
		} else {
			nameless = nameless || c.kept && c.pred == noValue
		}
	}
	z.deletes = relevant
	return !relevant || !nameless
}

// lastAbsence returns the latest return of an operation that may have seen that
// there is no value.
func (z *zones) lastAbsence() int64 {
	last := int64(before)
	for i := range z.p.ops {
		if op := z.p.at(i); seesAbsence(op) {
			last = max(last, op.Return)
		}
	}
	return last
}

// seesAbsence reports whether op, if it was executed, saw the absent value. A
// cas with unknown outcome that expects absence returns never.
func seesAbsence(op *protocols.Operation) bool {
	if op.Outcome == protocols.Unknown {
		return op.Op == protocols.CAS && op.Old == 0
	}
	return op.Value == 0
}

// link gives every value its successor. Two successors contradict each other,
// except after absence on a key with deletes, where each begins a block.
func (z *zones) link() {
	for i := 1; i < len(z.clusters); i++ {
		c := &z.clusters[i]
		if !c.kept || c.pred < 0 {
			if c.kept && c.pred == neverValue {
				op := z.p.at(int(c.op))
				z.fail(c.op, " must have been executed, as its value was seen, although %s", z.p.neverWritten(op.Old))
				return
			}
			continue
		}
		if c.pred == 0 && z.deletes {
			continue
		}
		pred := &z.clusters[c.pred]
		if pred.succ != noValue {
			z.failTwoSuccessors(pred.succ, int32(i))
			return
		}
		pred.succ = int32(i)
	}
}
