// Package all is part of a fixture.
package all

import _ "github.com/lockstep-sim/lockstep/protocols"
import _ "github.com/lockstep-sim/lockstep/raft"
import _ "github.com/lockstep-sim/lockstep/zab"
