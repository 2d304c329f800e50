package scenarios_test

import (
	"flag"
	"os"
	"runtime"
	"testing"
	"unsafe"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/sim"
)

var hour = flag.Bool("scenarios.hour", false, "measure memory over a whole virtual hour, not 12 minutes of it")

// TestFlatMemory runs the long scenarios with all observers and demands that what the
// run keeps does not grow from the first half to the second: logs, disks, queue, nodes
// and observers, all but the history of the clients. Where each operation left some
// hundred bytes it would grow by 20 MiB in the hour. What it may is for messages that
// wait to be used again and still point to pieces of old logs, and for a replica that
// has left and holds back what is forgotten.
func TestFlatMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("runs long scenarios")
	}
	for _, p := range all.List() {
		t.Run(p.Name, func(t *testing.T) {
			file := "long/virtual-hour.yaml"
			if p.Name == "primarybackup" {
				file = "long/virtual-hour-primarybackup.yaml"
			}
			flat(t, file, p)
		})
	}
}

func flat(t *testing.T, file string, p *protocols.Protocol) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sc, _, err := scenarios.Parse(file, text, all.List())
	if err != nil {
		t.Fatal(err)
	}
	cfg := sc.Config(p, 1)
	c := protocols.Cluster{Replicas: cfg.Replicas, Members: cfg.Members}
	if p.Services != nil {
		c.Services = p.Services(cfg.Parameters)
	}
	cfg.Observers = append(checker.Generic(p, c, cfg.Parameters), p.Invariants(c, cfg.Parameters)...)
	world, err := sim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	step := protocols.Duration(sc.For) / 30
	if *hour {
		step = protocols.Duration(sc.For) / 6
	}
	var kept [7]int64
	for k := 1; k <= 6; k++ {
		if stop := world.Run(protocols.Time(0).Add(step * protocols.Duration(k))); stop != sim.Reached {
			t.Fatalf("stopped (%v) at %v: %v", stop, world.Now(), world.Violations())
		}
		kept[k] = held(world)
		t.Logf("%v: %d operations, %d entries, %d pending events, %d KiB", world.Now(), len(world.History()), world.Stats().Committed, world.Pending(), kept[k]>>10)
	}
	if grown := max(kept[4], kept[5], kept[6]) - max(kept[1], kept[2], kept[3]); grown > 4<<20 {
		t.Errorf("memory has grown by %d KiB from the first half to the second", grown>>10)
	}
}

// held returns the bytes of live memory, without those of the history: its blocks of
// 1024 operations, and the list that History has made of them.
func held(world *sim.World) int64 {
	n := int64(len(world.History()))
	const block, one = 1024, int64(unsafe.Sizeof(protocols.Operation{}))
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	runtime.KeepAlive(world)
	return int64(m.HeapAlloc) - ((n+block-1)/block*block+n)*one
}
