// Package docs keeps the documents true. Its tests run every command that a
// document shows with its output and compare the two, look up every flag that is
// mentioned, and follow every link. The key reference in docs/scenarios.md is
// generated from the tables that the scenario parser itself reads, the tables of
// docs/protocols from what each protocol says of itself, and their diagrams are drawn
// from runs.
//
// After a change of what commands print:
//
//	go test ./internal/docs -update
//
// rewrites the outputs in the documents. Read the difference before you commit it.
package docs

//go:generate go run ./generate ../..
