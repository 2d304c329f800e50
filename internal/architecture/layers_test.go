package architecture_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/internal/architecture"
)

// TestImportsPointDown holds every package to the table of layers.
func TestImportsPointDown(t *testing.T) {
	t.Parallel()
	problems, err := architecture.Imports(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Error(p)
	}
}

// TestLinkedModules checks what the lower layers link in the end, through
// whatever packages: nothing but porcupine, and that only in checker. What
// porcupine itself imports is its standard library only.
func TestLinkedModules(t *testing.T) {
	t.Parallel()
	for folder, allowed := range map[string]string{
		"protocols": "", "raft": "", "sim": "", "protocols/protocoltest": "", "protocols/protocoltest/stage": "",
		"checker": "github.com/anishathalye/porcupine",
	} {
		linked, err := architecture.Linked(root, folder)
		if err != nil {
			t.Fatal(err)
		}
		linked = slices.DeleteFunc(linked, func(path string) bool { return path == allowed })
		if len(linked) > 0 {
			t.Errorf("%s links %s", folder, strings.Join(linked, ", "))
		}
	}
}

// TestLayerFixture proves that the table has teeth: the tree in testdata/layers
// breaks each of its rules once, and the broken rules must be exactly the golden
// list.
func TestLayerFixture(t *testing.T) {
	t.Parallel()
	problems, err := architecture.Imports("testdata/layers")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/layers/want.txt")
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(problems, "\n") + "\n"
	if got != string(bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n"))) {
		t.Errorf("testdata/layers: got\n%s\nwant\n%s", got, want)
	}
}
