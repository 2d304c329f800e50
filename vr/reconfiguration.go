package vr

import "github.com/lockstep-sim/lockstep/protocols"

// closing reports whether the log ends with a reconfiguration that is not executed:
// the last request of its epoch (§7.1).
func (n *Node) closing() bool {
	last := n.log.Last()
	return last > n.commit && !n.log.At(last).Members.Empty()
}

// admin handles an operator's wish: the paper's RECONFIGURATION request. It has no
// answer: what came of it is noted.
func (n *Node) admin(a *protocols.Admin, out *protocols.Effects) {
	switch {
	case a.Kind != protocols.Reconfigure:
		n.drop(out, "an operator's wish that VR does not know")
	case !n.leading:
		n.drop(out, "a reconfiguration asked of a replica that is no primary")
	case a.Members.Empty() || !a.Members.Minus(n.replicas).Empty() || !a.Learner.Empty():
		n.drop(out, "a configuration that cannot be")
	case n.closing() || n.config.epoch+1 == maxEpoch:
		n.drop(out, "a reconfiguration while another is under way")
	case a.Members != n.members:
		n.append(Entry{View: n.view, Members: a.Members}, out)
	}
}

// shownMembers returns the members, and while the epoch ends also those to come.
func (n *Node) shownMembers() protocols.NodeSet {
	if n.closing() {
		return n.members.Or(n.log.At(n.log.Last()).Members).And(n.replicas)
	}
	return n.members
}
