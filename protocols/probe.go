package protocols

// ProbeInfo describes one probe: a rare situation that a campaign should have come
// to, or it has not tested what happens in it. Probes judge nothing.
type ProbeInfo struct {
	ID   string // raft-split-vote: the protocol in front, but for generic ones
	Text string // what happens, in one line
	// By names a shipped scenario whose run with seed 1 comes to it, and With the
	// protocol to run it with.
	By, With string
}

// Prober is an observer that counts how often a run comes to its probes. It reports
// no violations.
type Prober interface {
	Observer
	// Probes describes the probes. The list is the same for every prober of a protocol.
	Probes() []ProbeInfo
	// Counts holds how often each was reached, in the order of Probes.
	Counts() []uint64
}

// Tally is the counting part of a Prober, to be embedded.
type Tally struct {
	infos  []ProbeInfo
	counts []uint64
}

// NewTally returns a tally with all counts at 0.
func NewTally(infos []ProbeInfo) Tally { return Tally{infos, make([]uint64, len(infos))} }

// Probes implements [Prober].
func (t *Tally) Probes() []ProbeInfo { return t.infos }

// Counts implements [Prober].
func (t *Tally) Counts() []uint64 { return t.counts }

// Checks implements [Observer]: probes judge nothing.
func (t *Tally) Checks() []CheckInfo { return nil }

// When counts the probe at position i of the list if reached is true.
func (t *Tally) When(i int, reached bool) {
	if reached {
		t.counts[i]++
	}
}
