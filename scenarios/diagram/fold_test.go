package diagram_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios/diagram"
	"github.com/lockstep-sim/lockstep/sim"
)

// TestFold fixes a folded diagram: it tells how long the gaps are, leaves out no
// message, and its times come in order from top to bottom.
func TestFold(t *testing.T) {
	o := diagram.Options{From: protocols.Time(400 * ms), To: protocols.Time(800 * ms), Hide: []string{"Heartbeat", "HeartbeatResponse"}}
	plain, err := diagram.SVG(stormy(t), o)
	if err != nil {
		t.Fatal(err)
	}
	o.Fold = true
	folded, err := diagram.SVG(stormy(t), o)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "folded.svg")
	if *update {
		if err := os.WriteFile(file, folded, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(file); err != nil || !bytes.Equal(want, folded) {
		t.Errorf("%s differs (%v; go test ./scenarios/diagram -update)", file, err)
	}
	arrows := func(svg []byte) int { return bytes.Count(svg, []byte(`class="arrow`)) }
	if arrows(folded) != arrows(plain) || arrows(plain) == 0 {
		t.Errorf("%d arrows, and %d folded", arrows(plain), arrows(folded))
	}
	if !strings.Contains(string(folded), "… ") {
		t.Error("no gap is named")
	}
	last := protocols.Duration(0)
	for _, m := range regexp.MustCompile(`text-anchor="end">([0-9][^<]*)<`).FindAllStringSubmatch(string(folded), -1) {
		d, err := sim.ParseDuration(m[1])
		if err != nil || d < last {
			t.Errorf("the axis shows %s behind %s (%v)", m[1], last, err)
		}
		last = d
	}
	if last == 0 {
		t.Error("the axis shows no time")
	}
}
