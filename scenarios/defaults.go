package scenarios

import (
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// The defaults describe one data centre: links of half a millisecond to one, a
// disk that syncs in a millisecond, five clients that pause a little.

const defaultFor = 10 * time.Second

func defaultLink() sim.Link {
	return sim.Link{Latency: sim.Between(500*time.Microsecond, time.Millisecond)}
}

func defaultNetwork() sim.Network {
	return sim.Network{Between: defaultLink(), Client: defaultLink()}
}

func defaultDisk() sim.Disk {
	return sim.Disk{Write: sim.Exactly(10 * time.Microsecond), Fsync: sim.Between(800*time.Microsecond, 1200*time.Microsecond)}
}

func defaultWorkload() sim.Workload {
	return sim.Workload{
		Clients: 5,
		Keys:    5,
		Mix:     DefaultMix("kv"),
		Think:   sim.Between(5*time.Millisecond, 15*time.Millisecond),
		Timeout: 500 * time.Millisecond,
		GiveUp:  2 * time.Second,
	}
}

// DefaultMix is what clients do where the scenario does not say it.
func DefaultMix(machine string) []sim.Share {
	share := func(name string, percent int64) sim.Share {
		s, ok := shareNamed(machine, name)
		if !ok {
			panic("scenarios: the machine " + machine + " has no operation " + name)
		}
		s.Weight = percent * 10_000
		return s
	}
	switch machine {
	case "counter":
		return []sim.Share{share("get", 40), share("increment", 40), share("double", 20)}
	case "log":
		return []sim.Share{share("append", 60), share("read", 40)}
	case "stamp":
		return []sim.Share{share("get", 50), share("clock", 50)}
	}
	return []sim.Share{share("get", 50), share("put", 40), share("cas", 10)}
}

// maxTimeout is the largest election or view-change timeout of p.
func maxTimeout(p *protocols.Protocol, parameters any) protocols.Duration {
	if p.MaxTimeout == nil {
		return time.Second
	}
	return p.MaxTimeout(parameters)
}
