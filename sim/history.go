package sim

import "github.com/lockstep-sim/lockstep/protocols"

// history keeps operations in blocks, so that a long run copies none of them
// while it grows.
type history struct {
	blocks [][]protocols.Operation
	n      int
	flat   []protocols.Operation // what list returned last
}

const historyBlock = 1024

func (h *history) reset() {
	for _, b := range h.blocks {
		clear(b)
	}
	h.n, h.flat = 0, nil
}

// add appends an operation and returns its place.
func (h *history) add(op protocols.Operation) int {
	if h.n == len(h.blocks)*historyBlock {
		h.blocks = append(h.blocks, make([]protocols.Operation, historyBlock))
	}
	*h.at(h.n) = op
	h.n++
	return h.n - 1
}

func (h *history) at(i int) *protocols.Operation { return &h.blocks[i/historyBlock][i%historyBlock] }

// list returns all operations, as they are now.
func (h *history) list() []protocols.Operation {
	if cap(h.flat) < h.n {
		h.flat = make([]protocols.Operation, 0, h.n)
	}
	h.flat = h.flat[:0]
	for i := 0; i < h.n; i += historyBlock {
		h.flat = append(h.flat, h.blocks[i/historyBlock][:min(historyBlock, h.n-i)]...)
	}
	return h.flat
}
