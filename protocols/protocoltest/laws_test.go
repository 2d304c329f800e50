package protocoltest

import (
	"strings"
	"testing"
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
)

// toyLaw is true of the toy: its primary writes before it sends, and an operation is
// one round.
func toyLaw() protocols.Law {
	return protocols.Law{
		Name: "write",
		Parameters: func(int) any {
			return &toyParameters{beat: time.Hour}
		},
		Cost: func(n int) protocols.Cost {
			if n == 1 {
				return protocols.Cost{Delays: 2, Writes: 1, Busiest: 2}
			}
			return protocols.Cost{
				Delays: 4, Writes: 2, Busiest: 2 * n,
				Sent: []protocols.KindCount{{Name: "append", Messages: n - 1}, {Name: "ack", Messages: n - 1}},
			}
		},
	}
}

func lawsOf(change func(*protocols.Law)) *protocols.Protocol {
	law := toyLaw()
	change(&law)
	p := toyProtocol(none)
	p.Laws = func() []protocols.Law { return []protocols.Law{law} }
	return p
}

func TestTheToyKeepsItsLaws(t *testing.T) {
	Laws(t, lawsOf(func(*protocols.Law) {}))
	Laws(t, lawsOf(func(l *protocols.Law) { l.Read = true }), Replicas(2, 3)) // reads go through its log
}

// Each figure of a law that is off by one is told from the truth.
func TestWrongLawsAreCaught(t *testing.T) {
	cost := func(change func(*protocols.Cost)) func(*protocols.Law) {
		return func(l *protocols.Law) {
			right := l.Cost
			l.Cost = func(n int) protocols.Cost {
				c := right(n)
				change(&c)
				return c
			}
		}
	}
	for want, change := range map[string]func(*protocols.Law){
		"operation 2 took 2ms, want 3ms":                                cost(func(c *protocols.Cost) { c.Delays++ }),
		"3 replicas, fsync 300µs: operation 2 took 4.6ms, want 4.3ms":   cost(func(c *protocols.Cost) { c.Writes-- }),
		"sent 80 messages of kind append, want 2 each":                  cost(func(c *protocols.Cost) { c.Sent = []protocols.KindCount{{Name: "append", Messages: 2}} }),
		"sent 40 messages of kind ack, want 0 each":                     cost(func(c *protocols.Cost) { c.Sent = c.Sent[:min(len(c.Sent), 1)] }),
		`speaks of messages of kind "apend"`:                            cost(func(c *protocols.Cost) { c.Sent = append(c.Sent, protocols.KindCount{Name: "apend"}) }),
		"the busiest node sent and received 40 messages in 20 operatio": cost(func(c *protocols.Cost) { c.Busiest = 3 }),
		"timers fire all the time":                                      func(l *protocols.Law) { l.Parameters = func(int) any { return &toyParameters{} } },
		"holds for none of [1 3 5 7] replicas":                          func(l *protocols.Law) { l.Parameters = func(int) any { return nil } },
	} {
		var c capture
		Laws(&c, lawsOf(change))
		if !strings.Contains(strings.Join(c.errors, "\n"), want) {
			t.Errorf("got %q, want %q", c.errors, want)
		}
	}
	var c capture
	if Laws(&c, toyProtocol(none)); len(c.errors) != 1 || !strings.Contains(c.errors[0], "toy states no laws") {
		t.Errorf("got %q", c.errors)
	}
}
