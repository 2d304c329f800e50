package page

import "fmt"

// Ladder shows which replica's log holds what at which position.
type Ladder struct {
	Caption  string
	Replicas []string
	Rows     []Rung
}

// Rung is one position.
type Rung struct {
	Position uint64
	Cells    []Cell // by replica
}

// Cell is what one replica holds at one position; the zero value: nothing.
type Cell struct {
	Held               bool
	Epoch              uint64 // in which the entry was made
	Committed, Durable bool
	Entry              string
}

// Text is the epoch, with signs for committed and for durable that do without colour.
func (c Cell) Text() string {
	if !c.Held {
		return ""
	}
	text := fmt.Sprint(c.Epoch)
	if c.Committed {
		text += " ✓"
	}
	if !c.Durable {
		text += " ◌"
	}
	return text
}

// Class is the style of the cell.
func (c Cell) Class() string {
	class := fmt.Sprintf("e%d", c.Epoch%7)
	if c.Committed {
		class += " c"
	}
	if !c.Durable {
		class += " v"
	}
	return class
}

// Title says all of it in words.
func (c Cell) Title() string {
	text := fmt.Sprintf("%s, made in %d", c.Entry, c.Epoch)
	if c.Committed {
		text += ", committed"
	}
	if c.Durable {
		return text + ", durable"
	}
	return text + ", not durable"
}
