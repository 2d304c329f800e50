// Package architecture holds the rules of this module that the compiler does not
// check, and the tests that enforce them: who may import whom (layers.go), and
// what may not occur in code that must repeat to the byte (determinism.go).
//
// Every rule is proved by a file under testdata that breaks it. A rule that
// needs an exception gets one line in [Exceptions] with a reason; an exception
// that nothing uses any more fails the test.
package architecture
