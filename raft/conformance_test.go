package raft_test

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols/protocoltest"
	"github.com/lockstep-sim/lockstep/raft"
)

func TestConformance(t *testing.T) {
	protocoltest.Run(t, raft.Protocol())
}

// Small windows and chunks, and snapshots after every few entries, reach the corners.
func TestConformanceOfSnapshots(t *testing.T) {
	protocoltest.Run(t, raft.Protocol(), protocoltest.Parameters(func() any {
		p := raft.DefaultParameters()
		p.Window, p.SnapshotEvery, p.LogKept, p.ChunkSize, p.Membership = 3, 8, 3, 1, raft.MembershipSingle
		return p
	}))
}

func TestConformanceOfLeaseReads(t *testing.T) {
	protocoltest.Run(t, raft.Protocol(), protocoltest.Seeds(6), protocoltest.Parameters(func() any {
		p := raft.DefaultParameters()
		p.Reads, p.MaxBatch, p.Window = raft.ReadsLease, 2, 2
		return p
	}))
}
