package primarybackup

import "github.com/lockstep-sim/lockstep/protocols"

// progress is the primary's view of one replica's log, beside match.
type progress struct {
	// next is the first entry not yet sent.
	next protocols.Index
	// probing: it is not known where the logs part, so one message is in flight at a
	// time. Otherwise next runs ahead of the acknowledgements.
	probing bool
	// transfer is the position of a State in flight, or 0.
	transfer protocols.Index
	since    protocols.Time // when the probe or State was sent
	grew     protocols.Time // when match last grew, or nothing more was on its way
	// mended is up to where a gap has been filled: see Node.mend.
	mended protocols.Index
	heard  protocols.Time // when the replica last answered, in whatever view
	steady protocols.Time // since when it has answered without a gap of DeadAfter
	// drops is how often it was dropped from a view of this primary. Each time doubles
	// how long it must be steady before it is ready again, up to maxDrops: a link that
	// is slow now and then would else change the view again and again.
	drops uint8
}

const maxDrops = 6

// restart forgets what a view has found out about the log, and no more.
func (p *progress) restart(now protocols.Time) {
	*p = progress{heard: now, steady: now, grew: now, drops: p.drops}
}

// answered notes a sign of life.
func (p *progress) answered(now protocols.Time, deadAfter protocols.Duration) {
	if now.Sub(p.heard) >= deadAfter {
		p.steady = now
	}
	p.heard = now
}

// isAnswer reports whether an answer from a replica in an epoch is one to this
// primary, now.
func (n *Node) isAnswer(from protocols.NodeID, epoch uint64, out *protocols.Effects) bool {
	if n.role != starting && n.role != primary {
		return false
	}
	if n.deposed(epoch, out) {
		return false
	}
	if from != n.id && !n.targets.Has(from) {
		return false // it was idle, and no longer is
	}
	n.progress[from].answered(n.now, n.parameters.DeadAfter)
	return epoch == n.view.Number
}

// suspects returns the backups that have not answered for too long, and those that
// answer but acknowledge nothing of what they were sent: a disk that hangs stops no
// heartbeat. Kafka drops a follower from the in-sync replicas alike, for being stuck
// as for being slow (replica.lag.time.max.ms).
func (n *Node) suspects() protocols.NodeSet {
	var set protocols.NodeSet
	for id := n.view.Backups.Next(protocols.Nobody); id != protocols.Nobody; id = n.view.Backups.Next(id) {
		p := &n.progress[id]
		if n.now.Sub(p.heard) >= n.parameters.DeadAfter || n.now.Sub(p.grew) >= n.parameters.stuckAfter() {
			set = set.With(id)
		}
	}
	return set
}

// ready returns the joiners that have the committed log, and answer steadily.
func (n *Node) ready() protocols.NodeSet {
	var set protocols.NodeSet
	joiners := n.targets.Minus(n.view.Backups)
	for id := joiners.Next(protocols.Nobody); id != protocols.Nobody && n.role == primary; id = joiners.Next(id) {
		p := &n.progress[id]
		if !p.probing && n.match[id] >= n.commit && p.heard.Sub(p.steady) >= n.parameters.DeadAfter<<p.drops {
			set = set.With(id)
		}
	}
	return set
}

// takeIn makes the idle replicas joiners: they are sent the log, and not counted.
func (n *Node) takeIn(idle protocols.NodeSet, out *protocols.Effects) {
	idle = idle.And(protocols.NodesUpTo(n.replicas)).Without(n.id)
	before := n.targets
	n.targets = n.view.Backups.Or(idle)
	joiners := n.targets.Minus(before)
	for id := joiners.Next(protocols.Nobody); id != protocols.Nobody; id = joiners.Next(id) {
		n.match[id] = 0
		n.progress[id].restart(n.now)
		n.probe(id, n.log.Last()+1, out)
	}
}

// append adds an entry to the primary's log and sends it on.
func (n *Node) append(e Entry, out *protocols.Effects) {
	prev := n.log.Last()
	last := n.log.Append(e)
	protocols.Persist(out, Append{PrevIndex: prev, Entries: n.log.View(last, 1)})
	for id := n.targets.Next(protocols.Nobody); id != protocols.Nobody; id = n.targets.Next(id) {
		n.replicate(id, out)
	}
	// The primary counts itself like anyone else: once its own write is durable.
	protocols.Send(out, n.id, ReplicateResponse{Epoch: n.view.Number, Success: true, Match: last, MatchEpoch: e.Epoch})
}

// replicate streams to a replica what it lacks, as far as the window allows.
func (n *Node) replicate(to protocols.NodeID, out *protocols.Effects) {
	p := &n.progress[to]
	if !p.probing && n.lags(to) {
		n.probe(to, n.match[to]+1, out)
	}
	for !p.probing && p.next <= n.log.Last() && p.next <= n.match[to]+protocols.Index(n.parameters.Window) {
		if p.next < n.log.First() { // a snapshot covers it
			n.probe(to, p.next, out)
			return
		}
		room := n.match[to] + protocols.Index(n.parameters.Window) + 1 - p.next
		most := min(room, protocols.Index(n.parameters.MaxBatch))
		// Under async nobody waits for acknowledgements, but a full window does: without
		// one it would move on only once in a ping.
		fills := min(most, n.log.Last()+1-p.next) == room
		sent := n.sendEntries(to, p.next, int(most), n.mode != modeAsync || n.role == starting || fills, out)
		p.next += protocols.Index(sent)
	}
}

// lags reports whether a replica is so far behind what is committed that the state
// brings it up to date sooner than the log: more is lacking than is wanted of a log,
// and more than one window of it holds. That is never a backup of an acknowledged
// view, without which nothing is committed.
func (n *Node) lags(to protocols.NodeID) bool {
	lacks := n.commit - min(n.match[to], n.commit)
	return lacks > protocols.Index(max(n.parameters.CatchUp, n.parameters.Window))
}

// sendEntries sends up to most entries from position from on. Under serial writes
// those that the primary's own disk does not have yet wait for it.
func (n *Node) sendEntries(to protocols.NodeID, from protocols.Index, most int, ack bool, out *protocols.Effects) int {
	entries := n.log.View(from, most)
	m := Replicate{
		Epoch: n.view.Number, Start: n.start,
		PrevIndex: from - 1, PrevEpoch: n.epochAt(from - 1),
		Commit: n.commit, Member: n.view.Backups.Has(to), Ack: ack,
		Entries: entries,
	}
	if n.serial && from-1+protocols.Index(len(entries)) > n.match[n.id] {
		protocols.Send(out, to, m)
		return len(entries)
	}
	// Early: that the primary sends an entry says nothing about its disk. Should it
	// crash, it never goes on in this view, so that no other entry of this epoch takes
	// the place of one that was sent and lost.
	protocols.SendEarly(out, to, m)
	return len(entries)
}

// probe finds out whether a replica's log equals this one before next, with one
// message at a time; if this log does not reach back that far, or far more is
// lacking than a log is good for, it sends the whole state.
func (n *Node) probe(to protocols.NodeID, next protocols.Index, out *protocols.Effects) {
	p := &n.progress[to]
	p.next, p.probing, p.transfer, p.since, p.mended = next, true, 0, n.now, 0
	if next < n.log.First() || next <= n.commit && n.commit-next+1 > protocols.Index(n.parameters.CatchUp) {
		n.sendState(to, out)
		return
	}
	n.sendEntries(to, next, n.parameters.MaxBatch, true, out)
}

// retry sends a probe or a State again that was not answered for a ping's time, and
// a probe to a backup whose acknowledgement of the view is missing.
func (n *Node) retry(to protocols.NodeID, out *protocols.Effects) {
	p := &n.progress[to]
	missing := n.role == starting && !n.holders.Has(to)
	if n.bugs.probeOnce { // B-21
		return
	}
	if !p.probing && !missing || n.now.Sub(p.since) < n.parameters.Ping {
		return
	}
	switch {
	case p.transfer > 0:
		p.since = n.now
		n.sendState(to, out)
	case p.probing:
		n.probe(to, p.next, out)
	default:
		n.probe(to, n.match[to]+1, out)
	}
}

func (n *Node) onReplicate(from protocols.NodeID, m *Replicate, out *protocols.Effects) {
	if !n.hear(from, m.Epoch, out) {
		n.refuse(from, m.Epoch, m.PrevIndex, out)
		return
	}
	if why := m.impossible(n.physical); why != "" {
		n.drop(out, why)
		return
	}
	if !n.follows(m) {
		n.setAside(m)
		n.refuseEntries(from, m.PrevIndex, out)
		return
	}
	n.take(from, m, out)
	n.takeAside(from, out)
}

// follows reports whether the log has the entry that m's entries follow.
func (n *Node) follows(m *Replicate) bool {
	return m.PrevIndex <= n.log.Last() && (n.has(m.PrevIndex, m.PrevEpoch) || n.bugs.noRewind) // B-12
}

// take stores the entries of m, which follow what the log has, and acknowledges them.
func (n *Node) take(from protocols.NodeID, m *Replicate, out *protocols.Effects) {
	if !n.store(m, out) {
		n.drop(out, "entries that conflict with committed ones")
		return
	}
	match := m.PrevIndex + protocols.Index(len(m.Entries))
	n.verify(match, m.Start, m.Member, out)
	n.advanceCommit(min(m.Commit, n.verified), out)
	if !m.Ack {
		return
	}
	answer := ReplicateResponse{Epoch: n.view.Number, Success: true, Match: match, MatchEpoch: m.lastEpoch()}
	if n.bugs.earlyMatch { // B-15
		protocols.SendEarly(out, from, answer)
		return
	}
	// Gated: this disk has it.
	protocols.Send(out, from, answer)
}

// impossible returns why no correct primary can have sent m, or "".
func (m *Replicate) impossible(physical bool) string {
	if m.PrevIndex == 0 && m.PrevEpoch != 0 {
		return "an epoch before the first entry"
	}
	if m.PrevIndex > maxEpoch {
		return "an index out of range"
	}
	epoch := m.PrevEpoch
	for i := range m.Entries {
		if m.Entries[i].Epoch < epoch || m.Entries[i].Epoch == 0 {
			return "epochs that go down"
		}
		if f := m.Entries[i].Effect; (f != nil) != physical || f != nil && f.Result.Follow != nil {
			return "entries of another kind of log"
		}
		epoch = m.Entries[i].Epoch
	}
	if epoch > m.Epoch {
		return "entries of a later view"
	}
	return ""
}

// lastEpoch returns the epoch of the last entry that m speaks of.
func (m *Replicate) lastEpoch() uint64 {
	if len(m.Entries) == 0 {
		return m.PrevEpoch
	}
	return m.Entries[len(m.Entries)-1].Epoch
}

// store makes the log equal to the request's. It truncates from the first entry
// that conflicts and never otherwise: an older request that was overtaken would
// else erase entries already acknowledged. It returns false, and does nothing,
// when the conflict is with a committed entry.
func (n *Node) store(m *Replicate, out *protocols.Effects) bool {
	last := n.log.Last()
	k := 0
	for k < len(m.Entries) {
		i := m.PrevIndex + 1 + protocols.Index(k)
		if i > last || !n.has(i, m.Entries[k].Epoch) && !n.bugs.noRewind { // B-12
			break
		}
		k++
	}
	if k == len(m.Entries) {
		return true
	}
	prev := m.PrevIndex + protocols.Index(k)
	if prev < last {
		if prev < n.commit || prev+1 < n.log.First() {
			return false
		}
		n.log.TruncateFrom(prev + 1)
		protocols.Persist(out, Rewind{Last: prev})
	}
	rest := m.Entries[k:len(m.Entries):len(m.Entries)]
	for _, e := range rest {
		n.log.Append(e)
	}
	protocols.Persist(out, Append{PrevIndex: prev, Entries: rest})
	return true
}

// verify learns that the log equals the primary's up to index. A member of the view
// that has all the view starts with holds its log from now on.
func (n *Node) verify(index, start protocols.Index, member bool, out *protocols.Effects) {
	n.verified = max(n.verified, index)
	if member && (n.verified >= start || n.bugs.holdsEarly) && n.holds < n.view.Number { // B-16
		n.holds = n.view.Number
		protocols.Persist(out, Promise{Epoch: n.view.Number, Holds: n.holds})
	}
}

// refuse tells a primary of a lower epoch that it is deposed.
func (n *Node) refuse(to protocols.NodeID, epoch uint64, prev protocols.Index, out *protocols.Effects) {
	if epoch < n.view.Number && to != n.id {
		// Early: it says only that the sender's view is over.
		protocols.SendEarly(out, to, ReplicateResponse{Epoch: n.view.Number, Match: prev, ConflictIndex: n.log.Last() + 1})
	}
}

// refuseEntries refuses the entries after prev with a hint.
func (n *Node) refuseEntries(to protocols.NodeID, prev protocols.Index, out *protocols.Effects) {
	answer := ReplicateResponse{Epoch: n.view.Number, Match: prev, ConflictIndex: n.log.Last() + 1}
	if prev <= n.log.Last() {
		answer.ConflictEpoch = n.epochAt(prev)
		answer.ConflictIndex = n.firstOf(answer.ConflictEpoch)
	}
	// Early: that a log lacks something is no claim about the disk.
	protocols.SendEarly(out, to, answer)
}

// firstOf returns the first index whose entry has an epoch of at least epoch. Epochs
// never go down along a log, so it halves.
func (n *Node) firstOf(epoch uint64) protocols.Index {
	low, high := n.log.First(), n.log.Last()+1
	for low < high {
		mid := low + (high-low)/2
		if n.epochAt(mid) < epoch {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

func (n *Node) onReplicateResponse(from protocols.NodeID, m *ReplicateResponse, out *protocols.Effects) {
	if !n.isAnswer(from, m.Epoch, out) {
		return
	}
	if !m.Success {
		n.onRefused(from, m, out)
		return
	}
	if n.role == starting && m.Match >= n.start {
		n.holders = n.holders.With(from)
		n.checkSynced(out)
	}
	n.matched(from, m.Match, m.MatchEpoch, out)
}

// matched learns that a replica's durable log equals this one up to index.
func (n *Node) matched(from protocols.NodeID, index protocols.Index, epoch uint64, out *protocols.Effects) {
	if index > n.log.Last() || !n.has(index, epoch) {
		n.drop(out, "a match that this primary's log does not have")
		return
	}
	p := &n.progress[from]
	grown := index > n.match[from]
	// While a State is on its way, acknowledgements of entries before it end nothing.
	if p.probing && index >= p.transfer && (grown || index+1 >= p.next) { // where the logs agree is known
		p.probing, p.transfer = false, 0
		p.next = max(index, n.match[from]) + 1
	}
	if grown {
		n.match[from], p.grew = index, n.now
		p.next = max(p.next, index+1)
		if n.role == primary {
			n.advance(out)
		}
	}
	if from != n.id {
		n.replicate(from, out)
	}
}

// onRefused fills a gap in what is streamed, or goes back to where the hint says that
// the logs may agree.
func (n *Node) onRefused(from protocols.NodeID, m *ReplicateResponse, out *protocols.Effects) {
	p := &n.progress[from]
	if from == n.id || m.Match <= n.match[from] || m.Match >= p.next || p.transfer > 0 {
		return // stale: answered before what is known by now
	}
	if !p.probing {
		n.mend(from, m, out)
		return
	}
	next := m.ConflictIndex
	if m.ConflictEpoch != 0 {
		// Entries of that epoch, should this log have any, may be shared.
		if after := n.firstOf(m.ConflictEpoch + 1); after > n.log.First() && n.epochAt(after-1) == m.ConflictEpoch {
			next = after
		}
	}
	n.probe(from, max(n.match[from]+1, min(next, m.Match)), out)
}
