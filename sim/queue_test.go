package sim

import (
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	"pgregory.net/rapid"
)

// The queue hands out what a stable sort by time would.
func TestQueueIsAStableSort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type item struct {
			time   protocols.Time
			number uint32
		}
		var q queue
		q.reset(true)
		var model []item
		number := uint32(0)
		now := protocols.Time(0)
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			if next, ok := q.next(); ok && rapid.Bool().Draw(t, "pop") {
				best := slices.MinFunc(model, func(a, b item) int {
					if a.time != b.time {
						return int(a.time - b.time)
					}
					return int(a.number) - int(b.number)
				})
				p, cause := q.pop()
				if p.ref != best.number || next != best.time || cause != uint64(best.number)+7 {
					t.Fatalf("popped %d at %d caused by %d, want %+v", p.ref, next, cause, best)
				}
				now = next
				model = slices.DeleteFunc(model, func(i item) bool { return i.number == best.number })
				continue
			}
			after := rapid.OneOf(rapid.IntRange(0, 5), rapid.IntRange(0, 1000)) // ties, and few of them
			at := now + protocols.Time(after.Draw(t, "after"))
			number++
			q.add(at, uint64(number)+7).ref = number
			model = append(model, item{at, number})
			if q.len() != len(model) {
				t.Fatalf("%d events are pending, want %d", q.len(), len(model))
			}
		}
		if _, ok := q.next(); ok != (len(model) > 0) {
			t.Fatalf("queue and model disagree about being empty")
		}
	})
}

func TestQueueFailsLoudly(t *testing.T) {
	defer func() {
		if r := recover(); r == nil || !strings.Contains(r.(string), "2^40") {
			t.Errorf("recovered %v", r)
		}
	}()
	q := queue{seq: 1<<seqBits - 1}
	q.add(0, 0)
}

func TestClockNeverRingsEarly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := clock{local: protocols.Time(rapid.Int64Range(0, 1e12).Draw(t, "offset")), ppb: rapid.Int64Range(-maxDrift, maxDrift).Draw(t, "ppb")}
		last := protocols.Time(0)
		for range 4 {
			now := last + protocols.Time(rapid.Int64Range(0, 1e15).Draw(t, "later"))
			if c.read(now) < c.read(last) {
				t.Fatal("the monotone clock went back")
			}
			due := c.read(now) + protocols.Time(rapid.Int64Range(0, 1e12).Draw(t, "after"))
			when := c.when(due)
			if c.read(when) < due {
				t.Fatalf("rings at %d, when the clock shows %d, before %d", when, c.read(when), due)
			}
			if when > c.since && c.read(when-1) >= due {
				t.Fatalf("rings at %d although the clock shows %d earlier", when, due)
			}
			before := c.read(now)
			c.bend(now, rapid.Int64Range(-maxDrift, maxDrift).Draw(t, "ppb"))
			if c.read(now) != before {
				t.Fatal("a change of rate moved the clock")
			}
			last = now
		}
	})
}
