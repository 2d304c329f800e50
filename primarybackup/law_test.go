package primarybackup_test

import (
	"fmt"
	"testing"

	"github.com/lockstep-sim/lockstep/primarybackup"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// law is what one operation of one client costs when nothing fails and delays are
// constant: one-way delays and disk writes seen by the client, and messages.
type law struct {
	name   string
	change func(*primarybackup.Parameters)
	kind   protocols.CommandKind
	delays func(n int) int64
	fsyncs func(n int) int64             // nil: disks take no time
	kinds  func(n int) map[string]uint64 // besides one request and one reply
	total  func(n int) uint64
}

func always(delays int64) func(int) int64 { return func(int) int64 { return delays } }

// alone gives a group of one its own row: its disk is all there is.
func alone(delays int64, others func(n int) map[string]uint64) (func(int) int64, func(int) map[string]uint64) {
	return func(n int) int64 {
			if n == 1 {
				return 2
			}
			return delays
		}, func(n int) map[string]uint64 {
			if n == 1 {
				return nil
			}
			return others(n)
		}
}

func laws() []law {
	toAll := func(kinds ...string) func(n int) map[string]uint64 {
		return func(n int) map[string]uint64 {
			m := map[string]uint64{}
			for _, k := range kinds {
				m[k] = uint64(n - 1)
			}
			return m
		}
	}
	round := func(n int) uint64 { return uint64(2 * n) }
	nothing := func(int) map[string]uint64 { return nil }
	two := func(int) uint64 { return 2 }
	write4, kinds4 := alone(4, toAll("Replicate", "ReplicateResponse"))
	_, kinds2 := alone(2, toAll("Replicate"))
	read4, confirms := alone(4, toAll("Confirm", "ConfirmResponse"))
	as := func(mode string, k int) func(*primarybackup.Parameters) {
		return func(p *primarybackup.Parameters) { p.Mode, p.K = mode, k }
	}
	list := []law{
		{"sync", as(primarybackup.ModeSync, 1), protocols.Write, write4, nil, kinds4, round},
		{"semisync 1", as(primarybackup.ModeSemisync, 1), protocols.Write, write4, nil, kinds4, round},
		{"semisync 2", as(primarybackup.ModeSemisync, 2), protocols.Write, write4, nil, kinds4, round},
		{"async", as(primarybackup.ModeAsync, 1), protocols.Write, always(2), nil, kinds2, func(n int) uint64 { return uint64(n + 1) }},
		{"read by round", as(primarybackup.ModeSync, 1), protocols.Read, read4, nil, confirms, round},
		{"read by lease", func(p *primarybackup.Parameters) { p.Reads = primarybackup.ReadsLease }, protocols.Read, always(2), nil, nothing, two},
	}
	for _, l := range list[:4] {
		change := l.change
		l.name += " logical"
		l.change = func(p *primarybackup.Parameters) { change(p); p.Log = primarybackup.Logical }
		list = append(list, l)
	}
	return append(list, writing(list[:4])...)
}

// writing gives each write a disk that takes time, once for a primary that ships
// while it writes and once for one that writes first. Who answers when a backup has
// the entry, and so has written it, waits for one write more in the second case; async
// waits for the primary's own alone.
func writing(list []law) []law {
	var timed []law
	for _, l := range list {
		for _, c := range []struct {
			write  string
			fsyncs int64
		}{{primarybackup.LeaderWriteParallel, 1}, {primarybackup.LeaderWriteSerial, 2}} {
			t, change := l, l.change
			t.name += ", fsync, " + c.write
			t.change = func(p *primarybackup.Parameters) { change(p); p.LeaderWrite = c.write }
			t.fsyncs = func(n int) int64 { return min(c.fsyncs, l.delays(n)/2) }
			timed = append(timed, t)
		}
	}
	return timed
}

// caused are the kinds that time alone causes, and not the client.
var caused = map[string]bool{"Ping": true, "Acknowledge": true, "Announce": true, "Heartbeat": true, "HeartbeatResponse": true, "Progress": true}

// The costs are those of the analytical model, to the message, from the client's
// second operation on.
func TestCostsAreThoseOfTheModel(t *testing.T) {
	const delay, fsync, operations = 1_000_000, 2_700_000, 200
	for _, l := range laws() {
		for _, n := range []int{1, 2, 3, 5, 7} {
			t.Run(fmt.Sprintf("%s n=%d", l.name, n), func(t *testing.T) {
				p := primarybackup.DefaultParameters()
				l.change(p)
				if p.Validate(n) != nil {
					t.Skip("more backups than there are")
				}
				op := protocols.Put
				if l.kind == protocols.Read {
					op = protocols.Get
				}
				wanted := protocols.Duration(l.delays(n) * delay)
				var disk sim.Disk
				if l.fsyncs != nil {
					disk.Fsync = sim.Exactly(fsync)
					wanted += protocols.Duration(l.fsyncs(n) * fsync)
				}
				w, err := sim.New(sim.Config{
					Disk:     disk,
					Protocol: primarybackup.Protocol(), Parameters: p, Replicas: n, Seed: 1,
					Network:  sim.Network{Between: sim.Link{Latency: sim.Exactly(delay)}, Client: sim.Link{Latency: sim.Exactly(delay)}},
					Workload: sim.Workload{Clients: 1, Keys: 1, Operations: 1 + operations, Begin: second, Mix: []sim.Share{{Op: op, Kind: l.kind, Weight: 1}}},
				})
				if err != nil {
					t.Fatal(err)
				}
				done := func(ops uint64) func() bool { return func() bool { return w.Stats().Done == ops } }
				w.RunUntil(10*second, done(1))
				before := counts(w)
				if w.RunUntil(10*second, done(1+operations)) != sim.Satisfied {
					t.Fatalf("only %d operations are done", w.Stats().Done)
				}
				after := counts(w)
				want := map[string]uint64{"request": 1, "reply": 1}
				for k, v := range l.kinds(n) {
					want[k] = v
				}
				compare(t, before, after, want, operations, l, n)
				for _, o := range w.History()[1:] {
					if got := o.Ended.Sub(o.Began); got != wanted {
						t.Fatalf("%v took %v, want %v", o, got, wanted)
					}
				}
			})
		}
	}
}

func counts(w *sim.World) map[string]uint64 {
	s := w.Stats()
	m := map[string]uint64{"request": s.Requests, "reply": s.Replies}
	for _, k := range s.ByKind {
		m[k.Name] = k.Messages
	}
	return m
}

func compare(t *testing.T, before, after, want map[string]uint64, operations uint64, l law, n int) {
	t.Helper()
	total := uint64(0)
	for kind, count := range after {
		if caused[kind] {
			continue
		}
		got := count - before[kind]
		total += got
		if got != want[kind]*operations {
			t.Errorf("%d operations sent %d of %s, want %d each", operations, got, kind, want[kind])
		}
	}
	if n == 1 {
		return
	}
	if total != l.total(n)*operations {
		t.Errorf("%d operations sent %d messages, want %d each", operations, total, l.total(n))
	}
}
