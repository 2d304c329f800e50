package raft

import "github.com/lockstep-sim/lockstep/protocols"

// Configuration says who is in the cluster (§4). In joint consensus Outgoing holds
// the voters of C_old and Voters those of C_new; otherwise Outgoing is empty. It is
// immutable.
type Configuration struct {
	Voters   protocols.NodeSet
	Outgoing protocols.NodeSet
	Learners protocols.NodeSet // get the log and have no vote (§4.2.1)
	// Disks names the disk that a member came in with, of those whose first one was
	// lost: it counts only with that one.
	Disks []Disk
}

// Disk tells a replacement of a node's disk from what was there before. Numbers of
// one node's disks go up; the first one is 0 and not listed.
type Disk struct {
	Node   protocols.NodeID
	Number uint64
}

// configured is a configuration and the index of its entry.
type configured struct {
	index  protocols.Index
	config *Configuration
}

func (c *Configuration) isJoint() bool { return !c.Outgoing.Empty() }

// all returns who gets the log.
func (c *Configuration) all() protocols.NodeSet { return c.Voters.Or(c.Outgoing).Or(c.Learners) }

// String prints the members: "voters {n1 n2}, outgoing {n1 n3}, learners {n4}".
func (c *Configuration) String() string {
	s := "voters " + c.Voters.String()
	if c.isJoint() {
		s += ", outgoing " + c.Outgoing.String()
	}
	if !c.Learners.Empty() {
		s += ", learners " + c.Learners.String()
	}
	return s
}

// quorum returns who decides under c: in joint consensus a majority of both (§4.3).
func (c *Configuration) quorum() protocols.Quorum {
	if c.isJoint() {
		return protocols.Joint{Old: c.Outgoing, New: c.Voters}
	}
	return protocols.Majority{Of: c.Voters}
}

// disk returns the number of the disk with which id counts.
func (c *Configuration) disk(id protocols.NodeID) uint64 {
	for _, d := range c.Disks {
		if d.Node == id {
			return d.Number
		}
	}
	return 0
}

// isPossible reports whether a correct node can have made c among the replicas.
func (c *Configuration) isPossible(replicas protocols.NodeSet) bool {
	return !c.Voters.Empty() && c.all().Minus(replicas).Empty() && c.Voters.Or(c.Outgoing).And(c.Learners).Empty()
}

// meets reports whether every quorum of c shares a node with every quorum of d. A
// set of quorums misses another when for one majority of c and one of d the nodes
// can be chosen apart.
func (c *Configuration) meets(d *Configuration) bool {
	for _, mine := range [...]protocols.NodeSet{c.Voters, c.Outgoing} {
		for _, others := range [...]protocols.NodeSet{d.Voters, d.Outgoing} {
			if mine.Empty() || others.Empty() {
				continue
			}
			a := protocols.Threshold{Of: mine, Size: protocols.MajoritySize(mine.Len())}
			b := protocols.Threshold{Of: others, Size: protocols.MajoritySize(others.Len())}
			if a.Meets(b) {
				return true // every quorum holds one of these majorities
			}
		}
	}
	return false
}

// configuration returns the one in force: the latest in the log, committed or not
// (§4.1).
func (n *Node) configuration() *Configuration { return n.configurations[n.inForce].config }

// latest returns the latest configuration of the log.
func (n *Node) latest() *configured { return &n.configurations[len(n.configurations)-1] }

// configurationAt returns the configuration in force at index i of the log.
func (n *Node) configurationAt(i protocols.Index) *Configuration {
	k := len(n.configurations) - 1
	for k > 0 && n.configurations[k].index > i {
		k--
	}
	return n.configurations[k].config
}

// learnConfigurations takes in the configurations among entries that have been
// appended after prev.
func (n *Node) learnConfigurations(prev protocols.Index, entries []Entry) {
	found := false
	for i := range entries {
		if c := entries[i].Configuration; c != nil {
			n.configurations = append(n.configurations, configured{prev + 1 + protocols.Index(i), c})
			found = true
		}
	}
	if found {
		n.configure()
	}
}

// forgetConfigurations takes back those from index i on, whose entries are truncated:
// a configuration goes with its entry (§4.1).
func (n *Node) forgetConfigurations(i protocols.Index) {
	k := len(n.configurations)
	for k > 1 && n.configurations[k-1].index >= i {
		k--
	}
	if k == len(n.configurations) || n.bugs.keepTruncated {
		return
	}
	n.configurations = n.configurations[:k]
	n.configure()
}

// dropConfigurations forgets those that index i, up to which the log is compacted,
// has left behind.
func (n *Node) dropConfigurations(i protocols.Index) {
	k := 0
	for k+1 < len(n.configurations) && n.configurations[k+1].index <= i {
		k++
	}
	if k > 0 {
		n.configurations = append(n.configurations[:0], n.configurations[k:]...)
		n.inForce -= k
	}
}

// configure puts the latest configuration in force.
func (n *Node) configure() {
	n.inForce = len(n.configurations) - 1
	if n.bugs.effectiveOnApply {
		for n.inForce > 0 && n.configurations[n.inForce].index > n.execute.Applied {
			n.inForce--
		}
	}
	c := n.configuration()
	n.quorum, n.voter = c.quorum(), c.Voters.Or(c.Outgoing).Has(n.id)
	if c.isJoint() && n.bugs.oneMajority {
		n.quorum = protocols.Majority{Of: c.Voters}
	}
	if n.bugs.countLearners && !c.isJoint() {
		n.quorum = protocols.Threshold{Of: c.all(), Size: protocols.MajoritySize(c.Voters.Len())}
	}
	n.peers = n.peers[:0]
	all := c.all()
	for id := all.Next(protocols.Nobody); id != protocols.Nobody; id = all.Next(id) {
		if id == n.id {
			continue
		}
		n.peers = append(n.peers, id)
		if p := &n.progress[id]; p.inflight == nil {
			p.inflight = make([]protocols.Index, n.parameters.Window)
		}
	}
}

// isVoter reports whether this node's vote and disk count under the configuration in
// force. A disk that replaced a lost one counts from where the node was added with it.
func (n *Node) isVoter() bool { return n.voter && n.isTrusted() }

func (n *Node) isTrusted() bool {
	return n.disk == 0 || n.configuration().disk(n.id) == n.disk || n.bugs.wipedVotes
}

// mayCampaign reports whether this node may start elections: a voter, or one whose
// removal is not known to be committed. It may be the only one with the entry that
// removes it, and so be needed to commit that (§4.2.2).
func (n *Node) mayCampaign() bool {
	if n.isVoter() {
		return true
	}
	if n.inForce == 0 || n.latest().index <= n.commit || !n.isTrusted() {
		return false
	}
	before := n.configurations[n.inForce-1].config
	return before.Voters.Or(before.Outgoing).Has(n.id)
}
