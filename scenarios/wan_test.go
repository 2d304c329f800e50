package scenarios_test

import (
	"slices"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/sim"
)

// lastMile is what every message takes besides the distance. It is not zero, since
// neighbours without any latency could talk for ever in one instant.
const lastMile = protocols.Duration(10_000)

// TestCommitLatencyInAWAN: without the time of disks and processors, a write takes its client's round trip to the leader and then the leader's round
// trip to the farthest replica that it has to wait for: of floor(n/2) nearest others
// with majority quorums, of all with synchronous primary-backup. This is exact, for
// every leader and every client, with each matrix.
func TestCommitLatencyInAWAN(t *testing.T) {
	base, _, err := scenarios.Load("wan-five-regions", all.List())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range sim.Matrices() {
		for _, p := range all.List() {
			leaders := protocols.NodeSet{}
			for first := range m.Regions {
				sc := quietWAN(base, m, first)
				for seed := range uint64(4) {
					leaders = leaders.Or(wanLatencies(t, sc, p, seed, first))
				}
			}
			if leaders.Len() != 5 {
				t.Errorf("%s in %s: only regions %s ever led", p.Name, m.Name, leaders)
			}
		}
	}
}

// quietWAN is the WAN scenario without anything that takes time but distance. n1 is
// in region first of the matrix, n2 in the next one, and so on.
func quietWAN(base *scenarios.Scenario, m sim.Matrix, first int) *scenarios.Scenario {
	sc := *base
	sc.Faults, sc.Sometimes, sc.CPU, sc.Disk = nil, nil, sim.CPU{}, sim.Disk{}
	sc.Workload.Mix = []sim.Share{{Op: protocols.Put, Kind: protocols.Write, Weight: 1}}
	sc.Workload.Think = sim.Between(700_000_000, 900_000_000)
	mile := sim.Link{Latency: sim.Exactly(lastMile)}
	sc.Network = sim.Network{Between: mile, Client: mile, Matrix: m}
	for i := range m.Regions {
		sc.Network.Regions = append(sc.Network.Regions, sim.Region{Name: m.Regions[(first+i)%len(m.Regions)]})
	}
	return &sc
}

// wanLatencies checks every write that needed one attempt, and returns the regions,
// from 1, that led.
func wanLatencies(t *testing.T, sc *scenarios.Scenario, p *protocols.Protocol, seed uint64, first int) (leaders protocols.NodeSet) {
	t.Helper()
	r := scenarios.Run(sc, p, seed, scenarios.Options{History: true})
	if r.Code() != scenarios.CodeOK {
		t.Fatalf("%s", r)
	}
	regions := sc.Network.Regions
	checked := 0
	for _, op := range r.History {
		if op.Outcome != protocols.Done || op.Kind != protocols.Write || op.Attempts != 1 || op.Began > protocols.Time(25_000_000_000) {
			continue
		}
		leader := regions[op.Node-1].Name
		var trips []protocols.Duration
		for _, other := range regions {
			if other.Name != leader {
				trip, _ := sc.Network.Matrix.Between(leader, other.Name)
				back, _ := sc.Network.Matrix.Between(other.Name, leader)
				trips = append(trips, trip/2+back/2)
			}
		}
		slices.Sort(trips)
		wait := trips[len(regions)/2-1]
		if p.Name == "primarybackup" {
			wait = trips[len(trips)-1]
		}
		there, _ := sc.Network.Matrix.Between(regions[-op.Client-1].Name, leader)
		back, _ := sc.Network.Matrix.Between(leader, regions[-op.Client-1].Name)
		if got, want := op.Ended.Sub(op.Began), wait+there/2+back/2+4*lastMile; got != want {
			t.Errorf("%s seed %d: a write of %s at the leader in %s took %s, want %s", p.Name, seed, op.Client, leader, got, want)
		}
		leaders = leaders.With(protocols.NodeID((first+int(op.Node)-1)%len(regions) + 1))
		checked++
	}
	if checked < 20 {
		t.Errorf("%s seed %d: only %d writes to check", p.Name, seed, checked)
	}
	return leaders
}
