// Command zoo measures how the known bugs are found and writes docs/bugs.md: for each
// bug the script that shows it, the checks that see it, how many runs of drawn plans
// find it, and how small the first failure becomes. The table of checks says for each
// where its rule comes from and which bugs trip it.
//
// Usage: go run ./internal/zoo [-runs N] [-further N] [-events N] [-shrink N] [-bugs ID,ID] [-jobs N] [-data FILE] [-out FILE]
//
// What was measured of each bug is kept in a data file, so that some bugs can be
// measured again and an interrupt loses one bug at most. Both files depend on the
// flags and on the code, and not on the machine or on -jobs.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/protocols/all"
)

func main() {
	var o options
	flag.Uint64Var(&o.runs, "runs", 1000, "runs of drawn plans for each bug")
	flag.Uint64Var(&o.further, "further", 20_000, "where none of them finds it, runs until one does")
	flag.Uint64Var(&o.events, "events", 40_000, "end the runs of a bug once they have taken so many events for each that was to be run")
	flag.IntVar(&o.shrink, "shrink", 300, "runs to make the first failure small; 0: leave it")
	flag.IntVar(&o.workers, "jobs", 2, "runs at a time")
	only := flag.String("bugs", "", "measure these bugs alone; none: measure nothing, write the document anew")
	flag.StringVar(&o.data, "data", "docs/bugs.json", "the file that keeps what was measured")
	out := flag.String("out", "docs/bugs.md", "the document")
	flag.Parse()
	if flag.NArg() > 0 || o.runs == 0 || o.workers < 1 {
		flag.Usage()
		os.Exit(2)
	}
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := write(ctx, &o, *out, all.List()); err != nil {
		fmt.Fprintln(os.Stderr, "zoo:", err)
		os.Exit(1)
	}
}

// write measures, keeps what was measured, and writes the document.
func write(ctx context.Context, o *options, file string, list []*protocols.Protocol) error {
	kept, err := load(o.data)
	if err != nil {
		return err
	}
	if err := measureAll(ctx, o, list, kept); err != nil {
		return err
	}
	text, err := document(list, kept)
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}
