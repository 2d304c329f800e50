package scenarios

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/sim"
)

// Every fault, check, key, target, event, metric, verb and bug has an explanation,
// with a text of its own.
func TestEverythingIsExplained(t *testing.T) {
	list := toys()
	list[0].Bugs[0].Title, list[0].Bugs[1].Title = "forgets", "repeats"
	words := map[string][]string{}
	for _, f := range sim.FaultKinds() {
		words["fault"] = append(words["fault"], string(f.Kind))
	}
	for _, c := range Checks(list, 3) {
		words["check"] = append(words["check"], c.ID)
	}
	for _, k := range Keys() {
		words["key"] = append(words["key"], k.Path)
	}
	for _, w := range sim.TargetWords() {
		word, _, _ := strings.Cut(strings.TrimSuffix(w.Word, " …"), "(")
		words["target"] = append(words["target"], word)
	}
	for _, a := range sim.TargetAliases() {
		words["target"] = append(words["target"], a[0])
	}
	words["event"] = append(words["event"], triggerWords()...)
	for _, m := range Metrics() {
		words["metric"] = append(words["metric"], m.Name)
	}
	for _, v := range sim.Verbs() {
		words["step of a script"] = append(words["step of a script"], string(v.Verb))
	}
	words["known bug of toy"] = []string{"T-01", "T-02"}
	words["protocol"] = []string{"toy", "mover"}
	words["parameter"] = []string{"parameters.toy.pulse"}
	words["probe"] = []string{"every fault effective", "admin N effective"}
	words["nemesis"] = []string{"kill", "packet"}
	words["cpu"], words["matrix"] = []string{"lan-server"}, []string{"paxi-aws"}
	words["verdict"] = []string{"ok", "violation", "inconclusive", "unavailable", "outside-model"}
	words["scenario"] = []string{"steady-state"}
	for _, shape := range nemesisShapes {
		words["nemesis"] = append(words["nemesis"], shape.word)
	}
	for kind, names := range words {
		for _, name := range names {
			topics, err := Explain(name, list)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			found := false
			for _, topic := range topics {
				found = found || topic.Kind == kind && topic.Name == name && topic.Text != ""
			}
			if !found {
				t.Errorf("%s is not explained as a %s: %+v", name, kind, topics)
			}
		}
	}
}

// What a key is said to be without a word about it can be written, and changes nothing.
func TestDefaultsOfKeys(t *testing.T) {
	seen := 0
	for _, k := range Keys() {
		if k.Default == "" {
			continue
		}
		seen++
		sc := New("x")
		if err := Set(sc, k.Path, k.Default, toys()); err != nil {
			t.Errorf("%s: %v", k.Path, err)
		} else if got, want := string(Format(sc)), string(Format(New("x"))); got != want {
			t.Errorf("%s: %s is not what it is without it", k.Path, k.Default)
		}
	}
	if seen < 25 {
		t.Errorf("only %d keys have a default", seen)
	}
	if topics, err := Explain("network.latency", toys()); err != nil || !slices.Contains(topics[0].Details, "default: 500us..1ms") {
		t.Errorf("explained as %v, %v", topics, err)
	}
}

// Every key, kind of fault, check and metric that the schema lets a scenario write has
// an explanation.
func TestSchemaIsExplained(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(Schema(toys()), &schema); err != nil {
		t.Fatal(err)
	}
	paths := map[string]bool{}
	propertiesOf(schema, "", paths)
	if len(paths) < 200 || !paths["faults.partition.target"] || !paths["network.client.latency"] {
		t.Errorf("only %d keys are in the schema", len(paths))
	}
	for path := range paths {
		if !explained(path) {
			t.Errorf("%s is in the schema, and nothing explains it", path)
		}
	}
	for _, path := range []string{"faults.crash.cuts", "workload.mix.gett", "expect.latency.p98"} {
		if explained(path) {
			t.Errorf("%s is explained", path)
		}
	}
}

// explained reports whether a path of the schema, or the end of it that a metric, an
// operation or a protocol's own expectation is called by, is the name of a topic.
func explained(path string) bool {
	for name := path; ; {
		topics, err := Explain(name, toys())
		if err == nil && (topics[0].Text != "" || topics[0].Kind == "parameter") && strings.HasSuffix(unnumbered(topics[0].Name), name) {
			return true
		}
		_, rest, more := strings.Cut(name, ".")
		if !more {
			return slices.Contains(shipped, name) // a protocol that is not linked here
		}
		name = rest
	}
}

// propertiesOf collects the paths of all properties of a schema.
func propertiesOf(v any, path string, paths map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, inner := range v {
			propertiesOf(inner, path, paths)
		}
	case map[string]any:
		for key, inner := range v {
			properties, ok := inner.(map[string]any)
			if key != "properties" || !ok {
				propertiesOf(inner, path, paths)
				continue
			}
			for name, schema := range properties {
				at := strings.TrimPrefix(path+"."+name, ".")
				paths[at] = true
				propertiesOf(schema, at, paths)
			}
		}
	}
}

func TestExplainFinds(t *testing.T) {
	for word, want := range map[string]string{
		"pre_vote": "parameters.toy.pre_vote", "faults[3].crash": "faults[].crash", "commit 100": "commit N", "t-01": "T-01",
		"clients.x.y": "", "direction": "faults[].partition.direction",
	} {
		topics, err := Explain(word, toys())
		switch {
		case want == "" && err != nil:
		case err != nil:
			t.Errorf("%s: %v", word, err)
		case topics[0].Name != want:
			t.Errorf("%s: got %s, want %s", word, topics[0].Name, want)
		}
	}
	for word, want := range map[string]string{"succesor": `did you mean "successor"?`, "t-03": `did you mean "T-01"?`, "": "nothing is called"} {
		if _, err := Explain(word, toys()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", word, err, want)
		}
	}
}

// Examples of faults, targets, events and nemeses are ones that a scenario can hold.
func TestExamplesOfExplanationsParse(t *testing.T) {
	for _, topic := range Topics(toys()) {
		text := "name: a\nnetwork: {regions: [VA, JP], matrix: paxi-aws}\nfaults: [" + topic.Example + "]\n"
		switch topic.Kind {
		case "fault", "target":
		case "event":
			text = "name: a\nprotocols: [mover]\nadmin: [{at: 1s, transfer-leadership: n2}]\nfaults:\n  - {at: 1s, for: 1s, pause: n1}\n  - " + topic.Example + "\n"
		case "nemesis", "parameter", "metric", "check":
			text = "name: a\n" + topic.Example + "\n"
		case "probe":
			text = "name: a\nprotocols: [mover]\nadmin: [{at: 1s, transfer-leadership: n2}]\nfaults: [{at: 1s, for: 1s, pause: n1}]\n" + topic.Example + "\n"
		default:
			continue
		}
		if strings.HasPrefix(topic.Kind, "target") && topic.Example == "" {
			continue
		}
		if _, _, err := Parse("", []byte(text), toys()); err != nil {
			t.Errorf("%s %s: %v\n%s", topic.Kind, topic.Name, err, text)
		}
	}
}
