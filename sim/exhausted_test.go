package sim

import (
	"strings"
	"testing"
)

// TestLate: who spends the event budget is named, be it a timer without length, a message
// that a node sends itself for ever, or nobody in particular.
func TestLate(t *testing.T) {
	for _, c := range []struct {
		p    toyParameters
		want []string
	}{
		{toyParameters{Spin: true}, []string{"the last 1000 events, all at one moment: n1 election timer fires 1000 times"}},
		{toyParameters{Echo: true}, []string{"the last 1000 events, all at one moment: n1 gets Ack from n1 1000 times"}},
		{toyParameters{}, []string{"the last 1000 events, within ", " times, ", " kinds more"}},
	} {
		cfg := steady(1)
		cfg.Parameters, cfg.MaxEvents = &c.p, 3000
		w, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		for _, budget := range []uint64{0, 5000} { // what is granted counts anew
			w.Grant(budget)
			if stop := w.Run(1000 * second); stop != Exhausted {
				t.Fatalf("%+v: %s after %d events", c.p, stop, w.Events())
			}
			got := w.Late()
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("%+v, %d more: got %q, want %q in it", c.p, budget, got, want)
				}
			}
		}
	}
}
