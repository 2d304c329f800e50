package raft

import "github.com/lockstep-sim/lockstep/protocols"

// Positions in probeList.
const (
	probeSplitVote = iota
	probePreVoteRefused
	probeVoteIgnored
	probeStaleTerm
	probeTruncated
	probeJoint
	probeTransferCut
	probeTransferred
	probeOwnDiskLast
	probeOldTermThrough
	probeLearnerPromoted
	probeReadLost
	probeStopped
	probeVoteRebooted
	probeVoteAgain
	probeTwoSnapshots
)

var probeList = []protocols.ProbeInfo{
	probeSplitVote:       {ID: "raft-split-vote", Text: "a candidate's election timeout passes without a majority for anybody that it knows of", By: "raft-figure-8", With: "raft"},
	probePreVoteRefused:  {ID: "raft-pre-vote-refused", Text: "a pre-vote is refused because a leader is alive", By: "raft-truncated-configuration", With: "raft"},
	probeVoteIgnored:     {ID: "raft-vote-ignored", Text: "a RequestVote of a later term is ignored because the node hears a leader", By: "raft-truncated-configuration", With: "raft"},
	probeStaleTerm:       {ID: "raft-stale-term", Text: "AppendEntries of an older term are rejected", By: "paused-leader-reads", With: "raft"},
	probeTruncated:       {ID: "raft-truncated", Text: "a follower removes entries that conflict with the leader's", By: "raft-figure-7", With: "raft"},
	probeJoint:           {ID: "raft-joint-leader", Text: "a leader is elected while a joint configuration is in force at it", By: "raft-joint-forever", With: "raft"},
	probeTransferCut:     {ID: "raft-snapshot-cut", Text: "a snapshot transfer is under way at a follower when the term changes", By: "raft-half-a-snapshot", With: "raft"},
	probeTransferred:     {ID: "raft-timeout-now", Text: "a node starts an election because the leader told it to", By: "raft-lease-kept", With: "raft"},
	probeOwnDiskLast:     {ID: "raft-own-disk-last", Text: "a commit index advances by the leader's own durable write, after the followers'", By: "leader-crash", With: "raft"},
	probeOldTermThrough:  {ID: "raft-old-term-committed", Text: "an entry of an older term is committed, through one of the leader's own (Figure 8)", By: "raft-fail-over", With: "raft"},
	probeLearnerPromoted: {ID: "raft-learner-promoted", Text: "a node that had no vote becomes a voter", By: "raft-joint-forever", With: "raft"},
	probeReadLost:        {ID: "raft-read-lost", Text: "a leader with reads waiting for their round loses leadership", By: "crash-storm", With: "raft"},
	probeStopped:         {ID: "raft-stopped", Text: "a node falls silent after a failed write", By: "disk-full", With: "raft"},
	probeVoteRebooted:    {ID: "raft-vote-after-restart", Text: "a node that has crashed and booted again grants a vote", By: "raft-vote-once", With: "raft"},
	probeVoteAgain:       {ID: "raft-vote-repeated", Text: "a node grants its vote of a term once more, to the candidate that has it", By: "raft-vote-once", With: "raft"},
	probeTwoSnapshots:    {ID: "raft-two-snapshots", Text: "a leader sends snapshots to two followers at once", By: "raft-new-members", With: "raft"},
}

// probed is what the prober remembers of a node after its last step.
type probed struct {
	known    bool
	boots    int
	role     role
	term     uint64
	last     protocols.Index
	lastTerm uint64
	commit   protocols.Index
	incoming protocols.Index
	voter    bool
	reads    int
	vote     protocols.NodeID // of the term
	sending  int              // snapshots
}

// prober counts Raft's rare situations. Cost: O(1) per step, but for commits, and
// O(replicas) per step of a leader.
type prober struct {
	protocols.Tally
	nodes []probed
}

func probes(c protocols.Cluster) protocols.Prober {
	return &prober{protocols.NewTally(probeList), make([]probed, c.Nodes()+1)}
}

// Moments implements [protocols.Observer].
func (p *prober) Moments() protocols.MomentKind { return protocols.Stepped | protocols.Booted }

// Observe implements [protocols.Observer].
func (p *prober) Observe(m *protocols.Moment) {
	n, ok := m.Replica.(*Node)
	if !ok {
		return
	}
	was := &p.nodes[m.Node]
	if m.Kind == protocols.Booted {
		*was = probed{boots: was.boots + 1}
	}
	sending := n.snapshotsSent()
	if m.Kind == protocols.Stepped {
		if was.known {
			p.stepped(m, n, was)
		}
		if m.Event.Kind == protocols.Receive {
			p.received(m, n, was)
		}
		p.When(probeTwoSnapshots, sending > 1 && was.sending < 2)
		p.When(probeSplitVote, m.Event.Kind == protocols.Fire && m.Event.Timer == timerElection && was.role == candidate)
	}
	last := n.log.Last()
	*was = probed{true, was.boots, n.role, n.term, last, n.termAt(last), n.commit, n.incoming.lastIndex, n.voter, len(n.waiting), n.vote, sending}
}

// snapshotsSent counts the followers that a leader sends a snapshot to.
func (n *Node) snapshotsSent() (count int) {
	if n.role != leader {
		return 0
	}
	for i := range n.progress {
		if n.progress[i].sending != nil {
			count++
		}
	}
	return count
}

// stepped compares the node with what it was before the step.
func (p *prober) stepped(m *protocols.Moment, n *Node, was *probed) {
	p.When(probeStopped, n.role == stopped && was.role != stopped)
	p.When(probeReadLost, was.role == leader && n.role != leader && was.reads > 0)
	p.When(probeTransferCut, was.incoming != 0 && n.term > was.term)
	p.When(probeLearnerPromoted, n.voter && !was.voter)
	p.When(probeJoint, n.role == leader && was.role != leader && n.latest().config.isJoint())
	replaced := n.log.Last() < was.last || was.last >= n.base() && n.termAt(was.last) != was.lastTerm
	p.When(probeTruncated, replaced)
	if n.role == leader && was.role == leader && n.commit > was.commit {
		if m.Event.Kind == protocols.Receive && m.Event.From == m.Node {
			p.When(probeOwnDiskLast, true)
		}
		p.When(probeOldTermThrough, was.commit+1 < n.termStart && was.commit >= n.base() && n.termAt(was.commit+1) < n.term)
	}
}

// received looks at the message of the step.
func (p *prober) received(m *protocols.Moment, n *Node, was *probed) {
	switch v := m.Event.Message.(type) {
	case *RequestVote:
		p.When(probeVoteIgnored, v.Term > n.term)
		granted := grants(m.Effects)
		p.When(probeVoteRebooted, granted && was.boots > 1)
		p.When(probeVoteAgain, granted && n.term == was.term && was.vote == m.Event.From)
	case *PreVote:
		p.When(probePreVoteRefused, v.Term > n.term && (n.role == leader || n.now < n.quietUntil))
	case *AppendEntries:
		p.When(probeStaleTerm, v.Term < n.term)
	case *TimeoutNow:
		p.When(probeTransferred, n.role == candidate && was.role != candidate)
	}
}

// grants reports whether a step sends a vote.
func grants(out *protocols.Effects) bool {
	for i := range out.List {
		if v, ok := out.List[i].Message.(*RequestVoteResponse); ok && v.VoteGranted {
			return true
		}
	}
	return false
}
