//go:build !unix

package main

import "time"

const clockName = "wall time"

var began = time.Now()

// clock returns the time since the process began: this system does not tell CPU
// time in a portable way.
func clock() time.Duration { return time.Since(began) }
