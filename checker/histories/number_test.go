package histories

import (
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestDecimals: numbers have one text if and only if they are equal, and it is a
// number that is equal to them.
func TestDecimals(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	texts := map[string]string{} // by value
	equal := 0
	for range 20_000 {
		word := pick("", "-") + pick("0", "1", "10", "15", "150", "9007199254740993", "123456789012345678901234567890") +
			pick("", "", ".0", ".5", ".50", ".05", ".000") + pick("", "", "e0", "E1", "e+1", "e-1", "e40", "e-40")
		d, ok := parseDecimal([]byte(word), true)
		value, good := new(big.Rat).SetString(word)
		if !ok || !good {
			t.Fatalf("%s: parsed %v, %v", word, ok, good)
		}
		text := string(d.text(true))
		if again, good := new(big.Rat).SetString(text); !good || again.Cmp(value) != 0 {
			t.Fatalf("%s prints as %s", word, text)
		}
		if other, have := texts[value.RatString()]; have && other != text {
			t.Fatalf("%s prints as %s, an equal one as %s", word, text, other)
		} else if have && !strings.Contains(word, text) {
			equal++
		}
		texts[value.RatString()] = text
	}
	if equal < 1000 {
		t.Errorf("only %d equal numbers that are written differently", equal)
	}
}

// TestDecimalsOfEDN: integers, fractions and exact decimals differ, and what is no
// number of EDN is refused.
func TestDecimalsOfEDN(t *testing.T) {
	for word, want := range map[string]string{
		"7N": "7", "+7": "7", "12345678901234567890N": "12345678901234567890", "7.0": "7.0", "70e-1": "7.0", "7M": "7.0M", "7.00M": "7.0M",
		"1.": "1.0", "0.0": "0.0", "-0.0": "0.0", "-0": "0", "1e30": "1e30", "0.00012": "0.00012", "-15e-1": "-1.5",
		"010": "", "0x1f": "", "7NN": "", "7.5N": "", "1e": "", "1e99999999999": "", "2r101": "", "-012": "",
	} {
		d, ok := parseDecimal([]byte(word), false)
		if got := string(d.text(false)); ok != (want != "") || ok && got != want {
			t.Errorf("%s: %q, %v, want %q", word, got, ok, want)
		}
	}
}
