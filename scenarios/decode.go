package scenarios

import (
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// Limits of a scenario file. They bound what hostile input can cost.
const (
	MaxFileSize = 1 << 20 // bytes
	maxDepth    = 32      // nesting of lists and mappings
	maxProblems = 100     // then the reader stops reporting
)

// decoder walks a YAML tree and collects every problem on the way.
type decoder struct {
	file      string
	lines     []string
	protocols []*protocols.Protocol
	scenario  *Scenario    // being read
	network   *sim.Network // being read: what a link rule does not say is as in it
	problems  Problems
	where     map[string]*yaml.Node // path of a value, for checks that come after decoding
}

// load parses data into a tree, or reports why it is none.
func (d *decoder) load(data []byte) *yaml.Node {
	if len(data) > MaxFileSize {
		d.report(nil, false, "the file is larger than 1 MiB")
		return nil
	}
	if !utf8.Valid(data) {
		d.report(nil, false, "the file is not UTF-8 text")
		return nil
	}
	d.lines = strings.Split(string(data), "\n")
	var root yaml.Node
	err := yaml.Load(data, &root, yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth), loaderlimits.AliasValue(0))))
	var bad *yaml.LoadError
	switch {
	case err == nil:
	case errors.As(err, &bad):
		d.syntax(bad)
		return nil
	default:
		d.report(nil, false, "%s", err.Error())
		return nil
	}
	if root.Kind != yaml.DocumentNode || len(root.Content) != 1 {
		d.report(nil, false, "the file is empty; lockstep init writes a commented scenario")
		return nil
	}
	top := root.Content[0]
	if !d.plain(top, 0) {
		return nil
	}
	if isNull(top) {
		d.report(nil, false, "the file is empty; lockstep init writes a commented scenario")
		return nil
	}
	return top
}

// syntax reports what the YAML parser did not like, with hints for the two
// mistakes that scenarios invite.
func (d *decoder) syntax(bad *yaml.LoadError) {
	text := bad.Message
	line, column := bad.Mark.Line, bad.Mark.Column
	switch {
	case strings.Contains(text, "no documents in stream"):
		text = "the file is empty; lockstep init writes a commented scenario"
	case strings.Contains(text, "found multiple"):
		text = "want one YAML document, found several: a line --- starts a new one"
		line, column = d.secondDocument(), 1
	case strings.Contains(text, "exceeded max depth"):
		text = fmt.Sprintf("lists and mappings are nested deeper than %d", maxDepth)
	case strings.Contains(bad.ContextMsg, "block scalar"):
		text = `not YAML: quote a value that starts with ">", as in ">= 99%"`
	case strings.Contains(text, "cannot start any token") && line > 0 && line <= len(d.lines) && strings.HasPrefix(strings.TrimLeft(d.lines[line-1], " "), "\t"):
		text = "not YAML: indent with spaces, not tabs"
	case strings.Contains(bad.ContextMsg, "quoted scalar") && strings.Contains(text, "end of stream"):
		text = "not YAML: the quotation mark that opens here is never closed"
		line, column = bad.ContextMark.Line, bad.ContextMark.Column
	case strings.Contains(bad.ContextMsg, "flow mapping") && line > 0 && line <= len(d.lines) && positioned.MatchString(d.lines[line-1]):
		text = `not YAML: quote a key with a position inside {…}, as in "faults[1].for": [1s, 2s]`
	case strings.Contains(bad.ContextMsg, "while"):
		text = "not YAML: " + bad.ContextMsg + ": " + text
	default:
		text = "not YAML: " + text
	}
	d.report(&yaml.Node{Line: line, Column: max(1, column)}, false, "%s", text)
}

// positioned matches a key with a position, which a flow mapping takes for a list.
var positioned = regexp.MustCompile(`[a-z]\[[0-9]+\][.:]`)

// secondDocument is the line in which another YAML document begins, 0 for none.
func (d *decoder) secondDocument() int {
	begun := false
	for i, l := range d.lines {
		if begun && strings.HasPrefix(l, "---") {
			return i + 1
		}
		begun = begun || strings.TrimSpace(l) != "" && !strings.HasPrefix(l, "#")
	}
	return 0
}

// plain refuses anchors, aliases, merge keys, tags and deep nesting in the whole
// tree. The depth is checked here as well because the parser's own count differs
// between block and flow style.
func (d *decoder) plain(n *yaml.Node, depth int) bool {
	switch {
	case depth > maxDepth:
		d.report(n, false, "lists and mappings are nested deeper than %d", maxDepth)
		return false
	case n.Kind == yaml.AliasNode:
		d.report(n, false, "YAML aliases are not allowed: write the value out")
		return false
	case n.Anchor != "":
		d.report(n, false, "YAML anchors are not allowed: write the value out where it is used")
		return false
	case n.Tag == "!!merge":
		d.report(n, false, "YAML merge keys are not allowed: write the keys out")
		return false
	case n.Style&yaml.TaggedStyle != 0:
		d.report(n, false, "YAML tags are not allowed: write the value without %s", n.Tag)
		return false
	}
	ok := true
	for _, c := range n.Content {
		ok = d.plain(c, depth+1) && ok
		if len(d.problems) >= maxProblems {
			return false
		}
	}
	return ok
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// fail reports an error at n.
func (d *decoder) fail(n *yaml.Node, format string, args ...any) {
	d.report(n, false, format, args...)
}

// warn reports a hint at n.
func (d *decoder) warn(n *yaml.Node, format string, args ...any) {
	d.report(n, true, format, args...)
}

func (d *decoder) report(n *yaml.Node, warning bool, format string, args ...any) {
	if len(d.problems) > maxProblems {
		return
	}
	p := Problem{File: d.file, Text: fmt.Sprintf(format, args...), Warning: warning}
	if len(d.problems) == maxProblems {
		p = Problem{File: d.file, Text: fmt.Sprintf("more than %d problems; the rest is not shown", maxProblems)}
		n = nil
	}
	if n != nil && n.Line > 0 {
		p.Line, p.Column, p.Width = n.Line, max(1, n.Column), 1
		if n.Line <= len(d.lines) {
			p.Source = strings.TrimRight(d.lines[n.Line-1], "\r")
			p.Width = width(n, p.Source)
		}
	}
	d.problems = append(d.problems, p)
}

// width returns how many characters of the source line n takes.
func width(n *yaml.Node, line string) int {
	if n.Kind != yaml.ScalarNode {
		return 1
	}
	w := utf8.RuneCountInString(n.Value)
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		w += 2
	}
	return max(1, min(w, utf8.RuneCountInString(line)-n.Column+1))
}

// at finds the node of a path, or of its nearest parent that stands in the text.
func (d *decoder) at(path string) *yaml.Node {
	for {
		if n, ok := d.where[path]; ok {
			return n
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return d.where[""]
		}
		path = path[:cut]
	}
}

// show quotes a value for an error message, shortened.
func show(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if isNull(n) {
		return "nothing"
	}
	return quote(n.Value)
}

func quote(s string) string {
	if r := []rune(s); len(r) > 40 {
		s = string(r[:40]) + "…"
	}
	return strconv.Quote(s)
}

// nearest returns the candidate that s is most likely a misspelling of, or "".
func nearest(s string, candidates []string) string {
	if len(s) > 64 {
		return "" // the distance costs a product of lengths
	}
	best, limit := "", max(1, len(s)/3)+1
	for _, c := range candidates {
		if dist := levenshtein.ComputeDistance(strings.ToLower(s), c); dist < limit {
			best, limit = c, dist
		}
	}
	return best
}

// DidYouMean returns `; did you mean "x"?` with the candidate that s is most
// likely a misspelling of, or "".
func DidYouMean(s string, candidates []string) string {
	if c := nearest(s, candidates); c != "" {
		return fmt.Sprintf("; did you mean %q?", c)
	}
	return ""
}

// oneOf lists choices for an error message.
func oneOf(choices []string) string {
	list := append([]string(nil), choices...)
	sort.Strings(list)
	return strings.Join(list, ", ")
}
