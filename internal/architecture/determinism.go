package architecture

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Finding is one place that breaks a rule.
type Finding struct {
	File string // base name
	Line int
	Rule string // one of the Rule constants
	Text string // what was found
}

func (f Finding) String() string { return fmt.Sprintf("%s:%d: %s: %s", f.File, f.Line, f.Rule, f.Text) }

// The rules of code that must repeat to the byte, on every machine, Go release,
// GOMAXPROCS and architecture.
const (
	RuleMapOrder    = "map order"       // ranging over a map, or an iterator or reflection over one
	RuleConcurrency = "concurrency"     // go, select, channels
	RuleImport      = "import"          // a package of the standard library that is not on the list
	RuleTime        = "time"            // anything of package time but Duration and its units
	RuleFloat       = "float"           // float32, float64, complex
	RulePlatform    = "platform"        // files that build constraints leave out
	RuleGlobalState = "global state"    // init functions, writes to package variables
	RuleAddress     = "address"         // what a pointer's value can leak into
	RuleUnstable    = "unstable sort"   // ties in an order that may change between Go releases
	RuleOutput      = "standard output" // printing from a step or an engine
)

// importable is all of the standard library that deterministic code may use.
// What is missing here is refused: sync, os, unsafe, runtime, math/rand,
// hash/maphash, context, log, net and all the rest. Some of the listed packages
// have single functions that are refused (see refused).
var importable = []string{
	"bufio", "bytes", "cmp", "container/heap", "encoding/binary", "errors", "fmt", "hash/fnv", "io", "iter", "maps", "math",
	"math/big", "math/bits", "reflect", "slices", "sort", "strconv", "strings", "time", "unicode", "unicode/utf8",
}

// refused names functions and methods of importable packages, with the rule that
// they break. A method is written Type.Method.
var refused = map[string]string{
	"maps.Keys": RuleMapOrder, "maps.Values": RuleMapOrder, "maps.All": RuleMapOrder,
	"reflect.Value.MapKeys": RuleMapOrder, "reflect.Value.MapRange": RuleMapOrder, "reflect.Value.Seq": RuleMapOrder, "reflect.Value.Seq2": RuleMapOrder,
	"reflect.Value.Pointer": RuleAddress, "reflect.Value.UnsafePointer": RuleAddress, "reflect.Value.UnsafeAddr": RuleAddress,
	"reflect.Select": RuleConcurrency, "reflect.Value.Send": RuleConcurrency, "reflect.Value.Recv": RuleConcurrency,
	"reflect.Value.TrySend": RuleConcurrency, "reflect.Value.TryRecv": RuleConcurrency, "reflect.MakeChan": RuleConcurrency,
	"sort.Slice": RuleUnstable, "sort.Sort": RuleUnstable,
	"fmt.Print": RuleOutput, "fmt.Printf": RuleOutput, "fmt.Println": RuleOutput,
	"fmt.Scan": RuleOutput, "fmt.Scanf": RuleOutput, "fmt.Scanln": RuleOutput,
}

// timeAllowed is what may be used of package time: the type of a span and its
// units, no clock.
var timeAllowed = []string{
	"Duration", "Nanosecond", "Microsecond", "Millisecond", "Second", "Minute", "Hour", "ParseDuration",
	"Duration.String", "Duration.Nanoseconds", "Duration.Microseconds", "Duration.Milliseconds", "Duration.Truncate", "Duration.Round", "Duration.Abs",
}

// Determinism returns every place of p that breaks a rule, in order of file and
// line, at most one per line and rule.
func Determinism(p *Package) []Finding {
	s := &scan{Package: p}
	for _, name := range p.Ignored {
		if !strings.HasSuffix(name, "_test.go") {
			s.found = append(s.found, Finding{name, 1, RulePlatform, "a file that only some builds contain"})
		}
	}
	for _, file := range p.Files {
		s.imports(file)
		ast.PreorderStack(file, nil, s.visit)
	}
	slices.SortFunc(s.found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Rule, b.Rule))
	})
	return slices.CompactFunc(s.found, func(a, b Finding) bool {
		return a.File == b.File && a.Line == b.Line && a.Rule == b.Rule
	})
}

type scan struct {
	*Package
	found []Finding
}

func (s *scan) add(at token.Pos, rule, format string, args ...any) {
	p := s.Fset.Position(at)
	s.found = append(s.found, Finding{filepath.Base(p.Filename), p.Line, rule, fmt.Sprintf(format, args...)})
}

// imports refuses packages of the standard library. Other packages are the
// business of the layers test.
func (s *scan) imports(file *ast.File) {
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err == nil && !strings.Contains(strings.Split(path, "/")[0], ".") && !slices.Contains(importable, path) && !underTestdata(path) {
			s.add(spec.Pos(), RuleImport, "%s", path)
		}
	}
}

func underTestdata(path string) bool { return strings.Contains(path, "/testdata/") }

func (s *scan) visit(n ast.Node, stack []ast.Node) bool {
	switch n := n.(type) {
	case *ast.GoStmt:
		s.add(n.Pos(), RuleConcurrency, "go statement")
	case *ast.SelectStmt:
		s.add(n.Pos(), RuleConcurrency, "select")
	case *ast.SendStmt:
		s.add(n.Pos(), RuleConcurrency, "channel send")
	case *ast.ChanType:
		s.add(n.Pos(), RuleConcurrency, "channel type")
	case *ast.RangeStmt:
		s.ranges(n)
	case *ast.FuncDecl:
		if n.Recv == nil && n.Name.Name == "init" {
			s.add(n.Pos(), RuleGlobalState, "init function")
		}
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			for _, target := range n.Lhs {
				s.writes(target)
			}
		}
	case *ast.IncDecStmt:
		s.writes(n.X)
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			s.add(n.Pos(), RuleConcurrency, "channel receive")
		}
	case *ast.BasicLit:
		if n.Kind == token.STRING && strings.Contains(n.Value, "%p") {
			s.add(n.Pos(), RuleAddress, "%%p prints an address")
		}
	case *ast.Ident:
		s.uses(n, stack)
	}
	if e, ok := n.(ast.Expr); ok {
		s.floats(e)
	}
	return true
}

func (s *scan) ranges(n *ast.RangeStmt) {
	t := s.Info.TypeOf(n.X)
	switch {
	case t == nil:
	case has(t, func(t types.Type) bool { _, is := t.(*types.Map); return is }):
		s.add(n.Pos(), RuleMapOrder, "range over %s", t)
	case has(t, func(t types.Type) bool { _, is := t.(*types.Chan); return is }):
		s.add(n.Pos(), RuleConcurrency, "range over %s", t)
	}
}

// has reports whether t is such a type, or a type parameter that can be one.
func has(t types.Type, such func(types.Type) bool) bool {
	parameter, ok := types.Unalias(t).(*types.TypeParam)
	if !ok {
		return such(t.Underlying())
	}
	constraint := parameter.Underlying().(*types.Interface)
	for embedded := range constraint.EmbeddedTypes() {
		union, ok := embedded.(*types.Union)
		if !ok {
			if such(embedded.Underlying()) {
				return true
			}
			continue
		}
		for term := range union.Terms() {
			if such(term.Type().Underlying()) {
				return true
			}
		}
	}
	return false
}

// writes refuses a change of a package variable: simulations of one process
// would share it.
func (s *scan) writes(target ast.Expr) {
	for {
		switch e := target.(type) {
		case *ast.ParenExpr:
			target = e.X
		case *ast.StarExpr:
			target = e.X
		case *ast.IndexExpr:
			target = e.X
		case *ast.SelectorExpr:
			if v, ok := s.Info.Uses[e.Sel].(*types.Var); ok && isPackageVariable(v) {
				s.add(e.Pos(), RuleGlobalState, "write to %s", v.Name())
				return
			}
			target = e.X
		case *ast.Ident:
			if v, ok := s.Info.Uses[e].(*types.Var); ok && isPackageVariable(v) {
				s.add(e.Pos(), RuleGlobalState, "write to %s", v.Name())
			}
			return
		default:
			return
		}
	}
}

func isPackageVariable(v *types.Var) bool {
	return v.Pkg() != nil && v.Parent() == v.Pkg().Scope()
}

// uses refuses single functions, by what the name means and not by how it is
// written, so that a renamed import or a method value is seen as well.
func (s *scan) uses(id *ast.Ident, stack []ast.Node) {
	object := s.Info.Uses[id]
	if object == nil {
		return
	}
	if b, ok := object.(*types.Builtin); ok && (b.Name() == "print" || b.Name() == "println") {
		s.add(id.Pos(), RuleOutput, "%s", b.Name())
		return
	}
	if object.Pkg() == nil {
		return
	}
	name := qualified(object)
	if object.Pkg().Path() == "time" {
		if name != "" && !slices.Contains(timeAllowed, strings.TrimPrefix(name, "time.")) {
			s.add(id.Pos(), RuleTime, "%s", name)
		}
		return
	}
	rule, ok := refused[name]
	if !ok || rule == RuleMapOrder && sortedAtOnce(stack, s.Info) {
		return
	}
	s.add(id.Pos(), rule, "%s", name)
}

// sortedAtOnce allows slices.Sorted(maps.Keys(m)), whose order is total.
func sortedAtOnce(stack []ast.Node, info *types.Info) bool {
	// … slices.Sorted( maps.Keys (m) ): the selector, its call, the outer call.
	if len(stack) < 3 {
		return false
	}
	outer, ok := stack[len(stack)-3].(*ast.CallExpr)
	if !ok {
		return false
	}
	f, ok := outer.Fun.(*ast.SelectorExpr)
	return ok && info.Uses[f.Sel] != nil && qualified(info.Uses[f.Sel]) == "slices.Sorted"
}

// qualified names a function, method, type or constant at package level:
// time.Now, time.Duration.Seconds. It is empty for fields and locals.
func qualified(object types.Object) string {
	f, ok := object.(*types.Func)
	if !ok {
		if object.Parent() != object.Pkg().Scope() {
			return ""
		}
		return object.Pkg().Name() + "." + object.Name()
	}
	if recv := f.Signature().Recv(); recv != nil {
		t := recv.Type()
		if pointer, ok := t.(*types.Pointer); ok {
			t = pointer.Elem()
		}
		if named, ok := t.(*types.Named); ok {
			return f.Pkg().Name() + "." + named.Obj().Name() + "." + f.Name()
		}
	}
	return f.Pkg().Name() + "." + f.Name()
}

func (s *scan) floats(e ast.Expr) {
	t := s.Info.TypeOf(e)
	if t == nil {
		return
	}
	b, ok := t.Underlying().(*types.Basic)
	if ok && b.Kind() != types.UntypedFloat && b.Info()&(types.IsFloat|types.IsComplex) != 0 {
		s.add(e.Pos(), RuleFloat, "%s", t)
	}
}
