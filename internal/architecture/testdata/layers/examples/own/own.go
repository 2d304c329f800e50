// Package own is part of a fixture.
package own

import _ "gonum.org/v1/plot"
