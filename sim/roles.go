package sim

import (
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// role returns the node whose draws id gets.
func (c *Config) role(id protocols.NodeID) protocols.NodeID {
	if id < 1 || int(id) > len(c.roles) {
		return id
	}
	return c.roles[id-1]
}

// played returns the node that gets the draws of role.
func (c *Config) played(role protocols.NodeID) protocols.NodeID {
	if i := slices.Index(c.roles, role); i >= 0 {
		return protocols.NodeID(i + 1)
	}
	return role
}
