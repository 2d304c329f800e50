package scenarios

import (
	"strings"
	"testing"
)

// What waits for a fault that is taken out goes with it, also at second hand, and
// what is left points to the same faults and steps as before.
func TestWithoutFaults(t *testing.T) {
	sc, _, err := Parse("", []byte(`name: a
protocols: [mover]
faults:
  - {at: 1s, for: 1s, crash: n1}
  - {when: fault 1 ends, for: 1s, pause: n1}
  - {at: 2s, for: 1s, crash: n3}
  - {when: fault 3 strikes, for: 1s, pause: n2}
  - {when: admin 1 done, for: 1s, pause: n3}
  - {when: admin 2 asked, for: 1s, pause: n2}
admin:
  - {when: fault 2 strikes, transfer-leadership: n2}
  - {at: 1s, transfer-leadership: n3}
sometimes: [every fault effective, fault 1 effective, fault 4 effective, admin 1 effective, admin 2 effective, retries]
`), toys())
	if err != nil {
		t.Fatal(err)
	}
	less := WithoutFaults(sc, 1)
	if err := Validate(less, toys()); err != nil {
		t.Fatal(err)
	}
	text := string(Format(less))
	for _, want := range []string{"when: fault 1 strikes", "when: admin 1 asked", "transfer-leadership: n3", "every fault effective, fault 2 effective, admin 1 effective, retries"} {
		if !strings.Contains(text, want) {
			t.Errorf("want %q in\n%s", want, text)
		}
	}
	if len(less.Faults) != 3 || len(less.Admin) != 1 || len(sc.Faults) != 6 {
		t.Errorf("%d faults and %d steps are left", len(less.Faults), len(less.Admin))
	}
	none := WithoutFaults(sc, 1, 2, 3, 4, 5, 6)
	if err := Validate(none, toys()); err != nil || len(none.Faults) != 0 || len(none.Sometimes) != 2 {
		t.Errorf("%v, probes %v", err, none.Sometimes)
	}
}
