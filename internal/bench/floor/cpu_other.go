//go:build !unix

package floor

import "time"

// ClockName says what [Clock] measures.
const ClockName = "wall time"

var began = time.Now()

// Clock returns the time since the process began: this system does not tell CPU
// time in a portable way.
func Clock() time.Duration { return time.Since(began) }
