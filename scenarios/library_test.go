package scenarios

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"
	"go.yaml.in/yaml/v4"
)

func TestLibrary(t *testing.T) {
	names := slices.Concat(Library(), FaultScenarios())
	if len(names) < 8 {
		t.Fatalf("want at least eight scenarios, got %v", names)
	}
	crowded := 0
	for _, name := range names {
		sc, warnings, err := Load(name, toys())
		if err != nil || len(warnings) > 0 {
			t.Errorf("%s: %v %v", name, warnings, err)
			continue
		}
		if sc.Name != name {
			t.Errorf("%s is called %s", name, sc.Name)
		}
		if sc.Why == "" || len(sc.Sometimes) == 0 {
			t.Errorf("%s: want a why and probes", name)
		}
		if len(sc.Protocols) == 0 && len(sc.Parameters) > 0 {
			t.Errorf("%s: a shipped scenario for every protocol has parameters for some", name)
		}
		if sc.Workload.Clients >= 10 && sc.Workload.Keys <= 3 && probed(sc, "unknown") {
			crowded++
		}
		again, _, err := Parse(name, Format(sc), toys())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(sc, again, equate...); diff != "" {
			t.Errorf("%s: Parse(Format(s)) differs:\n%s", name, diff)
		}
	}
	if crowded < 2 {
		t.Errorf("want two scenarios with 10 clients or more on at most 3 keys that demand unknown outcomes, got %d", crowded)
	}
}

func probed(sc *Scenario, metric string) bool {
	for _, p := range sc.Sometimes {
		if p.Metric == metric {
			return true
		}
	}
	return false
}

// TestSchema demands that the schema for editors accepts every shipped scenario,
// the template and what Format writes, and refuses what is bad in form.
func TestSchema(t *testing.T) {
	var schema jsonschema.Schema
	if err := json.Unmarshal(Schema(toys()), &schema); err != nil {
		t.Fatal(err)
	}
	resolved, err := schema.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	check := func(text []byte) error {
		var v any
		if err := yaml.Load(text, &v); err != nil {
			return err
		}
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		var instance any
		if err := json.Unmarshal(b, &instance); err != nil {
			return err
		}
		return resolved.Validate(instance)
	}
	good := map[string][]byte{"template": Template("x"), "full": []byte(full)}
	for _, name := range slices.Concat(Library(), FaultScenarios()) {
		text, err := LibraryText(name)
		if err != nil {
			t.Fatal(err)
		}
		sc, _, err := Load(name, toys())
		if err != nil {
			t.Fatal(err)
		}
		if len(sc.ExpectOf) > 0 {
			continue // of protocols that are not among the toys
		}
		good[name] = text
		good[name+" resolved"] = Format(sc)
	}
	for name, text := range good {
		if err := check(text); err != nil {
			t.Errorf("the schema refuses %s: %v", name, err)
		}
	}
	for _, bad := range []string{
		"name: a\nprotocl: raft\n",
		"name: a\nreplicas: three\n",
		"name: a\nreplicas: 0\n",
		"name: a\nreplicas: 102\n",
		"name: a\nfor: 800\n",
		"name: a\nfor: 10 parsecs\n",
		"name: a\nmachine: vk\n",
		"name: a\nnetwork: {los: 5%}\n",
		"name: a\nnetwork: {order: random}\n",
		"name: a\nfaults: [{at: 1s, for: 1s, explode: n1}]\n",
		"name: a\nfaults: [{at: 1s, for: 1s, partition: {target: n1, direction: up}}]\n",
		"name: a\nparameters: {toy: {windw: 3}}\n",
		"name: a\nparameters: {toy: {bugs: [T-99]}}\n",
		"name: a\nnetwork: {bandwidth: 10}\n",
		"name: a\nnetwork: {regions: [VA], matrix: moon}\n",
		"name: a\ncpu: fast\n", "name: a\ncpu: {sends: 1us}\n",
		"name: a\nfaults: [{at: 1s, for: 1s, partition: {shape: cube}}]\n",
		"name: a\nfaults: [{at: 1s, for: 1s, bandwidth: {rate: 1 boat/s}}]\n",
		"name: a\nexpect: {latency.p98: < 1s}\n",
		"name: a\nexpect: {verdict: fine}\n",
		"name: a\nchecks: {liveness: maybe}\n",
	} {
		if check([]byte(bad)) == nil {
			t.Errorf("the schema accepts %q", bad)
		}
		if _, _, err := Parse("bad.yaml", []byte(bad), toys()); err == nil {
			t.Errorf("Parse accepts %q", bad)
		}
	}
}

func TestKeysAreDocumented(t *testing.T) {
	keys := Keys()
	if len(keys) < 60 {
		t.Errorf("got only %d keys", len(keys))
	}
	for _, k := range keys {
		if len(k.Doc) < 8 || !strings.HasSuffix(k.Doc, ".") {
			t.Errorf("%s: want a sentence, got %q", k.Path, k.Doc)
		}
	}
}
