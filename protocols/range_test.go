package protocols

import "testing"

func TestParseRangeReadsWhatStringPrints(t *testing.T) {
	for _, text := range []string{"150ms..300ms", "2s", "0s", "1ns..1h0m0s"} {
		r, err := ParseRange(text)
		if err != nil || r.String() != text {
			t.Errorf("ParseRange(%q) = %v, %v; want %s", text, r, err, text)
		}
	}
	for _, text := range []string{"", "..", "5", "3s..2s", "-1s..2s", "1s..", "1s..2s..3s", "a..b"} {
		if r, err := ParseRange(text); err == nil {
			t.Errorf("ParseRange(%q) = %v, want an error", text, r)
		}
	}
}
