package cli

import (
	"runtime/debug"
	"testing"
)

// TestProgramOf: a program is called as its user does, and lockstep is always lockstep.
func TestProgramOf(t *testing.T) {
	mine := &debug.BuildInfo{Path: "example.com/mine/cmd/mine"}
	for _, c := range []struct {
		file string
		info *debug.BuildInfo
		want string
	}{
		{"lockstep", nil, "lockstep"},
		{"/tmp/go-build17/b001/exe/lockstep", &debug.BuildInfo{Path: "github.com/lockstep-sim/lockstep/cmd/lockstep"}, "lockstep"},
		{"/usr/local/bin/mine", mine, "mine"},
		{"./mine.exe", mine, "mine"},
		{"/tmp/go-build17/b001/exe/mine", mine, "go run example.com/mine/cmd/mine"},
		{"/tmp/go-build17/b001/exe/main", &debug.BuildInfo{Path: "command-line-arguments"}, "main"},
		{"/tmp/go-build17/b001/exe/mine", nil, "mine"},
	} {
		if got := programOf(c.file, c.info); got != c.want {
			t.Errorf("%s: got %q, want %q", c.file, got, c.want)
		}
	}
}
