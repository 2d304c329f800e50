package raft_test

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols/protocoltest"
	"github.com/lockstep-sim/lockstep/raft"
)

func TestConformance(t *testing.T) {
	protocoltest.Run(t, raft.Protocol())
}

func TestConformanceOfLeaseReads(t *testing.T) {
	protocoltest.Run(t, raft.Protocol(), protocoltest.Seeds(6), protocoltest.Parameters(func() any {
		p := raft.DefaultParameters()
		p.Reads, p.MaxBatch, p.Window = raft.ReadsLease, 2, 2
		return p
	}))
}
