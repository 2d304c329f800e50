package vr

import "github.com/lockstep-sim/lockstep/protocols"

// laws is the analytical model of the normal case (VRR §4.1, §6.3), in each variant.
func laws() []protocols.Law {
	prepared, confirmed := []string{"Prepare", "PrepareOK"}, []string{"Commit", "CommitOK"}
	return []protocols.Law{
		{Name: "write", Source: "§4.1", Cost: protocols.RoundCost(1, prepared...), Parameters: quiet(func(*Parameters) {})},
		{Name: "write, the primary's disk first", Setting: "leader_write: serial", Source: "§4.1", Cost: protocols.RoundCost(2, prepared...), Parameters: quiet(func(p *Parameters) { p.LeaderWrite = LeaderWriteSerial })},
		{Name: "write", Setting: "variant: diskless", Source: "§4.1", Cost: protocols.RoundCost(0, prepared...), Parameters: quiet(func(p *Parameters) { p.Variant = Diskless })},
		{Name: "write", Setting: "variant: crash-vectors", Source: "§4.1, DISC 2017", Cost: protocols.RoundCost(0, prepared...), Parameters: quiet(func(p *Parameters) { p.Variant = CrashVectors })},
		{Name: "read by a round", Source: "§6.3", Read: true, Cost: protocols.RoundCost(0, confirmed...), Parameters: quiet(func(*Parameters) {})},
		{Name: "read under a lease", Setting: "reads: lease", Source: "§6.3", Read: true, Cost: protocols.LocalCost(0), Parameters: quiet(func(p *Parameters) { p.Reads = ReadsLease })},
		{Name: "read through the log", Setting: "reads: log", Source: "§4.1", Read: true, Cost: protocols.RoundCost(1, prepared...), Parameters: quiet(func(p *Parameters) { p.Reads = ReadsLog })},
	}
}

// quiet returns parameters under which minutes pass without a timer.
func quiet(change func(*Parameters)) func(int) any {
	return func(int) any {
		p := DefaultParameters()
		p.ViewTimeout, p.CommitInterval = protocols.Range{Min: 1000e9, Max: 1000e9}, 100e9
		change(p)
		return p
	}
}
