package paxos_test

import (
	"testing"

	"github.com/lockstep-sim/lockstep/paxos"
	"github.com/lockstep-sim/lockstep/protocols/protocoltest"
)

func TestConformance(t *testing.T) {
	protocoltest.Run(t, paxos.Protocol())
}

// Small windows and snapshots after every few slots reach the corners.
func TestConformanceOfSmallWindowsAndSnapshots(t *testing.T) {
	protocoltest.Run(t, paxos.Protocol(), protocoltest.Parameters(func() any {
		p := paxos.DefaultParameters()
		p.Window, p.SnapshotEvery, p.Reads, p.Decide = 3, 8, paxos.ReadsLease, paxos.DecideExplicit
		return p
	}))
}
