package primarybackup

import "github.com/lockstep-sim/lockstep/protocols"

// laws is the analytical model: what a write waits for in each mode, and how the
// primary makes sure of a read. What is shipped, results or commands, costs the same.
func laws() []protocols.Law {
	var list []protocols.Law
	for _, log := range []string{Physical, Logical} {
		list = append(list, writes(log)...)
	}
	return append(list,
		protocols.Law{Name: "read by a round", Setting: "reads: round", Source: "MIT 6.824, lab 2", Read: true, Cost: protocols.RoundCost(0, "Confirm", "ConfirmResponse"), Parameters: quiet(0, func(*Parameters) {})},
		protocols.Law{Name: "read under a lease", Setting: "reads: lease", Source: "Gray and Cheriton 1989", Read: true, Cost: protocols.LocalCost(0), Parameters: quiet(0, func(p *Parameters) { p.Reads = ReadsLease })},
	)
}

func writes(log string) []protocols.Law {
	shipped := []string{"Replicate", "ReplicateResponse"}
	as := func(mode string, k int, write string) func(int) any {
		return quiet(k, func(p *Parameters) { p.Log, p.Mode, p.K, p.LeaderWrite = log, mode, max(k, 1), write })
	}
	setting := "log: " + log + ", mode: "
	return []protocols.Law{
		{Name: "write, all backups", Setting: setting + "sync", Source: "Alsberg and Day 1976", Cost: protocols.RoundCost(1, shipped...), Parameters: as(ModeSync, 0, LeaderWriteParallel)},
		{Name: "write, all backups, the primary's disk first", Setting: setting + "sync, leader_write: serial", Source: "Alsberg and Day 1976", Cost: protocols.RoundCost(2, shipped...), Parameters: as(ModeSync, 0, LeaderWriteSerial)},
		{Name: "write, one backup", Setting: setting + "semisync, k: 1", Source: "MySQL, semisynchronous", Cost: protocols.RoundCost(1, shipped...), Parameters: as(ModeSemisync, 1, LeaderWriteParallel)},
		{Name: "write, two backups", Setting: setting + "semisync, k: 2", Source: "MySQL, semisynchronous", Cost: protocols.RoundCost(1, shipped...), Parameters: as(ModeSemisync, 2, LeaderWriteParallel)},
		{Name: "write, one backup, the primary's disk first", Setting: setting + "semisync, k: 1, leader_write: serial", Source: "MySQL, semisynchronous", Cost: protocols.RoundCost(2, shipped...), Parameters: as(ModeSemisync, 1, LeaderWriteSerial)},
		{Name: "write, no backup", Setting: setting + "async", Source: "MySQL, asynchronous", Cost: protocols.LocalCost(1, "Replicate"), Parameters: as(ModeAsync, 0, LeaderWriteParallel)},
	}
}

// quiet returns parameters under which minutes pass without a timer, for groups with
// at least k backups, and for one without any.
func quiet(k int, change func(*Parameters)) func(int) any {
	return func(n int) any {
		if k > max(1, n-1) {
			return nil
		}
		p := DefaultParameters()
		p.Ping, p.DeadAfter = 100e9, 1000e9
		change(p)
		return p
	}
}
