// Package shrink makes failing scenarios small, and tells what happens in them.
//
// [Minimise] is delta debugging (Zeller and Hildebrandt, IEEE TSE 2002) over the
// whole plan: it takes out faults, client operations, clients, keys and replicas,
// cuts the run short, switches off what is random, and rounds what is left, as long
// as the same check is still violated. [Tell] makes a story of a failing run: the
// events that led to the violation, as text, as a space-time diagram and as Mermaid.
//
// All randomness of a run is counted per purpose and entity, so what is removed from
// a plan leaves the rest of the run alone up to its first effect. The search itself
// draws nothing: equal scenario, protocol, seed and budget give the equal result,
// with any number of workers.
package shrink
