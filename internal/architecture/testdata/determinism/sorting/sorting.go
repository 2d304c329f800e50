// Package sorting leaves the order of ties to the Go release.
package sorting

import (
	"slices"
	"sort"
)

type byLength []string

func (b byLength) Len() int           { return len(b) }
func (b byLength) Less(i, j int) bool { return len(b[i]) < len(b[j]) }
func (b byLength) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }

func order(names []string) {
	sort.Slice(names, byLength(names).Less) // want: unstable sort
	sort.Sort(byLength(names))              // want: unstable sort
	slices.Sort(names)
}

var _ = order
