package main

import (
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

This page is made by ` + "`go run ./internal/zoo`" + ` (here with ` + "`-runs %d -shrink %d`" + `).

## How random search finds them

For each bug, %d plans were drawn (as lockstep fuzz draws them: network, disks, clocks, workload and faults, within what the protocol claims
to survive), with the parameters of the bug's script. *found* is how many of these runs broke a check, *first* the run that was the
first to, *by* the checks that were the first to break, with the number of runs. %s A bug that no run found is not thereby absent: it needs a schedule, and has one in its script.

%d of %d bugs were found.

`

// document is the whole page.
func document(o *options, list []*protocols.Protocol, found []*measured) (string, error) {
	var b strings.Builder
	some := 0
	for _, m := range found {
		if m.found > 0 {
			some++
		}
	}
	small := "*small*, what the first failure shrinks to, was not measured here."
	if o.shrink > 0 {
		small = fmt.Sprintf("*small* is what the first failure shrank to within %d runs: faults / client operations.", o.shrink)
	}
	fmt.Fprintf(&b, head, len(found), o.runs, o.shrink, o.runs, small, some, len(found))
	for _, p := range list {
		fmt.Fprintf(&b, "### %s\n\n| bug | class | what is wrong | script | trips | found | first | by | small |\n|---|---|---|---|---|---:|---:|---|---:|\n", p.Title)
		for _, m := range found {
			if m.protocol == p {
				b.WriteString(m.row() + "\n")
			}
		}
		b.WriteByte('\n')
	}
	missed(&b, o, found)
	return b.String(), checkTable(&b, list, found)
}

// row is a bug as a row of its table.
func (m *measured) row() string {
	first, by, small := "", "", m.small
	if m.found > 0 {
		first = fmt.Sprint(m.first)
		var parts []string
		for _, t := range m.checks {
			parts = append(parts, fmt.Sprintf("%s %d", t.check, t.runs))
		}
		by = strings.Join(parts, ", ")
	}
	return fmt.Sprintf("| %s | %s | %s | `%s` | %s | %d | %s | %s | %s |", m.bug.ID, m.bug.Class, m.bug.Title, m.script.Name, m.tripped[0], m.found, first, by, small)
}

// missed lists the bugs that no run found, with the reason where one is known.
func missed(b *strings.Builder, o *options, found []*measured) {
	fmt.Fprintf(b, "## Not found in %d runs\n\n| bug | why |\n|---|---|\n", o.runs)
	for _, m := range found {
		if m.found == 0 {
			why := reasons[m.bug.ID]
			if why == "" {
				why = "the schedule of its script did not come up"
			}
			fmt.Fprintf(b, "| %s | %s |\n", m.bug.ID, why)
		}
	}
	b.WriteByte('\n')
}

// checkTable says of every check what it is, where its rule is from, and what trips it.
func checkTable(b *strings.Builder, list []*protocols.Protocol, found []*measured) error {
	b.WriteString("## Checks and what trips them\n\nThe bugs are those whose script breaks the check, be it first or beside another. Where there is none, a test breaks the check with a damaged\nrun or history of its own.\n\n" +
		"| check | statement | rule | tripped by |\n|---|---|---|---|\n")
	for _, c := range scenarios.Checks(list, 3) {
		source, ok := sources[c.ID]
		if !ok {
			return fmt.Errorf("the check %s has no source in internal/zoo/sources.go", c.ID)
		}
		var bugs []string
		for _, m := range found {
			if slices.Contains(m.tripped, c.ID) {
				bugs = append(bugs, m.bug.ID)
			}
		}
		by := strings.Join(bugs, ", ")
		if by == "" {
			by = "`" + planted[c.ID] + "`"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", c.ID, c.Text, source, by)
	}
	return nil
}
