// Package concurrency lets the scheduler decide.
package concurrency

func race(work func()) {
	go work() // want: concurrency
}

func wait(a, b chan int) int { // want: concurrency
	select { // want: concurrency
	case v := <-a: // want: concurrency
		return v
	case v := <-b: // want: concurrency
		return v
	}
}

type queue chan int // want: concurrency

func send(q queue) {
	q <- 1 // want: concurrency
}

func drain(q queue) (n int) {
	for range q { // want: concurrency
		n++
	}
	return n
}

var _, _, _, _ = race, wait, send, drain
