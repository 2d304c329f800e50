// Package protocols is part of a fixture.
package protocols

import _ "errors"
import _ "github.com/lockstep-sim/lockstep/sim"
