package histories_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/checker/histories"
)

// porcupineData returns the folder of porcupine's test data.
func porcupineData(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/anishathalye/porcupine").Output()
	if err != nil {
		t.Skip("no go command")
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "test_data")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("porcupine's test data is not here")
	}
	return dir
}

// TestEtcdLogs judges the histories of etcd that Horn and Kroening published with
// their checker (Faster linearizability checking via P-compositionality, FORTE 2015),
// and that checkers are measured by since: 102 logs of Jepsen, of which porcupine's
// tests say which are linearizable. Log 95 is empty, as etcd did not start.
func TestEtcdLogs(t *testing.T) {
	dir := porcupineData(t)
	linearizable := []int{2, 5, 7, 18, 25, 31, 38, 45, 48, 49, 51, 53, 56, 67, 75, 76, 80, 87, 92, 98, 100, 101, 102}
	for n := range 103 {
		if n == 95 {
			continue
		}
		file, err := os.Open(filepath.Join(dir, "jepsen", fmt.Sprintf("etcd_%03d.log", n)))
		if err != nil {
			t.Fatal(err)
		}
		h, err := histories.Read(file, filepath.Base(file.Name()), "cas-register", histories.Detect)
		file.Close()
		if err != nil {
			t.Error(err)
			continue
		}
		want := checker.Violation
		if slices.Contains(linearizable, n) {
			want = checker.OK
		}
		if got := verdict(h); got != want || len(h.Operations) < 50 {
			t.Errorf("log %d: %d operations, %v, want %v", n, len(h.Operations), got, want)
		}
	}
}

var kvLine = regexp.MustCompile(`:process (\d+), :type :(\w+), :f :(\w+), :key "(.*)", :value (?:nil|"(.*)")\}`)

// kvHistory turns a history of porcupine's kv tests into JSON lines. Its values are
// texts, to which a client's x and y bracket what one append adds.
func kvHistory(t *testing.T, name string) string {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var out strings.Builder
	type call struct {
		at          int
		op, key, in string
	}
	open := map[string]call{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		m := kvLine.FindStringSubmatch(lines.Text())
		if m == nil {
			t.Fatalf("%s:%d: %s", name, n, lines.Text())
		}
		process, kind, value := m[1], m[2], m[5]
		if kind == "invoke" {
			open[process] = call{n, m[3], m[4], value}
			continue
		}
		c := open[process]
		fmt.Fprintf(&out, `{"client":%s,"op":%q,"key":%q,"call":%d,"return":%d`, process, c.op, c.key, c.at, n)
		if c.op != "get" {
			fmt.Fprintf(&out, ",\"arg\":%q}\n", c.in)
			continue
		}
		parts := strings.SplitAfter(value, "y")
		parts = parts[:len(parts)-1]
		switch last := len(parts) - 1; {
		case last < 0:
			out.WriteString(`,"value":null`)
		case last > 0:
			fmt.Fprintf(&out, `,"list":["%s"]`, strings.Join(parts, `","`))
			fallthrough
		default:
			fmt.Fprintf(&out, `,"value":%q`, parts[last])
		}
		out.WriteString("}\n")
	}
	return out.String()
}

// TestKVHistories judges the histories of porcupine's own kv tests, with appends and
// up to 50 clients, and agrees with it.
func TestKVHistories(t *testing.T) {
	dir := porcupineData(t)
	for _, clients := range []string{"c01", "c10", "c50"} {
		if clients == "c50" && testing.Short() {
			continue
		}
		for kind, want := range map[string]checker.Verdict{"ok": checker.OK, "bad": checker.Violation} {
			h := read(t, "kv", kvHistory(t, filepath.Join(dir, "kv", clients+"-"+kind+".txt")))
			r := checker.Linearizable(h.Operations, h.Options())
			t.Logf("%s-%s: %d operations on %d keys: %v", clients, kind, len(h.Operations), len(r.Parts), r.Verdict)
			if r.Verdict != want {
				t.Errorf("%s-%s: %v, want %v: %s", clients, kind, r.Verdict, want, r.Reason)
			}
		}
	}
}
