package protocols

// Forker is implemented by nodes that can be copied, for exact repetition checks
// and the exploration of small scopes. It is optional.
type Forker interface {
	Node
	// Fork returns a node that is equal now and independent from now on. What
	// neither will ever change may be shared.
	Fork() Node
	// Hash digests all of the node's state: equal states have equal hashes,
	// different states different ones but for chance. Fields that are fixed at boot
	// or follow from others may be left out; their tag says so: `hash:"-"`.
	Hash() uint64
}
