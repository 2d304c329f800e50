//go:build unix

package main

import (
	"syscall"
	"time"
)

const clockName = "CPU time"

// clock returns the CPU time that this process has used.
func clock() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
