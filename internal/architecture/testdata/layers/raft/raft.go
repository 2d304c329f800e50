// Package raft is part of a fixture.
package raft

import _ "github.com/lockstep-sim/lockstep/protocols"
import _ "github.com/lockstep-sim/lockstep/sim"
