// Package gallery makes docs/gallery.md, its pictures and docs/comparison.md with the
// commands that they show.
package gallery

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/lockstep-sim/lockstep/cmd/lockstep/cli"
	"github.com/lockstep-sim/lockstep/internal/docs"
	"github.com/lockstep-sim/lockstep/protocols"
)

// plot is one picture of the gallery.
type plot struct {
	title  string
	args   string // of lockstep compare, but for --out
	file   string // what the command writes
	sees   string // two sentences on what to see
	figure string // the function of package reports that draws it
}

const crash = "leader-crash -n 12"

var plots = []plot{
	{"Distribution of latencies", crash, "latency-cdf", "Writes of primary-backup are slower throughout, since all members of its view sync them. The others lie on each other: a write takes one round trip and one fsync on a majority.", "LatencyCDF"},
	{"Latency by percentile", crash, "latency-percentiles", "The axis spreads the tail, so that p99 and p99.9 can be read. What crashes cost shows in the tail only.", "LatencyPercentiles"},
	{"Latency and throughput over time", crash, "latency-over-time", "Each shaded band is a crash of the leader, and throughput falls to zero in it. Where nothing began there is no line.", "LatencyOverTime"},
	{"Availability, with the reason of each gap", crash, "availability", "Each lane is broken where no client got an answer, and the numbers lead to the reasons below. The lower panel says in how many of the runs clients were served.", "Availability"},
	{"Election times", crash, "election-times", "First elections wait for a time-out in Raft and Paxos, and not in VR, whose first primary is known from the start. Later ones begin with a crash and also hold the time until it is noticed.", "ElectionTimes"},
	{"Cost of a commit", crash, "cost-per-commit", "Messages, bytes and fsyncs for each operation that returned, reads included. Paxos sends the fewest bytes here.", "CostBars"},
	{"Commit latency by region", "wan-five-regions -n 12", "latency-by-region", "Clients in the leader's region wait for its round trip to the second nearest replica. Others wait for the way to the leader as well.", "LatencyByRegion"},
	{"Throughput against latency", "docs/examples/saturation.yaml --vary workload.clients=1,2,4,8,16,32,64 -n 6", "sweep", "Each point is a number of clients that call without pause; where the leader's processor is busy, throughput stops and only latency grows. Raft goes further with more clients, since entries that wait for a round leave together, and its curve may turn back before that.", "ThroughputLatency"},
	{"Scaling with the size of the cluster", "steady-state --vary replicas=3,5,7,9 -n 6", "sweep", "Messages for each operation grow with the number of replicas. Latency hardly does: a majority is enough, except for primary-backup, which waits for all.", "Scaling"},
	{"Fail-over against the election time-out", "leader-crash --protocol raft --vary parameters.raft.election_timeout=100ms..200ms,200ms..400ms,400ms..800ms,800ms..1600ms -n 12", "sweep", "The longest outage follows the time-out. So does the time without a leader, summed over seven crashes.", "FailoverByTimeout"},
	{"Any setting", "steady-state --vary network.loss=0%,1%,2%,5%,10% -n 6", "sweep", "Loss costs throughput, since clients wait for retransmissions. Whiskers are 95 % confidence intervals of the medians.", "Sweep"},
	{"Two settings", "steady-state --vary replicas=3,5,7 --vary network.loss=0%,1%,5% -n 6", "heat-latency", "Median commit latency over two settings, one panel per protocol and one scale for all. Primary-backup suffers most from loss, since every member must acknowledge.", "HeatMap"},
}

// setting is one comparison of docs/comparison.md.
type setting struct{ title, args, about string }

var settings = []setting{
	{"LAN, steady", "steady-state -n 20", "Five replicas in one place, nothing fails."},
	{"LAN, under faults", "leader-crash -n 20", "The leader crashes seven times while its disk holds un-synced writes."},
	{"Five-region WAN, steady", "docs/examples/wan-steady.yaml -n 20", "Five replicas in five regions with round trips as measured, nothing fails."},
	{"Five-region WAN, under faults", "wan-five-regions -n 20", "The same five regions; the leader's region is cut off for five seconds with its client."},
}

// Generated runs the commands, in the root of the repository, and returns both pages
// and the pictures. Errors name the command that failed.
func Generated(root string, list []*protocols.Protocol) ([]docs.File, error) {
	scratch, err := os.MkdirTemp("", "gallery")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	var files []docs.File
	var page bytes.Buffer
	page.WriteString("# Gallery\n\nEvery plot that lockstep draws, made by `go generate ./internal/docs` with the commands shown. Each is written as SVG and\nPNG, and stands in `report.html` as well. A protocol has the same colour, dash and glyph in all of them.\n")
	made := map[string]bool{}
	for i, p := range plots {
		out := filepath.Join(scratch, fileName(p.args))
		if !made[p.args] {
			if _, err := compare(root, list, p.args, "--out", out); err != nil {
				return nil, err
			}
			made[p.args] = true
		}
		svg, err := os.ReadFile(filepath.Join(out, p.file+".svg"))
		if err != nil {
			return nil, fmt.Errorf("lockstep compare %s drew no %s: %w", p.args, p.file, err)
		}
		name := fmt.Sprintf("%02d-%s.svg", i+1, fileName(p.figure))
		files = append(files, docs.File{Name: "docs/gallery/" + name, Content: svg})
		fmt.Fprintf(&page, "\n## %s\n\n```sh\nlockstep compare %s --out compare   # compare/%s.svg\n```\n\n%s Drawn by `reports.%s`.\n\n![%s](gallery/%s)\n", p.title, p.args, p.file, p.sees, p.figure, p.title, name)
	}
	files = append(files, docs.File{Name: "docs/gallery.md", Content: page.Bytes()})
	text, err := comparison(root, list)
	return append(files, docs.File{Name: "docs/comparison.md", Content: text}), err
}

// comparison makes the page with the tables.
func comparison(root string, list []*protocols.Protocol) ([]byte, error) {
	var page bytes.Buffer
	page.WriteString("# The protocols compared\n\nFrom real runs, made by `go generate ./internal/docs` with the commands shown. Plans are equal: the same seed gives every\nprotocol the same faults and equal link conditions per slice of time; draws for single messages match by index only.\nA difference of p < 0.05 is shown, `~` says that there is none. For pictures see the [gallery](gallery.md), for the rules\nof the comparison [lockstep compare](cli.md#lockstep-compare).\n")
	for _, s := range settings {
		table, err := compare(root, list, s.args, "--format", "markdown")
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&page, "\n## %s\n\n%s\n\n```sh\nlockstep compare %s --format markdown\n```\n\n%s\n", s.title, s.about, s.args, strings.TrimSpace(table))
	}
	return page.Bytes(), nil
}

// missed is the code of a command in which a run missed an expectation of its scenario,
// without a violation: what is varied may be beyond what the scenario was made for.
const missed = 4

// compare runs lockstep compare, and returns what it prints.
func compare(root string, list []*protocols.Protocol, args string, more ...string) (string, error) {
	words := []string{"compare"}
	for _, w := range strings.Fields(args) {
		if strings.HasSuffix(w, ".yaml") {
			w = filepath.Join(root, filepath.FromSlash(w))
		}
		words = append(words, w)
	}
	var out, problems bytes.Buffer
	code := cli.Main(append(words, more...), strings.NewReader(""), &out, &problems, list)
	if code != 0 && code != missed {
		return "", fmt.Errorf("lockstep compare %s: code %d: %s%s", args, code, problems.String(), out.String())
	}
	return out.String(), nil
}

// fileName makes a plain file name of any text.
func fileName(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		}
		return '-'
	}, s)
}
