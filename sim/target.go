package sim

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Target says who a fault hits: names (n1, s1, c1) and words that are resolved
// when the fault strikes. Several are united: "leader c1". The zero value is
// nobody. Make one with ParseTarget.
type Target struct {
	items  string // canonical, separated by one space
	others bool   // every replica but those
}

// targetWords are the words that a target can hold besides names.
var targetWords = []struct{ word, text string }{
	{"leader", "the live replica that leads with the highest epoch, the lowest number on ties; waited for while there is none"},
	{"leaders", "every live replica that believes to lead; waited for while there is none"},
	{"former-leader", "who became leader before the one that did last, up or not; waited for while there is none"},
	{"successor", "the leader after the one that a fault on leader or successor hit last: a live replica that leads a higher epoch than that one then led; waited for while there is none"},
	{"subject", "whom the event of when was about: the new leader of leader-elected, for example"},
	{"follower", "one random live voter that does not lead; waited for while there is none"},
	{"followers", "every voter but the leader"},
	{"minority", "random voters, as many as leave a majority of the others"},
	{"minority-third", "random voters, fewer than a third of all; with three voters nobody"},
	{"majority", "random voters, the smallest majority"},
	{"learner", "one random live replica without a vote; waited for while there is none"},
	{"learners", "every replica without a vote: learners, and who has left or not joined"},
	{"random", "one random live replica; waited for while there is none"},
	{"all", "every replica"},
	{"services", "every service node"},
	{"clients", "every client"},
}

// targetAliases are other people's words for some of them. They are read, and
// written as lockstep's own.
var targetAliases = map[string]string{"primary": "leader", "primaries": "leaders", "one": "random"}

// TargetAliases lists the words of other tools that a target may hold, sorted, each
// with lockstep's own.
func TargetAliases() [][2]string {
	var list [][2]string
	for _, word := range slices.Sorted(maps.Keys(targetAliases)) {
		list = append(list, [2]string{word, targetAliases[word]})
	}
	return list
}

// TargetWord is one word that [ParseTarget] knows, for lists and completion.
type TargetWord struct{ Word, Text string }

// TargetWords lists the words that a target can hold besides the names n1…, s1…
// and c1….
func TargetWords() []TargetWord {
	words := make([]TargetWord, 0, len(targetWords)+1)
	for _, w := range targetWords {
		words = append(words, TargetWord{w.word, w.text})
	}
	return append(words,
		TargetWord{"region(NAME)", "everybody whom network.regions places there: replicas, service nodes and clients, those placed in turn as well"},
		TargetWord{"others of …", "every replica except the target that follows"})
}

// ParseTarget reads a target: names and words separated by spaces or commas, or
// "others of" and such a list. Whether a named node exists is checked by New.
func ParseTarget(text string) (Target, error) {
	fields := strings.FieldsFunc(text, func(c rune) bool { return c == ' ' || c == ',' || c == '\t' || c == '\n' })
	var t Target
	if len(fields) > 1 && fields[0] == "others" && fields[1] == "of" {
		t.others, fields = true, fields[2:]
	}
	if len(fields) == 0 {
		return Target{}, fmt.Errorf("target %q names nobody; want names (n1 n3, s1, c1) or one of %s", text, wordList())
	}
	for i, f := range fields {
		if own, alias := targetAliases[f]; alias {
			f, fields[i] = own, own
		}
		_, _, isName := parseName(f)
		if _, isRegion := RegionNamed(f); !isName && !isRegion && !isTargetWord(f) {
			return Target{}, fmt.Errorf("target %q: unknown %q; want names (n1 n3, s1, c1) or one of %s", text, f, wordList())
		}
		for _, earlier := range fields[:i] {
			if earlier == f {
				return Target{}, fmt.Errorf("target %q names %s twice", text, f)
			}
		}
	}
	t.items = strings.Join(fields, " ")
	return t, nil
}

// String prints what ParseTarget reads back unchanged.
func (t Target) String() string {
	switch {
	case t.items == "":
		return "nobody"
	case t.others:
		return "others of " + t.items
	}
	return t.items
}

// has reports whether t holds the word.
func (t Target) has(word string) bool {
	for _, item := range strings.Fields(t.items) {
		if item == word {
			return true
		}
	}
	return false
}

// Without lists the targets that have one name or word less; a target keeps at
// least one, and "others of" is left as it is.
func (t Target) Without() []Target {
	items := strings.Fields(t.items)
	if len(items) < 2 || t.others {
		return nil
	}
	list := make([]Target, len(items))
	for i := range items {
		rest := append(append([]string(nil), items[:i]...), items[i+1:]...)
		list[i] = Target{strings.Join(rest, " "), t.others}
	}
	return list
}

// Empty reports whether t is the zero value, which names nobody.
func (t Target) Empty() bool { return t.items == "" }

func isTargetWord(s string) bool {
	for _, w := range targetWords {
		if w.word == s {
			return true
		}
	}
	return false
}

func wordList() string {
	words := make([]string, len(targetWords))
	for i, w := range targetWords {
		words[i] = w.word
	}
	return strings.Join(words, ", ") + ", region(NAME), others of …"
}

// parseName splits n3, s1 or c2 into its letter and number (from 1).
func parseName(s string) (letter byte, number int, ok bool) {
	if len(s) < 2 || s[1] == '0' || s[1] == '+' || s[1] == '-' {
		return 0, 0, false
	}
	number, err := strconv.Atoi(s[1:])
	if err != nil || number > MaxClients+MaxSubscribers {
		return 0, 0, false
	}
	switch s[0] {
	case 'n', 's', 'c':
		return s[0], number, true
	}
	return 0, 0, false
}

// Resolved is whom a target turned out to be.
type Resolved struct {
	Nodes   protocols.NodeSet // replicas and services
	Clients []protocols.NodeID
}

// has reports whether id is in r.
func (r *Resolved) has(id protocols.NodeID) bool {
	if id > 0 {
		return r.Nodes.Has(id)
	}
	for _, c := range r.Clients {
		if c == id {
			return true
		}
	}
	return false
}

// Names prints the members, for example "n1 n3 c2".
func (r *Resolved) Names(c protocols.Cluster) string {
	var b strings.Builder
	for id := r.Nodes.Next(protocols.Nobody); id != protocols.Nobody; id = r.Nodes.Next(id) {
		b.WriteByte(' ')
		b.WriteString(c.Name(id))
	}
	for _, id := range r.Clients {
		b.WriteByte(' ')
		b.WriteString(c.Name(id))
	}
	if b.Len() == 0 {
		return "nobody"
	}
	return b.String()[1:]
}
