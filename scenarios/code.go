package scenarios

// Exit codes of the command line. Each result has one, and the worst of all
// results is the command's.
const (
	CodeOK           = 0   // all expectations met
	CodeViolation    = 1   // a safety or liveness violation, a panic in protocol code included
	CodeUsage        = 2   // usage error or bad scenario
	CodeInconclusive = 3   // nothing decided: event or checker budget
	CodeMissed       = 4   // an expectation missed without a violation
	CodeReplay       = 5   // a replay was not identical
	CodeInternal     = 70  // internal error
	CodeInterrupted  = 130 // interrupted; finished results are kept
)

// worstFirst is the order in which codes win.
var worstFirst = [...]int{CodeInterrupted, CodeInternal, CodeUsage, CodeReplay, CodeViolation, CodeInconclusive, CodeMissed, CodeOK}

// Worst returns the code that wins over the others: 130, 70, 2, 5, 1, 3, 4, 0. A
// code that is none of these counts as an internal error. No code is CodeOK.
func Worst(codes ...int) int {
	best := len(worstFirst) - 1
	for _, c := range codes {
		rank := 1 // internal error
		for i, w := range worstFirst {
			if c == w {
				rank = i
			}
		}
		best = min(best, rank)
	}
	return worstFirst[best]
}
