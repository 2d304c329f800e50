package histories

import (
	"math"

	"github.com/lockstep-sim/lockstep/protocols"
)

// jsonFields are the forms of one operation's fields; 0 means that there is none.
type jsonFields struct {
	client, kind, op, key, arg, old, outcome, value, swapped, list, position, call, ret, began, ended int32
}

// jsonFields finds what an operation says. A field that stands twice has no meaning.
func (r *reader) jsonFields(i int32) (jsonFields, error) {
	var j jsonFields
	f := &r.scan.out
	for k := f.nodes[i].first; k != 0; k = f.nodes[f.nodes[k].next].next {
		to := j.field(string(f.textOf(k)))
		if to == nil {
			continue
		}
		if *to != 0 {
			return j, r.scan.errorf(r.scan.placeOf(k), "an operation has the field %q twice", f.textOf(k))
		}
		*to = f.nodes[k].next
	}
	return j, nil
}

// field returns where a field's form is kept; nil for those without a meaning here.
func (j *jsonFields) field(name string) *int32 {
	switch name {
	case "client":
		return &j.client
	case "kind":
		return &j.kind
	case "op":
		return &j.op
	case "key":
		return &j.key
	case "arg":
		return &j.arg
	case "old":
		return &j.old
	case "outcome":
		return &j.outcome
	case "value":
		return &j.value
	case "swapped":
		return &j.swapped
	case "list":
		return &j.list
	case "position":
		return &j.position
	case "call":
		return &j.call
	case "return":
		return &j.ret
	case "began_ns":
		return &j.began
	case "ended_ns":
		return &j.ended
	}
	return nil
}

// operation takes one operation of JSON lines.
func (r *reader) operation(i int32) error {
	j, err := r.jsonFields(i)
	if err != nil {
		return err
	}
	f, at := &r.scan.out, r.scan.begun
	if j.kind != 0 && string(f.textOf(j.kind)) == protocols.Follow.String() {
		r.Skipped++
		return nil
	}
	for _, must := range [...]struct {
		form int32
		name string
	}{{j.client, "client"}, {j.op, "op"}, {j.call, "call"}, {j.ret, "return"}} {
		if must.form == 0 {
			return r.scan.errorf(at, "no field %q: want at least client, op, call and return", must.name)
		}
	}
	var op protocols.Operation
	var ok bool
	if op.Op, op.Kind, ok = r.operationNamed(string(f.textOf(j.op))); !ok {
		return r.scan.errorf(r.scan.placeOf(j.op), "op %s is not one of model %s, which has %s", f.print(nil, j.op), r.Model, r.operationNames())
	}
	if err := r.interval(&op, j); err != nil {
		return err
	}
	if err := r.jsonKey(&op, j); err != nil {
		return err
	}
	if err := r.arguments(&op, j); err != nil {
		return err
	}
	if op.Outcome == protocols.Done {
		if err := r.jsonAnswer(&op, j); err != nil {
			return err
		}
	}
	r.key = r.key[:0]
	if f.nodes[j.client].kind == stringForm {
		r.key = append(r.key, f.textOf(j.client)...)
	} else {
		r.key = f.print(r.key, j.client)
	}
	process, err := r.processes.id(r.key)
	if err != nil {
		return r.scan.errorf(at, "%v", err)
	}
	if op.Call < r.clock {
		r.ordered = false
	}
	r.clock = op.Call
	return r.add(op, process)
}

// whole reads an integer field; without the field it is 0.
func (r *reader) whole(i int32, name string) (int64, error) {
	if i == 0 {
		return 0, nil
	}
	n := &r.scan.out.nodes[i]
	if n.kind != intForm {
		return 0, r.scan.errorf(r.scan.placeOf(i), "%s %s: want a whole number", name, shorten(r.scan.out.print(nil, i)))
	}
	return n.n, nil
}

// interval reads call, return, outcome and the times.
func (r *reader) interval(op *protocols.Operation, j jsonFields) error {
	f := &r.scan.out
	var err error
	if op.Call, err = r.whole(j.call, "call"); err != nil {
		return err
	}
	op.Return, op.Outcome = protocols.Infinity, protocols.Unknown
	if f.nodes[j.ret].kind != nilForm {
		if op.Return, err = r.whole(j.ret, "return"); err != nil {
			return err
		}
		op.Outcome = protocols.Done
	}
	began, err := r.whole(j.began, "began_ns")
	if err != nil {
		return err
	}
	ended, err := r.whole(j.ended, "ended_ns")
	if err != nil {
		return err
	}
	op.Began, op.Ended = protocols.Time(began), protocols.Time(ended)
	r.Timed = r.Timed && j.began != 0 && (j.ended != 0 || op.Outcome != protocols.Done)
	if j.outcome != 0 {
		switch outcome := string(f.textOf(j.outcome)); outcome {
		case "ok":
			if op.Outcome != protocols.Done {
				return r.scan.errorf(r.scan.placeOf(j.outcome), "outcome ok without a return")
			}
		case "unknown":
			op.Outcome, op.Return = protocols.Unknown, protocols.Infinity
		case "failed":
			op.Outcome = protocols.Failed
		default:
			return r.scan.errorf(r.scan.placeOf(j.outcome), "outcome %q: want ok, failed or unknown", outcome)
		}
	}
	switch {
	case op.Call < 0:
		return r.scan.errorf(r.scan.placeOf(j.call), "call %d: want 0 or more", op.Call)
	case op.Outcome == protocols.Done && (op.Return < op.Call || op.Return == protocols.Infinity):
		return r.scan.errorf(r.scan.placeOf(j.ret), "return %d: want a return after the call %d", op.Return, op.Call)
	}
	return nil
}

// jsonKey reads the key. 0 is no key but for the model kv, where all without one
// are one key.
func (r *reader) jsonKey(op *protocols.Operation, j jsonFields) error {
	named := false
	if j.key != 0 {
		n := &r.scan.out.nodes[j.key]
		named = n.kind != nilForm && (n.kind != intForm || n.n != 0)
	}
	if !r.decided {
		r.decided, r.Keyed = true, named
	}
	if named != r.Keyed {
		return r.scan.errorf(r.scan.placeOf(j.key), "either all operations name a key or none")
	}
	if !named {
		return nil
	}
	k, err := r.keyOf(j.key)
	op.Key = k
	return err
}

// arguments reads arg and old.
func (r *reader) arguments(op *protocols.Operation, j jsonFields) error {
	var err error
	read := func(i int32, name string, to *int64) {
		if err != nil {
			return
		}
		if i == 0 {
			err = r.scan.errorf(r.scan.begun, "%s without %s", r.scan.out.print(nil, j.op), name)
			return
		}
		*to, err = r.value(i)
	}
	switch op.Op {
	case protocols.Put, protocols.AppendTo:
		read(j.arg, "arg", &op.Arg)
		if err == nil && op.Arg == 0 && r.Model == "queue" {
			err = r.scan.errorf(r.scan.placeOf(j.arg), "enqueue of nothing: null and 0 stand for an empty queue")
		}
	case protocols.CAS:
		read(j.arg, "arg", &op.Arg)
		read(j.old, "old", &op.Old)
	case protocols.Increment:
		if op.Arg = 1; j.arg != 0 && string(r.scan.out.textOf(j.op)) == "add" {
			read(j.arg, "arg", &op.Arg)
		}
		r.amounts = r.amounts || op.Arg != 1
		if op.Arg == 0 {
			op.Op = protocols.Noop
		}
	case protocols.ReadRange:
		op.Arg, op.Old = 1, math.MaxInt64
		if j.old != 0 {
			op.Arg, err = r.whole(j.arg, "arg")
			if err == nil {
				op.Old, err = r.whole(j.old, "old")
			}
		}
	}
	return err
}

// jsonAnswer reads value, swapped, list and position.
func (r *reader) jsonAnswer(op *protocols.Operation, j jsonFields) error {
	f, at := &r.scan.out, r.scan.begun
	var err error
	position, err := r.whole(j.position, "position")
	if err != nil {
		return err
	}
	op.Position = protocols.Index(max(position, 0))
	if position <= 0 && op.Kind == protocols.Write {
		r.placed = false
	}
	if j.list != 0 {
		if op.List, err = r.list(j.list); err != nil {
			return err
		}
	}
	if j.swapped != 0 {
		op.Swapped = string(f.textOf(j.swapped)) == "true"
	}
	counted := op.Kind == protocols.Write && op.Op != protocols.CAS && op.Op != protocols.Noop && r.Model != "queue"
	if counted {
		r.writes++
	}
	switch {
	case op.Op == protocols.CAS && j.swapped == 0:
		return r.scan.errorf(at, "cas without swapped")
	case j.value != 0 && r.Model == "log": // a position or a length
		var n int64
		n, err = r.whole(j.value, "value")
		op.Value = protocols.Value(n)
	case j.value != 0:
		var v int64
		v, err = r.value(j.value)
		op.Value = protocols.Value(v)
	case op.Op == protocols.CAS && op.Swapped:
		op.Value = protocols.Value(op.Old)
	case op.Op == protocols.ReadRange && j.list != 0 && op.Arg == 1 && op.Old == math.MaxInt64:
		op.Value = protocols.Value(len(op.List))
	case counted || op.Op == protocols.Noop || r.Model == "queue" && op.Op == protocols.AppendTo:
	default:
		return r.scan.errorf(at, "%s without value: what did it answer?", f.print(nil, j.op))
	}
	if counted && j.value != 0 {
		r.saws++
	}
	return err
}
