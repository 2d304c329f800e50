package paxos

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Ballot is a ballot number (PMMC §2): a round and the node that owns it, in
// lexicographic order, so that no two proposers ever share one. 0 is below all.
type Ballot uint64

const (
	ownerBits = 8
	// maxRound bounds the rounds that a node accepts, so that the next one always
	// exists.
	maxRound = 1 << 53
	// learned stands where an accepted ballot stands, for a value that this node did
	// not accept but learned to be chosen. It is above every ballot: no proposer can
	// find a value that would have to win over a chosen one.
	learned Ballot = 1 << 63
)

func newBallot(round uint64, owner protocols.NodeID) Ballot {
	return Ballot(round<<ownerBits | uint64(owner))
}

// Round returns the round.
func (b Ballot) Round() uint64 { return uint64(b) >> ownerBits }

// Owner returns the node whose ballot it is, or Nobody.
func (b Ballot) Owner() protocols.NodeID { return protocols.NodeID(b & (1<<ownerBits - 1)) }

// String prints 3.n2 for round 3 of node 2.
func (b Ballot) String() string {
	if b == learned {
		return "chosen"
	}
	return fmt.Sprintf("%d.%v", b.Round(), b.Owner())
}
