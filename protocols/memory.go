package protocols

import (
	"fmt"
	"reflect"
)

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
	messages [MaxKinds]pool[Message]
	records  [MaxKinds]pool[Record]
}

// NewMemory returns an empty Memory.
func NewMemory(mode MemoryMode) *Memory { return &Memory{mode: mode} }

// Blocks of slots double from firstBlock to lastBlock: a small run stays small,
// and allocations vanish from a long one.
const (
	firstBlock = 64
	lastBlock  = 4096
)

// pool is the slots of one kind, all pointers to one type.
type pool[I any] struct {
	free []I // to use again, last in first out
	all  []I // Recycle only: every slot ever made; those from used on are fresh
	used int
	size int       // of the last block; 0: none yet
	copy func(I) I // into a slot of its own
}

// take returns a slot, or false: there is none, and grow must make some.
func (p *pool[I]) take() (slot I, ok bool) {
	if n := len(p.free); n > 0 {
		slot = p.free[n-1]
		p.free = p.free[:n-1]
		return slot, true
	}
	if p.used < len(p.all) {
		p.used++
		return p.all[p.used-1], true
	}
	return slot, false
}

// nextBlock returns how many slots to make.
func (p *pool[I]) nextBlock() int {
	p.size = min(max(firstBlock, 2*p.size), lastBlock)
	return p.size
}

// add takes a new slot in.
func (p *pool[I]) add(slot I, mode MemoryMode) {
	if mode == Recycle {
		p.all = append(p.all, slot)
	} else {
		p.free = append(p.free, slot)
	}
}

func (p *pool[I]) release(v I, mode MemoryMode) {
	switch {
	case p.size == 0: // not from here
	case mode == Recycle:
		p.free = append(p.free, v)
	case mode == Poison:
		poison(reflect.ValueOf(v).Elem())
	}
}

func newMessage[T any, M messagePointer[T]](mem *Memory, m T) Message {
	var kind M
	p := &mem.messages[kind.Kind()]
	slot, ok := p.take()
	if !ok {
		block := make([]T, p.nextBlock())
		for i := range block {
			p.add(M(&block[i]), mem.mode)
		}
		p.copy = func(m Message) Message { return newMessage[T, M](mem, *m.(M)) }
		slot, _ = p.take()
	}
	typed, ok := slot.(M)
	if !ok {
		panic(fmt.Sprintf("protocols: %T and %T share kind %d", slot, kind, kind.Kind()))
	}
	*typed = m
	return slot
}

func newRecord[T any, R recordPointer[T]](mem *Memory, r T) Record {
	var kind R
	p := &mem.records[kind.Kind()]
	slot, ok := p.take()
	if !ok {
		block := make([]T, p.nextBlock())
		for i := range block {
			p.add(R(&block[i]), mem.mode)
		}
		slot, _ = p.take()
	}
	typed, ok := slot.(R)
	if !ok {
		panic(fmt.Sprintf("protocols: %T and %T share kind %d", slot, kind, kind.Kind()))
	}
	*typed = r
	return slot
}

// Rewind ends the ownership of everything at once: the next run begins with all
// slots free, in the order in which they lie in memory.
func (mem *Memory) Rewind() {
	for kind := range MaxKinds {
		mem.messages[kind].rewind(mem.mode)
		mem.records[kind].rewind(mem.mode)
	}
}

func (p *pool[I]) rewind(mode MemoryMode) {
	if mode == Recycle {
		p.free = p.free[:0]
	}
	p.used = 0
}

// CopyMessage returns a copy of m with an owner of its own: a duplicate on the
// network. m must have come from Send or SendEarly.
func (mem *Memory) CopyMessage(m Message) Message { return mem.messages[m.Kind()].copy(m) }

// ReleaseMessage ends the ownership of m.
func (mem *Memory) ReleaseMessage(m Message) { mem.messages[m.Kind()].release(m, mem.mode) }

// ReleaseRecord ends the ownership of a persisted record. Records that were
// handed to SaveSnapshot are not from a slot and are ignored.
func (mem *Memory) ReleaseRecord(r Record) {
	mem.records[r.Kind()].release(r, mem.mode)
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
