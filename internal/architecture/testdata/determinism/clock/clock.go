// Package clock looks at this machine's clock.
package clock

import (
	"time"
	wall "time"
)

func now() int64 {
	return wall.Now().UnixNano() // want: time
}

func since(t time.Time) time.Duration { // want: time
	return time.Since(t) // want: time
}

func sleep(d time.Duration) {
	time.Sleep(d) // want: time
}

func tick() {
	f := time.NewTicker // want: time
	f(time.Second)
}

// seconds is a float.
func seconds(d time.Duration) int {
	return int(d.Seconds()) // want: time, float
}

func span(d time.Duration) string { return (d + 3*time.Millisecond).String() }

var _, _, _, _, _, _ = now, since, sleep, tick, seconds, span
