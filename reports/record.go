package reports

import (
	"fmt"
	"io"
	"path"
	"strconv"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
)

const (
	// FewRuns is the number of runs of one command up to which all of them keep
	// their history and trace in an output folder.
	FewRuns = 20
	// TracedFailures is how many runs that are not as expected keep them for each
	// scenario and protocol of a larger command. A trace can be large, and the
	// replay command makes it again.
	TracedFailures = 20
)

// HistoryOnly asks a run for its history, which changes nothing else.
var HistoryOnly = scenarios.Options{History: true}

// RunFolder is an output folder for runs.
type RunFolder struct {
	*Folder
	all    bool           // every run gets history and trace
	traced map[string]int // failures recorded, by scenario and protocol
}

// OpenRunFolder opens an output folder (see [OpenFolder]) for so many runs.
func OpenRunFolder(dir string, runs int) (*RunFolder, error) {
	f, err := OpenFolder(dir)
	if err != nil {
		return nil, err
	}
	return &RunFolder{Folder: f, all: runs <= FewRuns, traced: map[string]int{}}, nil
}

// Add writes the files of one run to SCENARIO/PROTOCOL/seed-N/, all or none:
// result.json and scenario.yaml, the scenario with every default and parameter
// written out. Where history and trace are wanted too, the run is repeated to get
// them, which costs less than to record every run in case it fails; otherwise
// those of an earlier run are removed. A run that is not as expected and keeps them has
// report.html too, and one whose history is not linearizable picture.html.
func (f *RunFolder) Add(sc *scenarios.Scenario, p *protocols.Protocol, r *scenarios.Result) error {
	row := path.Join(PathName(r.Scenario), PathName(r.Protocol))
	folder := RunPath(r)
	history, trace := path.Join(folder, "history.jsonl"), path.Join(folder, "trace.txt")
	report, picture := path.Join(folder, "report.html"), path.Join(folder, "picture.html")
	b := f.Batch()
	if err := b.Write(path.Join(folder, "result.json"), func(w io.Writer) error { return WriteResult(w, r) }); err != nil {
		return err
	}
	if err := b.Write(path.Join(folder, "scenario.yaml"), bytesTo(scenarios.Format(scenarios.Expand(scenarios.Resolved(sc, p), r.Seed)))); err != nil {
		return err
	}
	if !f.wantsAll(row, r) {
		b.Remove(history)
		b.Remove(trace)
		b.Remove(report)
		b.Remove(picture)
		return b.Commit()
	}
	var again *scenarios.Result
	err := b.Write(trace, func(w io.Writer) error {
		text := &StickyWriter{W: w}
		again = scenarios.Run(sc, p, r.Seed, scenarios.Options{History: true, Trace: true, TraceTo: text})
		return text.Err
	})
	if err != nil {
		return err
	}
	if again.Digest != r.Digest {
		b.Abort()
		return fmt.Errorf("%s with %s and seed %d: repeated for its trace, the run had digest %s instead of %s", r.Scenario, r.Protocol, r.Seed, again.Digest, r.Digest)
	}
	if err := b.Write(history, func(w io.Writer) error { return WriteHistory(w, again.History) }); err != nil {
		return err
	}
	if r.Code() == scenarios.CodeOK {
		b.Remove(report)
	} else if err := b.Write(report, func(w io.Writer) error { return WritePage(w, sc, p, r) }); err != nil {
		return err
	}
	if !hasPicture(again) {
		b.Remove(picture)
	} else if err := b.Write(picture, func(w io.Writer) error { return WriteHistoryPicture(w, sc, p, again) }); err != nil {
		return err
	}
	return b.Commit()
}

// RunPath is where the files of a run are: SCENARIO/PROTOCOL/seed-N.
func RunPath(r *scenarios.Result) string {
	return path.Join(PathName(r.Scenario), PathName(r.Protocol), "seed-"+strconv.FormatUint(r.Seed, 10))
}

// wantsAll reports whether history and trace of r are wanted, and counts it.
func (f *RunFolder) wantsAll(row string, r *scenarios.Result) bool {
	if f.all {
		return true
	}
	if r.Code() == scenarios.CodeOK || f.traced[row] == TracedFailures {
		return false
	}
	f.traced[row]++
	return true
}
