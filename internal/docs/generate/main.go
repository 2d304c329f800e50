// Command generate rewrites the generated parts of the documents, the diagrams, and the
// gallery of plots.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/lockstep-sim/lockstep/internal/docs"
	"github.com/lockstep-sim/lockstep/internal/docs/gallery"
	"github.com/lockstep-sim/lockstep/protocols/all"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "generate: want the root of the repository")
		os.Exit(2)
	}
	if err := generate(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func generate(root string) error {
	files, err := docs.Generated(root, all.List())
	if err != nil {
		return err
	}
	pictures, err := gallery.Generated(root, all.List())
	if err != nil {
		return err
	}
	files = append(files, pictures...)
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(root, filepath.FromSlash(f.Name)), f.Content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
