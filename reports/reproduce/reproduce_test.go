package reproduce

import (
	"testing"

	"github.com/lockstep-sim/lockstep/protocols/all"
)

func TestShort(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			f, err := Make(t.Context(), name, Options{Elections: 2000, Workers: 2, Protocols: all.List()})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range f.Rows {
				t.Logf("%-50s %12s %12s %12s %12s %s", r.What, r.Published, r.Ours, r.Difference, r.Tolerance, r.Verdict)
			}
		})
	}
}
