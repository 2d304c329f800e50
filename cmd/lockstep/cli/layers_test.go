package cli_test

import (
	"os/exec"
	"strings"
	"testing"
)

// dependencies returns what the packages link, tests left out.
func dependencies(t *testing.T, packages ...string) []string {
	t.Helper()
	command := exec.Command("go", append([]string{"list", "-deps"}, packages...)...)
	command.Dir = "../../.."
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.Fields(string(out))
}

func wantNone(t *testing.T, what string, linked []string, banned ...string) {
	t.Helper()
	for _, dep := range linked {
		for _, prefix := range banned {
			if dep == prefix || strings.HasPrefix(dep, prefix+"/") {
				t.Errorf("%s links %s", what, dep)
			}
		}
	}
}

// cobra is known to the command line alone, and nobody below it imports it.
func TestCobraStaysUnderCmd(t *testing.T) {
	const module = "github.com/lockstep-sim/lockstep/"
	libraries := []string{"./reports/...", "./scenarios/...", "./sim/...", "./checker/...", "./protocols/...", "./raft/..."}
	wantNone(t, "a library package", dependencies(t, libraries...), "github.com/spf13/cobra", "github.com/spf13/pflag", module+"cmd")
}

// rapid registers flags when it is imported, so the binary must not link it; nor
// does it need what only tests need.
func TestTheBinaryLinksNoTestLibrary(t *testing.T) {
	wantNone(t, "the binary", dependencies(t, "./cmd/lockstep"),
		"pgregory.net/rapid", "testing", "github.com/google/go-cmp", "github.com/rogpeppe/go-internal", "github.com/google/jsonschema-go")
}
