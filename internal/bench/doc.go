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
//
// # Why the goals of a step are missed
//
// The goals of a step, 4.5 and 6 floors, are those of a bare core. A message that is
// delivered in steady5 comes with 2.06 events, 1.24 steps, 0.58 fsyncs and 0.58
// executed entries. Its CPU time, about 410 ns where a floor takes 21 ns, goes to
// (one profile on a busy machine, observers off):
//
//	Raft's own rules                                24%
//	dispatch, effects carried out, calls            18%
//	garbage collection, blocks of the log           11%
//	state machine, client sessions, their hashes    10%
//	links: latency drawn, sizes, counters            9%
//	messages, records and effects written            6%
//	clients and the history                          6%
//	event queue                                      6%
//	digests of events, messages and entries          4%
//	disk: log, fsync, gate                           3%
//	timers, views and the rest                       3%
//
// Rules, state machine and sessions alone take more than 5 floors a step, so no engine around
// them could meet the first goal. All observers add about 160 ns a message, half of it
// for Raft's invariants. No part stands out: what is left to gain is many small things.
package main
