// Package neither looks a protocol up, and keeps one to itself.
package neither

import "github.com/lockstep-sim/lockstep/protocols"

var own = protocols.Protocol{Name: "own"}

// Find returns the protocol of that name, or nil.
func Find(name string) *protocols.Protocol {
	if own.Name == name {
		return &own
	}
	return nil
}
