package sim

import (
	"fmt"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Region is a place with the nodes and clients that are in it.
type Region struct {
	Name    string
	Members Target // names only: n1 s1 c2; a service node that the protocol does not have is left out
}

// Matrix says how far regions are from each other.
type Matrix struct {
	Name    string   // of a built-in matrix, or ""
	Regions []string // by name
	// RoundTrip is the time from a region and back, row by row in the order of Regions.
	// One way takes half of it. It is added to the latency of links.
	RoundTrip []protocols.Duration
	Source    string // of a built-in matrix
}

// Between returns the round trip from one region to another by name; false: the
// matrix lacks one of them.
func (m *Matrix) Between(from, to string) (protocols.Duration, bool) {
	i, j := m.index(from), m.index(to)
	if i < 0 || j < 0 {
		return 0, false
	}
	return m.RoundTrip[i*len(m.Regions)+j], true
}

func (m *Matrix) index(region string) int {
	for i, name := range m.Regions {
		if name == region {
			return i
		}
	}
	return -1
}

// Matrices lists the built-in matrices.
func Matrices() []Matrix {
	const us = protocols.Duration(1000)
	tempo := []protocols.Duration{
		0, 135_900, 175_732, 72_241, 180_554,
		135_902, 0, 172_974, 78_614, 173_156,
		175_729, 172_972, 0, 205_970, 321_092,
		72_243, 78_614, 205_968, 0, 124_295,
		180_550, 173_153, 321_086, 124_296, 0,
	}
	ppm := []protocols.Duration{
		0, 86_000, 65_000, 80_000, 156_000,
		86_000, 0, 28_000, 154_000, 131_000,
		65_000, 28_000, 0, 137_000, 115_000,
		80_000, 154_000, 137_000, 0, 218_000,
		156_000, 131_000, 115_000, 218_000, 0,
	}
	for i := range ppm {
		ppm[i], tempo[i] = ppm[i]*us, tempo[i]*us
	}
	return []Matrix{
		{"paxi-aws", []string{"VA", "OR", "CA", "IR", "JP"}, ppm, "means of the performance model of the Paxi study (SIGMOD 2019) between AWS Virginia, Oregon, California, Ireland and Japan: acharapko/ppm, params/mu_net_remote.csv"},
		{"fantoch-aws", []string{"eu-west-1", "us-west-1", "ap-southeast-1", "ca-central-1", "sa-east-1"}, tempo, "mean pings between AWS Ireland, Northern California, Singapore, Canada and São Paulo of 2021-02-13: vitorenesduarte/fantoch, latency_aws/2021_02_13"},
	}
}

// MatrixNamed returns a built-in matrix.
func MatrixNamed(name string) (Matrix, bool) {
	for _, m := range Matrices() {
		if m.Name == name {
			return m, true
		}
	}
	return Matrix{}, false
}

// MaxRegions bounds a matrix.
const MaxRegions = 128

// checkRegions checks where nodes and clients are.
func checkRegions(cfg *Config, cluster protocols.Cluster) error {
	n := &cfg.Network
	m := &n.Matrix
	if len(n.Regions) == 0 {
		if len(m.Regions) > 0 {
			return fmt.Errorf("network.matrix: nobody is anywhere; say which regions there are")
		}
		return nil
	}
	if len(m.Regions) > MaxRegions {
		return fmt.Errorf("network.matrix: %d regions are more than %d", len(m.Regions), MaxRegions)
	}
	if len(m.RoundTrip) != len(m.Regions)*len(m.Regions) {
		return fmt.Errorf("network.matrix: %d round trips for %d regions", len(m.RoundTrip), len(m.Regions))
	}
	for _, d := range m.RoundTrip {
		if d < 0 || d > MaxDist {
			return fmt.Errorf("network.matrix: a round trip of %s is outside 0s..%s", FormatDuration(d), FormatDuration(MaxDist))
		}
	}
	seen := map[string]bool{}
	for i := range n.Regions {
		r := &n.Regions[i]
		switch {
		case m.index(r.Name) < 0:
			return fmt.Errorf("network.regions: the matrix has no region %q; it has %s", r.Name, strings.Join(m.Regions, ", "))
		case seen[r.Name]:
			return fmt.Errorf("network.regions: %s stands twice", r.Name)
		}
		seen[r.Name] = true
		for _, name := range strings.Fields(r.Members.items) {
			letter, number, ok := parseName(name)
			limit := map[byte]int{'n': cluster.Replicas, 's': number, 'c': cfg.Workload.Clients + cfg.Workload.Subscribers}[letter]
			switch {
			case !ok || r.Members.others || number > limit:
				return fmt.Errorf("network.regions: %s: there is no %s", r.Name, name)
			case seen[name]:
				return fmt.Errorf("network.regions: %s is in two regions", name)
			}
			seen[name] = true
		}
	}
	return nil
}
