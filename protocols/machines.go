package protocols

import (
	"fmt"
	"strings"
)

// MachineNames lists the state machines by name, in the order of the docs.
func MachineNames() []string { return []string{"kv", "register", "counter", "log", "stamp"} }

// NewMachine returns a fresh state machine: kv, register, counter, log or stamp.
func NewMachine(name string) (StateMachine, error) {
	switch name {
	case "kv":
		return newKV(false), nil
	case "register":
		return newKV(true), nil
	case "counter":
		return new(counter), nil
	case "log":
		return new(list), nil
	case "stamp":
		return new(stamp), nil
	}
	return nil, fmt.Errorf("unknown state machine %q; want one of %s", name, strings.Join(MachineNames(), ", "))
}
