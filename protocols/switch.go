package protocols

import (
	"fmt"
	"strings"
)

// Switch is a known bug with the field that turns it on in B, a protocol's struct of
// bools, all false in the correct protocol.
type Switch[B any] struct {
	Bug
	Field func(*B) *bool
}

// Switches are the known bugs of one protocol, in the order in which they are listed.
type Switches[B any] []Switch[B]

// Parse turns on the bugs of the given ids, and fails on an id that is not one of these.
func (s Switches[B]) Parse(ids []string) (B, error) {
	var on B
	for _, id := range ids {
		field := s.field(id)
		if field == nil {
			return *new(B), fmt.Errorf("bugs: got %q, want one of %s", id, s.ids())
		}
		*field(&on) = true
	}
	return on, nil
}

func (s Switches[B]) field(id string) func(*B) *bool {
	for _, known := range s {
		if known.ID == id {
			return known.Field
		}
	}
	return nil
}

func (s Switches[B]) ids() string {
	var ids []string
	for _, known := range s {
		ids = append(ids, known.ID)
	}
	return strings.Join(ids, ", ")
}

// Bugs are the bugs without their fields, as Protocol.Bugs has them.
func (s Switches[B]) Bugs() []Bug {
	var list []Bug
	for _, known := range s {
		list = append(list, known.Bug)
	}
	return list
}
