package checker

import (
	"cmp"
	"math"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// The queue check, for queues whose elements are enqueued once each. A history of
// enqueues and dequeues is linearizable if and only if nothing is dequeued that was
// not enqueued, nothing twice, no dequeue returns before its enqueue is called, and
// no two elements go out against the order in which they came in (Henzinger, Sezgin
// and Vafeiadis, Aspect-oriented linearizability proofs, CONCUR 2013, section 4);
// and, for dequeues that found the queue empty, if each has an instant at which
// every element may be outside. Elements that nobody dequeued leave at infinity.
//
// An enqueue of unknown outcome whose element was never dequeued is dropped; one
// whose element was dequeued has taken effect before that dequeue returned. A
// dequeue of unknown outcome may have taken any element: such queues are left to
// the searches.

// element is what is known of one element of the queue.
type element struct {
	in, out int32 // operations of the part; out -1: nobody dequeued it
	// The enqueue took effect within [call, ret], the dequeue within [outCall, outRet].
	call, ret, outCall, outRet int64
}

// queueScan is the working memory of the check.
type queueScan struct {
	p        *Part
	elements []element
	empty    []int32 // dequeues that found nothing
	found    *conflict
}

// checkQueue runs the queue check on a part of the queue machine.
func (p *Part) checkQueue() (fastResult, *conflict) {
	if p.kind != queueMachine {
		return notApplicable, nil
	}
	q := queueScan{p: p}
	if !q.collect() {
		return notApplicable, nil
	}
	if q.found == nil {
		q.order()
	}
	if q.found == nil {
		q.checkEmpty()
	}
	if q.found != nil {
		return fails, q.found
	}
	return holds, nil
}

// collect pairs enqueues with dequeues. It reports false if the check does not
// apply.
func (q *queueScan) collect() bool {
	p := q.p
	count, smallest, largest := 0, int64(0), int64(0)
	for i := range p.ops {
		switch op := p.at(i); {
		case op.Op == protocols.AppendTo:
			count++
			smallest, largest = min(smallest, op.Arg), max(largest, op.Arg)
		case op.Outcome == protocols.Unknown:
			return false
		}
	}
	var index valueIndex
	index.size(count, smallest, largest)
	for i := range p.ops {
		op := p.at(i)
		if op.Op != protocols.AppendTo {
			continue
		}
		if _, fresh := index.add(op.Arg, int32(len(q.elements))); !fresh {
			return false
		}
		q.elements = append(q.elements, element{in: int32(i), out: noValue, call: op.Call, ret: op.Return, outCall: after, outRet: after})
	}
	for i := range p.ops {
		op := p.at(i)
		if op.Op != protocols.Delete {
			continue
		}
		if op.Value == 0 {
			q.empty = append(q.empty, int32(i))
			continue
		}
		q.dequeued(int32(i), op, index.find(int64(op.Value)))
		if q.found != nil {
			return true
		}
	}
	q.elements = slices.DeleteFunc(q.elements, func(e element) bool { return e.out < 0 && e.ret == after })
	return true
}

func (q *queueScan) dequeued(i int32, op *protocols.Operation, id int32) {
	if id < 0 {
		q.fail(NeverWritten, "nobody enqueued it", i)
		return
	}
	e := &q.elements[id]
	switch {
	case e.out >= 0:
		q.fail(DuplicateEffect, "both took the same element", e.out, i)
	case op.Return < e.call:
		q.fail(FutureRead, "the first had returned before the second was called", i, e.in)
	default:
		e.out, e.outCall, e.outRet = i, op.Call, op.Return
		e.ret = min(e.ret, op.Return)
	}
}

// order looks for two elements of which one was enqueued wholly before the other
// and is dequeued wholly after it, or never.
func (q *queueScan) order() {
	byReturn := q.sorted(func(e *element) int64 { return e.ret })
	byCall := q.sorted(func(e *element) int64 { return e.call })
	next, latest := 0, noValue // the element that leaves last of those enqueued before
	for _, b := range byCall {
		for ; next < len(byReturn) && q.elements[byReturn[next]].ret < q.elements[b].call; next++ {
			if a := byReturn[next]; latest < 0 || q.elements[a].outCall > q.elements[latest].outCall {
				latest = a
			}
		}
		if latest < 0 || q.elements[b].outRet >= q.elements[latest].outCall {
			continue
		}
		first := &q.elements[latest]
		ops, why := []int32{first.in, q.elements[b].in, q.elements[b].out}, "the first was in the queue before the second was enqueued, and nobody dequeued it before the second went out"
		class := LostWrite
		if first.out >= 0 {
			class, ops = ReorderedAppend, append(ops, first.out)
		}
		q.fail(class, why, ops...)
		return
	}
}

func (q *queueScan) sorted(at func(*element) int64) []int32 {
	order := make([]int32, len(q.elements))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(at(&q.elements[a]), at(&q.elements[b])) })
	return order
}

// checkEmpty looks for a dequeue that found the queue empty although at every
// instant of it some element was inside: one enqueued before, and not dequeued
// until after.
func (q *queueScan) checkEmpty() {
	if len(q.empty) == 0 {
		return
	}
	slices.SortStableFunc(q.empty, func(a, b int32) int {
		return cmp.Compare(q.p.at(int(a)).Call, q.p.at(int(b)).Call)
	})
	// free is the earliest instant from which a look may find nothing.
	byReturn := q.sorted(func(e *element) int64 { return e.ret })
	next, free, holder := 0, int64(math.MinInt64), noValue
	for _, i := range q.empty {
		op := q.p.at(int(i))
		at := max(free, op.Call)
		for ; next < len(byReturn) && q.elements[byReturn[next]].ret < at; next++ {
			if e := &q.elements[byReturn[next]]; e.outCall > at {
				at, free, holder = e.outCall, e.outCall, byReturn[next]
			}
		}
		if at > op.Return {
			e := &q.elements[holder]
			ops := []int32{i, e.in}
			class := LostWrite
			if e.out >= 0 {
				class, ops = StaleRead, append(ops, e.out)
			}
			q.fail(class, "at every instant of the first, something was in the queue that nobody had dequeued, in the end the second's element", ops...)
			return
		}
	}
}

func (q *queueScan) fail(class Class, why string, ops ...int32) {
	q.found = &conflict{ops: ops, class: class, text: q.p.list(ops) + ": " + why}
}
