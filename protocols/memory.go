package protocols

import "reflect"

// MemoryMode says what happens to a message once its receiver has handled it.
type MemoryMode uint8

const (
	// Recycle hands the memory to the next message of the kind. It is the mode
	// for speed.
	Recycle MemoryMode = iota
	// Keep leaves released messages to the garbage collector, so that a trace may
	// hold on to them.
	Keep
	// Poison overwrites released messages with nonsense and does not use them
	// again, so that a protocol which kept one is caught.
	Poison
)

// Memory hands out messages and records in typed slots per kind. Each slot has
// one owner at a time, so there is no reference count. It belongs to one
// simulation and is not safe for concurrent use. The mode never changes what a
// run does.
type Memory struct {
	mode     MemoryMode
	messages [MaxKinds]slots
	records  [MaxKinds]slots
}

// NewMemory returns an empty Memory.
func NewMemory(mode MemoryMode) *Memory { return &Memory{mode: mode} }

// slots is the pool of one kind; its dynamic type knows the struct.
type slots interface {
	release(m any, mode MemoryMode)
	copy(m any) any
}

// Blocks of slots double from firstBlock to lastBlock: a small run stays small,
// and allocations vanish from a long one.
const (
	firstBlock = 64
	lastBlock  = 4096
)

type pool[T any] struct {
	free  []*T
	block []T
	size  int // of the last block
}

func (p *pool[T]) take() *T {
	if n := len(p.free); n > 0 {
		m := p.free[n-1]
		p.free = p.free[:n-1]
		return m
	}
	if len(p.block) == 0 {
		p.size = min(max(firstBlock, 2*p.size), lastBlock)
		p.block = make([]T, p.size)
	}
	m := &p.block[0]
	p.block = p.block[1:]
	return m
}

func (p *pool[T]) release(m any, mode MemoryMode) {
	t := m.(*T)
	switch mode {
	case Recycle:
		p.free = append(p.free, t)
	case Poison:
		poison(reflect.ValueOf(t).Elem())
	}
}

func (p *pool[T]) copy(m any) any {
	c := p.take()
	*c = *m.(*T)
	return c
}

func poolFor[T any](s *slots) *pool[T] {
	if p, ok := (*s).(*pool[T]); ok {
		return p
	}
	if *s != nil {
		panic("protocols: two types share one kind")
	}
	p := new(pool[T])
	*s = p
	return p
}

func newMessage[T any, M messagePointer[T]](mem *Memory, m T) Message {
	var kind M
	slot := poolFor[T](&mem.messages[kind.Kind()]).take()
	*slot = m
	return M(slot)
}

func newRecord[T any, R recordPointer[T]](mem *Memory, r T) Record {
	var kind R
	slot := poolFor[T](&mem.records[kind.Kind()]).take()
	*slot = r
	return R(slot)
}

// CopyMessage returns a copy of m with an owner of its own: a duplicate on the
// network. m must have come from Send or SendEarly.
func (mem *Memory) CopyMessage(m Message) Message {
	return mem.messages[m.Kind()].copy(m).(Message)
}

// ReleaseMessage ends the ownership of m.
func (mem *Memory) ReleaseMessage(m Message) {
	if s := mem.messages[m.Kind()]; s != nil {
		s.release(m, mem.mode)
	}
}

// ReleaseRecord ends the ownership of a persisted record. Records that were
// handed to SaveSnapshot are not from a slot and are ignored.
func (mem *Memory) ReleaseRecord(r Record) {
	if s := mem.records[r.Kind()]; s != nil {
		s.release(r, mem.mode)
	}
}

// poison overwrites every field with a value that no correct run contains.
func poison(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[NodeSet]() { // its fields cannot be set one by one
			v.Set(reflect.ValueOf(NodeSet{0xdeadbeefdeadbeef, 0xdeadbeefdeadbeef}))
			return
		}
		exported := true
		for i := range v.NumField() {
			exported = exported && v.Field(i).CanSet()
		}
		if !exported { // what cannot be poisoned is emptied
			v.SetZero()
		}
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				poison(v.Field(i))
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			poison(v.Index(i))
		}
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(-0x2152411021524111 >> (64 - v.Type().Bits()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint(0xdeadbeefdeadbeef >> (64 - v.Type().Bits()))
	case reflect.String:
		v.SetString("released")
	case reflect.Slice, reflect.Pointer, reflect.Interface, reflect.Map:
		v.SetZero()
	}
}
