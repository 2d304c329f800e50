// Package reproduce measures what was published: figures of papers and laws that can
// be derived, each from a shipped scenario, with the published value, ours, the
// difference and the tolerance. A miss is reported as a miss.
//
// The curves of the dissertation are in curves.csv: figure, curve, percentile and
// milliseconds, digitised from the vector figures of Ongaro's dissertation
// (ongardie/dissertation, commit 0c10ea1; figures "election performance on a simulated
// WAN cluster" and Figure 16 of the Raft paper, which the dissertation prints again).
// As a check, the maximum of the curve 150-200ms is read as 512.4 ms where the text
// says 513.
package reproduce
