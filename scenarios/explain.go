package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Topic is one word that can be explained.
type Topic struct {
	Kind    string   // what sort of word it is: fault, check, key, target, …
	Name    string   // as files, lists and reports write it
	Text    string   // what it means, a sentence or a few
	Example string   // as a scenario or the command line writes it; may be empty
	Details []string // one line each: keys inside, defaults, who survives it
}

// Explain returns what can be said of a word with the protocols of a list: every
// topic of that name, or, where there is none, every key that ends in it. The error
// names the word that was meant.
func Explain(word string, list []*protocols.Protocol) ([]Topic, error) {
	words := strings.Fields(word)
	for i, w := range words { // commit 100 is the event commit N
		if i > 0 && wholeNumber.MatchString(w) {
			words[i] = "N"
		}
	}
	word = strings.Join(words, " ")
	all := Topics(list)
	word, _, _ = strings.Cut(word, "(") // region(JP) is the target region
	found := named(all, func(t Topic) bool { return strings.EqualFold(t.Name, word) })
	if t, shipped := scenarioTopic(word, list); shipped {
		found = append(found, t)
	}
	if len(found) > 0 {
		return found, nil
	}
	inside := func(t Topic) bool {
		return (t.Kind == "key" || t.Kind == "parameter") && (strings.HasSuffix(t.Name, "."+word) || strings.HasSuffix(unnumbered(t.Name), "."+unnumbered(word)) || unnumbered(t.Name) == unnumbered(word))
	}
	if found := named(all, inside); len(found) > 0 {
		return found, nil
	}
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = strings.ToLower(t.Name)
	}
	hint := DidYouMean(word, append(names, Shipped()...))
	for _, t := range all {
		if strings.EqualFold(`; did you mean "`+t.Name+`"?`, hint) {
			hint = `; did you mean "` + t.Name + `"?`
			break
		}
	}
	return nil, fmt.Errorf("nothing is called %s%s (lockstep list names what there is)", quote(word), hint)
}

// unnumbered is the path of a key without positions: faults[2].crash and
// faults[].crash are faults.crash.
func unnumbered(path string) string {
	for {
		before, rest, open := strings.Cut(path, "[")
		_, after, closed := strings.Cut(rest, "]")
		if !open || !closed {
			return path
		}
		path = before + after
	}
}

func named(all []Topic, is func(Topic) bool) []Topic {
	return slices.DeleteFunc(slices.Clone(all), func(t Topic) bool { return !is(t) })
}

// operationTopics holds what a mix can hold.
func operationTopics() []Topic {
	var topics []Topic
	for _, machine := range protocols.MachineNames() {
		for _, name := range shareNames(machine) {
			i := slices.IndexFunc(topics, func(t Topic) bool { return t.Name == name })
			if i < 0 {
				i = len(topics)
				topics = append(topics, Topic{Kind: "operation", Name: name, Text: operationText(name)})
			}
			topics[i].Details = append(topics[i].Details, "machine: "+machine)
			if topics[i].Example == "" {
				topics[i].Example = "{machine: " + machine + ", workload: {mix: {" + name + ": 100%}}}"
			}
		}
	}
	return topics
}

// Topics lists everything that can be explained. All of it comes from the tables
// that the parser, the schema, the lists and the reference use.
func Topics(list []*protocols.Protocol) []Topic {
	return slices.Concat(faultTopics(list), checkTopics(list), bugTopics(list), targetTopics(), eventTopics(), nemesisTopics(),
		metricTopics(), probeTopics(), situationTopics(list), verbTopics(), operationTopics(), presetTopics(), verdictTopics(), keyTopics(), protocolTopics(list))
}

func faultTopics(list []*protocols.Protocol) []Topic {
	var topics []Topic
	keys := Keys()
	for i := range faultKinds {
		k := &faultKinds[i]
		t := Topic{Kind: "fault", Name: string(k.kind), Text: k.doc(), Example: FaultExample(k.kind)}
		for _, key := range keys {
			if name, inside := strings.CutPrefix(key.Path, "faults[]."+string(k.kind)+"."); inside {
				t.Details = append(t.Details, name+": "+key.Doc)
			}
		}
		if k.short != nil {
			text := "alone, " + string(k.kind) + ": VALUE gives the " + k.short.key
			if k.short.key != "target" {
				text += ", and the target is all"
			}
			t.Details = append(t.Details, text)
		}
		for _, p := range list {
			t.Details = append(t.Details, p.Name+" "+limitText(p, k.kind))
		}
		topics = append(topics, t)
	}
	return topics
}

// limitText says how far a protocol survives a kind of fault, for three replicas.
func limitText(p *protocols.Protocol, kind protocols.FaultKind) string {
	switch limit := survives(p, kind, defaultsOf(p), 3); limit {
	case 0:
		return "does not claim to survive it"
	case -1:
		return "stays safe whoever is hit"
	default:
		return fmt.Sprintf("stays safe while at most %d of 3 replicas are hit at once", limit)
	}
}

// defaultsOf returns the parameters of a protocol as they are without a scenario; nil:
// it has none.
func defaultsOf(p *protocols.Protocol) any {
	if p.Parameters == nil {
		return nil
	}
	return p.Parameters()
}

func checkTopics(list []*protocols.Protocol) []Topic {
	var topics []Topic
	for _, info := range Checks(list, 3) {
		t := Topic{Kind: "check", Name: info.ID, Text: sentence(info.Text), Example: "checks: {" + info.ID + ": off}"}
		var caught []string
		for _, p := range list {
			for _, b := range p.Bugs {
				if slices.Contains(strings.FieldsFunc(b.Caught, func(r rune) bool { return r == ',' || r == ' ' }), info.ID) {
					caught = append(caught, b.ID)
				}
			}
		}
		if len(caught) > 0 {
			t.Details = append(t.Details, "catches the known bugs "+strings.Join(caught, ", "))
		}
		if slices.Contains([]string{CheckPanic, sim.CheckBoot, sim.CheckContract}, info.ID) {
			t.Example = ""
		}
		topics = append(topics, t)
	}
	return topics
}

func bugTopics(list []*protocols.Protocol) []Topic {
	var topics []Topic
	for _, p := range list {
		for _, b := range p.Bugs {
			t := Topic{Kind: "known bug of " + p.Name, Name: b.ID, Text: sentence(b.Title),
				Example: fmt.Sprintf("parameters: {%s: {bugs: [%s]}}", p.Name, b.ID)}
			if b.Class != "" {
				t.Details = append(t.Details, "class: "+string(b.Class))
			}
			if b.Source != "" {
				t.Details = append(t.Details, "source: "+b.Source)
			}
			if b.Caught != "" {
				t.Details = append(t.Details, "caught by "+b.Caught)
			}
			if script, ok := BugScript(b.ID); ok {
				t.Details = append(t.Details, "script "+script+": lockstep run "+b.ID)
			}
			topics = append(topics, t)
		}
	}
	return topics
}

func targetTopics() []Topic {
	var topics []Topic
	for _, w := range sim.TargetWords() {
		word, example := w.Word, w.Word
		if rest, others := strings.CutSuffix(w.Word, " …"); others {
			word, example = rest, rest+" leader"
		}
		if kind, _, named := strings.Cut(word, "("); named {
			word, example = kind, kind+"(JP)"
		}
		t := Topic{Kind: "target", Name: word, Text: sentence(w.Text), Example: "{at: 2s, for: 1s, partition: " + example + "}"}
		if word == "subject" {
			t.Example = "{when: leader-elected, for: 1s, partition: subject}"
		}
		topics = append(topics, t)
	}
	for _, a := range sim.TargetAliases() {
		topics = append(topics, Topic{Kind: "target", Name: a[0], Text: "The same as " + a[1] + ", which lockstep writes."})
	}
	return topics
}

func eventTopics() []Topic {
	var topics []Topic
	for _, f := range sim.TriggerForms() {
		name := strings.TrimSuffix(f.Form, " [NODES]")
		topics = append(topics, Topic{Kind: "event", Name: name, Text: sentence(f.Text),
			Example: "{when: " + strings.ReplaceAll(name, "N", "1") + ", after: 200ms, for: 1s, pause: leader}"})
	}
	return topics
}

func nemesisTopics() []Topic {
	var topics []Topic
	for _, g := range nemesisGroups {
		var kinds []string
		for _, k := range g.kinds {
			kinds = append(kinds, string(k))
		}
		topics = append(topics, Topic{Kind: "nemesis", Name: g.word, Text: "Jepsen's word for " + strings.Join(kinds, ", ") + ".",
			Example: "nemesis: {faults: [" + g.word + "], every: 2s}"})
	}
	for _, s := range nemesisShapes {
		topics = append(topics, Topic{Kind: "nemesis", Name: s.word, Text: "A partition of shape " + s.shape.String() + " around a random replica.",
			Example: "nemesis: {faults: [" + s.word + "], every: 2s}"})
	}
	return topics
}

// presetTopics holds the words that stand for costs and distances.
func presetTopics() []Topic {
	var topics []Topic
	for _, m := range sim.Matrices() {
		topics = append(topics, Topic{Kind: "matrix", Name: m.Name, Text: m.Source,
			Details: []string{"regions: " + strings.Join(m.Regions, ", ")},
			Example: "network: {regions: [" + strings.Join(m.Regions, ", ") + "], matrix: " + m.Name + "}"})
	}
	for _, c := range sim.CPUPresets() {
		topics = append(topics, Topic{Kind: "cpu", Name: c.Name, Text: sentence(c.Source), Example: "cpu: " + c.Name})
	}
	return topics
}

// verdictTopics holds what a run can come to.
func verdictTopics() []Topic {
	var topics []Topic
	for _, v := range []struct{ name, text string }{
		{"ok", "No check was broken, and the run came to its end."},
		{"violation", "A check was broken: of safety, of liveness after the heal, or protocol code panicked. Exit code 1 unless it is expected."},
		{"inconclusive", "The budget of the judge or of the run was spent before anything was decided. Exit code 3."},
		{"unavailable", "After the heal no progress is possible, and the protocol says why. Exit code 4 unless it is expected."},
		{"outside-model", "The plan goes beyond what the protocol claims to survive: what then breaks is no bug. Exit code 4 unless it is expected."},
	} {
		topics = append(topics, Topic{Kind: "verdict", Name: v.name, Text: v.text})
	}
	return topics
}

// scenarioTopic is a shipped scenario; false where there is none of the name that the
// protocols of a list can run.
func scenarioTopic(name string, list []*protocols.Protocol) (Topic, bool) {
	if !slices.Contains(Shipped(), name) {
		return Topic{}, false
	}
	sc, _, err := Load(name, list)
	if err != nil {
		return Topic{}, false
	}
	return Topic{Kind: "scenario", Name: name, Text: sc.Why, Example: "lockstep run " + name}, true
}

func metricTopics() []Topic {
	var topics []Topic
	for _, m := range metrics {
		topics = append(topics, Topic{Kind: "metric", Name: m.Name, Text: sentence(m.Doc),
			Example: "expect: {" + m.Name + ": \"<= " + m.Unit.example() + "\"}"})
	}
	return topics
}

// probeTopics holds the probes that are no metric.
func probeTopics() []Topic {
	var topics []Topic
	for _, what := range []struct{ one, many, text string }{
		{"fault N effective", "every fault effective", "changed something"},
		{"admin N effective", "every admin effective", "was seen done"},
	} {
		kind := strings.Fields(what.one)[0]
		topics = append(topics,
			Topic{Kind: "probe", Name: what.one, Text: "The " + kind + " at position N of its plan " + what.text + ", each time that it came to it.", Example: "sometimes: [" + strings.ReplaceAll(what.one, "N", "1") + "]"},
			Topic{Kind: "probe", Name: what.many, Text: "Each " + kind + " of its plan " + what.text + ".", Example: "sometimes: [" + what.many + "]"})
	}
	return topics
}

// situationTopics holds the rare situations that are counted.
func situationTopics(list []*protocols.Protocol) []Topic {
	var topics []Topic
	for _, p := range Probes(list) {
		t := Topic{Kind: "probe", Name: p.ID, Text: sentence(p.Text), Example: "sometimes: [" + p.ID + "]"}
		if p.By != "" {
			t.Details = []string{"reached by: lockstep run " + p.By + " --protocol " + p.With + " --probes"}
		}
		topics = append(topics, t)
	}
	return topics
}

func verbTopics() []Topic {
	var topics []Topic
	for _, v := range sim.Verbs() {
		topics = append(topics, Topic{Kind: "step of a script", Name: string(v.Verb), Text: sentence(v.Text), Example: v.Example})
	}
	return topics
}

func keyTopics() []Topic {
	var topics []Topic
	keys := everyKey()
	for _, k := range keys {
		t := Topic{Kind: "key", Name: k.Path, Text: k.Doc}
		if k.Means != "" {
			t.Text = "The same as " + k.Means + ", which lockstep writes."
		}
		if k.Default != "" {
			t.Details = append(t.Details, "default: "+k.Default)
		}
		for _, inner := range keys {
			rest, inside := strings.CutPrefix(inner.Path, k.Path)
			rest = strings.TrimPrefix(strings.TrimPrefix(rest, "[]"), ".")
			if inside && rest != "" && inner.Path != k.Path && !strings.ContainsAny(rest, ".[") && strings.ContainsAny(inner.Path[len(k.Path):len(k.Path)+1], ".[") {
				t.Details = append(t.Details, rest+": "+inner.Doc)
			}
		}
		topics = append(topics, t)
	}
	return topics
}

// protocolTopics holds the protocols and their words: parameters, roles, timers,
// messages, records.
func protocolTopics(list []*protocols.Protocol) []Topic {
	var topics []Topic
	for _, p := range list {
		t := Topic{Kind: "protocol", Name: p.Name, Text: strings.TrimSpace(p.Title + ". " + p.Doc), Example: "lockstep run leader-crash --protocol " + p.Name}
		if p.Paper != "" {
			t.Details = append(t.Details, "paper: "+p.Paper)
		}
		words := []struct {
			what  string
			names []string
		}{{"role", p.Roles}, {"timer", p.Timers}, {"message", kindNames(p.Messages)}, {"record", kindNames(p.Records)}}
		if p.EpochWord != "" {
			t.Details = append(t.Details, "epoch: "+p.EpochWord)
			topics = append(topics, Topic{Kind: "word of " + p.Name, Name: p.EpochWord, Text: "What " + p.Name + " calls an epoch: the number that a new leader raises."})
		}
		for _, w := range words {
			if len(w.names) > 0 {
				t.Details = append(t.Details, w.what+"s: "+strings.Join(w.names, ", "))
			}
			for _, name := range w.names {
				topics = append(topics, Topic{Kind: "word of " + p.Name, Name: name, Text: "A " + w.what + " of " + p.Name + "."})
			}
		}
		topics = append(topics, t)
		for _, param := range ParametersList(p) {
			pt := Topic{Kind: "parameter", Name: "parameters." + p.Name + "." + param.Name, Text: param.Doc, Details: []string{"type: " + param.Type}}
			if param.Default != "" {
				pt.Details = append(pt.Details, "default: "+param.Default)
				pt.Example = fmt.Sprintf("parameters: {%s: {%s: %s}}", p.Name, param.Name, param.Default)
			}
			topics = append(topics, pt)
		}
	}
	return topics
}

func kindNames(kinds []protocols.KindInfo) []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	return names
}
