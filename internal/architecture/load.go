package architecture

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// Package is one type-checked package without its tests.
type Package struct {
	Path    string   // import path
	Dir     string   // folder on disk
	Ignored []string // Go files that build constraints leave out here
	Fset    *token.FileSet
	Files   []*ast.File
	Types   *types.Package
	Info    *types.Info
}

// listed is what `go list -json` says of a package.
type listed struct {
	ImportPath     string
	Dir            string
	Export         string
	Standard       bool
	GoFiles        []string
	IgnoredGoFiles []string
	Imports        []string
	Deps           []string
	DepOnly        bool
	Error          *struct{ Err string }
}

// list runs `go list` in dir. The toolchain is the only program that knows what
// belongs to a package.
func list(dir string, args ...string) ([]listed, error) {
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Dir,Export,Standard,GoFiles,IgnoredGoFiles,Imports,Deps,DepOnly,Error"}, args...)...)
	cmd.Dir = dir
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go list %v: %w\n%s", args, err, problems.Bytes())
	}
	var all []listed
	for dec := json.NewDecoder(&out); ; {
		var p listed
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("go list %v: %w", args, err)
		case p.Error != nil:
			return nil, fmt.Errorf("go list %v: %s", args, p.Error.Err)
		}
		all = append(all, p)
	}
}

// Load type-checks the packages that match patterns, seen from dir. What they
// import is read from the compiler's export data, which the build cache holds.
func Load(dir string, patterns ...string) ([]*Package, error) {
	all, err := list(dir, append([]string{"-export", "-deps"}, patterns...)...)
	if err != nil {
		return nil, err
	}
	exports := make(map[string]string, len(all))
	for _, p := range all {
		exports[p.ImportPath] = p.Export
	}
	fset := token.NewFileSet()
	imports := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		file := exports[path]
		if file == "" {
			return nil, fmt.Errorf("no export data for %s", path)
		}
		return os.Open(file)
	})
	var loaded []*Package
	for _, p := range all {
		if p.DepOnly || len(p.GoFiles) == 0 {
			continue
		}
		pkg, err := check(fset, imports, p)
		if err != nil {
			return nil, err
		}
		loaded = append(loaded, pkg)
	}
	return loaded, nil
}

func check(fset *token.FileSet, imports types.Importer, p listed) (*Package, error) {
	pkg := &Package{
		Path: p.ImportPath, Dir: p.Dir, Ignored: p.IgnoredGoFiles, Fset: fset,
		Info: &types.Info{
			Types:      map[ast.Expr]types.TypeAndValue{},
			Defs:       map[*ast.Ident]types.Object{},
			Uses:       map[*ast.Ident]types.Object{},
			Selections: map[*ast.SelectorExpr]*types.Selection{},
		},
	}
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		pkg.Files = append(pkg.Files, file)
	}
	conf := types.Config{Importer: imports}
	var err error
	pkg.Types, err = conf.Check(p.ImportPath, fset, pkg.Files, pkg.Info)
	return pkg, err
}

// Protocols returns those of the packages that bring a protocol: they export a
// variable of type *protocols.Protocol or a function without parameters that
// returns one.
func Protocols(packages []*Package, contract string) []*Package {
	return slices.DeleteFunc(slices.Clone(packages), func(p *Package) bool {
		scope := p.Types.Scope()
		return !slices.ContainsFunc(scope.Names(), func(name string) bool {
			object := scope.Lookup(name)
			return object.Exported() && bringsProtocol(object, contract)
		})
	})
}

func bringsProtocol(object types.Object, contract string) bool {
	t := object.Type()
	switch object.(type) {
	case *types.Func:
		s := t.(*types.Signature)
		if s.Params().Len() != 0 || s.Results().Len() != 1 {
			return false
		}
		t = s.Results().At(0).Type()
	case *types.Var:
	default:
		return false
	}
	if pointer, ok := types.Unalias(t).(*types.Pointer); ok {
		t = pointer.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == "Protocol" && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == contract
}
