package paxos

import "github.com/lockstep-sim/lockstep/protocols"

// laws is the analytical model of the normal case: phase 2 alone, under a stable
// leader (PMS §3; PML §5.2; leases and quorum reads as in doc.go).
func laws() []protocols.Law {
	accepted, confirmed := []string{"Accept", "Accepted"}, []string{"Heartbeat", "HeartbeatResponse"}
	return []protocols.Law{
		{Name: "write", Source: "PMS §3", Cost: protocols.RoundCost(1, accepted...), Parameters: quiet(func(*Parameters) {})},
		{Name: "write, the leader's disk first", Setting: "leader_write: serial", Source: "PMS §2.5", Cost: protocols.RoundCost(2, accepted...), Parameters: quiet(func(p *Parameters) { p.LeaderWrite = LeaderWriteSerial })},
		{Name: "write, explicit decisions", Setting: "decide: explicit", Source: "PMMC §2.3", Cost: protocols.RoundCost(1, "Accept", "Accepted", "Decide"), Parameters: quiet(func(p *Parameters) { p.Decide = DecideExplicit })},
		{Name: "read by a quorum", Source: "PML §5.2", Read: true, Cost: protocols.RoundCost(0, confirmed...), Parameters: quiet(func(*Parameters) {})},
		{Name: "read under a master lease", Setting: "reads: lease", Source: "PML §5.2", Read: true, Cost: protocols.LocalCost(0), Parameters: quiet(func(p *Parameters) { p.Reads = ReadsLease })},
		{Name: "read through the log", Setting: "reads: log", Source: "PMS §3", Read: true, Cost: protocols.RoundCost(1, accepted...), Parameters: quiet(func(p *Parameters) { p.Reads = ReadsLog })},
	}
}

// quiet returns parameters under which minutes pass without a timer.
func quiet(change func(*Parameters)) func(int) any {
	return func(int) any {
		p := DefaultParameters()
		p.ElectionTimeout, p.Heartbeat = protocols.Range{Min: 1000e9, Max: 2000e9}, 100e9
		change(p)
		return p
	}
}
