package protocoltest

import (
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim/laws"
)

// Laws holds p to what Protocol.Laws states, with zero tolerance: for 1, 3, 5 and 7
// replicas, with disks that take no time and with disks that do, the time of every
// operation, the number of messages by kind and the load of the busiest node. Other
// sizes are set by [Replicas]; the other options play no part.
func Laws(t TB, p *protocols.Protocol, options ...Option) {
	t.Helper()
	if p.Laws == nil {
		t.Fatalf("%s states no laws", p.Name)
		return
	}
	s := &settings{sizes: []int{1, 3, 5, 7}}
	for _, o := range options {
		o(s)
	}
	for _, law := range p.Laws() {
		held := 0
		for _, n := range s.sizes {
			for _, fsync := range []protocols.Duration{0, laws.Fsync} {
				if law.Parameters(n) == nil {
					continue
				}
				held++
				if wrong := laws.Check(p, law, n, fsync); wrong != "" {
					t.Errorf("%s: law %q (%s), %d replicas, fsync %v: %s", p.Name, law.Name, law.Setting, n, fsync, wrong)
				}
			}
		}
		if held == 0 {
			t.Errorf("%s: law %q holds for none of %v replicas", p.Name, law.Name, s.sizes)
		}
	}
}
