package checker

import (
	"testing"

	"github.com/lockstep-sim/lockstep/checker/generate"
)

func benchmark(b *testing.B, cfg generate.Config, opt Options, by Decider) {
	h := generate.New(cfg)
	opt.Log = h.Log
	b.ReportAllocs()
	for b.Loop() {
		r := Linearizable(h.Operations, opt)
		if r.Verdict != OK || r.Parts[0].DecidedBy != by {
			b.Fatalf("verdict %v by %v", r.Verdict, r.Parts[0].DecidedBy)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(cfg.N), "ns/operation")
}

func BenchmarkZones(b *testing.B) {
	benchmark(b, generate.Config{Seed: 1, N: 1_000_000, Clients: 256, Unknown: 100}, Options{Machine: "register"}, ByZones)
}

func BenchmarkZonesBlind(b *testing.B) {
	benchmark(b, generate.Config{Seed: 1, N: 1_000_000, Clients: 256, Unknown: 100}, Options{Machine: "register", Blind: true}, ByZones)
}

func BenchmarkZonesThousandKeys(b *testing.B) {
	benchmark(b, generate.Config{Machine: "kv", Keys: 1000, Seed: 1, N: 1_000_000, Clients: 256, Unknown: 100}, Options{}, ByZones)
}

func BenchmarkLog(b *testing.B) {
	benchmark(b, generate.Config{Machine: "log", Seed: 1, N: 1_000_000, Clients: 256, Unknown: 100}, Options{Machine: "log"}, ByLog)
}

func BenchmarkWitness(b *testing.B) {
	benchmark(b, generate.Config{Machine: "counter", Seed: 1, N: 1_000_000, Clients: 256, Unknown: 100, WithLog: true},
		Options{Machine: "counter", Positions: true}, ByWitness)
}
