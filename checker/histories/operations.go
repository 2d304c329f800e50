package histories

import (
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// named is an operation as files call it.
type named struct {
	name   string
	op     protocols.Op
	kind   protocols.CommandKind
	models string // those that have it
}

const cells = " register cas-register kv "

// operations are all that are read. The first name for an operation of a model is
// the one that is written.
var operations = []named{
	{"read", protocols.Get, protocols.Read, cells + "counter "},
	{"get", protocols.Get, protocols.Read, cells + "counter "},
	{"r", protocols.Get, protocols.Read, cells},
	{"write", protocols.Put, protocols.Write, cells},
	{"put", protocols.Put, protocols.Write, cells},
	{"w", protocols.Put, protocols.Write, cells},
	{"cas", protocols.CAS, protocols.Write, " cas-register kv "},
	{"delete", protocols.Delete, protocols.Write, " kv "},
	{"enqueue", protocols.AppendTo, protocols.Write, " queue "},
	{"dequeue", protocols.Delete, protocols.Write, " queue "},
	{"drain", protocols.Delete, protocols.Write, " queue "},
	{"append", protocols.AppendTo, protocols.Write, " log "},
	{"read", protocols.ReadRange, protocols.Read, " log "},
	{"r", protocols.ReadRange, protocols.Read, " log "},
	{"add", protocols.Increment, protocols.Write, " counter "},
	{"increment", protocols.Increment, protocols.Write, " counter "},
}

// jsonOperations are read in JSON lines only.
var jsonOperations = []named{
	{"append", protocols.AppendTo, protocols.Write, " kv "},
	{"double", protocols.Double, protocols.Write, " counter "},
	{"noop", protocols.Noop, protocols.Write, cells + "queue log counter "},
}

// known returns the operations of a model that a format has.
func known(model string, json bool) []named {
	var all []named
	if json {
		all = slices.Clone(jsonOperations)
	}
	all = append(all, operations...)
	return slices.DeleteFunc(all, func(o named) bool {
		return !strings.Contains(o.models, " "+model+" ") || json && o.name == "drain"
	})
}

func (r *reader) operationNamed(name string) (protocols.Op, protocols.CommandKind, bool) {
	for i := range r.known {
		if o := &r.known[i]; o.name == name {
			return o.op, o.kind, true
		}
	}
	return 0, 0, false
}

// names lists the known operations for an error.
func (r *reader) operationNames() string {
	all := make([]string, len(r.known))
	for i := range r.known {
		all[i] = r.known[i].name
	}
	return strings.Join(all, ", ")
}

// written returns the name under which an operation of a model is written.
func written(model string, op protocols.Op) string {
	for _, o := range operations {
		if o.op == op && strings.Contains(o.models, " "+model+" ") {
			return o.name
		}
	}
	return ""
}
