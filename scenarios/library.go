package scenarios

import (
	"embed"
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

//go:embed library/*.yaml plays/*.yaml faults/*.yaml figures/*.yaml
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

// Shipped names every shipped scenario: the library, plays, faults and figures.
func Shipped() []string { return slices.Concat(Library(), Plays(), FaultScenarios(), Figures()) }

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

func inLibrary(name string) bool { return slices.Contains(Shipped(), name) }

// Load reads a shipped scenario by name. Its File is the name, so that the replay
// command works anywhere.
func Load(name string, list []*protocols.Protocol) (*Scenario, Problems, error) {
	data, err := LibraryText(name)
	if err != nil {
		return nil, nil, err
	}
	return Parse(name, data, list)
}

// LibraryText returns the text of a shipped scenario.
func LibraryText(name string) ([]byte, error) {
	if !inLibrary(name) {
		return nil, Problems{{Text: "no shipped scenario " + quote(name) + DidYouMean(name, Shipped()) + " (lockstep list scenarios)"}}
	}
	for _, folder := range [...]string{"plays", "faults", "figures"} {
		if slices.Contains(namesIn(folder), name) {
			return libraryFiles.ReadFile(folder + "/" + name + ".yaml")
		}
	}
	return libraryFiles.ReadFile("library/" + name + ".yaml")
}
