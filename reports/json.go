package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// line is the object that --json prints for one run. Its keys are fixed: scripts
// depend on them. result.json holds everything.
type line struct {
	Scenario   string               `json:"scenario"`
	Protocol   string               `json:"protocol"`
	Seed       uint64               `json:"seed"`
	Verdict    checker.Verdict      `json:"verdict"`
	Check      string               `json:"check,omitempty"`
	Reason     string               `json:"reason,omitempty"`
	Digest     string               `json:"digest"`
	Events     uint64               `json:"events"`
	Virtual    scenarios.Decimal    `json:"virtual_seconds"`
	Operations scenarios.Operations `json:"operations"`
	Latency    scenarios.Latency    `json:"latency_ns"`
	PerCommit  scenarios.PerCommit  `json:"per_commit"`
	Leaderless int64                `json:"leaderless_ns"`
	Lost       *scenarios.Lost      `json:"lost_writes,omitempty"`
	Strongest  string               `json:"strongest,omitempty"`
	Replay     string               `json:"replay"`

	Reached []scenarios.ProbeCount `json:"reached,omitempty"` // where probes are counted
}

// WriteLine writes r as one JSON object on one line: scenario, protocol, seed,
// verdict, check and reason where something is not as it should be, digest,
// events, virtual_seconds, operations, latency_ns, per_commit, leaderless_ns,
// lost_writes where the protocol's guarantee allows them, strongest (the strongest
// model that held, where clients' history was judged), replay, and reached where
// probes are counted.
func WriteLine(w io.Writer, r *scenarios.Result) error {
	reason := r.Reason
	if reason == "" { // an ok run that misses an expectation
		for _, m := range r.Missed() {
			if reason != "" {
				reason += "; "
			}
			reason += "expected " + m.Text + ", got " + m.Got
		}
	}
	return encode(w, line{
		Scenario: r.Scenario, Protocol: r.Protocol, Seed: r.Seed,
		Verdict: r.Verdict, Check: r.Check, Reason: reason,
		Digest: r.Digest, Events: r.Events, Virtual: r.Virtual,
		Operations: r.Operations, Latency: r.Latency, PerCommit: r.PerCommit,
		Leaderless: r.Leaderless, Lost: r.Lost, Strongest: r.Judged.Strongest, Replay: r.Replay, Reached: r.Reached,
	}, "")
}

// WriteResult writes all of r as an indented JSON object.
func WriteResult(w io.Writer, r *scenarios.Result) error { return encode(w, r, "  ") }

// encode writes v and a line feed. It goes through a buffer, so that an encoding
// error leaves no half of an object behind.
func encode(w io.Writer, v any, indent string) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("encoding JSON: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}
