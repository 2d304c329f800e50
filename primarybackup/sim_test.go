package primarybackup_test

import (
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/internal/trial"
	"github.com/lockstep-sim/lockstep/primarybackup"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

const second = protocols.Time(1e9)

// config is a group under a plan of faults drawn from seed, watched by every check
// there is.
func config(t testing.TB, seed uint64, p *primarybackup.Parameters) sim.Config {
	t.Helper()
	return trial.Cluster(t, primarybackup.Protocol(), p, seed, []int{2, 3, 3, 5},
		"leader", "follower", "minority", "random", "majority", "all", "services", "leader s1", "all s1")
}

// Under crashes with cut steps, partitions, pauses, loss, duplication and slow
// disks, of replicas and the view service, sync keeps every promise, and the weaker
// modes keep what they promise.
func TestPrimaryBackupKeepsItsPromisesUnderFaults(t *testing.T) {
	seeds := uint64(40)
	if testing.Short() {
		seeds = 10
	}
	for name, change := range variants() {
		t.Run(name, func(t *testing.T) {
			for seed := range seeds {
				p := primarybackup.DefaultParameters()
				change(p)
				if wrong := trial.Judge(t, config(t, seed, p)); wrong != "" {
					t.Errorf("seed %d: %s", seed, wrong)
				}
			}
		})
	}
}

// A search through the same plans finds each bug, and names what it broke.
func TestBugsAreFoundBySearch(t *testing.T) {
	for _, c := range []struct {
		bug, check string
		change     func(*primarybackup.Parameters, *sim.Config)
	}{
		{"B-01", "PB-I5", nil},
		{"B-02", "PB-I3", nil},
		// Clients that read stay at a primary that is cut off; who writes goes on.
		{"B-04", "PB-I8", func(_ *primarybackup.Parameters, cfg *sim.Config) {
			cfg.Workload.Clients, cfg.Workload.Mix[2].Weight = 10, 40
		}},
		{"B-06", "STATE", func(p *primarybackup.Parameters, _ *sim.Config) { p.CatchUp = 5 }},
		{"B-08", "PB-I2", nil},
		{"B-09", "PB-I2", func(p *primarybackup.Parameters, _ *sim.Config) { p.Mode = primarybackup.ModeSemisync }},
		{"B-06b", "ONCE", nil},
		{"B-10", "PB-I2", nil},
		{"B-12", "PB-I6", nil},
		{"B-13", "PB-I2", nil},
		{"B-14", "EPOCH", nil},
		{"B-15", "DUR", nil},
		{"B-17", "PB-I1", nil},
		{"B-19", "PB-I8", func(p *primarybackup.Parameters, _ *sim.Config) { p.Reads = primarybackup.ReadsLease }},
		{"B-20", "PB-I8", func(_ *primarybackup.Parameters, cfg *sim.Config) {
			cfg.Workload.Clients, cfg.Workload.Mix[2].Weight = 10, 40
		}},
	} {
		t.Run(c.bug, func(t *testing.T) {
			for seed := range uint64(300) {
				p := primarybackup.DefaultParameters()
				p.Bugs = []string{c.bug}
				cfg := config(t, seed, p)
				if c.change != nil {
					c.change(p, &cfg)
				}
				if wrong := trial.Judge(t, cfg); strings.HasPrefix(wrong, c.check+": ") {
					t.Logf("seed %d: %s", seed, wrong)
					return
				}
			}
			t.Errorf("no seed of 300 shows a violation of %s", c.check)
		})
	}
}

// The log that all replicas agree on in the end is an oracle for what was lost:
// every acknowledged write is in it under sync, and some are not under async.
func TestAcknowledgedWritesAreLostOnlyWhereTheGuaranteeSaysSo(t *testing.T) {
	for _, mode := range []string{primarybackup.ModeSync, primarybackup.ModeSemisync, primarybackup.ModeAsync} {
		lost, acknowledged := 0, 0
		for seed := range uint64(40) {
			p := primarybackup.DefaultParameters()
			p.Mode = mode
			p.CatchUp = 1 << 20 // whole logs
			cfg := config(t, seed, p)
			log := &finalLog{}
			cfg.Observers = append(cfg.Observers, log)
			if wrong := trial.Judge(t, cfg); wrong != "" {
				t.Errorf("%s, seed %d: %s", mode, seed, wrong)
			}
			for _, a := range log.answers {
				acknowledged++
				if !log.holds(a) {
					lost++
				}
			}
		}
		t.Logf("%s: %d of %d acknowledged writes lost", mode, lost, acknowledged)
		p := primarybackup.DefaultParameters()
		p.Mode = mode
		if may := primarybackup.Protocol().Guarantee(p).LosesAcknowledged; !may && lost > 0 || mode == primarybackup.ModeAsync && lost == 0 {
			t.Errorf("%s: %d of %d acknowledged writes lost", mode, lost, acknowledged)
		}
	}
}

// finalLog keeps the longest committed log that it sees, and what was acknowledged.
type finalLog struct {
	committed map[protocols.Command]bool
	position  protocols.Index
	answers   []protocols.Command
}

func (f *finalLog) Moments() protocols.MomentKind  { return protocols.Stepped | protocols.Replied }
func (f *finalLog) Checks() []protocols.CheckInfo  { return nil }
func (f *finalLog) holds(c protocols.Command) bool { return f.committed[c] }

func (f *finalLog) Observe(m *protocols.Moment) {
	if m.Kind == protocols.Replied {
		if a := m.Answer; a.Command.Kind == protocols.Write && a.Result.Status == protocols.OK {
			f.answers = append(f.answers, a.Command)
		}
		return
	}
	n, ok := m.Replica.(protocols.LogReader)
	if !ok {
		return
	}
	var v protocols.View
	m.Replica.View(&v)
	if f.committed == nil {
		f.committed = map[protocols.Command]bool{}
	}
	if v.Commit > f.position {
		for _, e := range n.ReadLog(f.position+1, int(v.Commit-f.position), nil) {
			f.committed[e.Command] = true
		}
		f.position = v.Commit
	}
}

// Results that are shipped are the same everywhere, also those of a machine that
// reads its replica's clock. Commands that are shipped are executed by each replica
// on its own clock, and the first position where two differ is named.
func TestPhysicalLogsKeepReplicasEqualWhereLogicalOnesDoNot(t *testing.T) {
	for _, log := range []string{primarybackup.Physical, primarybackup.Logical} {
		p := primarybackup.DefaultParameters()
		p.Log = log
		protocol, cluster := primarybackup.Protocol(), protocols.Cluster{Replicas: 3, Services: 1}
		w, err := sim.New(sim.Config{
			Protocol: protocol, Parameters: p, Replicas: 3, Seed: 1, Machine: "stamp",
			Network:   sim.Network{Between: sim.Link{Latency: sim.Exactly(1_000_000)}, Client: sim.Link{Latency: sim.Exactly(1_000_000)}},
			Clock:     sim.Clock{Offset: sim.Between(0, 1e9)},
			Workload:  sim.Workload{Clients: 2, Think: sim.Exactly(1_000_000)},
			Observers: protocol.Invariants(cluster, p),
		})
		if err != nil {
			t.Fatal(err)
		}
		w.Run(2 * second)
		differ := ""
		for _, v := range w.Violations() {
			differ = v.String()
		}
		if want := log == primarybackup.Logical; strings.HasPrefix(differ, "PB-I4: ") != want || !want && differ != "" || w.Stats().Done == 0 {
			t.Errorf("%s: got %q after %d operations", log, differ, w.Stats().Done)
		}
	}
}
