package docs_test

import (
	"bytes"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/internal/docs"
	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/all"
)

const root = "../.."

// files lists the files of the repository below the root, with slashes: what a
// reader sees, without version control and without results of runs.
func files(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		switch {
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "lockstep-out"):
			return fs.SkipDir
		case !d.IsDir():
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func markdown(t *testing.T) []string {
	return slices.DeleteFunc(files(t), func(name string) bool { return !strings.HasSuffix(name, ".md") })
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")))
}

// TestGeneratedParts: what go generate writes is what stands there.
func TestGeneratedParts(t *testing.T) {
	t.Parallel()
	want := map[string][]string{"docs/scenarios.md": {"keys", "faults", "targets", "events", "metrics"}}
	for _, p := range all.List() {
		for _, table := range []string{"parameters", "survives", "invariants", "bugs"} {
			name := "docs/protocols/" + p.Name + ".md"
			want[name] = append(want[name], p.Name+" "+table)
		}
	}
	for document, tables := range want {
		text := read(t, document)
		for _, name := range tables {
			if !strings.Contains(text, "<!-- generated: "+name+" -->") {
				t.Errorf("%s has no part %q", document, name)
			}
		}
	}
	made, err := docs.Generated(root, all.List())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range made {
		if read(t, f.Name) != string(f.Content) {
			t.Errorf("%s is out of date: run go generate ./internal/docs", f.Name)
		}
	}
	for _, bad := range []string{"nothing", "raft nothing", "nothing bugs"} {
		if _, err := docs.Reference("<!-- generated: "+bad+" -->\n<!-- end -->", all.List()); err == nil {
			t.Errorf("an unknown table was accepted: %s", bad)
		}
	}
	if _, err := docs.Reference("<!-- generated: keys -->\n", all.List()); err == nil {
		t.Error("a part without an end was accepted")
	}
	if _, err := docs.Generated(root, []*protocols.Protocol{{Name: "unheard-of"}}); err == nil {
		t.Error("a protocol without a page was accepted")
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
)

// TestLinks follows every link to a file or heading of this repository.
func TestLinks(t *testing.T) {
	t.Parallel()
	for _, name := range markdown(t) {
		for _, m := range link.FindAllStringSubmatch(prose(read(t, name)), -1) {
			target := m[1]
			if strings.Contains(target, "://") {
				continue
			}
			file, anchor, _ := strings.Cut(target, "#")
			full := name
			if file != "" {
				full = filepath.ToSlash(filepath.Join(filepath.Dir(name), file))
			}
			info, err := os.Stat(filepath.Join(root, full))
			switch {
			case err != nil:
				t.Errorf("%s: link to %s: no such file", name, target)
			case anchor != "" && (info.IsDir() || !slices.Contains(anchors(read(t, full)), anchor)):
				t.Errorf("%s: link to %s: no such heading", name, target)
			}
		}
	}
}

// anchors returns the names that GitHub gives to the headings of a document.
func anchors(text string) []string {
	var list []string
	for _, m := range heading.FindAllStringSubmatch(prose(text), -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z':
				return r
			}
			return -1
		}, strings.ToLower(m[1]))
		list = append(list, name)
	}
	return list
}

// prose drops fenced blocks.
func prose(text string) string {
	var kept []string
	fenced := false
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
			continue
		}
		if !fenced {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

// TestPackageComments: every package says what it is for, once and not in a
// test file.
func TestPackageComments(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, name := range files(t) {
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.Contains(name, "testdata/") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Error(err)
			continue
		}
		folder := filepath.ToSlash(filepath.Dir(name))
		want := "Package " + f.Name.Name
		if f.Name.Name == "main" {
			want = "Command "
		}
		documented[folder] = documented[folder] || f.Doc != nil && strings.HasPrefix(f.Doc.Text(), want)
	}
	for folder, is := range documented {
		if !is {
			t.Errorf("%s has no package comment", folder)
		}
	}
}

// TestArchitectureNamesEveryPackage: a folder that the picture does not show is a
// folder that nobody finds.
func TestArchitectureNamesEveryPackage(t *testing.T) {
	t.Parallel()
	text := read(t, "ARCHITECTURE.md")
	seen := map[string]bool{}
	for _, name := range files(t) {
		folder := filepath.ToSlash(filepath.Dir(name))
		if strings.HasSuffix(name, ".go") && !strings.Contains(name, "testdata/") && !strings.HasPrefix(name, "examples/") && !seen[folder] {
			seen[folder] = true
			if !strings.Contains(text, "`"+folder+"`") {
				t.Errorf("ARCHITECTURE.md does not name `%s`", folder)
			}
		}
	}
}

// machinePath matches paths of one machine. The pattern is written so that it
// does not match itself.
var machinePath = regexp.MustCompile(`/(work|root|Users)/[\w.]|/home/[a-z]|[A-Z]:\\Users`)

// TestNoMachinePaths keeps paths of somebody's machine out of the repository.
func TestNoMachinePaths(t *testing.T) {
	t.Parallel()
	for _, name := range files(t) {
		if name == "internal/docs/files_test.go" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(text, 0) >= 0 {
			continue // a picture or a program
		}
		for i, line := range bytes.Split(text, []byte("\n")) {
			if m := machinePath.Find(line); m != nil {
				t.Errorf("%s:%d: path of a machine: %q", name, i+1, m)
			}
		}
	}
	for _, bad := range []string{"cd /" + "work/x", "/home/me/src", "/root/.cache"} {
		if !machinePath.MatchString(bad) {
			t.Errorf("%q was not seen as a path of a machine", bad)
		}
	}
}
