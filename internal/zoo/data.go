package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// measured is what the runs of one bug showed.
type measured struct {
	Runs   uint64  `json:"runs"`             // seeds 1..Runs, all of which were run
	Found  uint64  `json:"found"`            // of these, the runs that broke a check
	Checks []tally `json:"checks,omitempty"` // which check was the first to break, the most frequent first
	// First is the first seed that broke a check, which may be behind Runs; 0: none did.
	First    uint64 `json:"first,omitempty"`
	Searched uint64 `json:"searched"` // the last seed that was run
	// Small is what the first failure shrank to; nil: not measured.
	Small *size `json:"small,omitempty"`
}

// tally counts runs by check.
type tally struct {
	Check string `json:"check"`
	Runs  int    `json:"runs"`
}

// size is how small a failure became.
type size struct {
	Runs       int    `json:"runs"` // of the minimiser
	Faults     int    `json:"faults"`
	Operations uint64 `json:"operations"`
}

// records holds what was measured by the id of its bug.
type records map[string]*measured

// load reads what was kept; a file that is not there holds nothing.
func load(file string) (records, error) {
	kept := records{}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return kept, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &kept); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return kept, nil
}

// save writes what is kept, sorted by id, whole or not at all.
func (kept records) save(file string) error {
	text, err := json.MarshalIndent(kept, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
