// Package scenariotest is part of a fixture.
package scenariotest

import _ "github.com/lockstep-sim/lockstep/scenarios"
import _ "pgregory.net/rapid"
