package scenariotest

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// clock keeps a test within -timeout: what go test does when that is over, a panic with
// the stacks of everything, names neither experiment nor seed.
type clock struct {
	end  time.Time // after it nothing begins; zero: no limit
	last time.Time // after it a run that goes on is named
}

// longest is how long one run may take, thousands of times what one needs.
const longest = time.Minute

// clockOf leaves a fifth of the time that a test has, at most five seconds, for what is
// to be said at its end, half of it for the last run to return.
func clockOf(t *testing.T) clock {
	deadline, limited := t.Deadline()
	if !limited {
		return clock{}
	}
	spare := min(time.Until(deadline)/5, 5*time.Second)
	return clock{deadline.Add(-spare), deadline.Add(-spare / 2)}
}

func (c clock) over() bool { return !c.end.IsZero() && time.Now().After(c.end) }

// context ends when the clock does.
func (c clock) context() (context.Context, context.CancelFunc) {
	if c.end.IsZero() {
		return context.WithCancel(context.Background())
	}
	return context.WithDeadline(context.Background(), c.end)
}

// watch ends the program with a word if run does not return. Nothing else can: a Step
// that loops holds its goroutine for ever.
func (c clock) watch(what func() string, run func()) {
	limit := longest
	if !c.end.IsZero() {
		limit = min(limit, max(time.Until(c.last), 0))
	}
	began := time.Now()
	timer := time.AfterFunc(limit, func() {
		fmt.Fprintf(os.Stderr, "--- FAIL: a run does not end\n    %s: still running after %s. A step does not return:\n\n%s\n",
			what(), time.Since(began).Round(time.Millisecond), running())
		os.Exit(1)
	})
	defer timer.Stop()
	run()
}

// running is the stack of the goroutine that is in a run, down to the engine.
func running() string {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, "scenariotest.clock.watch(") {
			protocol, _, _ := strings.Cut(stack, "\ngithub.com/lockstep-sim/lockstep/sim.(*World)")
			return protocol
		}
	}
	return string(stacks)
}
