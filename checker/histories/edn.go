package histories

import (
	"fmt"
	"math"

	"github.com/lockstep-sim/lockstep/protocols"
)

// openOperation is an operation between its invocation and its completion.
type openOperation struct {
	at   int // in Operations
	line int
	f    string
}

// ednEvent is one map of an EDN history. Its forms are numbers of forms; 0 means
// that there is none, as the map itself has number 0 or, with a tag, is not among
// its children.
type ednEvent struct{ kind, f, process, value, index, time, saw int32 }

// fields finds what an event says. A field that stands twice has no meaning.
func (r *reader) fields(i int32) (ednEvent, error) {
	var e ednEvent
	f := &r.scan.out
	for k := f.nodes[i].first; k != 0; k = f.nodes[f.nodes[k].next].next {
		if !f.isName(k) {
			continue
		}
		to := e.field(string(f.textOf(k)))
		if to == nil {
			continue
		}
		if *to != 0 {
			return e, r.scan.errorf(r.scan.placeOf(k), "an event has :%s twice", f.textOf(k))
		}
		*to = f.nodes[k].next
	}
	if e.value == 0 {
		e.value = f.add(form{kind: nilForm})
	}
	return e, nil
}

// field returns where a field's form is kept; nil for those without a meaning here.
func (e *ednEvent) field(name string) *int32 {
	switch name {
	case "type":
		return &e.kind
	case "f":
		return &e.f
	case "process":
		return &e.process
	case "value":
		return &e.value
	case "index":
		return &e.index
	case "time":
		return &e.time
	case "saw":
		return &e.saw
	}
	return nil
}

// event takes one event of a Jepsen history.
func (r *reader) event(i int32) error {
	e, err := r.fields(i)
	if err != nil {
		return err
	}
	return r.take(e)
}

func (r *reader) take(e ednEvent) error {
	f, at := &r.scan.out, r.scan.begun
	if e.kind == 0 {
		return r.scan.errorf(at, "an event without a :type: want :invoke, :ok, :fail or :info")
	}
	if !f.isName(e.kind) {
		return r.scan.errorf(r.scan.placeOf(e.kind), "type %s: want :invoke, :ok, :fail or :info", shorten(f.print(nil, e.kind)))
	}
	kind := string(f.textOf(e.kind))
	switch kind {
	case "sleep", "log":
		r.Skipped++
		return nil
	case "invoke", "ok", "fail", "info":
	default:
		return r.scan.errorf(r.scan.placeOf(e.kind), "type :%s: want :invoke, :ok, :fail or :info", kind)
	}
	if e.process == 0 {
		return r.scan.errorf(at, "an event without a :process: want a whole number, or a name like :nemesis")
	}
	if err := r.order(e); err != nil {
		return err
	}
	r.function = r.scan.placeOf(e.f)
	switch process := f.nodes[e.process].kind; {
	case process == keywordForm, process == stringForm:
		r.nemesis(e) // or whatever else is no client
		return nil
	case process != intForm:
		return r.scan.errorf(r.scan.placeOf(e.process), ":process %s: want a whole number of 64 bits, or a name like :nemesis", shorten(f.print(nil, e.process)))
	}
	r.key = f.print(append(r.key[:0], 'p'), e.process)
	process, err := r.processes.id(r.key)
	if err != nil {
		return r.scan.errorf(at, "%v", err)
	}
	r.clock++
	if kind == "invoke" {
		return r.invoke(e, process)
	}
	return r.complete(e, kind, process)
}

// order checks that the file is in the order of the history.
func (r *reader) order(e ednEvent) error {
	f := &r.scan.out
	if e.index != 0 && f.nodes[e.index].kind == intForm {
		if n := f.nodes[e.index].n; n <= r.index {
			return r.scan.errorf(r.scan.placeOf(e.index), ":index %d after :index %d: events must be in the order of their index, each once", n, r.index)
		}
		r.index = f.nodes[e.index].n
	}
	if e.time == 0 || f.nodes[e.time].kind != intForm {
		r.Timed = r.Timed && f.nodes[e.process].kind != intForm
		return nil
	}
	if n := f.nodes[e.time].n; n >= r.time {
		r.time = n
	} else if len(r.Notes) == 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("line %d: :time goes back from %d to %d; the order of the file counts", r.scan.begun.line, r.time, n))
	}
	return nil
}

func (r *reader) timeOf(e ednEvent) protocols.Time {
	if e.time == 0 {
		return 0
	}
	return protocols.Time(r.scan.out.nodes[e.time].n)
}

// invoke begins an operation. Until it is completed its outcome is unknown.
func (r *reader) invoke(e ednEvent, process int32) error {
	f, at := &r.scan.out, r.scan.begun
	name := r.processes.texts[process]
	if info, ok := r.retired[process]; ok {
		return r.scan.errorf(at, "process %s is used again after its :info on line %d: its last operation may still be going on, so the next one needs a new process", name, info)
	}
	if o := r.open[process]; o != nil {
		return r.scan.errorf(at, "process %s invokes while its operation of line %d is open", name, o.line)
	}
	if e.f == 0 {
		return r.scan.errorf(at, "an invocation without an :f: want one of %s", r.operationNames())
	}
	op := protocols.Operation{Call: r.clock, Return: protocols.Infinity, Began: r.timeOf(e)}
	function := string(f.textOf(e.f))
	if err := r.describe(&op, function, e.value); err != nil {
		return err
	}
	r.open[process] = &openOperation{at: len(r.Operations), line: int(at.line), f: function}
	return r.add(op, process)
}

// describe fills in what an operation does, from its :f and :value.
func (r *reader) describe(op *protocols.Operation, function string, value int32) error {
	function, value, err := r.keyed(op, function, value)
	if err != nil {
		return err
	}
	f := &r.scan.out
	var ok bool
	if op.Op, op.Kind, ok = r.operationNamed(function); !ok {
		return r.scan.errorf(r.function, "operation :%s is not one of model %s, which has %s", function, r.Model, r.operationNames())
	}
	switch op.Op {
	case protocols.CAS:
		if !f.isList(value, 2) {
			return r.scan.errorf(r.scan.placeOf(value), "cas %s: want [old new]", shorten(f.print(nil, value)))
		}
		if op.Old, err = r.value(f.child(value, 0)); err == nil {
			op.Arg, err = r.value(f.child(value, 1))
		}
		return err
	case protocols.Put, protocols.AppendTo:
		if f.nodes[value].kind == nilForm && r.Model == "queue" {
			return r.scan.errorf(r.scan.placeOf(value), "enqueue nil: nil stands for an empty queue")
		}
		op.Arg, err = r.value(value)
	case protocols.Increment:
		if op.Arg = 1; f.nodes[value].kind != nilForm {
			op.Arg, err = r.value(value)
		}
		r.amounts = r.amounts || op.Arg != 1
		if op.Arg == 0 {
			op.Op = protocols.Noop
		}
	case protocols.ReadRange:
		op.Arg, op.Old = 1, math.MaxInt64
	}
	return err
}

// keyed takes the key out of a value [k v], and the one operation out of a
// transaction.
func (r *reader) keyed(op *protocols.Operation, function string, value int32) (string, int32, error) {
	f := &r.scan.out
	key := int32(0)
	if function == "txn" {
		if !f.isList(value, 1) || !f.isList(f.child(value, 0), 3) {
			return "", 0, r.scan.errorf(r.scan.placeOf(value), "a transaction that is not one operation [[f k v]]: single operations are judged here, transactions by Elle")
		}
		micro := f.child(value, 0)
		function, key, value = string(f.textOf(f.child(micro, 0))), f.child(micro, 1), f.child(micro, 2)
	} else if pair := f.isList(value, 2) && !(function == "cas" && f.nodes[f.child(value, 1)].kind != listForm); pair && (!r.decided || r.Keyed) {
		key, value = f.child(value, 0), f.child(value, 1)
	}
	if !r.decided {
		r.decided, r.Keyed = true, key != 0
	}
	switch {
	case r.Keyed && key == 0:
		return "", 0, r.scan.errorf(r.scan.placeOf(value), "value %s names no key, although the first operation does: want [k v]", shorten(f.print(nil, value)))
	case !r.Keyed && key != 0:
		return "", 0, r.scan.errorf(r.scan.placeOf(key), "the operation names a key, although the first one does not")
	case !r.Keyed && r.Model == "kv":
		return "", 0, r.scan.errorf(r.scan.placeOf(value), "value %s: the model kv wants [k v]", shorten(f.print(nil, value)))
	case !r.Keyed:
		return function, value, nil
	}
	k, err := r.keyOf(key)
	op.Key = k
	return function, value, err
}

// complete ends the operation that a process has open.
func (r *reader) complete(e ednEvent, kind string, process int32) error {
	f, at := &r.scan.out, r.scan.begun
	o := r.open[process]
	if o == nil {
		return r.scan.errorf(at, ":%s by process %s, which has no operation open", kind, r.processes.texts[process])
	}
	if e.f != 0 && string(f.textOf(e.f)) != o.f {
		return r.scan.errorf(r.scan.placeOf(e.f), "process %s completes :%s, but on line %d it invoked :%s", r.processes.texts[process], f.textOf(e.f), o.line, o.f)
	}
	delete(r.open, process)
	op := &r.Operations[o.at]
	op.Ended = r.timeOf(e)
	switch {
	case kind == "info":
		r.retired[process] = int(at.line)
		if o.f == "drain" {
			return r.scan.errorf(at, "a drain ends in :info: nobody knows how many elements it took")
		}
		return nil
	case kind == "fail" && (op.Op == protocols.CAS || op.Op == protocols.Delete && r.Model == "queue") && e.saw != 0: // as this project writes it
		op.Outcome, op.Return = protocols.Done, r.clock
		return r.answer(op, e, o.f)
	case kind == "fail":
		op.Outcome, op.Return = protocols.Failed, r.clock
		return nil
	}
	op.Outcome, op.Return = protocols.Done, r.clock
	if o.f == "drain" {
		return r.drained(o.at, process, e.value)
	}
	said := *op
	if err := r.describe(&said, o.f, e.value); err != nil {
		return err
	}
	if op.Kind == protocols.Write && op.Op != protocols.Delete && f.nodes[e.value].kind != nilForm && (said.Arg != op.Arg || said.Old != op.Old) || said.Key != op.Key {
		return r.scan.errorf(r.scan.placeOf(e.value), "process %s completes with the value %s, which is not what it invoked on line %d", r.processes.texts[process], shorten(f.print(nil, e.value)), o.line)
	}
	op.Swapped = op.Op == protocols.CAS
	return r.answer(op, e, o.f)
}

// answer fills in what an operation that is done answered.
func (r *reader) answer(op *protocols.Operation, e ednEvent, function string) error {
	scratch := *op
	_, value, err := r.keyed(&scratch, function, e.value)
	if err != nil {
		return err
	}
	r.placed = false
	v := int64(0)
	switch op.Op {
	case protocols.Get:
		v, err = r.value(value)
	case protocols.ReadRange:
		op.List, err = r.list(value)
		v = int64(len(op.List))
	case protocols.Delete:
		if r.Model == "queue" {
			v, err = r.value(value)
			break
		}
		fallthrough
	default:
		if op.Op == protocols.CAS && op.Swapped {
			v = op.Old
			break
		}
		if op.Op != protocols.CAS {
			r.writes++
		}
		if e.saw != 0 {
			r.saws++
			v, err = r.value(e.saw)
		}
	}
	op.Value = protocols.Value(v)
	return err
}

// drained makes one dequeue of every element that a drain took. Their order is not
// used.
func (r *reader) drained(at int, process int32, value int32) error {
	list, err := r.list(value)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		r.Operations[at].Outcome = protocols.Failed
		return nil
	}
	r.Operations[at].Value = list[0]
	for _, v := range list[1:] {
		op := r.Operations[at]
		op.Value = v
		if err := r.add(op, process); err != nil {
			return err
		}
		r.ordered, r.Overlapping = false, true
	}
	return nil
}
