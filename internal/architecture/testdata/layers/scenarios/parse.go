// Package scenarios is part of a fixture.
package scenarios

import _ "github.com/lockstep-sim/lockstep/sim"
import _ "github.com/lockstep-sim/lockstep/checker"
import _ "go.yaml.in/yaml/v4"
import _ "github.com/lockstep-sim/lockstep/protocols/all"
import _ "gonum.org/v1/plot/plotter"
