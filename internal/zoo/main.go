// Command zoo measures how the known bugs are found and writes docs/bugs.md: for each
// bug the script that shows it, the checks that see it, how many runs of drawn plans
// find it, and how small the first failure becomes. The table of checks says for each
// where its rule comes from and which bugs trip it.
//
// Usage: go run ./internal/zoo [-runs N] [-shrink N] [-bugs ID,ID] [-jobs N] [-out FILE]
//
// The output depends on N and on the code, and on nothing else.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols/all"
)

func main() {
	var o options
	flag.Uint64Var(&o.runs, "runs", 1000, "runs of drawn plans for each bug")
	flag.IntVar(&o.shrink, "shrink", 300, "runs to make the first failure small; 0: leave it")
	flag.IntVar(&o.workers, "jobs", 2, "runs at a time")
	only := flag.String("bugs", "", "measure these bugs alone, and print them")
	out := flag.String("out", "docs/bugs.md", "the file to write")
	flag.Parse()
	if flag.NArg() > 0 || o.runs == 0 || o.workers < 1 {
		flag.Usage()
		os.Exit(2)
	}
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	if err := write(&o, *out); err != nil {
		fmt.Fprintln(os.Stderr, "zoo:", err)
		os.Exit(1)
	}
}

// write measures, and writes the document or prints the bugs that were asked for.
func write(o *options, file string) error {
	list := all.List()
	found, err := measureAll(context.Background(), o, list)
	if err != nil {
		return err
	}
	if len(o.only) > 0 {
		for _, m := range found {
			fmt.Println(m.row())
		}
		return nil
	}
	text, err := document(o, list, found)
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}
