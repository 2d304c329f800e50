package protocols_test

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

type toyBugs struct{ forget, repeat bool }

var toySwitches = protocols.Switches[toyBugs]{
	{Bug: protocols.Bug{ID: "T-1"}, Field: func(b *toyBugs) *bool { return &b.forget }},
	{Bug: protocols.Bug{ID: "T-2"}, Field: func(b *toyBugs) *bool { return &b.repeat }},
}

func TestSwitchesTurnOnWhatTheyName(t *testing.T) {
	if on, err := toySwitches.Parse(nil); err != nil || on != (toyBugs{}) {
		t.Errorf("without a name: got %+v, %v, want all off", on, err)
	}
	if on, err := toySwitches.Parse([]string{"T-2"}); err != nil || on != (toyBugs{repeat: true}) {
		t.Errorf("T-2: got %+v, %v, want repeat alone", on, err)
	}
	on, err := toySwitches.Parse([]string{"T-1", "T-3"})
	const want = `bugs: got "T-3", want one of T-1, T-2`
	if err == nil || err.Error() != want || on != (toyBugs{}) {
		t.Errorf("T-3: got %+v, %v, want all off and %s", on, err, want)
	}
	if list := toySwitches.Bugs(); len(list) != 2 || list[1].ID != "T-2" {
		t.Errorf("Bugs: got %+v, want T-1 and T-2", list)
	}
}
