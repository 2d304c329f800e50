package protocols_test

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

type tellThem struct{ Number int64 }

func (*tellThem) Kind() protocols.Kind { return 3 }

type valued struct{}

func (valued) Kind() protocols.Kind { return 4 }

func TestKinds(t *testing.T) {
	list := protocols.Kinds(new(tellThem), nil, valued{})
	if got := list[0]; got.Kind != 3 || got.Name != "tell-them" {
		t.Errorf("declared %d %q, want 3 tell-them", got.Kind, got.Name)
	}
	a, b := list[0].New().(*tellThem), list[0].New().(*tellThem)
	if a.Number = 1; b.Number != 0 {
		t.Error("New returns the same value twice")
	}
	if list[1].New != nil || list[2].New != nil {
		t.Error("what cannot be made was declared with New")
	}
}

func TestSendAll(t *testing.T) {
	out := protocols.NewEffects(protocols.NewMemory(protocols.Recycle))
	protocols.SendAll(out, protocols.Nodes(4, 2), tellThem{Number: 7})
	if len(out.List) != 2 || out.List[0].To != 2 || out.List[1].To != 4 {
		t.Fatalf("sent %+v, want one to n2 and one to n4", out.List)
	}
	for _, e := range out.List {
		if m, ok := e.Message.(*tellThem); !ok || m.Number != 7 || e.Kind != protocols.EffectSend {
			t.Errorf("sent %+v", e)
		}
	}
	if out.List[0].Message == out.List[1].Message {
		t.Error("two nodes get the same memory")
	}
}
