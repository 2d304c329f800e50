package paxos_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/internal/trial"
	"github.com/lockstep-sim/lockstep/paxos"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/protocoltest"
	"github.com/lockstep-sim/lockstep/sim"
)

var sizes = []int{3, 5, 5, 7}

// replicasOf returns the size of a seed's cluster.
func replicasOf(seed uint64) int { return trial.Size(seed, sizes...) }

// config is a cluster under a plan of faults drawn from seed, watched by every
// check there is.
func config(t testing.TB, seed uint64, p *paxos.Parameters) sim.Config {
	t.Helper()
	return trial.Cluster(t, paxos.Protocol(), p, seed, sizes, "leader", "follower", "minority", "random", "majority", "all")
}

// swarm draws the parameters of a seed for a number of replicas.
func swarm(seed uint64, replicas int) *paxos.Parameters {
	p := paxos.DefaultParameters()
	p.Reads = []string{paxos.ReadsQuorum, paxos.ReadsLease, paxos.ReadsLog}[seed%3]
	p.Decide = []string{paxos.DecidePiggyback, paxos.DecideExplicit}[seed/2%2]
	p.Window = []int{64, 1, 3, 8}[seed/3%4]
	p.SnapshotEvery = []int{30, 40, 0, 7}[seed/5%4]
	p.LeaderWrite = []string{paxos.LeaderWriteParallel, paxos.LeaderWriteSerial}[seed/11%2]
	switch seed / 7 % 4 {
	case 0:
		p.Q2 = replicas/2 + 2
		p.Q1 = replicas - p.Q2 + 1
	case 1:
		p.Q1 = replicas/2 + 2
		p.Q2 = replicas - p.Q1 + 1
	}
	return p
}

// Under crashes with cut steps, partitions, pauses, loss, duplication and slow
// disks Paxos keeps every promise, with any way to read and any options.
func TestPaxosKeepsItsPromisesUnderFaults(t *testing.T) {
	seeds := uint64(200)
	if testing.Short() {
		seeds = 40
	}
	for seed := range seeds {
		if wrong := trial.Judge(t, config(t, seed, swarm(seed, replicasOf(seed)))); wrong != "" {
			t.Errorf("seed %d: %s", seed, wrong)
		}
	}
}

// operator asks the leader for a random membership now and then. It is no observer
// at heart: it adds to a step what the leader makes of the wish.
type operator struct {
	rng      *rand.Rand
	replicas int
	asked    int
	members  int // configurations that some node noted
}

func newOperator(seed uint64, replicas int) *operator {
	return &operator{rng: rand.New(rand.NewPCG(seed, 2)), replicas: replicas}
}

func (o *operator) Moments() protocols.MomentKind { return protocols.Stepped }
func (o *operator) Checks() []protocols.CheckInfo { return nil }
func (o *operator) Observe(m *protocols.Moment) {
	for i := range m.Effects.Notes {
		if n := &m.Effects.Notes[i]; n.Kind == protocols.NoteMembers && n.Index > 1 {
			o.members++
		}
	}
	var v protocols.View
	if m.Replica.View(&v); !v.Leading || m.Event.Kind != protocols.Fire || o.rng.IntN(4) > 0 {
		return
	}
	o.asked++
	members := protocols.NodesUpTo(o.replicas)
	for range o.rng.IntN(o.replicas/2 + 1) {
		members = members.Without(protocols.NodeID(1 + o.rng.IntN(o.replicas)))
	}
	m.Replica.Step(&protocols.Event{
		Kind: protocols.AdminEvent, Now: m.Event.Now, Wall: m.Event.Wall,
		Admin: protocols.Admin{Kind: protocols.Reconfigure, Members: members},
	}, m.Effects)
}

// All promises hold also while the membership changes all the time.
func TestPaxosReconfiguresUnderFaults(t *testing.T) {
	seeds := uint64(100)
	if testing.Short() {
		seeds = 20
	}
	changed := 0
	for seed := range seeds {
		replicas := replicasOf(seed)
		p := swarm(seed, replicas)
		p.Q1, p.Q2 = 0, 0
		if wrong, o := reconfigured(t, seed, p); wrong != "" {
			t.Errorf("seed %d: %s", seed, wrong)
		} else {
			changed += o.members
		}
	}
	if changed < int(seeds) {
		t.Errorf("memberships were noted %d times in %d runs: the test tests little", changed, seeds)
	}
}

func reconfigured(t testing.TB, seed uint64, p *paxos.Parameters) (wrong string, o *operator) {
	cfg := config(t, seed, p)
	for i := range cfg.Faults {
		cfg.Faults[i].Cut = 0 // a cut step must not get more effects behind the cut
	}
	o = newOperator(seed, cfg.Replicas)
	cfg.Observers = append([]protocols.Observer{o}, cfg.Observers...)
	return trial.Judge(t, cfg), o
}

// A search through the same plans finds each bug, and names what it broke.
func TestPaxosBugsAreFoundBySearch(t *testing.T) {
	lease := func(p *paxos.Parameters) { p.Reads = paxos.ReadsLease }
	often := func(p *paxos.Parameters) { p.SnapshotEvery = 5 }
	narrow := func(p *paxos.Parameters) { p.Window, p.SnapshotEvery = 3, 7 }
	for _, c := range []struct {
		bug, check string
		change     func(*paxos.Parameters) // nil: none
	}{
		{"P-01", "PX-I3", nil},
		{"P-02", "DUR", nil},
		{"P-03", "DUR", nil},
		{"P-05", "PX-I3", nil},
		{"P-06", "PX-I2", nil},
		{"P-07", "PX-I3", nil},
		{"P-10", "PX-I3", nil},
		{"P-11", "PX-I1", nil},
		{"P-12", "PX-I7", lease},
		{"P-14", "PX-I", nil},
		{"P-24", "STATE", often},
		{"P-25", "STATE", often},
		{"P-30", "PX-I", narrow},
		{"P-31", "liveness", nil},
		{"P-32", "PX-I3", narrow},
		{"P-RULE6", "SAME", nil},
		{"P-RULE7", "PX-I7", nil},
	} {
		t.Run(c.bug, func(t *testing.T) {
			p := paxos.DefaultParameters()
			p.Bugs = []string{c.bug}
			if c.change != nil {
				c.change(p)
			}
			for seed := range uint64(600) {
				cfg := config(t, seed, p)
				var wrong string
				switch c.bug {
				case "P-06": // who restarts must win again before anybody else campaigns
					cfg.Disk.Fsync = sim.Between(5_000_000, 40_000_000)
					for i := range cfg.Faults {
						if f := &cfg.Faults[i]; f.Kind == protocols.FaultCrash {
							f.For /= 20
						}
					}
					wrong = trial.Judge(t, cfg)
				case "P-14", "P-30", "P-32":
					wrong, _ = reconfigured(t, seed, p)
				default:
					wrong = trial.Judge(t, cfg)
				}
				if strings.HasPrefix(wrong, c.check) {
					t.Logf("seed %d: %s", seed, wrong)
					return
				}
			}
			t.Errorf("no seed of 600 shows a violation of %s", c.check)
		})
	}
}

// The costs of operations are those of the analytical model, exactly.
func TestLaws(t *testing.T) { protocoltest.Laws(t, paxos.Protocol()) }

func BenchmarkSteady(b *testing.B)        { trial.Steady(b, paxos.Protocol(), false) }
func BenchmarkSteadyWatched(b *testing.B) { trial.Steady(b, paxos.Protocol(), true) }
