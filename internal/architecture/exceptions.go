package architecture

import "strings"

// Exception allows one rule to be broken in one file, and says why that is
// harmless.
type Exception struct {
	Package string // below the module: "sim", "raft"
	File    string // base name
	Rule    string
	Text    string // what the finding's text starts with
	Reason  string
}

// Exceptions are all there are.
var Exceptions = []Exception{
	{"sim", "observe.go", RuleImport, "runtime", "names the functions of a panic in protocol code: function and line only, no address, never the goroutine"},
	{"checker/generate", "generate.go", RuleImport, "math/rand/v2", "a seeded PCG, whose numbers the standard library promises to keep; it makes test histories, it judges nothing"},
	{"checker/generate", "damage.go", RuleImport, "math/rand/v2", "as in generate.go: damaged test histories"},
}

// Allows reports whether e covers f, found in the package of that import path.
func (e Exception) Allows(module, path string, f Finding) bool {
	return path == module+"/"+e.Package && f.File == e.File && f.Rule == e.Rule && strings.HasPrefix(f.Text, e.Text)
}
