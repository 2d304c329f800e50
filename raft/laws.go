package raft

import "github.com/lockstep-sim/lockstep/protocols"

// laws is the analytical model of the normal case (§3.5, §6.4, §10.2.1).
func laws() []protocols.Law {
	appended, confirmed := []string{"AppendEntries", "AppendEntriesResponse"}, []string{"Heartbeat", "HeartbeatResponse"}
	return []protocols.Law{
		{Name: "write", Source: "§3.5, §10.2.1", Cost: protocols.RoundCost(1, appended...), Parameters: quiet(func(*Parameters) {})},
		{Name: "write, the leader's disk first", Setting: "leader_write: serial", Source: "§3.5", Cost: protocols.RoundCost(2, appended...), Parameters: quiet(func(p *Parameters) { p.LeaderWrite = LeaderWriteSerial })},
		{Name: "read by ReadIndex", Source: "§6.4", Read: true, Cost: protocols.RoundCost(0, confirmed...), Parameters: quiet(func(*Parameters) {})},
		{Name: "read under a lease", Setting: "reads: lease", Source: "§6.4.1", Read: true, Cost: protocols.LocalCost(0), Parameters: quiet(func(p *Parameters) { p.Reads = ReadsLease })},
		{Name: "read through the log", Setting: "reads: log", Source: "§6.4", Read: true, Cost: protocols.RoundCost(1, appended...), Parameters: quiet(func(p *Parameters) { p.Reads = ReadsLog })},
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
