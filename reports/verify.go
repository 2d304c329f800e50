package reports

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lockstep-sim/lockstep/scenarios"
)

// ReadResult reads what [WriteResult] wrote.
func ReadResult(data []byte) (*scenarios.Result, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	r := &scenarios.Result{}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, errors.New("want a result.json of lockstep run --out: the file is empty")
	}
	if err := d.Decode(r); err != nil {
		return nil, fmt.Errorf("want a result.json of lockstep run --out: %w", err)
	}
	if r.Scenario == "" || r.Protocol == "" || r.Digest == "" {
		return nil, fmt.Errorf("want a result.json of lockstep run --out: scenario, protocol or digest is missing")
	}
	return r, nil
}

// Departure says where a repeated run leaves the stored one.
type Departure struct {
	After, By uint64 // all up to and including After is equal; the first difference comes by the event By
	Stored    string // the first line of the stored trace that differs, "" without one
	Now       string // the first line of the new trace that may differ
}

// Verify compares a repeated run with the stored result of the first, by the digests
// on the way, and returns where they part; nil: they are identical. trace is the
// stored trace.txt, and may be nil: with it the first differing line is found,
// without it the first one behind the last equal digest.
func Verify(stored *scenarios.Result, rec *scenarios.Recording, trace io.Reader) *Departure {
	now := rec.Result
	if stored.Digest == now.Digest && stored.Events == now.Events {
		return nil
	}
	d := &Departure{By: min(stored.Events, now.Events) + 1}
	for i, c := range stored.Checkpoints {
		if i >= len(now.Checkpoints) || now.Checkpoints[i].Event != c.Event {
			break // another number of events, and so another spacing
		}
		if now.Checkpoints[i].Digest != c.Digest {
			d.By = c.Event - 1
			break
		}
		d.After = c.Event - 1
	}
	var text bytes.Buffer
	_ = rec.World.WriteTrace(&text) // a buffer does not fail
	if trace == nil || !d.compare(bufio.NewReader(trace), bufio.NewReader(&text)) {
		for i := range now.Trace {
			if e := &now.Trace[i]; e.Seq > d.After {
				d.Now = fmt.Sprintf("%d %s %s", e.Seq, rec.World.Cluster().Name(e.Node), rec.World.TraceText(e))
				break
			}
		}
	}
	return d
}

// compare finds the first line that differs; false: there is none.
func (d *Departure) compare(stored, now *bufio.Reader) bool {
	for {
		a, errA := stored.ReadString('\n')
		b, errB := now.ReadString('\n')
		if a != b {
			d.Stored, d.Now = trimmed(a), trimmed(b)
			return true
		}
		if errA != nil || errB != nil {
			return false
		}
	}
}

func trimmed(line string) string {
	if line == "" {
		return "(the trace ends)"
	}
	return Clean(strings.TrimSuffix(line, "\n"))
}
