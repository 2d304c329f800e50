// Package globals shares state between the runs of one process.
package globals

var (
	count int
	cells [4]int
	state struct{ last int }
	here  = &state
)

func init() { // want: global state
	count = 1 // want: global state
}

func next() int {
	count++                // want: global state
	cells[count%4] = count // want: global state
	state.last = count     // want: global state
	(*here).last += 1      // want: global state
	return count
}

func local() int {
	count := 0
	count++
	return count
}

var _, _ = next, local
