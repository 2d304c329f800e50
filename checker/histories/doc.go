// Package histories reads client histories from files, those of this project and
// those of others, for package checker to judge, and writes them for other
// checkers.
//
// Two formats are read. JSON lines have one operation per line, as run --out
// writes them. Jepsen's EDN has two events per operation, an :invoke and a
// completion. Both are read as a stream: besides the operations themselves only
// the current form is in memory.
//
// Values that are no positive integers (strings, keywords, negative numbers, and
// 0 in EDN) get negative numbers in the order in which they appear; nil and null
// mean absence, the value 0. [History.Names] gives them back for reports.
package histories
