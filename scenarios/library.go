package scenarios

import (
	"embed"
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

//go:embed library/*.yaml
var libraryFiles embed.FS

// Library names the shipped scenarios, sorted. They are part of the binary, so
// that an installed command and other modules have them too.
func Library() []string {
	entries, err := libraryFiles.ReadDir("library")
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

func inLibrary(name string) bool { return slices.Contains(Library(), name) }

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
		return nil, Problems{{Text: "no shipped scenario " + quote(name) + DidYouMean(name, Library()) + " (lockstep list scenarios)"}}
	}
	return libraryFiles.ReadFile("library/" + name + ".yaml")
}
