// Package variable brings a protocol as a variable.
package variable

import "github.com/lockstep-sim/lockstep/protocols"

// Variable is it.
var Variable = &protocols.Protocol{Name: "variable"}
