package checker

import (
	"slices"

	"github.com/anishathalye/porcupine"

	"github.com/lockstep-sim/lockstep/protocols"
)

// The oracles share no code with the package: a machine on plain slices, a brute
// force over all orders, and porcupine on that machine without patches.

type plainState = []protocols.Value

func plainLast(s plainState) protocols.Value {
	if len(s) == 0 {
		return 0
	}
	return s[len(s)-1]
}

// plainStep executes op, and reports whether the answer it has fits.
func plainStep(machine string, blind bool, s plainState, op *protocols.Operation) (plainState, bool) {
	known := op.Outcome == protocols.Done
	saw := op.Value == plainLast(s) && (len(s) < 2 && len(op.List) == 0 || len(s) >= 2 && slices.Equal(op.List, s))
	put := func(v protocols.Value) plainState {
		if v == 0 {
			return nil
		}
		return plainState{v}
	}
	switch op.Op {
	case protocols.Get:
		return s, !known || saw
	case protocols.Put:
		return put(protocols.Value(op.Arg)), !known || blind || saw
	case protocols.Delete:
		if machine == "queue" {
			if len(s) == 0 {
				return nil, !known || op.Value == 0
			}
			return slices.Clone(s[1:]), !known || op.Value == s[0]
		}
		return nil, !known || blind || saw
	case protocols.CAS:
		if len(s) == 0 && op.Old == 0 || len(s) == 1 && s[0] == protocols.Value(op.Old) {
			return put(protocols.Value(op.Arg)), !known || saw && op.Swapped
		}
		return s, !known || saw && !op.Swapped
	case protocols.AppendTo:
		next := append(slices.Clone(s), protocols.Value(op.Arg))
		if machine == "queue" {
			return next, true
		}
		if machine == "log" {
			return next, !known || blind || int(op.Value) == len(next)
		}
		return next, !known || blind || saw
	case protocols.Increment:
		if blind {
			return plainState{plainLast(s) + protocols.Value(op.Arg)}, true
		}
		return plainState{plainLast(s) + 1}, !known || op.Value == plainLast(s)+1
	case protocols.Double:
		return plainState{plainLast(s) * 2}, !known || op.Value == plainLast(s)*2
	case protocols.ReadRange:
		if !known {
			return s, true
		}
		var want plainState
		for i := max(op.Arg, 1); i <= int64(len(s)) && i < max(op.Arg, 1)+op.Old; i++ {
			want = append(want, s[i-1])
		}
		return s, int(op.Value) == len(s) && slices.Equal(want, op.List)
	}
	return s, true
}

// brute reports whether the history is linearizable, by trying every order of
// every subset that holds all answered operations.
func brute(history []protocols.Operation, opt Options) bool {
	used := make([]bool, len(history))
	var try func(s map[protocols.Key]plainState) bool
	try = func(s map[protocols.Key]plainState) bool {
		complete := true
		deadline := protocols.Infinity
		for i := range history {
			if op := &history[i]; !used[i] && op.Outcome == protocols.Done {
				complete = false
				deadline = min(deadline, op.Return)
			}
		}
		if complete {
			return true
		}
		for i := range history {
			op := &history[i]
			if used[i] || op.Outcome == protocols.Failed || op.Call > deadline {
				continue
			}
			old := s[op.Key]
			next, ok := plainStep(opt.Machine, opt.Blind, old, op)
			if !ok {
				continue
			}
			used[i], s[op.Key] = true, next
			if try(s) {
				return true
			}
			used[i], s[op.Key] = false, old
		}
		return false
	}
	return try(map[protocols.Key]plainState{})
}

// plainPorcupine asks porcupine about the history of one key, as it is.
func plainPorcupine(history []protocols.Operation, opt Options) bool {
	var ops []porcupine.Operation
	for i := range history {
		if op := &history[i]; judged(op) {
			ops = append(ops, porcupine.Operation{Input: op, Call: op.Call, Return: op.Return})
		}
	}
	model := porcupine.Model{
		Init: func() any { return plainState(nil) },
		Step: func(s, in, _ any) (bool, any) {
			next, ok := plainStep(opt.Machine, opt.Blind, s.(plainState), in.(*protocols.Operation))
			return ok, next
		},
		Equal: func(a, b any) bool { return slices.Equal(a.(plainState), b.(plainState)) },
	}
	return porcupine.CheckOperations(model, ops)
}
