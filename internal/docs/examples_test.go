package docs_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryPackageHasAnExample: what can be imported shows its main use as code that is
// run and whose output is compared.
func TestEveryPackageHasAnExample(t *testing.T) {
	t.Parallel()
	shown := map[string]bool{} // by folder, of packages that can be imported
	for _, name := range files(t) {
		folder := filepath.ToSlash(filepath.Dir(name))
		if !strings.HasSuffix(name, ".go") || strings.Contains(name, "testdata/") || strings.HasPrefix(name, "internal/") || strings.HasPrefix(name, "examples/") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		shown[folder] = shown[folder] || f.Name.Name != "main" && strings.HasSuffix(name, "_test.go") && isExample(f)
		if f.Name.Name == "main" {
			shown[folder] = true
		}
	}
	for folder, is := range shown {
		if !is {
			t.Errorf("%s has no example that is run", folder)
		}
	}
	if len(shown) < 15 {
		t.Errorf("only %d packages were found: does the search still work?", len(shown))
	}
}

// isExample reports whether a file has an example that go test runs.
func isExample(f *ast.File) bool {
	for _, e := range doc.Examples(f) {
		if e.Output != "" || e.EmptyOutput {
			return true
		}
	}
	return false
}
