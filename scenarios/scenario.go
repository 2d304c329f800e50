package scenarios

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Version is the version of the scenario language.
const Version = 1

// Scenario is one experiment without a protocol and a seed. Start from [New],
// which fills in every default, or read one.
type Scenario struct {
	File  string       // where it was read, for the replay command; not part of the text
	Given []Assignment // what was set beside the file, for the replay command; not part of the text

	Version    int
	Name       string            // ^[a-z0-9][a-z0-9._-]{0,63}$
	Why        string            // what it shows, in one or two sentences
	Replicas   int               // 1..101
	Members    protocols.NodeSet // first membership; empty: all replicas
	Machine    string            // state machine: kv, register, counter, log, stamp
	Protocols  []string
	Parameters []Parameters

	Network  sim.Network
	CPU      sim.CPU
	Disk     sim.Disk
	Clock    sim.Clock
	Workload sim.Workload
	Phases   []sim.Phase     // what changes of Network and Workload, and when
	Faults   []sim.Fault     // IDs are positions from 1
	Nemesis  Nemesis         // draws more of them: see Expand
	Admin    []sim.AdminStep // what the operator wants; IDs are positions from 1

	Script []sim.ScriptStep // a play: with one, nothing happens by itself
	Then   string           // what follows the script: "" or stop: nothing; heal: the liveness phase

	Early, Lose []string // bugs for anybody's protocol, by message and record name

	For     protocols.Duration // safety phase
	Settle  protocols.Duration // bound of each liveness phase; 0: 50 × the largest election timeout
	Goodput sim.Prob           // share of the operations per second that must return after the heal of all; 0: not judged
	Events  uint64             // event budget of the safety phase, and again of the liveness phases; 0: sim.DefaultMaxEvents

	Matrix    []Axis // the scenarios that it stands for: see Cells
	Checks    []Check
	Expect    Expectation
	ExpectOf  []ProtocolExpectation
	Sometimes []Probe

	places []Problem // where the steps of the script stand in the file; not part of the text
}

// Parameters are the settings of one protocol.
type Parameters struct {
	Protocol string
	Values   any // as protocols.Protocol.Parameters returns
}

// Check switches one check off.
type Check struct {
	Name string // an invariant's id, linearizability or liveness
	Off  bool
}

// New returns a scenario with every default.
func New(name string) *Scenario {
	return &Scenario{
		Version:  Version,
		Name:     name,
		Replicas: 3,
		Machine:  "kv",
		Network:  defaultNetwork(),
		Disk:     defaultDisk(),
		Workload: defaultWorkload(),
		For:      defaultFor,
	}
}

// Parse reads one scenario. file is its name in messages and in the replay
// command. list holds the protocols whose names and parameters it may use. All
// errors are reported at once: err is [Problems] when it is not nil.
func Parse(file string, data []byte, list []*protocols.Protocol) (sc *Scenario, warnings Problems, err error) {
	d := &decoder{file: file, protocols: list}
	return d.parse(data)
}

// ReadFile reads a scenario from a file of at most 1 MiB. What is larger is
// refused before it is read.
func ReadFile(path string, list []*protocols.Protocol) (*Scenario, Problems, error) {
	data, err := readLimited(path)
	if err != nil {
		return nil, nil, err
	}
	return Parse(path, data, list)
}

func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s is a folder, want a scenario file", path)
	}
	tooLarge := fmt.Errorf("%s: a scenario file has at most 1 MiB", path)
	if info.Size() > MaxFileSize {
		return nil, fmt.Errorf("%w, this one has %d bytes", tooLarge, info.Size())
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxFileSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxFileSize {
		return nil, tooLarge
	}
	return data, nil
}

// Resolve reads the scenarios that the arguments name, in order: files, folders
// (every .yaml and .yml file in them, by name) and names from the library. All
// problems of all files are reported together. A scenario with a matrix is replaced
// by its cells.
func Resolve(args []string, list []*protocols.Protocol) ([]*Scenario, Problems, error) {
	return ResolveWith(args, nil, list)
}

// ResolveWith is Resolve with other values for some keys: see [Assign]. They come
// before the matrix.
func ResolveWith(args []string, set []Assignment, list []*protocols.Protocol) ([]*Scenario, Problems, error) {
	var scenarios []*Scenario
	var warnings, bad Problems
	add := func(sc *Scenario, warned Problems, err error) {
		warnings = append(warnings, warned...)
		if err == nil {
			err = Assign(sc, set, list)
		}
		var cells []*Scenario
		if err == nil {
			cells, err = Cells(sc, list)
		}
		switch err := err.(type) {
		case nil:
			scenarios = append(scenarios, cells...)
		case Problems:
			bad = append(bad, err...)
		default:
			bad = append(bad, Problem{Text: err.Error()})
		}
	}
	for _, arg := range args {
		files, library, err := expand(arg)
		switch {
		case err != nil:
			bad = append(bad, Problem{Text: err.Error()})
		case library:
			add(Load(arg, list))
		default:
			for _, f := range files {
				add(ReadFile(f, list))
			}
		}
	}
	if len(bad) > 0 {
		return nil, warnings, bad
	}
	return scenarios, warnings, nil
}

// expand turns one argument into files, or says that it names a shipped scenario.
func expand(arg string) (files []string, library bool, err error) {
	info, statErr := os.Stat(arg)
	if statErr != nil {
		if shippedName(arg) != "" {
			return nil, true, nil
		}
		if arg == "-" {
			return nil, false, fmt.Errorf("-: a scenario is not read from standard input, since the command that repeats a run names its file")
		}
		if strings.ContainsAny(arg, `/\`) || filepath.Ext(arg) != "" {
			return nil, false, fmt.Errorf("%s: no such file or folder", printable(arg))
		}
		return nil, false, fmt.Errorf("%s: no such file, folder or shipped scenario%s (lockstep list scenarios)", printable(arg), DidYouMean(arg, Shipped()))
	}
	if !info.IsDir() {
		return []string{arg}, false, nil
	}
	entries, err := os.ReadDir(arg)
	if err != nil {
		return nil, false, err
	}
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); !e.IsDir() && (ext == ".yaml" || ext == ".yml") {
			files = append(files, filepath.Join(arg, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, false, fmt.Errorf("%s: no scenario (*.yaml) in this folder", printable(arg))
	}
	return files, false, nil
}

// Runs reports whether the scenario is meant for the protocol: it names none, or
// this one.
func (sc *Scenario) Runs(protocol string) bool {
	if len(sc.Protocols) == 0 {
		return true
	}
	for _, name := range sc.Protocols {
		if name == protocol {
			return true
		}
	}
	return false
}

// clients returns how many there are, subscribers included.
func (sc *Scenario) clients() int { return sc.Workload.Clients + sc.Workload.Subscribers }

// ParametersOf returns the settings for p: those of the scenario, or p's
// defaults; nil when p has none. The value is shared: do not change it.
func (sc *Scenario) ParametersOf(p *protocols.Protocol) any {
	for _, ps := range sc.Parameters {
		if ps.Protocol == p.Name {
			return ps.Values
		}
	}
	if p.Parameters == nil {
		return nil
	}
	return p.Parameters()
}
