package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
)

const head = `# Known bugs, and the checks that find them

Every check has to have caught something. lockstep ships %d known bugs as switches, each one deviation at the rule that it breaks,
and a script for each in ` + "`scenarios/bugs`" + `. ` + "`lockstep run R-01`" + ` plays one, ` + "`lockstep explain R-01`" + ` says what it is. A test demands that
each script trips the check that it names, and breaks nothing with the bug off.

This page is made by ` + "`go run ./internal/zoo`" + `, which keeps what it measured in [bugs.json](bugs.json); ` + "`-bugs R-01,R-02`" + ` measures these again.

## How random search finds them

Plans were drawn for each bug as ` + "`lockstep fuzz`" + ` draws them: cluster, network, disks, clocks, workload, faults within what the protocol
claims to survive, and membership changes, with the parameters of the bug's script. *found* is how many of these runs broke a check,
*first* the run that was the first to, *by* the checks that were the first to break, with the number of runs. Where none of them found
the bug, further runs went on until one did: *first* has that one. *small* is what the first failure shrank to: faults / client operations.

%d of %d bugs (%d %%) were found within 20,000 runs.

`

// bug is a known bug with all that is told about it.
type bug struct {
	protocols.Bug
	protocol *protocols.Protocol
	script   string
	tripped  []string // checks that broke in the script, the first one first
	*measured
}

// bugsOf collects the bugs of all protocols in order.
func bugsOf(list []*protocols.Protocol, kept records) ([]*bug, error) {
	var bugs []*bug
	for _, p := range list {
		for _, b := range p.Bugs {
			script, _, err := scenarios.Load(b.ID, list)
			if err != nil {
				return nil, err
			}
			m := kept[b.ID]
			if m == nil {
				return nil, fmt.Errorf("%s of %s was not measured: go run ./internal/zoo -bugs %s", b.ID, p.Name, b.ID)
			}
			bugs = append(bugs, &bug{b, p, script.Name, tripped(script, p), m})
		}
	}
	return bugs, nil
}

// document is the whole page.
func document(list []*protocols.Protocol, kept records) (string, error) {
	bugs, err := bugsOf(list, kept)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	found := 0
	for _, bug := range bugs {
		if bug.First > 0 {
			found++
		}
	}
	fmt.Fprintf(&b, head, len(bugs), found, len(bugs), 100*found/len(bugs))
	for _, p := range list {
		fmt.Fprintf(&b, "### %s\n\n| bug | class | what is wrong | script | trips | found | first | by | small |\n|---|---|---|---|---|---:|---:|---|---:|\n", p.Title)
		for _, bug := range bugs {
			if bug.protocol == p {
				b.WriteString(bug.row() + "\n")
			}
		}
		b.WriteByte('\n')
	}
	missed(&b, bugs)
	return b.String(), checkTable(&b, list, bugs)
}

// row is a bug as a row of its table.
func (b *bug) row() string {
	first, small := "", ""
	if b.First > 0 {
		first = fmt.Sprint(b.First)
	}
	if b.Small != nil {
		small = fmt.Sprintf("%d / %d", b.Small.Faults, b.Small.Operations)
	}
	var by []string
	for _, t := range b.Checks {
		by = append(by, fmt.Sprintf("%s %d", t.Check, t.Runs))
	}
	return fmt.Sprintf("| %s | %s | %s | `%s` | %s | %d of %d | %s | %s | %s |", b.ID, b.Class, b.Title, b.script, b.tripped[0], b.Found, b.Runs, first, strings.Join(by, ", "), small)
}

// missed lists the bugs that no run found, with the reason.
func missed(b *strings.Builder, bugs []*bug) {
	if !slices.ContainsFunc(bugs, func(bug *bug) bool { return bug.First == 0 }) {
		return
	}
	b.WriteString("## Not found\n\nWhat the schedule of each of them needs, as its script shows; *runs* is how many seeds were run.\n\n| bug | runs | why |\n|---|---:|---|\n")
	for _, bug := range bugs {
		if bug.First == 0 {
			fmt.Fprintf(b, "| %s | %d | %s |\n", bug.ID, bug.Searched, cmp.Or(reasons[bug.ID], "unknown"))
		}
	}
	b.WriteByte('\n')
}

// checkTable says of every check what it is, where its rule is from, and what trips it.
func checkTable(b *strings.Builder, list []*protocols.Protocol, bugs []*bug) error {
	b.WriteString("## Checks and what trips them\n\nThe bugs are those whose script breaks the check, be it first or beside another. Where there is none, a test breaks the check with a damaged\nrun or history of its own.\n\n" +
		"| check | statement | rule | tripped by |\n|---|---|---|---|\n")
	for _, c := range scenarios.Checks(list, 3) {
		source, ok := sources[c.ID]
		if !ok {
			return fmt.Errorf("the check %s has no source in internal/zoo/sources.go", c.ID)
		}
		var ids []string
		for _, bug := range bugs {
			if slices.Contains(bug.tripped, c.ID) {
				ids = append(ids, bug.ID)
			}
		}
		by := strings.Join(ids, ", ")
		if by == "" {
			by = "`" + planted[c.ID] + "`"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", c.ID, c.Text, source, by)
	}
	return nil
}
