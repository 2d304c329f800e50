// Package zab is part of a fixture.
package zab

import _ "github.com/lockstep-sim/lockstep/protocols"
import _ "github.com/lockstep-sim/lockstep/raft"
import _ "github.com/google/go-cmp/cmp"
