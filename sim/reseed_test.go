package sim

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// TestReseed: up to the event a run with another future is the run itself, and after
// it another one; equal futures are equal.
func TestReseed(t *testing.T) {
	run := func(after, seed uint64) ([]Checkpoint, uint64) {
		cfg := stormy(5)
		cfg.Checkpoints, cfg.Reseed = true, Reseed{after, seed}
		w, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		w.Run(protocols.Time(2_000_000_000))
		return w.Checkpoints(), w.Digest()
	}
	plain, digest := run(0, 0)
	if len(plain) < maxCheckpoints/2 || len(plain) >= maxCheckpoints {
		t.Fatalf("%d checkpoints", len(plain))
	}
	for i := 1; i < len(plain); i++ {
		if plain[i].Event-plain[i-1].Event != plain[0].Event && i > 1 && plain[i].Event-plain[i-1].Event != plain[1].Event-plain[0].Event {
			t.Fatalf("checkpoints are not evenly spaced: %v", plain)
		}
	}
	after := plain[len(plain)/2].Event
	other, otherDigest := run(after, 99)
	_, again := run(after, 99)
	if otherDigest == digest || again != otherDigest {
		t.Errorf("digests %x, with another future %x, and again %x", digest, otherDigest, again)
	}
	for i := range min(len(plain), len(other)) {
		if same := plain[i] == other[i]; plain[i].Event <= after && !same {
			t.Errorf("before event %d the digest is %x, want %x", plain[i].Event, other[i].Digest, plain[i].Digest)
		}
	}
}
