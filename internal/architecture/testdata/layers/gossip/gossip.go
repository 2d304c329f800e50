// Package gossip is part of a fixture.
package gossip

import _ "github.com/lockstep-sim/lockstep/protocols"
