// Command bench measures what a simulated event costs, as ratios that hold on any
// machine:
//
//	go run ./internal/bench
//
// It prints, on the shipped scenario steady5 and its cluster of five, of Raft where
// nothing else is said:
//
//   - an engine event with nodes that only pass messages on, against the floor, at
//     1,000 pending events;
//   - a step of Raft against the floor at equal pending events, with observers off
//     and with all of them on, and the two against each other;
//   - allocations per delivered message;
//   - virtual seconds per CPU second of the whole scenario, judged;
//   - a delivered message of Multi-Paxos and of Viewstamped Replication against one
//     of Raft.
//
// The floor is the hold model of the literature on event queues: a bare queue
// with N pending events from which the earliest is taken and another put in, 1 to
// 2^20 ns later. Two sides of a ratio alternate in one process, and the figure is
// the median of the rounds' ratios, so that a busy machine slows both. Time is CPU
// time of the process (user and system, garbage collection included) where the
// system tells it, else wall time.
package main
