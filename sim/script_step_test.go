package sim

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-sim/lockstep/protocols"
)

// anyStep draws a step of any verb.
func anyStep(t *rapid.T) ScriptStep {
	verbs := Verbs()
	s := ScriptStep{Verb: verbs[rapid.IntRange(0, len(verbs)-1).Draw(t, "verb")].Verb}
	some := func(letters string, least, most int) (list []string) {
		return rapid.SliceOfNDistinct(rapid.StringMatching("["+letters+"][1-9]"), least, most, rapid.ID).Draw(t, "names")
	}
	switch s.Verb {
	case VerbDeliver, VerbDrop, VerbDuplicate, VerbDelay:
		s.Messages = anyMessages(t)
	case VerbFire:
		s.Names, s.Words = some("ns", 1, 1), rapid.SampledFrom([]string{"election", "semisync wait"}).Draw(t, "timer")
	case VerbTick, VerbWait:
		s.Span = protocols.Duration(rapid.Int64Range(1, 1<<40).Draw(t, "span"))
	case VerbClock:
		s.Names, s.Span = some("ns", 1, 1), protocols.Duration(rapid.Int64Range(1, 1<<40).Draw(t, "span"))
	case VerbCrash, VerbRestart, VerbPause, VerbResume, VerbWipe, VerbRot:
		s.Names = some("ns", 1, 3)
	case VerbSync, VerbShow:
		s.Names = some("ns", 0, 3)
	case VerbDisk:
		s.Words = rapid.SampledFrom([]string{"manual", "instant"}).Draw(t, "disk")
	case VerbRequest:
		s.Names, s.To, s.Command = some("c", 1, 1), some("n", 1, 1), anyCommand(t)
	case VerbRetry:
		s.Names, s.To = some("c", 1, 1), some("n", 1, 1)
	case VerbGiveUp:
		s.Names = some("c", 1, 1)
	case VerbReconfigure:
		s.Names, s.To, s.Learners = some("n", 1, 1), some("n", 1, 3), some("n", 0, 2)
	case VerbTransfer:
		s.Names, s.To = some("n", 1, 1), some("n", 1, 1)
	case VerbExpect:
		switch rapid.IntRange(0, 3).Draw(t, "what") {
		case 0:
			s.Words, s.Messages = "no message", anyMessages(t)
			s.Messages.All, s.Messages.Nth = false, 0
			if s.Messages.String() == "" || s.Messages.Kind == "" && s.Messages.From == "" && s.Messages.To == "" {
				s.Messages.Kind = "Vote"
			}
		case 1:
			s.Words = "leader " + rapid.SampledFrom([]string{"nobody", "n1"}).Draw(t, "leader")
		case 2:
			s.Names, s.Words = some("c", 1, 1), "value 5"
		default:
			s.Names, s.Words = some("ns", 1, 1), "leader term 2 commit 3"
		}
	case VerbNote:
		s.Words = "n1: what -> happens"
	}
	return s
}

func anyMessages(t *rapid.T) (m Messages) {
	switch rapid.IntRange(0, 3).Draw(t, "which") {
	case 0:
		m.All = true
	case 1:
		m.Delayed = true
	case 2:
		m.Nth = rapid.IntRange(1, 130).Draw(t, "nth")
	}
	if rapid.Bool().Draw(t, "kind") {
		m.Kind = "Vote"
	}
	end := rapid.SampledFrom([]string{"", "n1", "s1", "c2"})
	m.From, m.To = end.Draw(t, "from"), end.Draw(t, "to")
	if rapid.Bool().Draw(t, "among") {
		m.Among = []string{"n1", "c1"}
	}
	if !m.All && !m.Delayed && m.Kind == "" && m.From == "" && m.To == "" {
		if m.Among = nil; m.Nth == 0 {
			m.Kind = "Vote"
		} else {
			m.From = "n1"
		}
	}
	return m
}

func anyCommand(t *rapid.T) protocols.Command {
	key := protocols.Key(rapid.IntRange(0, 3).Draw(t, "key"))
	arg, old := rapid.Int64Range(1, 99).Draw(t, "arg"), rapid.Int64Range(0, 99).Draw(t, "old")
	return rapid.SampledFrom([]protocols.Command{
		{Kind: protocols.Write, Op: protocols.Put, Key: key, Arg: arg},
		{Kind: protocols.Write, Op: protocols.AppendTo, Key: key, Arg: arg},
		{Kind: protocols.Write, Op: protocols.CAS, Key: key, Arg: arg, Old: old},
		{Kind: protocols.Write, Op: protocols.Delete, Key: key},
		{Kind: protocols.Write, Op: protocols.Increment},
		{Kind: protocols.Write, Op: protocols.Double},
		{Kind: protocols.Write, Op: protocols.ReadClock},
		{Kind: protocols.Read, Op: protocols.Get, Key: key},
		{Kind: protocols.Read, Op: protocols.ReadRange, Arg: arg, Old: old + 1},
		{Kind: protocols.Follow, Arg: arg, Old: old + 1},
	}).Draw(t, "command")
}

// TestScriptStepsReadWhatTheyPrint over drawn steps of every verb.
func TestScriptStepsReadWhatTheyPrint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyStep(t)
		got, err := ParseScriptStep(s.String())
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if got.String() != s.String() || !same(got, s) {
			t.Fatalf("%q reads\n%#v, want\n%#v", s, got, s)
		}
	})
}

// same compares steps; empty lists are equal to none.
func same(a, b ScriptStep) bool {
	for _, s := range []*ScriptStep{&a, &b} {
		for _, list := range []*[]string{&s.Names, &s.To, &s.Learners, &s.Messages.Among} {
			if len(*list) == 0 {
				*list = nil
			}
		}
	}
	return reflect.DeepEqual(a, b)
}

func TestVerbExamples(t *testing.T) {
	for _, v := range Verbs() {
		s, err := ParseScriptStep(v.Example)
		if err != nil || s.Verb != v.Verb || s.String() != v.Example {
			t.Errorf("%s: %q reads %q, %v", v.Verb, v.Example, s, err)
		}
	}
}

func TestBadScriptSteps(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "got nothing",
		"teleport n1":                     `unknown step "teleport"`,
		"deliver":                         "want all, a kind or a link",
		"deliver Vote n1 n2":              `want a kind and a link FROM -> TO`,
		"deliver Vote n1 -> x2":           `want a name such as n1, got "x2"`,
		"deliver all among":               "want nodes after among",
		"fire n1":                         "want a node and a timer",
		"fire c1 election":                `want a name such as n1, got "c1"`,
		"tick":                            "want one duration",
		"tick 5":                          "tick",
		"wait -1s":                        "above 0s",
		"crash":                           "want nodes",
		"crash n1 n1":                     "named twice",
		"clock n1":                        "want a node and a duration",
		"clock n1 fast":                   "fast",
		"wipe":                            "want nodes",
		"disk slow":                       "want manual or instant",
		"request c1 n1":                   "want a client, a node and an operation",
		"request c1 n1 put k1":            "want an operation",
		"request c1 n1 put k1 0":          "want an operation",
		"request c1 n1 get k1 5":          "want an operation",
		"request c1 n1 read 5..4":         "want an operation",
		"request c1 n1 noop":              "want an operation",
		"request n1 n1 get k1":            `want a name such as c1`,
		"retry c1":                        "want a client and a node",
		"reconfigure n1 n2":               "want a node, to, and whom",
		"reconfigure n1 to learners n2":   "want members",
		"reconfigure n1 to n2 learners":   "want the learners",
		"transfer-leadership n1 to n2 n3": "want one node",
		"expect n1":                       "want who and what",
		"expect leader n1 n2":             "want one leader",
		"expect message all Vote":         "without all or a number",
		"note":                            "want text",
	} {
		_, err := ParseScriptStep(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func FuzzParseScriptStep(f *testing.F) {
	for _, v := range Verbs() {
		f.Add(v.Example)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseScriptStep(text)
		if err != nil {
			return
		}
		again, err := ParseScriptStep(s.String())
		if err != nil || !same(s, again) {
			t.Fatalf("%q prints %q, which reads %q, %v", text, s, again, err)
		}
	})
}
