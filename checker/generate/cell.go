package generate

import "github.com/lockstep-sim/lockstep/protocols"

// cell is one key's value, a counter (a sequence of one), or the log.
type cell struct{ list []protocols.Value }

func (c *cell) value() protocols.Value {
	if len(c.list) == 0 {
		return 0
	}
	return c.list[len(c.list)-1]
}

func (c *cell) set(v protocols.Value) { c.list = append(c.list[:0:0], v) }

// execute lets op take effect and gives it its answer, unless its outcome is
// unknown.
func (g *generator) execute(op *protocols.Operation) {
	c := &g.cells[op.Key]
	answer := protocols.Operation{Value: c.value()}
	if g.cfg.Machine != "log" && len(c.list) > 1 {
		answer.List = c.list[:len(c.list):len(c.list)]
	}
	switch op.Op {
	case protocols.Put:
		c.overwrite(protocols.Value(op.Arg))
	case protocols.Delete:
		c.list = nil
	case protocols.CAS:
		if len(c.list) < 2 && answer.Value == protocols.Value(op.Old) {
			answer.Swapped = true
			c.set(protocols.Value(op.Arg))
		}
	case protocols.AppendTo:
		c.list = append(c.list, protocols.Value(op.Arg))
		if g.cfg.Machine == "log" {
			answer.Value = protocols.Value(len(c.list))
		}
	case protocols.Increment:
		c.set(c.value() + 1)
		answer.Value = c.value()
	case protocols.Double:
		c.set(c.value() * 2)
		answer.Value = c.value()
	case protocols.ReadRange:
		answer.Value = protocols.Value(len(c.list))
		from, to := op.Arg-1, min(op.Arg-1+op.Old, int64(len(c.list)))
		if from < to {
			answer.List = c.list[from:to:to]
		}
	}
	if op.Kind == protocols.Write {
		g.at++
		if g.cfg.WithLog {
			g.log = append(g.log, protocols.LogCommand{Position: protocols.Index(g.at), Command: op.Command})
		}
	}
	if op.Outcome == protocols.Done {
		op.Value, op.Swapped, op.List = answer.Value, answer.Swapped, answer.List
		op.Position = protocols.Index(g.at)
	}
}

// overwrite replaces the cell's content without new memory where nobody can have
// kept the old one: sequences of one are never handed out.
func (c *cell) overwrite(v protocols.Value) {
	if len(c.list) == 1 {
		c.list[0] = v
		return
	}
	c.set(v)
}
