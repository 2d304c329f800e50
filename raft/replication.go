package raft

import "github.com/lockstep-sim/lockstep/protocols"

// progress is the leader's view of one follower's log, beside Node.match.
type progress struct {
	// stored is up to where the follower's durable log is known to equal this one.
	// Node.match says the same of a follower whose disk counts.
	stored protocols.Index
	disk   uint64 // the follower's, as in Wiped
	// next is the first entry not yet sent. stored < next <= log.Last()+1.
	next protocols.Index
	// probing: it is not known where the logs part, so one AppendEntries is in flight
	// at a time. Otherwise next runs ahead of the acknowledgements (§10.2.1).
	probing bool
	// inflight is a ring of the last index of each AppendEntries not yet answered,
	// of Parameters.Window slots; count of them from head on are in use, ascending.
	inflight []protocols.Index
	head     int
	count    int
	// since is when the oldest of them was sent or last made progress.
	since protocols.Time

	// sending is the snapshot that the follower gets, of which it has the rows before
	// offset and was sent those before sent; nil: none. Under probing one chunk is in
	// flight at a time.
	sending      *Checkpoint
	offset, sent uint64

	// A learner is caught up when a round, which is to replicate up to roundEnd, was
	// quick (§4.2.1).
	caughtUp   bool
	roundEnd   protocols.Index
	roundBegan protocols.Time
}

func (p *progress) full() bool {
	return p.count == len(p.inflight) || p.probing && p.count > 0
}

func (p *progress) push(last protocols.Index) {
	i := p.head + p.count
	if i >= len(p.inflight) {
		i -= len(p.inflight)
	}
	p.inflight[i] = last
	p.count++
}

// acknowledge frees what match covers. Acknowledgements may be lost or overtake
// each other; a later one covers the earlier.
func (p *progress) acknowledge(match protocols.Index) {
	for p.count > 0 && p.inflight[p.head] <= match {
		p.head++
		if p.head == len(p.inflight) {
			p.head = 0
		}
		p.count--
	}
}

// probe goes back to next, one AppendEntries at a time.
func (p *progress) probe(next protocols.Index) {
	p.next, p.probing, p.head, p.count = next, true, 0, 0
}

// resetProgress starts a term: nothing is known to match, and the followers'
// logs are hoped to be as long as the leader's (§3.5).
func (n *Node) resetProgress() {
	clear(n.match)
	for id := range n.progress {
		p := &n.progress[id]
		*p = progress{inflight: p.inflight, disk: n.configuration().disk(protocols.NodeID(id)), roundEnd: n.log.Last() + 1, roundBegan: n.now}
		p.probe(n.log.Last() + 1)
	}
}

// append adds an entry to the leader's log and sends it on.
func (n *Node) append(e Entry, out *protocols.Effects) {
	n.log.Append(e)
	n.publish(out)
}

// publish writes the last entry of the leader's log and sends it on.
func (n *Node) publish(out *protocols.Effects) {
	last := n.log.Last()
	protocols.Persist(out, Append{PrevLogIndex: last - 1, Entries: n.log.View(last, 1)})
	for _, peer := range n.peers {
		n.replicate(peer, out)
	}
	// The leader counts itself like anyone else: once its own write is durable
	// (§10.2.1).
	own := AppendEntriesResponse{Term: n.term, Success: true, MatchIndex: last, MatchTerm: n.term, Disk: n.disk}
	if n.bugs.earlyOwnAppend {
		protocols.SendEarly(out, n.id, own)
		return
	}
	protocols.Send(out, n.id, own)
}

// replicate sends peer what it lacks, as far as the window allows.
func (n *Node) replicate(peer protocols.NodeID, out *protocols.Effects) {
	p := &n.progress[peer]
	if p.sending != nil {
		return
	}
	if p.next <= n.base() {
		n.sendSnapshot(peer, out)
		return
	}
	last := n.log.Last()
	if n.parameters.LeaderWrite == LeaderWriteSerial {
		last = n.match[n.id]
	}
	for p.next <= last && !p.full() {
		entries := n.log.View(p.next, n.parameters.MaxBatch)
		// Early: that the leader sends an entry says nothing about its disk; should it
		// crash, it has to win a new term before it can lead again (§10.2.1).
		protocols.SendEarly(out, peer, AppendEntries{
			Term:         n.term,
			PrevLogIndex: p.next - 1,
			PrevLogTerm:  n.termAt(p.next - 1),
			LeaderCommit: n.commit,
			Entries:      entries,
		})
		if p.count == 0 {
			p.since = n.now
		}
		p.next += protocols.Index(len(entries))
		p.push(p.next - 1)
	}
}

// retransmit goes back to the last match when nothing was acknowledged for a
// heartbeat's time, and sends what was not yet sent. It is called when peer has answered a heartbeat, so the
// messages before it are late or lost, or its disk is slow.
func (n *Node) retransmit(peer protocols.NodeID, out *protocols.Effects) {
	p := &n.progress[peer]
	switch {
	case n.now.Sub(p.since) < n.parameters.Heartbeat:
	case p.sending != nil:
		n.probeSnapshot(peer, out)
	case p.count > 0 && n.bugs.sendOnce: // R-LOST
	case p.count > 0:
		p.probe(p.stored + 1)
		n.replicate(peer, out)
	default:
		n.replicate(peer, out)
	}
}

func (n *Node) onAppendEntries(from protocols.NodeID, m *AppendEntries, out *protocols.Effects) {
	if !n.hear(from, m.Term, out) {
		if m.Term < n.term {
			// Early: it says only that the sender's term is over.
			protocols.SendEarly(out, from, AppendEntriesResponse{Term: n.term, MatchIndex: m.PrevLogIndex, ConflictIndex: n.log.Last() + 1, Disk: n.disk})
		}
		return
	}
	if why := m.impossible(n.replicas); why != "" {
		n.drop(out, why)
		return
	}
	if m.PrevLogIndex < n.base() && !n.skip(m) {
		n.acknowledge(from, n.base(), out)
		return
	}
	if m.PrevLogIndex > n.log.Last() || n.termAt(m.PrevLogIndex) != m.PrevLogTerm {
		n.rejectAppend(from, m.PrevLogIndex, out)
		return
	}
	if !n.store(m, out) {
		n.drop(out, "entries that conflict with committed ones")
		return
	}
	match := m.PrevLogIndex + protocols.Index(len(m.Entries))
	// The last new entry, not the last of the log: what follows it here may be of
	// another leader.
	bound := match
	if n.bugs.wholeCommit {
		bound = n.log.Last()
	}
	n.advanceCommit(min(m.LeaderCommit, bound), out)
	n.acknowledge(from, max(match, n.base()), out)
}

// skip leaves out of m what this node's snapshot covers, which is committed and so the
// same. It returns false when that is all.
func (n *Node) skip(m *AppendEntries) bool {
	k := n.base() - m.PrevLogIndex
	if k >= protocols.Index(len(m.Entries)) {
		return false
	}
	m.PrevLogIndex, m.PrevLogTerm, m.Entries = n.base(), m.Entries[k-1].Term, m.Entries[k:]
	return true
}

// impossible returns why no correct leader of these replicas can have sent m, or "".
func (m *AppendEntries) impossible(replicas protocols.NodeSet) string {
	if m.PrevLogIndex == 0 && m.PrevLogTerm != 0 {
		return "a term before the first entry"
	}
	term := m.PrevLogTerm
	for i := range m.Entries {
		if m.Entries[i].Term < term || m.Entries[i].Term == 0 {
			return "terms that go down"
		}
		if c := m.Entries[i].Configuration; c != nil && !c.isPossible(replicas) {
			return "a configuration that cannot be"
		}
		term = m.Entries[i].Term
	}
	if term > m.Term {
		return "entries of a later term"
	}
	return ""
}

// store makes the log equal to the request's. It truncates from the first entry
// that conflicts and never otherwise: an older request that was overtaken would
// else erase entries already acknowledged. It returns false, and does nothing,
// when the conflict is with a committed entry.
func (n *Node) store(m *AppendEntries, out *protocols.Effects) bool {
	last := n.log.Last()
	k := 0
	for k < len(m.Entries) {
		i := m.PrevLogIndex + 1 + protocols.Index(k)
		if i > last || n.termAt(i) != m.Entries[k].Term {
			break
		}
		k++
	}
	if n.bugs.truncateAlways && m.PrevLogIndex >= n.commit {
		k = 0
		n.log.TruncateFrom(m.PrevLogIndex + 1)
		n.forgetConfigurations(m.PrevLogIndex + 1)
		protocols.Persist(out, Append{PrevLogIndex: m.PrevLogIndex})
	}
	if k == len(m.Entries) {
		return true
	}
	prev := m.PrevLogIndex + protocols.Index(k)
	if prev < n.log.Last() {
		if prev < n.commit {
			return false
		}
		n.log.TruncateFrom(prev + 1)
		n.forgetConfigurations(prev + 1)
	}
	rest := m.Entries[k:len(m.Entries):len(m.Entries)]
	for i := range rest {
		n.log.Append(rest[i])
	}
	n.learnConfigurations(prev, rest)
	protocols.Persist(out, Append{PrevLogIndex: prev, Entries: rest})
	return true
}

// rejectAppend refuses the entries after prev with a hint (§3.5).
func (n *Node) rejectAppend(to protocols.NodeID, prev protocols.Index, out *protocols.Effects) {
	answer := AppendEntriesResponse{Term: n.term, MatchIndex: prev, ConflictIndex: n.log.Last() + 1, Disk: n.disk}
	if prev <= n.log.Last() {
		answer.ConflictTerm = n.termAt(prev)
		answer.ConflictIndex = n.firstOfTerm(answer.ConflictTerm)
	}
	// Early: that a log lacks something is no claim about the disk.
	protocols.SendEarly(out, to, answer)
}

// firstOfTerm returns the first index whose entry has a term of at least term.
// Terms never go down along a log, so it halves.
func (n *Node) firstOfTerm(term uint64) protocols.Index {
	low, high := n.log.First(), n.log.Last()+1
	for low < high {
		mid := low + (high-low)/2
		if n.termAt(mid) < term {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

func (n *Node) onAppendEntriesResponse(from protocols.NodeID, m *AppendEntriesResponse, out *protocols.Effects) {
	if !n.observeTerm(m.Term, out) || m.Term != n.term || n.role != leader {
		return
	}
	if from != n.id && !n.isDiskOf(from, m.Disk) {
		return
	}
	n.heard = n.heard.With(from)
	if !m.Success {
		n.onRejected(from, m, out)
		return
	}
	if m.MatchIndex > n.log.Last() || m.MatchIndex >= n.base() && n.termAt(m.MatchIndex) != m.MatchTerm {
		n.drop(out, "a match that this leader's log does not have")
		return
	}
	p := &n.progress[from]
	if m.MatchIndex <= p.stored {
		return // late; a match only grows within a term
	}
	p.stored = m.MatchIndex
	if from == n.id || n.counts(from) {
		n.match[from] = m.MatchIndex
	}
	if from == n.id {
		n.advanceLeaderCommit(m.MatchIndex, out)
		n.afterOwnWrite(out)
		return
	}
	p.acknowledge(m.MatchIndex)
	p.probing, p.since = false, n.now
	p.next = max(p.next, m.MatchIndex+1)
	if p.sending != nil && p.sending.LastIndex <= m.MatchIndex {
		p.sending = nil
	}
	n.advanceLeaderCommit(m.MatchIndex, out)
	n.afterStored(from, out)
}

// afterOwnWrite sends on what this leader's disk has now, where it sends nothing
// before.
func (n *Node) afterOwnWrite(out *protocols.Effects) {
	if n.role == leader && n.parameters.LeaderWrite == LeaderWriteSerial {
		for _, peer := range n.peers {
			n.replicate(peer, out)
		}
	}
}

// afterStored goes on with a follower that has stored more.
func (n *Node) afterStored(peer protocols.NodeID, out *protocols.Effects) {
	if n.role != leader {
		return // it has just committed a configuration without itself
	}
	n.replicate(peer, out)
	if !n.progress[peer].caughtUp {
		n.advanceRound(peer, out)
	}
	if peer == n.transfer.target {
		n.handOver(out)
	}
}

// isDiskOf reports whether a follower speaks of the disk that it has now. When that is
// a new one, all that was known of the one before is void.
func (n *Node) isDiskOf(id protocols.NodeID, disk uint64) bool {
	p := &n.progress[id]
	if disk == p.disk {
		return true
	}
	if disk < p.disk {
		return n.bugs.keepProgress
	}
	n.match[id] = 0
	p.disk, p.stored, p.sending, p.caughtUp = disk, 0, nil, false
	p.roundEnd, p.roundBegan = n.log.Last(), n.now
	p.probe(max(1, n.log.Last())) // an entry to be refused: that shows what it has
	return true
}

// counts reports whether a follower's disk is the one with which it is a member.
func (n *Node) counts(id protocols.NodeID) bool {
	return n.progress[id].disk == n.configuration().disk(id) || n.bugs.wipedVotes
}

// onRejected goes back to where the hint says that the logs may agree.
func (n *Node) onRejected(from protocols.NodeID, m *AppendEntriesResponse, out *protocols.Effects) {
	p := &n.progress[from]
	prev := m.MatchIndex
	if from == n.id || prev <= p.stored || prev >= p.next || p.sending != nil {
		return // stale: answered before what is known by now
	}
	next := m.ConflictIndex
	if m.ConflictTerm != 0 {
		// Entries of that term, should this log have any, may be shared.
		if after := n.firstOfTerm(m.ConflictTerm + 1); after > n.log.First() && n.termAt(after-1) == m.ConflictTerm {
			next = after
		}
	}
	p.probe(max(p.stored+1, min(next, prev)))
	n.replicate(from, out)
}

// advanceLeaderCommit applies the commit rule (§3.6.2) after some match has grown: a majority stores the entry durably, and it is of this term. An
// entry of an older term on a majority may still be overwritten (figure 3.7).
func (n *Node) advanceLeaderCommit(grown protocols.Index, out *protocols.Effects) {
	if grown <= n.commit {
		return
	}
	index := protocols.CommittedIndex(n.commitQuorum(), n.match)
	if index <= n.commit || n.termAt(index) != n.term && !n.bugs.countOldTerms {
		return
	}
	n.advanceCommit(index, out)
	n.serveReads(out)
}

// commitQuorum returns who must have stored an entry for it to be committed. A leader
// that is no member does not count itself (§4.2.2).
func (n *Node) commitQuorum() protocols.Quorum {
	if n.bugs.countRemoved && !n.isVoter() {
		voters := n.configuration().Voters
		return protocols.Threshold{Of: voters.With(n.id), Size: protocols.MajoritySize(voters.Len())}
	}
	return n.quorum
}

// advanceCommit learns that everything up to index is committed, and executes it.
func (n *Node) advanceCommit(index protocols.Index, out *protocols.Effects) {
	if index <= n.commit {
		return
	}
	assert(index <= n.log.Last(), "commit index beyond the log")
	n.commit = index
	out.Note(protocols.Note{Kind: protocols.NoteCommit, Epoch: n.term, Index: index})
	if n.role == leader && index >= n.termStart && n.execute.Applied < n.termStart {
		out.Note(protocols.Note{Kind: protocols.NoteNormal, Epoch: n.term, Index: index})
	}
	for n.execute.Applied < n.commit {
		n.applyNext(out)
	}
	if n.noted.index != n.latest().index || n.role == leader && (n.wish.active || n.latest().config.isJoint()) {
		n.settled(out)
	}
	if len(n.asked) > 0 {
		n.serveAsked(out)
	}
	n.compact(out)
}
