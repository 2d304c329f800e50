// Package checker is part of a fixture.
package checker

import _ "github.com/lockstep-sim/lockstep/protocols"
import _ "github.com/anishathalye/porcupine"
import _ "github.com/lockstep-sim/lockstep/sim"
