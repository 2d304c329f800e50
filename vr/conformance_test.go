package vr_test

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/protocoltest"
	"github.com/lockstep-sim/lockstep/vr"
)

// variants are parameters that differ in what the code does.
func variants() map[string]func(*vr.Parameters) {
	return map[string]func(*vr.Parameters){
		"durable":       func(*vr.Parameters) {},
		"durable small": func(p *vr.Parameters) { p.Reads, p.MaxBatch, p.CheckpointInterval = vr.ReadsLease, 2, 7 },
		"crash-vectors": func(p *vr.Parameters) { p.Variant, p.CheckpointInterval = vr.CrashVectors, 7 },
		"diskless":      func(p *vr.Parameters) { p.Variant, p.Reads, p.CheckpointInterval = vr.Diskless, vr.ReadsLog, 7 },
	}
}

func TestConformance(t *testing.T) {
	for name, change := range variants() {
		t.Run(name, func(t *testing.T) {
			protocoltest.Run(t, vr.Protocol(), protocoltest.Seeds(9), protocoltest.Parameters(func() any {
				p := vr.DefaultParameters()
				change(p)
				return p
			}))
		})
	}
}

// The plain diskless protocol is declared to survive no crash, since its recovery is
// flawed. It keeps to the contract all the same when replicas crash.
func TestConformanceOfDisklessUnderCrashes(t *testing.T) {
	protocol := vr.Protocol()
	survives := protocol.Survives
	protocol.Survives = func(fault protocols.FaultKind, parameters any, n int) int {
		if fault == protocols.FaultCrash {
			return (n - 1) / 2
		}
		return survives(fault, parameters, n)
	}
	protocoltest.Run(t, protocol, protocoltest.Seeds(9), protocoltest.Replicas(3, 5), protocoltest.Parameters(func() any {
		p := vr.DefaultParameters()
		p.Variant = vr.Diskless
		return p
	}))
}
