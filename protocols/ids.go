package protocols

import (
	"fmt"
	"math/bits"
	"strings"
	"time"
)

// NodeID names everything that can send or receive. Replicas are 1..n, the
// services of a protocol (the view service of primary-backup) follow from n+1,
// clients are below 0, and 0 is nobody. Replicas are dense so that peers can be
// array positions and votes can be bits.
type NodeID int16

// Nobody is no node: no leader is known, no hint is given.
const Nobody NodeID = 0

// MaxNodes is the largest id of a replica or service.
const MaxNodes = 101

// String returns n1 for a replica, c1 for a client and "nobody" for 0.
// Services print as n(n+1): only [Cluster.Name] knows where they begin.
func (id NodeID) String() string {
	switch {
	case id > 0:
		return fmt.Sprintf("n%d", id)
	case id < 0:
		return fmt.Sprintf("c%d", -id)
	}
	return "nobody"
}

// Cluster is the static shape of a run.
type Cluster struct {
	Replicas int // replicas that may ever exist: ids 1..Replicas
	Services int // service nodes: ids Replicas+1..Replicas+Services
	// Members is the first membership; empty: every replica. See First.
	Members NodeSet
}

// First returns the first membership: the members before any reconfiguration.
func (c Cluster) First() NodeSet {
	if c.Members.Empty() {
		return NodesUpTo(c.Replicas)
	}
	return c.Members
}

// Name returns n1 for a replica, s1 for a service and c1 for a client.
func (c Cluster) Name(id NodeID) string {
	if int(id) > c.Replicas {
		return fmt.Sprintf("s%d", int(id)-c.Replicas)
	}
	return id.String()
}

// Nodes returns the number of replicas and services.
func (c Cluster) Nodes() int { return c.Replicas + c.Services }

// Time is an instant in nanoseconds. Which clock it belongs to is said where it
// is used: one node's monotone clock, its wall clock, or true virtual time.
type Time int64

// Duration is a span in nanoseconds on the same clock as the Time it goes with.
type Duration = time.Duration

// Add returns t+d.
func (t Time) Add(d Duration) Time { return t + Time(d) }

// Sub returns t-u.
func (t Time) Sub(u Time) Duration { return Duration(t - u) }

// String prints the time since the start of the run, for example 2.104s.
func (t Time) String() string { return Duration(t).String() }

// Index is a position in the replicated log. The first entry has Index 1; 0 is
// the position before it.
type Index uint64

// Kind tells the message types of one protocol apart, and likewise its record
// types. Kinds are small: 1..63; 0 is no kind.
type Kind uint8

// MaxKinds bounds Kind (exclusive).
const MaxKinds = 64

// Timer numbers the timers of one protocol, from 0.
type Timer uint8

// MaxTimers bounds Timer (exclusive).
const MaxTimers = 32

// NodeSet is a set of replicas and services (ids 1..MaxNodes) as a value: two
// words of bits. The zero value is the empty set.
type NodeSet struct{ lo, hi uint64 }

// Nodes returns the set of the given ids.
func Nodes(ids ...NodeID) NodeSet {
	var s NodeSet
	for _, id := range ids {
		s = s.With(id)
	}
	return s
}

// NodesUpTo returns {1..n}.
func NodesUpTo(n int) NodeSet {
	var s NodeSet
	for id := 1; id <= n; id++ {
		s = s.With(NodeID(id))
	}
	return s
}

// With returns s ∪ {id}. An id outside 1..127 panics: it is a bug of the caller.
func (s NodeSet) With(id NodeID) NodeSet {
	if id <= 0 || id > 127 {
		panic(fmt.Sprintf("protocols: NodeSet holds ids 1..127, got %d", int(id)))
	}
	if id < 64 {
		s.lo |= 1 << uint(id)
	} else {
		s.hi |= 1 << uint(id-64)
	}
	return s
}

// Without returns s without id.
func (s NodeSet) Without(id NodeID) NodeSet {
	if id > 0 && id < 64 {
		s.lo &^= 1 << uint(id)
	} else if id >= 64 && id <= 127 {
		s.hi &^= 1 << uint(id-64)
	}
	return s
}

// Has reports whether id is in s.
func (s NodeSet) Has(id NodeID) bool {
	switch {
	case id > 0 && id < 64:
		return s.lo&(1<<uint(id)) != 0
	case id >= 64 && id <= 127:
		return s.hi&(1<<uint(id-64)) != 0
	}
	return false
}

// Len returns the number of ids in s.
func (s NodeSet) Len() int { return bits.OnesCount64(s.lo) + bits.OnesCount64(s.hi) }

// Empty reports whether s has no id.
func (s NodeSet) Empty() bool { return s.lo|s.hi == 0 }

// And returns the intersection of s and t.
func (s NodeSet) And(t NodeSet) NodeSet { return NodeSet{s.lo & t.lo, s.hi & t.hi} }

// Or returns the union of s and t.
func (s NodeSet) Or(t NodeSet) NodeSet { return NodeSet{s.lo | t.lo, s.hi | t.hi} }

// Minus returns the ids of s that are not in t.
func (s NodeSet) Minus(t NodeSet) NodeSet { return NodeSet{s.lo &^ t.lo, s.hi &^ t.hi} }

// Next returns the smallest id of s above id, or Nobody. Starting from Nobody it
// visits s in order:
//
//	for id := s.Next(Nobody); id != Nobody; id = s.Next(id) { … }
func (s NodeSet) Next(id NodeID) NodeID {
	from := uint(id) + 1
	if from < 64 {
		if w := s.lo >> from; w != 0 {
			return NodeID(from + uint(bits.TrailingZeros64(w)))
		}
		from = 64
	}
	if from-64 < 64 {
		if w := s.hi >> (from - 64); w != 0 {
			return NodeID(from + uint(bits.TrailingZeros64(w)))
		}
	}
	return Nobody
}

// Slice returns the ids of s in order.
func (s NodeSet) Slice() []NodeID {
	ids := make([]NodeID, 0, s.Len())
	for id := s.Next(Nobody); id != Nobody; id = s.Next(id) {
		ids = append(ids, id)
	}
	return ids
}

// Words returns the bits of s, for hashing: id i is bit i%64 of word i/64.
func (s NodeSet) Words() (lo, hi uint64) { return s.lo, s.hi }

// String prints {n1 n2}.
func (s NodeSet) String() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, id := range s.Slice() {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(id.String())
	}
	b.WriteByte('}')
	return b.String()
}
