// Package all is the ordered list of the protocols that lockstep ships. Commands
// and tests import it; no other package does. A protocol is one folder and one
// line here.
package all

import (
	"github.com/lockstep-sim/lockstep/paxos"
	"github.com/lockstep-sim/lockstep/primarybackup"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/raft"
	"github.com/lockstep-sim/lockstep/vr"
)

// List returns the shipped protocols in the order in which lists and reports show
// them.
func List() []*protocols.Protocol {
	return []*protocols.Protocol{
		raft.Protocol(),
		paxos.Protocol(),
		vr.Protocol(),
		primarybackup.Protocol(),
	}
}
