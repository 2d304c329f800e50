package scenarios_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/primarybackup"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// TestProfile compares what is measured with what the papers say: a majority or all
// members of the view hold a write before it is acknowledged, and a majority or one
// of them is enough to go on.
func TestProfile(t *testing.T) {
	protocol := []*protocols.Protocol{raft.Protocol(), primarybackup.Protocol()}
	for _, c := range []struct {
		protocol   int
		replicas   int
		parameters string
		synced     int
		down       int
		reads      string
		guarantee  string // part of the text
		bounded    string // kinds outside the model
	}{
		{0, 1, "{}", 1, 0, "readindex", "linearizable", "lying-fsync"},
		{0, 3, "{}", 2, 1, "readindex", "linearizable", "lying-fsync"},
		{0, 4, "{}", 3, 1, "readindex", "linearizable", "lying-fsync"},
		{0, 5, "{reads: lease}", 3, 2, "lease", "linearizable", "skew lying-fsync"},
		{0, 11, "{}", 6, 5, "readindex", "linearizable", "lying-fsync"},
		{0, 5, "{reads: local}", 3, 2, "local", "stale", "lying-fsync"},
		{0, 5, "{bugs: [R-46]}", 0, 2, "readindex", "linearizable", "lying-fsync"}, // a liar is measured, not believed
		{1, 1, "{}", 1, 0, "round", "every member", "wipe lying-fsync"},
		{1, 3, "{}", 3, 2, "round", "every member", "wipe lying-fsync"},
		{1, 5, "{reads: lease}", 5, 4, "lease", "every member", "skew wipe lying-fsync"},
		{1, 5, "{mode: semisync}", 2, 3, "round", "1 backups", "wipe lying-fsync"},
		{1, 5, "{mode: semisync, k: 3}", 4, 1, "round", "3 backups", "wipe lying-fsync"},
		{1, 5, "{mode: async}", 1, 4, "round", "may lose", "wipe lying-fsync"},
	} {
		p := protocol[c.protocol]
		sc, _, err := scenarios.Parse("x.yaml", []byte(fmt.Sprintf("name: x\nreplicas: %d\nparameters: {%s: %s}\n", c.replicas, p.Name, c.parameters)), protocol)
		if err != nil {
			t.Fatal(err)
		}
		f, err := scenarios.ProfileOf(sc, p)
		if err != nil {
			t.Fatal(err)
		}
		var bounded []string
		for _, b := range f.Bounded {
			bounded = append(bounded, b.Kind)
		}
		if f.Synced != c.synced || f.Down != c.down || f.Reads != c.reads || strings.Join(bounded, " ") != c.bounded ||
			!strings.Contains(f.Guarantee.Text, c.guarantee) || f.Services != c.protocol || f.ServicesDown != 0 {
			t.Errorf("%s, %d replicas, %s: got %+v", p.Name, c.replicas, c.parameters, f)
		}
	}
}

// Two full guarantees are the same however they are worded; weaker ones are only if
// they say the same.
func TestGuaranteesThatAreTheSame(t *testing.T) {
	type g = scenarios.ClientGuarantee
	for _, c := range []struct {
		a, b g
		same bool
	}{
		{g{true, false, "a"}, g{true, false, "b"}, true},
		{g{true, false, "a"}, g{false, true, "a"}, false},
		{g{false, true, "a"}, g{false, true, "b"}, false},
		{g{false, true, "a"}, g{false, true, "a"}, true},
		{g{true, true, "a"}, g{true, false, "a"}, false},
	} {
		if c.a.Same(c.b) != c.same || c.b.Same(c.a) != c.same {
			t.Errorf("%v and %v: want the same: %t", c.a, c.b, c.same)
		}
	}
}

// TestProfileOfAProtocolThatNeverAnswers: nothing is measured, and nothing hangs.
func TestProfileOfAProtocolThatNeverAnswers(t *testing.T) {
	p := raft.Protocol()
	boot := p.New
	p.New = func(c protocols.Config, disk protocols.Recovered) (protocols.Node, error) {
		n, err := boot(c, disk)
		return &mute{n}, err
	}
	p.Invariants = nil
	f, err := scenarios.ProfileOf(scenarios.New("x"), p)
	if err != nil || f.Synced != -1 {
		t.Errorf("got %+v, %v, want nothing measured", f, err)
	}
}

// mute never answers clients.
type mute struct{ protocols.Node }

func (m *mute) Step(ev *protocols.Event, out *protocols.Effects) {
	if ev.Kind != protocols.Request {
		m.Node.Step(ev, out)
	}
}
