// Package reports is part of a fixture.
package reports

import _ "gonum.org/v1/plot"
import _ "github.com/lockstep-sim/lockstep/scenarios"
import _ "github.com/lockstep-sim/lockstep/cmd/lockstep/cli"
import _ "pgregory.net/rapid"
