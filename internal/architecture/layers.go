package architecture

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Layer says what the packages of one folder may import besides the standard
// library and their own sub-folders. Test files are free, but for the rules of
// [Reserved].
type Layer struct {
	// Folder is a path below the module's root. A trailing /... means that the
	// folders below it are of the same layer.
	Folder string
	// Project lists folders of this module, in the same form.
	Project []string
	// Modules lists import path prefixes of other modules.
	Modules []string
}

// Layers is the picture of ARCHITECTURE.md as a table, from the bottom up. Every
// package of the module must have a line; the first that fits counts. A folder
// with no line of its own that is imported by protocols/all is a protocol, and
// may import protocols and nothing else.
var Layers = []Layer{
	{Folder: "protocols"},
	{Folder: "protocols/protocoltest", Project: []string{"protocols", "sim", "sim/laws"}},
	{Folder: "protocols/protocoltest/stage", Project: []string{"protocols"}},
	{Folder: "protocols/all", Project: []string{"protocols", "PROTOCOL"}},
	{Folder: "PROTOCOL", Project: []string{"protocols"}},
	{Folder: "sim/laws", Project: []string{"protocols", "sim"}},
	{Folder: "sim/...", Project: []string{"protocols"}},
	{Folder: "checker/...", Project: []string{"protocols", "checker/..."}, Modules: []string{"github.com/anishathalye/porcupine"}},
	{Folder: "scenarios", Project: []string{"protocols", "sim", "checker/...", "scenarios/library"}, Modules: []string{"go.yaml.in/yaml/v4", "github.com/agnivade/levenshtein", "github.com/google/jsonschema-go"}},
	{Folder: "scenarios/library"},
	{Folder: "scenarios/diagram", Project: []string{"protocols", "sim"}},
	{Folder: "scenarios/search", Project: []string{"protocols", "sim", "checker/...", "scenarios"}},
	{Folder: "scenarios/shrink", Project: []string{"protocols", "sim", "checker/...", "scenarios", "scenarios/search", "scenarios/diagram"}},
	{Folder: "scenarios/scenariotest", Project: []string{"protocols", "sim", "checker/...", "scenarios", "scenarios/search", "scenarios/shrink"}, Modules: []string{"pgregory.net/rapid"}},
	{Folder: "reports/page"},
	{Folder: "reports/reproduce", Project: []string{"protocols", "sim", "sim/laws", "checker", "scenarios", "scenarios/search", "reports"}, Modules: []string{"gonum.org/v1/gonum/stat", "github.com/jedib0t/go-pretty/v6"}},
	{Folder: "reports/...", Project: []string{"protocols", "sim", "checker/...", "scenarios", "scenarios/diagram", "reports/page"}, Modules: []string{"gonum.org/v1/plot", "gonum.org/v1/gonum/stat", "github.com/jedib0t/go-pretty/v6"}},
	{Folder: "cmd/lockstep/cli", Project: []string{"protocols", "checker/...", "scenarios/...", "reports", "reports/reproduce"}, Modules: []string{"github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/term", "github.com/jedib0t/go-pretty/v6"}},
	{Folder: "cmd/lockstep", Project: []string{"cmd/lockstep/cli", "protocols/all"}},
	{Folder: "internal/architecture"},
	{Folder: "internal/docs", Project: []string{"protocols", "scenarios", "scenarios/diagram", "sim"}},
	{Folder: "internal/docs/gallery", Project: []string{"internal/docs", "cmd/lockstep/cli", "protocols"}},
	{Folder: "internal/docs/generate", Project: []string{"internal/docs", "internal/docs/gallery", "protocols/all"}},
	{Folder: "internal/zoo", Project: []string{"protocols", "protocols/all", "checker", "scenarios", "scenarios/search", "scenarios/shrink"}},
	{Folder: "internal/trial", Project: []string{"protocols", "sim", "checker"}},
	{Folder: "internal/bench/floor"},
	{Folder: "internal/bench", Project: []string{"protocols", "PROTOCOL", "sim", "checker", "scenarios", "internal/bench/floor"}},
}

// Reserved modules may be imported by the listed layers only; test says whether
// any package's own tests may import them too.
var Reserved = []struct {
	Prefix  string
	Folders []string
	Tests   bool
}{
	{"github.com/spf13/", []string{"cmd/..."}, false},
	{"go.yaml.in/", []string{"scenarios"}, false},
	{"gonum.org/", []string{"reports/..."}, false},
	{"github.com/anishathalye/porcupine", []string{"checker/..."}, false},
	{"pgregory.net/rapid", []string{"scenarios/scenariotest"}, true},
	{Module + "/protocols/all", []string{"cmd/lockstep", "internal/docs/generate", "internal/zoo"}, true},
}

// Module is the path of this module.
const Module = "github.com/lockstep-sim/lockstep"

// source is one Go file's place and imports.
type source struct {
	file    string // below the root, with slashes
	folder  string
	imports []string
	test    bool
}

// Imports checks the module in root against the table, and returns one line per
// import that is not allowed. Build constraints are ignored, so that files for
// other systems are checked too.
func Imports(root string) ([]string, error) {
	files, err := sources(root)
	if err != nil {
		return nil, err
	}
	brought := protocolFolders(files)
	var problems []string
	for _, f := range files {
		layer := layerOf(f.folder, brought)
		if layer == nil {
			problems = append(problems, f.file+": package "+f.folder+" is in no layer: add a protocol to protocols/all, anything else to the table in internal/architecture/layers.go")
			continue
		}
		for _, imported := range f.imports {
			if problem := judge(f, layer, imported, brought); problem != "" {
				problems = append(problems, fmt.Sprintf("%s: imports %s: %s", f.file, imported, problem))
			}
		}
	}
	return problems, nil
}

// judge says what is wrong with one import, or nothing.
func judge(f source, layer *Layer, imported string, brought []string) string {
	for _, r := range Reserved {
		if within(imported, r.Prefix) && !matches(r.Folders, f.folder, nil) && (!f.test || !r.Tests) {
			return "only " + strings.Join(r.Folders, ", ") + " may"
		}
	}
	if f.test {
		return ""
	}
	if folder, ok := strings.CutPrefix(imported, Module+"/"); ok {
		if !matches(layer.Project, folder, brought) {
			return "layer " + layer.Folder + " may import [" + strings.Join(layer.Project, " ") + "] of this module"
		}
		return ""
	}
	if strings.Contains(strings.Split(imported, "/")[0], ".") && !slices.ContainsFunc(layer.Modules, func(m string) bool { return within(imported, m) }) {
		return "layer " + layer.Folder + " may import [" + strings.Join(layer.Modules, " ") + "] of other modules"
	}
	return ""
}

// within reports whether imported is prefix or below it; a prefix that ends in a
// slash covers all below.
func within(imported, prefix string) bool {
	return imported == prefix || strings.HasPrefix(imported, strings.TrimSuffix(prefix, "/")+"/")
}

func layerOf(folder string, brought []string) *Layer {
	for i := range Layers {
		if matches([]string{Layers[i].Folder}, folder, brought) {
			return &Layers[i]
		}
	}
	return nil
}

// matches reports whether folder fits one of the patterns. PROTOCOL stands for
// the folders that bring a protocol.
func matches(patterns []string, folder string, brought []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		if pattern == "PROTOCOL" {
			return slices.Contains(brought, folder)
		}
		if below, ok := strings.CutSuffix(pattern, "/..."); ok {
			return within(folder, below)
		}
		return folder == pattern
	})
}

// protocolFolders returns the folders that protocols/all imports, without the
// contract: the protocols of this module.
func protocolFolders(files []source) []string {
	var brought []string
	for _, f := range files {
		for _, imported := range f.imports {
			folder, ok := strings.CutPrefix(imported, Module+"/")
			if f.folder == "protocols/all" && !f.test && ok && folder != "protocols" {
				brought = append(brought, folder)
			}
		}
	}
	return brought
}

// sources parses the imports of every Go file of the module in root.
func sources(root string) ([]source, error) {
	var files []source
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipFolder(root, file, d.Name())
		}
		if !strings.HasSuffix(file, ".go") {
			return nil
		}
		f, err := parseImports(root, file)
		files = append(files, f)
		return err
	})
	return files, err
}

// skipFolder skips what `./...` skips: hidden folders, testdata, and folders that
// are modules of their own.
func skipFolder(root, folder, name string) error {
	if folder == root {
		return nil
	}
	if name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

func parseImports(root, file string) (source, error) {
	name, err := filepath.Rel(root, file)
	if err != nil {
		return source{}, err
	}
	name = filepath.ToSlash(name)
	f := source{file: name, folder: path.Dir(name), test: strings.HasSuffix(name, "_test.go")}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		return f, err
	}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return f, err
		}
		f.imports = append(f.imports, imported)
	}
	return f, nil
}

// Linked returns the import paths of other modules' packages that end up in a
// program which imports the given folder, directly or not.
func Linked(root, folder string) ([]string, error) {
	all, err := list(root, "-deps", "./"+folder)
	if err != nil {
		return nil, err
	}
	var linked []string
	for _, p := range all {
		if !p.Standard && !within(p.ImportPath, Module) {
			linked = append(linked, p.ImportPath)
		}
	}
	return linked, nil
}
