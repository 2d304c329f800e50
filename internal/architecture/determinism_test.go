package architecture_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/internal/architecture"
)

const (
	module   = architecture.Module
	contract = module + "/protocols"
	root     = "../.."
)

// TestDeterministicCode holds the engine, the judge, the contract and every
// protocol to the rules of determinism.go. Protocols are found by what they
// export, so a new folder is held to them from its first day.
func TestDeterministicCode(t *testing.T) {
	t.Parallel()
	packages := deterministic(t)
	used := make([]bool, len(architecture.Exceptions))
	for _, p := range packages {
		for _, f := range architecture.Determinism(p) {
			i := slices.IndexFunc(architecture.Exceptions, func(e architecture.Exception) bool { return e.Allows(module, p.Path, f) })
			if i < 0 {
				t.Errorf("%s/%s", strings.TrimPrefix(p.Path, module+"/"), f)
				continue
			}
			used[i] = true
		}
	}
	for i, e := range architecture.Exceptions {
		if !used[i] {
			t.Errorf("exception %q for %s/%s covers nothing any more: remove it", e.Rule, e.Package, e.File)
		}
		if len(e.Reason) < 20 {
			t.Errorf("exception %q for %s/%s has no reason", e.Rule, e.Package, e.File)
		}
	}
}

// deterministic loads sim, checker, protocols and all packages that bring a
// protocol. The conformance suite runs tests and is no part of a run.
func deterministic(t *testing.T) []*architecture.Package {
	t.Helper()
	all, err := architecture.Load(root, "./...")
	if err != nil {
		t.Fatal(err)
	}
	brought := architecture.Protocols(all, contract)
	if len(brought) == 0 {
		t.Error("no package brings a protocol: does the search still work?")
	}
	packages := slices.DeleteFunc(all, func(p *architecture.Package) bool {
		name := strings.TrimPrefix(p.Path, module+"/")
		top := strings.Split(name, "/")[0]
		named := slices.Contains([]string{"sim", "checker", "protocols"}, top) && name != "protocols/protocoltest"
		return !named && !slices.Contains(brought, p)
	})
	for _, want := range []string{"/sim", "/checker", "/protocols", "/raft"} {
		if !slices.ContainsFunc(packages, func(p *architecture.Package) bool { return p.Path == module+want }) {
			t.Errorf("package %s was not looked at", want)
		}
	}
	return packages
}

// TestDeterminismFixtures proves every rule: each line of testdata/determinism
// that carries a comment "want: rule, rule" must be found to break exactly those
// rules, and no other line any.
func TestDeterminismFixtures(t *testing.T) {
	t.Parallel()
	folders, err := filepath.Glob("testdata/determinism/*")
	if err != nil || len(folders) == 0 {
		t.Fatal("no fixtures", err)
	}
	var patterns []string
	for _, folder := range folders {
		patterns = append(patterns, "./"+filepath.ToSlash(folder))
	}
	packages, err := architecture.Load(".", patterns...)
	if err != nil {
		t.Fatal(err)
	}
	proved := map[string]bool{}
	for _, p := range packages {
		var got []string
		for _, f := range architecture.Determinism(p) {
			got = append(got, f.File+":"+strconv.Itoa(f.Line)+": "+f.Rule)
			proved[f.Rule] = true
		}
		want := wanted(t, p.Dir)
		for _, w := range want {
			if !slices.Contains(got, w) {
				t.Errorf("%s: not found: %s", filepath.Base(p.Dir), w)
			}
		}
		for _, g := range got {
			if !slices.Contains(want, g) {
				t.Errorf("%s: found, but right: %s", filepath.Base(p.Dir), g)
			}
		}
	}
	for _, rule := range []string{
		architecture.RuleMapOrder, architecture.RuleConcurrency, architecture.RuleImport, architecture.RuleTime, architecture.RuleFloat,
		architecture.RulePlatform, architecture.RuleGlobalState, architecture.RuleAddress, architecture.RuleUnstable, architecture.RuleOutput,
	} {
		if !proved[rule] {
			t.Errorf("no fixture breaks rule %q", rule)
		}
	}
}

var wantComment = regexp.MustCompile(`// want: (.*)$`)

// wanted reads the comments of all files in dir.
func wanted(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if m := wantComment.FindStringSubmatch(line); m != nil {
				for rule := range strings.SplitSeq(m[1], ", ") {
					want = append(want, filepath.Base(file)+":"+strconv.Itoa(i+1)+": "+rule)
				}
			}
		}
	}
	return want
}

// TestProtocolsAreFound proves that a package is held to the rules because of
// what it exports, whether by function or by variable.
func TestProtocolsAreFound(t *testing.T) {
	t.Parallel()
	packages, err := architecture.Load(".", "./testdata/protocols/function", "./testdata/protocols/variable", "./testdata/protocols/neither")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range architecture.Protocols(packages, contract) {
		got = append(got, filepath.Base(p.Dir))
	}
	if want := []string{"function", "variable"}; !slices.Equal(got, want) {
		t.Errorf("packages that bring a protocol: got %v, want %v", got, want)
	}
}
