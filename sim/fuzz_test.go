package sim

import "testing"

// What a parser accepts prints as text that reads back as the same.
func FuzzParsers(f *testing.F) {
	for _, s := range []string{"1ms", "1ms..2ms", "exp(5ms)", "normal(1ms,200us)", "lognormal(1ms,5ms)", "pareto(1ms,1.5,1s)", "5%", "0.05", "leader c1", "crash n1 n3", "commit 12", "fault 2 ends", "zipf(0.99)", "hotspot(10%,90%)", "primaries one", "others of n1", "1h30m", "-5s", "(((", "1e9s", "..", "0.0000000000001%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := ParseDist(s); err == nil {
			if back, err := ParseDist(d.String()); err != nil || back != d {
				t.Errorf("distribution %q prints as %q: %v", s, d, err)
			}
			for _, u := range []uint64{0, 1, 1 << 63, 1<<64 - 1} {
				if v := d.Draw(u); v < 0 || v > 1000*MaxDist {
					t.Errorf("distribution %q draws %d", s, v)
				}
			}
		}
		if p, err := ParseProb(s); err == nil {
			if back, err := ParseProb(p.String()); err != nil || back != p {
				t.Errorf("probability %q prints as %q: %v", s, p, err)
			}
		}
		if d, err := ParseDuration(s); err == nil {
			if back, err := ParseDuration(FormatDuration(d)); err != nil || back != d {
				t.Errorf("duration %q prints as %q: %v", s, FormatDuration(d), err)
			}
		}
		if tr, err := ParseTrigger(s); err == nil {
			if back, err := ParseTrigger(tr.String()); err != nil || back != tr {
				t.Errorf("event %q prints as %q: %v", s, tr, err)
			}
		}
		if p, err := ParsePopularity(s); err == nil {
			if back, err := ParsePopularity(p.String()); err != nil || back != p {
				t.Errorf("popularity %q prints as %q: %v", s, p, err)
			}
			drawKeys(p, 7, 10)
		}
		if tg, err := ParseTarget(s); err == nil {
			if back, err := ParseTarget(tg.String()); err != nil || back != tg {
				t.Errorf("target %q prints as %q: %v", s, tg, err)
			}
		}
	})
}
