// Package function brings a protocol as a function.
package function

import "github.com/lockstep-sim/lockstep/protocols"

// Protocol returns it.
func Protocol() *protocols.Protocol { return &protocols.Protocol{Name: "function"} }
