package search_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/scenarios/search"
)

// drawn makes n jobs that differ in everything.
func drawn(n uint64) []search.Job {
	p := raft.Protocol()
	var jobs []search.Job
	for seed := uint64(1); seed <= n; seed++ {
		jobs = append(jobs, search.Job{Scenario: scenarios.Draw(seed, p, nil), Protocol: p, Seed: seed})
	}
	return jobs
}

// lines runs jobs and returns what a report would hold.
func lines(t *testing.T, jobs []search.Job, workers int) []byte {
	t.Helper()
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	next := 0
	err := search.Run(context.Background(), jobs, workers, func(i int, r *scenarios.Result) error {
		if i != next || r.Seed != jobs[i].Seed {
			t.Errorf("emitted %d (seed %d), want %d", i, r.Seed, next)
		}
		next++
		return encoder.Encode(r)
	})
	if err != nil || next != len(jobs) {
		t.Fatalf("%d of %d emitted: %v", next, len(jobs), err)
	}
	return b.Bytes()
}

// TestWorkersChangeNothing: the results are the same to the byte at any number of
// workers and of processors.
func TestWorkersChangeNothing(t *testing.T) {
	jobs := drawn(16)
	want := lines(t, jobs, 1)
	for _, workers := range []int{2, 7, 100} {
		if got := lines(t, jobs, workers); !bytes.Equal(want, got) {
			t.Errorf("%d workers give other results than one", workers)
		}
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if got := lines(t, jobs, 2); !bytes.Equal(want, got) {
		t.Error("one processor gives other results")
	}
}

// TestSharedScenario: workers share scenarios and protocols, and only read them.
// The race detector is the judge.
func TestSharedScenario(t *testing.T) {
	p := raft.Protocol()
	sc, _, err := scenarios.Load("leader-crash", []*protocols.Protocol{p})
	if err != nil {
		t.Fatal(err)
	}
	sc.For = 3e9
	sc.Faults = sc.Faults[:2]
	before := string(scenarios.Format(scenarios.Resolved(sc, p)))
	lines(t, search.Jobs([]*scenarios.Scenario{sc}, []*protocols.Protocol{p}, 1, 8), 4)
	if after := string(scenarios.Format(scenarios.Resolved(sc, p))); after != before {
		t.Error("a run changed its scenario")
	}
}

func TestCancelKeepsFinishedRuns(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	jobs := drawn(200)
	next := 0
	err := search.Run(ctx, jobs, 3, func(i int, _ *scenarios.Result) error {
		if i != next {
			t.Errorf("emitted %d, want %d", i, next)
		}
		if next++; next == 5 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if next < 5 || next == len(jobs) {
		t.Errorf("%d runs were emitted", next)
	}
}

func TestEmitStops(t *testing.T) {
	full := errors.New("disk full")
	next := 0
	err := search.Run(context.Background(), drawn(200), 3, func(int, *scenarios.Result) error {
		if next++; next == 4 {
			return full
		}
		return nil
	})
	if !errors.Is(err, full) || next != 4 {
		t.Errorf("%d emitted, %v", next, err)
	}
}

func TestJobs(t *testing.T) {
	raftOnly, all := scenarios.New("a"), scenarios.New("b")
	raftOnly.Protocols = []string{"raft"}
	protos := []*protocols.Protocol{{Name: "other"}, {Name: "raft"}}
	var got []string
	last := ^uint64(0)
	for _, j := range search.Jobs([]*scenarios.Scenario{raftOnly, all}, protos, last-1, last) {
		got = append(got, j.Scenario.Name+" "+j.Protocol.Name+" "+string(rune('0'+last-j.Seed)))
	}
	want := []string{"a raft 1", "a raft 0", "b other 1", "b other 0", "b raft 1", "b raft 0"}
	if len(got) != len(want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if err := search.Run(context.Background(), nil, 0, nil); err != nil {
		t.Errorf("no jobs: %v", err)
	}
}

// TestCrashReachesTheCaller: a panic that is no protocol's ends Run in a panic on
// the caller's goroutine, after the results before it.
func TestCrashReachesTheCaller(t *testing.T) {
	jobs := drawn(40)
	jobs[5].Scenario = nil // no such thing: the run dereferences it
	emitted := 0
	defer func() {
		crash, ok := recover().(*search.Crash)
		if !ok || crash.Job.Seed != jobs[5].Seed || emitted != 5 {
			t.Errorf("%d emitted before %+v, want 5 before the crash of seed %d", emitted, crash, jobs[5].Seed)
		}
	}()
	err := search.Run(context.Background(), jobs, 3, func(int, *scenarios.Result) error { emitted++; return nil })
	t.Errorf("no panic, got %v", err)
}
