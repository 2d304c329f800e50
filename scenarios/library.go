package scenarios

import (
	"embed"
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

//go:embed library/*.yaml plays/*.yaml bugs/*.yaml faults/*.yaml figures/*.yaml
var libraryFiles embed.FS

// Library names the shipped scenarios, sorted. They are part of the binary, so
// that an installed command and other modules have them too.
func Library() []string { return namesIn("library") }

// Plays names the shipped scenarios that are scripts, sorted. Each is meant for one
// protocol, with whose name its own begins.
func Plays() []string { return namesIn("plays") }

// FaultScenarios names the shipped scenarios that show one kind of fault each,
// sorted. A name is the kind, or begins with it.
func FaultScenarios() []string { return namesIn("faults") }

// Figures names the shipped scenarios that published figures and laws are reproduced
// with, sorted.
func Figures() []string { return namesIn("figures") }

// namesIn names the scenarios of one embedded folder.
func namesIn(folder string) []string {
	entries, err := libraryFiles.ReadDir(folder)
	if err != nil {
		panic("scenarios: the embedded library cannot be listed: " + err.Error())
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	slices.Sort(names)
	return names
}

// shipped are the protocols that lockstep comes with. A scenario may name them
// where they are not linked, in the command of somebody's own protocol: it is then
// not meant for the protocols that are.
var shipped = []string{"raft", "paxos", "vr", "primarybackup"}

// Groups are the shipped scenarios by what they are for, in the order of lists.
func Groups() []Group {
	return []Group{
		{"library", "Whole runs, on every protocol that they are meant for", Library()},
		{"plays", "Scripts of one protocol: normal cases, fail-overs, figures of papers", Plays()},
		{"bugs", "Scripts that each show one known bug; its id is a name of the script as well", BugScripts()},
		{"faults", "One kind of fault each", FaultScenarios()},
		{"figures", "Published figures and laws, for lockstep reproduce", Figures()},
	}
}

// Group is a folder of shipped scenarios.
type Group struct {
	Name  string   // of the folder
	Text  string   // what its scenarios are for
	Names []string // sorted
}

// Shipped names every shipped scenario, group by group.
func Shipped() (all []string) {
	for _, g := range Groups() {
		all = append(all, g.Names...)
	}
	return all
}

// Load reads a shipped scenario by its name, or by the id of the known bug that it
// shows. Its File is the name, so that the replay
// command works anywhere.
func Load(name string, list []*protocols.Protocol) (*Scenario, Problems, error) {
	data, err := LibraryText(name)
	if err != nil {
		return nil, nil, err
	}
	return Parse(shippedName(name), data, list)
}

// LibraryText returns the text of a shipped scenario, named as for [Load].
func LibraryText(name string) ([]byte, error) {
	shipped := shippedName(name)
	if shipped == "" {
		return nil, Problems{{Text: "no shipped scenario " + quote(name) + DidYouMean(name, Shipped()) + " (lockstep list scenarios)"}}
	}
	folder := Groups()[0].Name
	for _, g := range Groups() {
		if slices.Contains(g.Names, shipped) {
			folder = g.Name
		}
	}
	return libraryFiles.ReadFile(folder + "/" + shipped + ".yaml")
}
