package checker

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

// FuzzAgreement reads a history from bytes, five per operation, and lets every
// check that applies judge it, with porcupine and brute force as oracles. Nothing
// about such histories is likely, which is the point.
func FuzzAgreement(f *testing.F) {
	f.Add([]byte{0, 1, 0, 0x12, 0, 0, 0x21, 1, 0x12, 1})
	f.Add([]byte{1, 1, 0, 0x12, 0, 1, 0x11, 1, 0x34, 0, 1, 3, 1, 0x56, 0})
	f.Add([]byte{4, 1, 1, 0x12, 0, 4, 1, 1, 0x34, 1})
	f.Add([]byte{5, 1, 1, 0x12, 0, 5, 2, 2, 0x34, 1, 5, 0x41, 2, 0x56, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 5 || len(data) > 5*8 {
			return
		}
		s := shapes[int(data[0]>>3)%len(shapes)]
		ops := decode(s.machine, data)
		opt := Options{Machine: s.machine, Blind: s.blind, Positions: true}
		if Validate(ops, opt) != nil {
			t.Fatalf("%v", Validate(ops, opt))
		}
		c := tally{}
		c.compare(t, drawn{ops: ops, opt: opt, changed: true}, s.name)
	})
}

// decode makes operations of bytes: kind and outcome; argument; expectation or
// answer; call and length of the interval; position.
func decode(machine string, data []byte) []protocols.Operation {
	kinds := map[string][]protocols.Op{
		"kv":       {protocols.Get, protocols.Put, protocols.CAS, protocols.Delete, protocols.AppendTo},
		"register": {protocols.Get, protocols.Put, protocols.CAS},
		"counter":  {protocols.Get, protocols.Increment, protocols.Double},
		"log":      {protocols.AppendTo, protocols.ReadRange},
	}[machine]
	var ops []protocols.Operation
	for ; len(data) >= 5; data = data[5:] {
		o := protocols.Operation{Outcome: protocols.Done}
		o.Client, o.Seq, o.Kind = protocols.NodeID(-1-len(ops)), 1, protocols.Write
		o.Op = kinds[int(data[0]&7)%len(kinds)]
		if !changes(o.Op) {
			o.Kind = protocols.Read
		}
		o.Arg, o.Old = int64(data[1]&15), int64(data[1]>>4)
		o.Value, o.Swapped = protocols.Value(data[2]&15), data[2]&16 != 0
		o.Call = int64(data[3] & 15)
		o.Return = o.Call + int64(data[3]>>4)
		o.Position = protocols.Index(data[4] & 15)
		for i := range data[4] >> 4 & 3 {
			if machine == "counter" {
				break // answers no lists
			}
			o.List = append(o.List, protocols.Value(data[2]>>(4+i)&3))
		}
		if data[2]&32 != 0 {
			o.Outcome, o.Return = protocols.Unknown, protocols.Infinity
		}
		ops = append(ops, o)
	}
	return ops
}
