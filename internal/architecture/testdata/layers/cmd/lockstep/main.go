// Package lockstep is part of a fixture.
package lockstep

import _ "github.com/lockstep-sim/lockstep/cmd/lockstep/cli"
import _ "github.com/lockstep-sim/lockstep/protocols/all"
