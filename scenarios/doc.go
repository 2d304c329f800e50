// Package scenarios describes experiments and runs them. A scenario names a
// cluster, a network, disks, clocks, a workload, a fault plan and what is
// expected of a run; it does not name a protocol, so that one plan puts every
// protocol on trial.
//
// Scenarios are YAML files ([Parse], [ReadFile], [Resolve]), a shipped library
// ([Library], [Load]), or drawn from a seed ([Draw]). [Run] runs one scenario
// with one protocol and one seed and returns a [Result]. Package search runs
// many of them, and package scenariotest makes a property test of it.
//
// One table of fields (fields.go) drives the decoder, [Format], [Set], the JSON
// schema and the key reference, so that they cannot differ.
package scenarios
