// Package sim is the world: virtual time, the event queue, the network, disks,
// clocks, clients and faults. It runs any [protocols.Protocol] on one goroutine,
// and equal configurations give equal runs to the byte, on any machine.
//
// [New] makes a [World] from a [Config]; [World.Run] handles its events until a
// time. A run has two phases. In the safety phase clients work while the faults
// of the plan come and go. The liveness phase is the caller's: StopWorkload,
// PickCore, Heal, Probe, and RunUntil with a bound; then HealAll and RunUntil
// again.
//
// What makes a run repeatable: time is an integer, events of one time go by
// sequence number, every random decision is a pure function of the seed, the
// name of a stream and a number (see rand.go), and nothing that decides is a
// floating-point number, a map's order or another goroutine. [World.Digest]
// covers every event. Observers, the trace and the memory mode never change it.
//
// What is modelled, file by file: network.go (directed links with latency, loss,
// duplicates, order, partitions), disk.go (a write-ahead log with group commit),
// clock.go and timer.go (clocks that drift; timers exact on them), node.go
// (steps, effects, crashes, pauses), client.go, request.go and workload.go
// (clients and honest outcomes), subscriber.go (clients that follow the log),
// strike.go and resolve.go (faults and whom they hit), recovery.go (what crashes
// lose and boots find), heal.go (the liveness phase).
package sim
