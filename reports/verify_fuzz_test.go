package reports_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/reports"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// FuzzVerify reads stored results and traces, whatever they hold, and compares them
// with a run: what can be read as that run's own result is identical whatever the
// trace says, and all else departs no later than the run ends.
func FuzzVerify(f *testing.F) {
	sc := scenarios.New("short")
	sc.Replicas, sc.For = 3, 400e6
	rec := scenarios.Record(sc, all.List()[0], 1)
	var result, trace bytes.Buffer
	if err := reports.WriteResult(&result, rec.Result); err != nil {
		f.Fatal(err)
	}
	if err := rec.World.WriteTrace(&trace); err != nil {
		f.Fatal(err)
	}
	lines := strings.SplitAfter(trace.String(), "\n")
	f.Add(result.Bytes(), strings.Join(lines[:20], ""))
	f.Add(bytes.Replace(result.Bytes(), []byte(rec.Result.Digest), []byte("0"), 1), strings.Join(lines[:20], "")+"other\x1b[2J\n")
	f.Add([]byte(`{"scenario":"short","protocol":"raft","digest":"0","events":18446744073709551615,"checkpoints":[{"event":0,"digest":"1"}]}`), "")
	f.Fuzz(func(t *testing.T, data []byte, trace string) {
		stored, err := reports.ReadResult(data)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error without text")
			}
			return
		}
		d := reports.Verify(stored, rec, strings.NewReader(trace))
		if same := stored.Digest == rec.Result.Digest && stored.Events == rec.Result.Events; same != (d == nil) {
			t.Fatalf("the same run: %v, but %+v", same, d)
		}
		if d == nil {
			return
		}
		if d.By > rec.Result.Events+1 || d.After >= d.By {
			t.Fatalf("equal up to event %d and another by event %d, in a run of %d", d.After, d.By, rec.Result.Events)
		}
		if strings.ContainsAny(d.Stored, "\x1b\r\n") {
			t.Fatalf("the stored line is shown raw: %q", d.Stored)
		}
	})
}
