package protocols

import (
	"fmt"
	"strings"
)

var machines = [...]struct {
	name string
	make func() StateMachine
}{
	{"kv", newKV},
	{"register", newRegister},
	{"counter", newCounter},
	{"log", newLogMachine},
	{"stamp", newStamp},
}

// NewMachine returns a fresh state machine by its name in scenarios.
func NewMachine(name string) (StateMachine, error) {
	for _, m := range machines {
		if m.name == name {
			return m.make(), nil
		}
	}
	return nil, fmt.Errorf("unknown state machine %q, want one of %s", name, strings.Join(MachineNames(), ", "))
}

// MachineNames lists the state machines, always in the same order.
func MachineNames() []string {
	names := make([]string, len(machines))
	for i, m := range machines {
		names[i] = m.name
	}
	return names
}
