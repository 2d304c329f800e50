// Package good breaks no rule.
package good

import (
	"maps"
	"slices"
	"time"
)

const timeout = 150 * time.Millisecond

type node struct {
	votes map[int]bool
	log   []int
}

func (n *node) step(now time.Duration) []int {
	n.votes[len(n.log)] = now > timeout
	keys := slices.Sorted(maps.Keys(n.votes))
	for i, k := range keys {
		n.log = append(n.log, i*k)
	}
	return n.log
}

var _ = (*node).step
