// Command generate rewrites the generated parts of a document in place.
package main

import (
	"fmt"
	"os"

	"github.com/lockstep-sim/lockstep/internal/docs"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "generate: want one file")
		os.Exit(2)
	}
	if err := generate(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func generate(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	made, err := docs.Reference(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(made), 0o644)
}
