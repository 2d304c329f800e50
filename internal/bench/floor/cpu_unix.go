//go:build unix

package floor

import (
	"syscall"
	"time"
)

// ClockName says what [Clock] measures.
const ClockName = "CPU time"

// Clock returns the CPU time that this process has used.
func Clock() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
