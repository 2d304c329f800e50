// Package sim is part of a fixture.
package sim

import _ "github.com/lockstep-sim/lockstep/protocols"
import _ "github.com/spf13/cobra"
