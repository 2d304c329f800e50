package sim

import (
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

func run(t testing.TB, cfg Config, until protocols.Time) *World {
	t.Helper()
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if stop := w.Run(until); stop != Reached {
		t.Fatalf("run stopped: %s %v", stop, w.Violations())
	}
	return w
}

func text(t testing.TB, w *World) string {
	t.Helper()
	var b strings.Builder
	if err := w.WriteTrace(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSteady(t *testing.T) {
	s := run(t, steady(1), 2*second).Stats()
	if s.Done < 300 || s.Leaders != 1 || s.Fsyncs == 0 || s.Unknown+s.Failed != 0 || s.Committed == 0 {
		t.Errorf("an undisturbed world: %+v", *s)
	}
	if s.Messages != s.Delivered+4 && s.Messages < s.Delivered {
		t.Errorf("%d messages, %d delivered", s.Messages, s.Delivered)
	}
}

// Every line names its cause: an earlier event, or none. Lines of one event stay
// together, in the order of time.
func TestTraceHasCauses(t *testing.T) {
	cfg := stormy(4)
	cfg.Trace = true
	w := run(t, cfg, 2*second)
	seq, now, caused := uint64(0), protocols.Time(0), 0
	for i := range w.Trace() {
		e := &w.Trace()[i]
		if e.Seq < seq || e.Time < now || e.Cause >= e.Seq {
			t.Fatalf("line %d: event %d at %s caused by %d after event %d at %s", i, e.Seq, e.Time, e.Cause, seq, now)
		}
		seq, now = e.Seq, e.Time
		if e.Kind == TraceDelivered {
			if e.Cause == 0 {
				t.Fatalf("line %d: a message without a cause", i)
			}
			caused++
		}
		if s := w.TraceText(e); s == "" || strings.Contains(s, "0x") || strings.ContainsRune(s, '\n') {
			t.Errorf("line %d reads %q", i, s)
		}
	}
	if caused == 0 || seq > w.Events() {
		t.Errorf("%d messages in %d lines", caused, len(w.Trace()))
	}
}

func TestRunUntil(t *testing.T) {
	w, err := New(steady(1))
	if err != nil {
		t.Fatal(err)
	}
	led := func() bool { return w.leader() != protocols.Nobody }
	if stop := w.RunUntil(10*second, led); stop != Satisfied || w.Now() > second || !led() {
		t.Errorf("%s at %s", stop, w.Now())
	}
	if stop := w.RunUntil(10*second, led); stop != Satisfied || w.Now() > second {
		t.Errorf("a condition that holds already: %s at %s", stop, w.Now())
	}
	if stop := w.RunUntil(2*second, func() bool { return false }); stop != Reached || w.Now() != 2*second {
		t.Errorf("%s at %s", stop, w.Now())
	}
}

func TestFieldsText(t *testing.T) {
	inner := &struct{ B []int }{[]int{1, 2, 3, 4, 5, 6, 7, 8}}
	got := fieldsText(&struct {
		A    uint64
		Zero int
		P    any
		ID   protocols.NodeID
		S    string
	}{A: 7, P: inner, ID: -2, S: "x"})
	if want := `{A:7 P:{B:[1 2 3 4 5 6 … 2 more]} ID:c2 S:"x"}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
