// Package stage is part of a fixture.
package stage

import _ "github.com/lockstep-sim/lockstep/sim"
