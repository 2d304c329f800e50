package raft

import (
	"cmp"
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// incoming is a snapshot of which this node has received the first rows (§5.1). It is
// volatile: after a crash the transfer begins anew.
type incoming struct {
	lastIndex protocols.Index // 0: none
	lastTerm  uint64
	parts     []protocols.Part
	rows      uint64  // of parts
	early     []chunk // what came before its turn, by offset
}

// chunk is what one InstallSnapshot carries of a snapshot.
type chunk struct {
	offset uint64
	data   protocols.Part
	done   bool
}

// compact takes a snapshot when enough was executed since the last one, and puts it
// in force, which forgets the log that it covers, once LogKept more was executed:
// followers that are not further behind than that get entries. The first configuration
// is not in the log: a node that joins by the log alone waits for the one that adds it.
func (n *Node) compact(out *protocols.Effects) {
	every := protocols.Index(n.parameters.SnapshotEvery)
	if every == 0 {
		return
	}
	applied := n.execute.Applied
	if n.taken == nil && applied-n.base() >= every && !n.configurationAt(applied).Voters.Empty() {
		n.taken = n.takeSnapshot()
	}
	if t := n.taken; t != nil && applied-t.LastIndex >= protocols.Index(n.parameters.LogKept) && !n.spares(applied-t.LastIndex, every) {
		n.taken = nil
		n.baseTerm, n.checkpoint = t.LastTerm, t
		n.log.CompactTo(t.LastIndex)
		n.dropConfigurations(t.LastIndex)
		n.saveSnapshot(out)
	}
}

// spared bounds in snapshots for how long a transfer may put off compaction.
const spared = 16

// spares reports whether the leader keeps entries that it could forget, because a
// follower is getting an older snapshot and needs what comes after it: without them it
// would get the next snapshot, and so on for as long as clients write. A transfer that
// takes too long holds up nothing for ever: the log stays bounded.
func (n *Node) spares(kept, every protocols.Index) bool {
	if n.role != leader || kept >= spared*every {
		return false
	}
	for i := range n.progress {
		if p := &n.progress[i]; p.sending != nil && p.offset > 0 { // it has answered
			return true
		}
	}
	return false
}

func (n *Node) takeSnapshot() *Checkpoint {
	applied := n.execute.Applied
	c := &Checkpoint{LastIndex: applied, LastTerm: n.termAt(applied), Configuration: n.configurationAt(applied), State: n.execute.Snapshot()}
	if n.bugs.bareSnapshot {
		c.Configuration = &Configuration{Voters: n.first}
	}
	return c
}

// saveSnapshot writes all that the disk must hold. In the order of writes it stands
// behind every vote and every entry that this node has written.
func (n *Node) saveSnapshot(out *protocols.Effects) {
	s := &Snapshot{HardState: HardState{Term: n.term, Vote: n.vote}, Disk: n.disk, Checkpoint: n.checkpoint}
	if count := n.log.Len(); count > 0 {
		s.Entries = make([]Entry, 0, count)
		for i := n.log.First(); i <= n.log.Last(); i++ {
			s.Entries = append(s.Entries, *n.log.At(i))
		}
	}
	out.SaveSnapshot(s)
}

// restore makes the state that of c, and the log one that begins behind it.
func (n *Node) restore(c *Checkpoint) {
	n.execute.Restore(c.State)
	n.log.Reset(c.LastIndex)
	n.baseTerm, n.checkpoint, n.taken, n.commit = c.LastTerm, c, nil, c.LastIndex
	n.configurations = append(n.configurations[:0], configured{c.LastIndex, c.Configuration})
	n.configure()
	n.noted = *n.latest()
}

// sendSnapshot begins to send this leader's snapshot to a follower that lacks what
// the log no longer holds.
func (n *Node) sendSnapshot(peer protocols.NodeID, out *protocols.Effects) {
	p := &n.progress[peer]
	p.probe(p.next)
	p.sending, p.offset = n.checkpoint, 0
	n.probeSnapshot(peer, out)
}

// probeSnapshot sends one chunk, that after the rows which the follower is known to
// have: it answers how many it has.
func (n *Node) probeSnapshot(peer protocols.NodeID, out *protocols.Effects) {
	p := &n.progress[peer]
	if p.offset == 0 {
		p.sending = n.checkpoint // there may be a newer one by now
	}
	p.probing, p.sent, p.since = true, p.offset, n.now
	n.sendChunk(peer, out)
}

// streamSnapshot sends on as many chunks as the window allows.
// Deviation: the paper waits for the answer to each (figure 5.3), which takes a round
// trip for every chunk.
func (n *Node) streamSnapshot(peer protocols.NodeID, out *protocols.Effects) {
	p := &n.progress[peer]
	room := uint64(n.parameters.Window) * uint64(n.parameters.ChunkSize)
	for all := protocols.Rows(p.sending.State); p.sent < all && p.sent-p.offset < room; {
		n.sendChunk(peer, out)
	}
}

// sendChunk sends the rows from p.sent on.
func (n *Node) sendChunk(peer protocols.NodeID, out *protocols.Effects) {
	p := &n.progress[peer]
	c := p.sending
	data := protocols.Cut(c.State, p.sent, uint64(n.parameters.ChunkSize))
	// Early: it is executed, so a majority has it on disk.
	protocols.SendEarly(out, peer, InstallSnapshot{
		Term: n.term, LastIncludedIndex: c.LastIndex, LastIncludedTerm: c.LastTerm, LastConfig: c.Configuration,
		Offset: p.sent, Data: data, Done: p.sent+data.Rows() >= protocols.Rows(c.State),
	})
	p.sent += data.Rows()
}

func (n *Node) onInstallSnapshotResponse(from protocols.NodeID, m *InstallSnapshotResponse, out *protocols.Effects) {
	if !n.observeTerm(m.Term, out) || m.Term != n.term || n.role != leader || from == n.id {
		return
	}
	if !n.isDiskOf(from, m.Disk) {
		return
	}
	p := &n.progress[from]
	n.heard = n.heard.With(from)
	if p.sending == nil || p.sending.LastIndex != m.LastIncludedIndex || m.Offset > protocols.Rows(p.sending.State) {
		return // of another transfer
	}
	switch {
	case m.Offset > p.offset: // it may have rows from an earlier leader
		p.sent = max(p.sent, m.Offset)
	case m.Offset < p.offset && p.probing: // a crash has lost what it had
		p.sent = m.Offset
	default:
		return // late: an answer to an earlier chunk
	}
	p.offset, p.probing, p.since = m.Offset, false, n.now
	n.streamSnapshot(from, out)
}

func (n *Node) onInstallSnapshot(from protocols.NodeID, m *InstallSnapshot, out *protocols.Effects) {
	if !n.hear(from, m.Term, out) {
		if m.Term < n.term {
			// Early: it says only that the sender's term is over.
			protocols.SendEarly(out, from, InstallSnapshotResponse{Term: n.term, LastIncludedIndex: m.LastIncludedIndex, Disk: n.disk})
		}
		return
	}
	switch {
	case m.LastIncludedIndex == 0 || m.LastIncludedTerm == 0 || m.LastIncludedTerm > m.Term || m.LastConfig == nil || !m.LastConfig.isPossible(n.replicas):
		n.drop(out, "a snapshot that cannot be")
	case m.LastIncludedIndex <= n.commit:
		n.acknowledge(from, max(m.LastIncludedIndex, n.base()), out)
	case m.LastIncludedIndex <= n.log.Last() && n.termAt(m.LastIncludedIndex) == m.LastIncludedTerm:
		// The log holds what the snapshot covers, which is committed: it stays, with what
		// follows (§5.1).
		n.advanceCommit(m.LastIncludedIndex, out)
		n.acknowledge(from, m.LastIncludedIndex, out)
	default:
		n.receiveChunk(from, m, out)
	}
}

// receiveChunk takes the rows that come next, and the snapshot when it is whole. Rows
// that come before their turn are set aside; those of another snapshot replace what was
// received before.
func (n *Node) receiveChunk(from protocols.NodeID, m *InstallSnapshot, out *protocols.Effects) {
	in := &n.incoming
	if in.lastIndex != m.LastIncludedIndex || in.lastTerm != m.LastIncludedTerm {
		*in = incoming{lastIndex: m.LastIncludedIndex, lastTerm: m.LastIncludedTerm}
		if n.bugs.campaignPending {
			n.log.Reset(m.LastIncludedIndex)
			n.baseTerm = m.LastIncludedTerm
		}
	}
	if m.Data.Applied() != m.LastIncludedIndex {
		n.drop(out, "a chunk of another snapshot")
		return
	}
	if in.take(chunk{m.Offset, m.Data, m.Done}, n.parameters.Window) {
		n.install(from, m, out)
		return
	}
	// Early: it is about this node's memory, not its disk.
	protocols.SendEarly(out, from, InstallSnapshotResponse{Term: n.term, LastIncludedIndex: m.LastIncludedIndex, Offset: in.rows, Disk: n.disk})
}

// take adds a chunk and what was set aside behind it, and reports whether the snapshot
// is whole. No more than a window of chunks is set aside.
func (in *incoming) take(c chunk, window int) (whole bool) {
	if c.offset > in.rows {
		at, found := slices.BinarySearchFunc(in.early, c.offset, func(e chunk, offset uint64) int { return cmp.Compare(e.offset, offset) })
		if !found && len(in.early) < window {
			in.early = slices.Insert(in.early, at, c)
		}
		return false
	}
	for k := 0; ; k++ {
		if c.offset == in.rows && (c.data.Rows() > 0 || c.done) {
			in.parts = append(in.parts, c.data)
			in.rows += c.data.Rows()
			whole = c.done
		}
		if whole || k == len(in.early) || in.early[k].offset > in.rows {
			in.early = slices.Delete(in.early, 0, k)
			return whole
		}
		c = in.early[k]
	}
}

// install replaces state, log and configuration by those of a snapshot that is whole.
// The log is discarded: it is older, or of another history (§5.1).
func (n *Node) install(from protocols.NodeID, m *InstallSnapshot, out *protocols.Effects) {
	state := protocols.Join(n.incoming.parts)
	n.incoming = incoming{}
	if state == nil || !n.execute.Accepts(state) {
		n.drop(out, "chunks that make no snapshot")
		return
	}
	n.restore(&Checkpoint{LastIndex: m.LastIncludedIndex, LastTerm: m.LastIncludedTerm, Configuration: m.LastConfig, State: state})
	out.Note(protocols.Note{Kind: protocols.NoteCommit, Epoch: n.term, Index: n.commit})
	out.Note(protocols.Note{Kind: protocols.NoteInstalled, Epoch: n.term, Index: n.commit, State: n.execute.Hash()})
	if !n.noted.config.isJoint() {
		n.noteMembers(out)
	}
	n.saveSnapshot(out)
	n.checkElection(out)
	n.serveAsked(out)
	n.acknowledge(from, n.commit, out)
}

// acknowledge says that this node's durable log equals the leader's up to index.
func (n *Node) acknowledge(to protocols.NodeID, index protocols.Index, out *protocols.Effects) {
	answer := AppendEntriesResponse{Term: n.term, Success: true, MatchIndex: index, MatchTerm: n.termAt(index), Disk: n.disk}
	if n.bugs.earlyAppend {
		protocols.SendEarly(out, to, answer)
		return
	}
	protocols.Send(out, to, answer)
}

// base returns the position before the log's first entry: that of the snapshot in
// force, or 0.
func (n *Node) base() protocols.Index { return n.log.First() - 1 }
