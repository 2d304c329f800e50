// Package cli is part of a fixture.
package cli

import _ "github.com/spf13/cobra"
import _ "github.com/lockstep-sim/lockstep/reports"
import _ "github.com/lockstep-sim/lockstep/scenarios/search"
import _ "github.com/lockstep-sim/lockstep/raft"
