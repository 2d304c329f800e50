// Package raft is part of a fixture.
package raft

import _ "github.com/lockstep-sim/lockstep/sim"
import _ "pgregory.net/rapid"
