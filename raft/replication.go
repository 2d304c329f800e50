package raft

import "github.com/lockstep-sim/lockstep/protocols"

// progress is the leader's view of one follower's log, beside Node.match.
type progress struct {
	// next is the first entry not yet sent. match < next <= log.Last()+1.
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
	for _, peer := range n.peers {
		n.progress[peer].probe(n.log.Last() + 1)
	}
}

// append adds an entry to the leader's log and sends it on.
func (n *Node) append(e Entry, out *protocols.Effects) {
	prev := n.log.Last()
	n.log.Append(e)
	last := n.log.Last()
	protocols.Persist(out, Append{PrevLogIndex: prev, Entries: n.log.View(last, 1)})
	for _, peer := range n.peers {
		n.replicate(peer, out)
	}
	// The leader counts itself like anyone else: once its own write is durable
	// (§10.2.1).
	own := AppendEntriesResponse{Term: n.term, Success: true, MatchIndex: last, MatchTerm: e.Term}
	if n.bugs.earlyOwnAppend {
		protocols.SendEarly(out, n.id, own)
		return
	}
	protocols.Send(out, n.id, own)
}

// replicate sends peer what it lacks, as far as the window allows.
func (n *Node) replicate(peer protocols.NodeID, out *protocols.Effects) {
	p := &n.progress[peer]
	last := n.log.Last()
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
// heartbeat's time. It is called when peer has answered a heartbeat, so the
// messages before it are late or lost, or its disk is slow.
func (n *Node) retransmit(peer protocols.NodeID, out *protocols.Effects) {
	p := &n.progress[peer]
	if p.count > 0 && n.now.Sub(p.since) >= n.parameters.Heartbeat {
		p.probe(n.match[peer] + 1)
		n.replicate(peer, out)
	}
}

func (n *Node) onAppendEntries(from protocols.NodeID, m *AppendEntries, out *protocols.Effects) {
	if !n.hear(from, m.Term, out) {
		if m.Term < n.term {
			// Early: it says only that the sender's term is over.
			protocols.SendEarly(out, from, AppendEntriesResponse{Term: n.term, MatchIndex: m.PrevLogIndex, ConflictIndex: n.log.Last() + 1})
		}
		return
	}
	if why := m.impossible(); why != "" {
		n.drop(out, why)
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
	answer := AppendEntriesResponse{Term: n.term, Success: true, MatchIndex: match, MatchTerm: n.termAt(match)}
	if n.bugs.earlyAppend {
		protocols.SendEarly(out, from, answer)
		return
	}
	protocols.Send(out, from, answer)
}

// impossible returns why no correct leader can have sent m, or "".
func (m *AppendEntries) impossible() string {
	if m.PrevLogIndex == 0 && m.PrevLogTerm != 0 {
		return "a term before the first entry"
	}
	term := m.PrevLogTerm
	for i := range m.Entries {
		if m.Entries[i].Term < term || m.Entries[i].Term == 0 {
			return "terms that go down"
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
	}
	rest := m.Entries[k:len(m.Entries):len(m.Entries)]
	for _, e := range rest {
		n.log.Append(e)
	}
	protocols.Persist(out, Append{PrevLogIndex: prev, Entries: rest})
	return true
}

// rejectAppend refuses the entries after prev with a hint (§3.5).
func (n *Node) rejectAppend(to protocols.NodeID, prev protocols.Index, out *protocols.Effects) {
	answer := AppendEntriesResponse{Term: n.term, MatchIndex: prev, ConflictIndex: n.log.Last() + 1}
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
	n.heard = n.heard.With(from)
	if !m.Success {
		n.onRejected(from, m, out)
		return
	}
	if m.MatchIndex > n.log.Last() || n.termAt(m.MatchIndex) != m.MatchTerm {
		n.drop(out, "a match that this leader's log does not have")
		return
	}
	if m.MatchIndex <= n.match[from] {
		return // late; a match only grows within a term
	}
	n.match[from] = m.MatchIndex
	if from != n.id {
		p := &n.progress[from]
		p.acknowledge(m.MatchIndex)
		p.probing, p.since = false, n.now
		p.next = max(p.next, m.MatchIndex+1)
	}
	n.advanceLeaderCommit(m.MatchIndex, out)
	if from != n.id {
		n.replicate(from, out)
	}
}

// onRejected goes back to where the hint says that the logs may agree.
func (n *Node) onRejected(from protocols.NodeID, m *AppendEntriesResponse, out *protocols.Effects) {
	p := &n.progress[from]
	prev := m.MatchIndex
	if from == n.id || prev <= n.match[from] || prev >= p.next {
		return // stale: answered before what is known by now
	}
	next := m.ConflictIndex
	if m.ConflictTerm != 0 {
		// Entries of that term, should this log have any, may be shared.
		if after := n.firstOfTerm(m.ConflictTerm + 1); after > n.log.First() && n.termAt(after-1) == m.ConflictTerm {
			next = after
		}
	}
	p.probe(max(n.match[from]+1, min(next, prev)))
	n.replicate(from, out)
}

// advanceLeaderCommit applies the commit rule (§3.6.2) after some match has grown: a majority stores the entry durably, and it is of this term. An
// entry of an older term on a majority may still be overwritten (figure 3.7).
func (n *Node) advanceLeaderCommit(grown protocols.Index, out *protocols.Effects) {
	if grown <= n.commit {
		return
	}
	index := protocols.CommittedIndex(n.quorum, n.match)
	if index <= n.commit || n.termAt(index) != n.term && !n.bugs.countOldTerms {
		return
	}
	n.advanceCommit(index, out)
	n.serveReads(out)
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
}
