package raft_test
import ("testing";"math/rand/v2";"github.com/lockstep-sim/lockstep/raft";"github.com/lockstep-sim/lockstep/sim";"github.com/lockstep-sim/lockstep/protocols")
func TestTmp(t *testing.T){
	for _, bug := range []string{"R-22","R-25","R-08","R-47"} {
	failed := 0
	for seed := uint64(10000); seed < 10500; seed++ {
		rng := rand.New(rand.NewPCG(seed, 9))
		p := raft.DefaultParameters()
		p.Reads = []string{raft.ReadsReadIndex, raft.ReadsLease, raft.ReadsLog}[rng.IntN(3)]
		p.PreVote = rng.IntN(3) > 0
		p.CheckQuorum = p.Reads == raft.ReadsLease || rng.IntN(3) > 0
		p.MaxBatch, p.Window = 1+rng.IntN(5), 1+rng.IntN(5)
		p.MaxDrift = 60_000_000; p.Bugs = []string{bug}; if bug<"R-26" && bug > "R-20" {p.Reads=raft.ReadsLease;p.CheckQuorum=true}
		c := config(t, seed, p)
		c.Clock.Drift = 10_000_000
		for range 2 {
			tg,_ := sim.ParseTarget("random")
			c.Faults = append(c.Faults, sim.Fault{Kind: protocols.FaultSkew, At: protocols.Time(rng.Int64N(4e9)), For: 1e9, Target: tg, Drift: []int64{-50_000_000,50_000_000}[rng.IntN(2)]})
		}
		if wrong := judge(t, c); wrong != "" { failed++; if failed==1 {t.Logf("%s seed %d: %s", bug, seed, wrong)} }
	}
t.Log(bug, failed)
}}
