package primarybackup_test

import (
	"testing"

	"github.com/lockstep-sim/lockstep/primarybackup"
	"github.com/lockstep-sim/lockstep/protocols/protocoltest"
)

// variants are parameters that differ in what the code does.
func variants() map[string]func(*primarybackup.Parameters) {
	return map[string]func(*primarybackup.Parameters){
		"sync":               func(*primarybackup.Parameters) {},
		"sync logical lease": func(p *primarybackup.Parameters) { p.Log, p.Reads = primarybackup.Logical, primarybackup.ReadsLease },
		"sync transfer":      func(p *primarybackup.Parameters) { p.CatchUp, p.MaxBatch, p.Window = 0, 2, 3 },
		"sync serial":        func(p *primarybackup.Parameters) { p.LeaderWrite, p.Window = primarybackup.LeaderWriteSerial, 4 },
		"semisync":           func(p *primarybackup.Parameters) { p.Mode, p.CatchUp = primarybackup.ModeSemisync, 3 },
		"semisync degrade": func(p *primarybackup.Parameters) {
			p.Mode, p.OnTimeout, p.Visible = primarybackup.ModeSemisync, primarybackup.Degrade, primarybackup.AfterCommit
		},
		"semisync early": func(p *primarybackup.Parameters) {
			p.Mode, p.Visible = primarybackup.ModeSemisync, primarybackup.AfterCommit
		},
		"semisync refuse": func(p *primarybackup.Parameters) {
			p.Mode, p.OnTimeout, p.Log = primarybackup.ModeSemisync, primarybackup.Refuse, primarybackup.Logical
		},
		"async":         func(p *primarybackup.Parameters) { p.Mode, p.CatchUp = primarybackup.ModeAsync, 10 },
		"async logical": func(p *primarybackup.Parameters) { p.Mode, p.Log = primarybackup.ModeAsync, primarybackup.Logical },
	}
}

func TestConformance(t *testing.T) {
	for name, change := range variants() {
		t.Run(name, func(t *testing.T) {
			protocoltest.Run(t, primarybackup.Protocol(), protocoltest.Seeds(8), protocoltest.Parameters(func() any {
				p := primarybackup.DefaultParameters()
				change(p)
				return p
			}))
		})
	}
}
