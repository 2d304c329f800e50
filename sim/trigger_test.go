package sim

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/protocols"
)

func trigger(s string) Trigger {
	t, err := ParseTrigger(s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestTriggersReadBack(t *testing.T) {
	for _, s := range []string{"leader-elected", "leader-elected n1 n3", "commit 12", "fault 2 strikes", "fault 10 ends", "admin 1 done", "operation 1000000000"} {
		if got := trigger(s).String(); got != s {
			t.Errorf("%q prints as %q", s, got)
		}
	}
	for _, s := range []string{"", "elected", "commit", "commit 0", "commit 01", "commit -1", "commit 1 n1", "fault 2", "crash c1", "crash n1 n1", "crash n102", "commit 9999999999", "commit +1"} {
		if got, err := ParseTrigger(s); err == nil {
			t.Errorf("%q is read as %q", s, got)
		}
	}
	if forms := TriggerForms(); len(forms) != int(triggerEvents)-1 || forms[0].Form != "leader-elected [NODES]" {
		t.Errorf("forms: %v", forms)
	}
}

// triggered is a calm world with two crashes of leaders, a snapshot now and then,
// and the given fault that waits for an event.
func triggered(f Fault) Config {
	cfg := steady(7)
	cfg.Parameters = &toyParameters{Snapshot: 20}
	cfg.Faults = []Fault{
		{Kind: protocols.FaultCrash, At: 500 * 1_000_000, For: 200 * ms, Target: target("leader")},
		{Kind: protocols.FaultPartition, At: 1000 * 1_000_000, For: 200 * ms, Target: target("leader")},
		f,
	}
	cfg.Trace = true
	return cfg
}

// Every event of the table lets a fault strike so long after it, as often as it
// says and never at an event outside its time. The strike names whom it was about.
func TestEventsTriggerFaults(t *testing.T) {
	for _, c := range []struct {
		when    string
		target  string
		least   int // strikes, of 3 wanted
		subject bool
	}{
		{"leader-elected", "subject", 2, true}, {"stepped-down", "subject", 1, true}, {"leader-lost", "n1", 2, false},
		{"view-change", "subject", 2, true}, {"commit 5", "n1", 3, false}, {"operation 5", "n1", 3, false},
		{"snapshot", "subject", 1, true}, {"crash", "n1", 1, true}, {"restart", "subject", 1, true},
		{"fault 1 strikes", "n1", 1, false}, {"fault 1 ends", "n1", 1, false}, {"fault 2 ends", "successor", 1, false},
		{"crash n1 n2 n3 n4 n5", "subject", 1, true},
	} {
		t.Run(c.when, func(t *testing.T) {
			cfg := triggered(Fault{Kind: protocols.FaultSlowDisk, Factor: 2, When: trigger(c.when), At: 1, After: 3 * ms, Count: 3, For: 20 * ms, Target: target(c.target)})
			w, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			w.Run(2 * second)
			struck := 0
			var last protocols.Time
			for _, r := range w.FaultLog()[2:] {
				if r.State == Active || r.State == Over {
					struck++
					if r.Struck < last || r.Names == "" || r.Names == "nobody" {
						t.Errorf("strike %d at %s after %s hits %q", r.Firing, r.Struck, last, r.Names)
					}
					last = r.Struck
				}
			}
			if struck < c.least || struck > 3 {
				t.Errorf("%d strikes, want %d to 3:\n%v", struck, c.least, w.FaultLog()[2:])
			}
		})
	}
}

// A fault whose event does not come within its time is recorded as not effective.
func TestEventsOutsideTheirTimeDoNotCount(t *testing.T) {
	for _, f := range []Fault{
		{When: trigger("leader-elected"), At: 1900 * 1_000_000}, {When: trigger("crash"), Until: 400 * 1_000_000},
		{When: trigger("fault 1 strikes"), At: 600 * 1_000_000}, {When: trigger("commit 100000000")},
	} {
		f.Kind, f.For, f.Target = protocols.FaultPause, 10*ms, target("n1")
		w, err := New(triggered(f))
		if err != nil {
			t.Fatal(err)
		}
		w.Run(2 * second)
		w.HealAll()
		log := w.FaultLog()
		if r := log[2]; len(log) != 3 || r.State != Armed || r.Effective || r.How() != "did not strike (not triggered)" {
			t.Errorf("%s: %+v", f.When, r)
		}
	}
}

// Without a fault that waits for an event the trace is the same up to its first
// line.
func TestRemovingATriggeredFaultKeepsTheTraceBeforeIt(t *testing.T) {
	for _, when := range []string{"leader-elected", "commit 30", "fault 2 strikes", "crash", "operation 40"} {
		cfg := triggered(Fault{Kind: protocols.FaultCrash, When: trigger(when), After: 5 * ms, Count: 2, For: 50 * ms, Target: target("leader")})
		full := tracedRun(t, cfg)
		cfg.Faults = cfg.Faults[:2]
		first := strings.Index(full, "fault 3:")
		if first < 0 {
			t.Fatalf("%s: the fault has no line", when)
		}
		start := strings.LastIndexByte(full[:first], '\n') + 1
		if less := tracedRun(t, cfg); !strings.HasPrefix(less, full[:start]) {
			t.Errorf("%s: the traces differ before the fault's first line", when)
		}
	}
}

func TestImpossibleTriggersAreRefused(t *testing.T) {
	for want, change := range map[string]func(*Fault){
		"fault 3 strikes waits for itself":   func(f *Fault) { f.When = trigger("fault 3 strikes") },
		"there is no fault 4":                func(f *Fault) { f.When = trigger("fault 4 ends") },
		"there is no step 1":                 func(f *Fault) { f.When = trigger("admin 1 done") },
		"no replica n9":                      func(f *Fault) { f.When = trigger("crash n9") },
		"want 1..100":                        func(f *Fault) { f.When, f.Count = trigger("crash"), 101 },
		"want when":                          func(f *Fault) { f.Count = 2 },
		"after and until are of faults":      func(f *Fault) { f.After = ms },
		"subject is whom an event was":       func(f *Fault) { f.Target = target("subject") },
		"after: want 0s..277777h46m40s, got": func(f *Fault) { f.When, f.After = trigger("crash"), -1 },
	} {
		f := Fault{Kind: protocols.FaultPause, For: ms, Target: target("n1")}
		change(&f)
		if _, err := New(triggered(f)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// The successor of a leader that a fault has hit is another replica of a higher
// epoch; the former leader is who led before.
func TestSuccessorAndFormerLeader(t *testing.T) {
	cfg := steady(3)
	cfg.Faults = []Fault{
		{Kind: protocols.FaultPartition, At: 300 * 1_000_000, For: 1000 * ms, Target: target("leader")},
		{Kind: protocols.FaultSlowDisk, Factor: 2, At: 300 * 1_000_000, For: 1000 * ms, Target: target("successor")},
		{Kind: protocols.FaultSlowDisk, Factor: 2, At: 1200 * 1_000_000, For: 10 * ms, Target: target("former-leader")},
		{Kind: protocols.FaultSlowDisk, Factor: 2, At: 1200 * 1_000_000, For: 10 * ms, Target: target("leaders")},
	}
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.Run(2 * second)
	log := w.FaultLog()
	if log[1].Names == log[0].Names || log[1].Struck <= log[0].Struck || log[1].Names == "" {
		t.Errorf("the leader is %s at %s, its successor %s at %s", log[0].Names, log[0].Struck, log[1].Names, log[1].Struck)
	}
	if log[2].Names != log[0].Names {
		t.Errorf("the former leader is %q, want %s", log[2].Names, log[0].Names)
	}
	if fmt.Sprint(log[3].Resolved.Nodes) == "{}" || !strings.Contains(log[3].Names, log[1].Names) {
		t.Errorf("leaders: %q, want %s among them", log[3].Names, log[1].Names)
	}
}

func TestTargetAliases(t *testing.T) {
	for _, a := range TargetAliases() {
		if got := target(a[0]); got != target(a[1]) || got.String() != a[1] {
			t.Errorf("%s is read as %s, want %s", a[0], got, a[1])
		}
	}
}
