package scenarios

import (
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/protocols"
)

// TestNoLogToFollow: a protocol that names its operations has no log that can be
// followed: clients call nothing else, and nobody subscribes. Without the names the same
// protocol is accused.
func TestNoLogToFollow(t *testing.T) {
	const text = "name: x\nreplicas: 1\nfor: 2s\nmachine: register\nworkload: {clients: 2, subscribers: 1}\n"
	for _, c := range []struct {
		operations []protocols.Op
		verdict    checker.Verdict
	}{
		{nil, checker.Violation},
		{[]protocols.Op{protocols.Get, protocols.Put}, checker.OK},
	} {
		p := bell()
		p.Operations = c.operations
		sc, _, err := Parse("x.yaml", []byte(text), []*protocols.Protocol{p})
		if err != nil {
			t.Fatal(err)
		}
		r := Run(sc, p, 1, Options{History: true})
		if r.Verdict != c.verdict {
			t.Errorf("operations %v: got %s, want %s", c.operations, r, c.verdict)
		}
		for _, op := range r.History {
			if c.operations != nil && op.Op != protocols.Get && op.Op != protocols.Put {
				t.Fatalf("a client called %v", op.Op)
			}
		}
	}
}

// TestOtherMachine: a state machine that a protocol does not replicate is refused by name.
func TestOtherMachine(t *testing.T) {
	p := bell()
	p.Machines = []string{"register"}
	if r := Run(New("x"), p, 1, Options{}); r.Err == nil || !strings.Contains(r.Err.Error(), "bell replicates register, not the machine kv") {
		t.Errorf("got %v", r.Err)
	}
}
