package sim

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Verb says what a step of a script does.
type Verb string

// The verbs of scripts.
const (
	VerbDeliver     Verb = "deliver"
	VerbDrop        Verb = "drop"
	VerbDuplicate   Verb = "duplicate"
	VerbDelay       Verb = "delay"
	VerbFire        Verb = "fire"
	VerbTick        Verb = "tick"
	VerbWait        Verb = "wait"
	VerbCrash       Verb = "crash"
	VerbRestart     Verb = "restart"
	VerbPause       Verb = "pause"
	VerbResume      Verb = "resume"
	VerbWipe        Verb = "wipe"
	VerbRot         Verb = "rot"
	VerbClock       Verb = "clock"
	VerbDisk        Verb = "disk"
	VerbSync        Verb = "sync"
	VerbRequest     Verb = "request"
	VerbRetry       Verb = "retry"
	VerbGiveUp      Verb = "give-up"
	VerbReconfigure Verb = "reconfigure"
	VerbTransfer    Verb = "transfer-leadership"
	VerbShow        Verb = "show"
	VerbExpect      Verb = "expect"
	VerbNote        Verb = "note"
)

// VerbInfo describes a verb.
type VerbInfo struct {
	Verb    Verb
	Text    string
	Example string
}

// Verbs lists the verbs of scripts in the order of documentation.
func Verbs() []VerbInfo {
	return []VerbInfo{
		{VerbDeliver, "let messages in flight arrive: one by kind and link (the oldest, or the 2nd, 3rd, …), or all that match and what is sent meanwhile; delayed brings what was delayed", "deliver all among n1 n2"},
		{VerbDrop, "lose messages in flight", "drop RequestVote n1 -> n3"},
		{VerbDuplicate, "let messages in flight arrive twice: the copy comes behind", "duplicate AppendEntries n1 -> n2"},
		{VerbDelay, "set messages aside, so that all no longer means them; by kind and link, or as delayed, they can be delivered later", "delay all n3 -> n2"},
		{VerbFire, "let a timer that is armed fire, due or not", "fire n1 election"},
		{VerbTick, "let all clocks go on; timers that become due fire on the way", "tick 10ms"},
		{VerbWait, "let all clocks go on while no timer fires, as late ones may", "wait 1s"},
		{VerbCrash, "stop nodes; what is not synced is lost", "crash n1"},
		{VerbRestart, "boot nodes from what their disks hold", "restart n1"},
		{VerbPause, "stop nodes without losing anything", "pause n1"},
		{VerbResume, "let paused nodes go on", "resume n1"},
		{VerbWipe, "stop nodes and take all that their disks hold; restart boots them with new ones", "wipe n3"},
		{VerbRot, "damage the latest durable record of nodes whose entries another disk holds as well; the next boot finds it", "rot n2"},
		{VerbClock, "set what a node's clock shows in each second of true time, within clock.drift", "clock n1 900ms"},
		{VerbDisk, "instant: what is written is durable at once (so it begins); manual: it waits for sync", "disk manual"},
		{VerbSync, "finish the fsync under way, and those that follow; without names at all nodes", "sync n2"},
		{VerbRequest, "let a client call an operation at a node; the answer is a message in flight", "request c1 n1 put k1 1"},
		{VerbRetry, "let a client send what it waits for once more, to any node", "retry c1 n2"},
		{VerbGiveUp, "let a client wait no longer", "give-up c1"},
		{VerbReconfigure, "ask a node for a membership, as an operator", "reconfigure n1 to n1 n2 n4"},
		{VerbTransfer, "ask a leader to hand over, as an operator", "transfer-leadership n1 to n3"},
		{VerbShow, "print nodes in their protocol's words, or messages in flight; without names everything", "show n1 n2"},
		{VerbExpect, "demand something of a node, a client, the leader or what is in flight; the play ends where it does not hold", "expect n1 leader term 2 commit 3"},
		{VerbNote, "say what happens", "note n1 has lost its log"},
	}
}

// ScriptStep is one step of a script. Make one with ParseScriptStep: what is not
// of its verb is zero.
type ScriptStep struct {
	Verb     Verb
	Messages Messages           // deliver, drop, duplicate, delay, expect
	Names    []string           // whom it is about: n1, s1, c1
	To       []string           // reconfigure: the members; transfer-leadership, request, retry: the node
	Learners []string           // reconfigure
	Words    string             // fire: the timer; disk: how; show: messages; expect: what; note: the text
	Span     protocols.Duration // tick, wait; clock: what it shows in a second
	Command  protocols.Command  // request: without Client and Seq
}

// Messages picks messages in flight.
type Messages struct {
	All     bool     // every one, not the oldest
	Delayed bool     // every one that was delayed
	Nth     int      // the how manyth of those that match; 0 is the first
	Kind    string   // "": any; see Answer, Refusal and Request
	From    string   // "": any
	To      string   // "": any
	Among   []string // both ends are among these; empty: any
}

// The kinds of what travels between clients and nodes.
const (
	KindOfRequest = "Request"
	KindOfAnswer  = "Answer"
	KindOfRefusal = "Refusal"
)

// ParseScriptStep reads one step. Whether nodes, kinds and timers exist is up to
// the world that does it.
func ParseScriptStep(text string) (ScriptStep, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return ScriptStep{}, errors.New("want a step such as deliver RequestVote n1 -> n2, got nothing")
	}
	s := ScriptStep{Verb: Verb(words[0])}
	info := verbNamed(s.Verb)
	if info == nil {
		return s, fmt.Errorf("unknown step %q; want one of %s", words[0], verbList())
	}
	if err := s.parse(words[1:]); err != nil {
		return s, fmt.Errorf("%s: %w, as in %q", s.Verb, err, info.Example)
	}
	return s, nil
}

func verbNamed(v Verb) *VerbInfo {
	if i := verbNumber(v); i >= 0 {
		return &Verbs()[i]
	}
	return nil
}

// verbNumber returns the place of v in the list of verbs, or -1.
func verbNumber(v Verb) int {
	for i, info := range Verbs() {
		if info.Verb == v {
			return i
		}
	}
	return -1
}

func verbList() string {
	var words []string
	for _, info := range Verbs() {
		words = append(words, string(info.Verb))
	}
	return strings.Join(words, ", ")
}

func (s *ScriptStep) parse(words []string) (err error) {
	switch s.Verb {
	case VerbDeliver, VerbDrop, VerbDuplicate, VerbDelay:
		s.Messages, err = parseMessages(words)
	case VerbFire:
		if len(words) < 2 {
			return errors.New("want a node and a timer")
		}
		s.Words = strings.Join(words[1:], " ")
		s.Names, err = names(words[:1], "ns")
	case VerbTick, VerbWait:
		if len(words) != 1 {
			return errors.New("want one duration")
		}
		s.Span, err = ParseDuration(words[0])
		if err == nil && (s.Span <= 0 || s.Span > maxSpan) {
			err = fmt.Errorf("want a duration above 0s and at most %s, got %s", FormatDuration(maxSpan), words[0])
		}
	case VerbClock:
		if len(words) != 2 {
			return errors.New("want a node and a duration")
		}
		if s.Names, err = names(words[:1], "ns"); err == nil {
			s.Span, err = ParseDuration(words[1])
		}
	case VerbCrash, VerbRestart, VerbPause, VerbResume, VerbWipe, VerbRot:
		if len(words) == 0 {
			return errors.New("want nodes")
		}
		s.Names, err = names(words, "ns")
	case VerbSync:
		s.Names, err = names(words, "ns")
	case VerbDisk:
		if s.Words = strings.Join(words, " "); s.Words != "manual" && s.Words != "instant" {
			err = fmt.Errorf("want manual or instant, got %q", s.Words)
		}
	case VerbRequest, VerbRetry, VerbGiveUp:
		err = s.parseClient(words)
	case VerbReconfigure, VerbTransfer:
		err = s.parseAdmin(words)
	case VerbShow:
		if len(words) == 1 && words[0] == "messages" {
			s.Words = words[0]
			return nil
		}
		s.Names, err = names(words, "ns")
	case VerbExpect:
		err = s.parseExpect(words)
	case VerbNote:
		if s.Words = strings.Join(words, " "); s.Words == "" {
			err = errors.New("want text")
		}
	}
	return err
}

// names checks words that are names of the given sorts: n, s and c.
func names(words []string, sorts string) ([]string, error) {
	for i, w := range words {
		letter, _, ok := parseName(w)
		if !ok || strings.IndexByte(sorts, letter) < 0 {
			return nil, fmt.Errorf("want a name such as %c1, got %q", sorts[0], w)
		}
		for _, earlier := range words[:i] {
			if earlier == w {
				return nil, fmt.Errorf("%s is named twice", w)
			}
		}
	}
	return append([]string(nil), words...), nil
}

func (s *ScriptStep) parseClient(words []string) (err error) {
	want := map[Verb]int{VerbRequest: 3, VerbRetry: 2, VerbGiveUp: 1}[s.Verb]
	if len(words) < want || len(words) > want && s.Verb != VerbRequest {
		return errors.New([]string{"want a client", "want a client and a node", "want a client, a node and an operation"}[want-1])
	}
	if s.Names, err = names(words[:1], "c"); err != nil || want == 1 {
		return err
	}
	if s.To, err = names(words[1:2], "n"); err != nil || want == 2 {
		return err
	}
	s.Command, err = parseCommand(words[2:])
	return err
}

func (s *ScriptStep) parseAdmin(words []string) (err error) {
	if len(words) < 3 || words[1] != "to" {
		return errors.New("want a node, to, and whom")
	}
	if s.Names, err = names(words[:1], "n"); err != nil {
		return err
	}
	rest := words[2:]
	if s.Verb == VerbTransfer && len(rest) != 1 {
		return errors.New("want one node to hand over to")
	}
	for i, w := range rest {
		if w == "learners" && s.Verb == VerbReconfigure {
			if s.Learners, err = names(rest[i+1:], "n"); err != nil {
				return err
			}
			if len(s.Learners) == 0 {
				return errors.New("want the learners")
			}
			rest = rest[:i]
			break
		}
	}
	if len(rest) == 0 {
		return errors.New("want members")
	}
	s.To, err = names(rest, "n")
	return err
}

func (s *ScriptStep) parseExpect(words []string) (err error) {
	if len(words) < 2 {
		return errors.New("want who and what")
	}
	if words[0] == "no" && words[1] == "message" || words[0] == "message" {
		at := 1
		if words[0] == "no" {
			at = 2
		}
		s.Words = strings.Join(words[:at], " ")
		if s.Messages, err = parseMessages(words[at:]); err == nil && (s.Messages.All || s.Messages.Nth > 0) {
			err = errors.New("want a kind or a link, without all or a number")
		}
		return err
	}
	s.Words = strings.Join(words[1:], " ")
	if words[0] == "leader" {
		if s.Words != "nobody" {
			_, err = names(words[1:], "n")
		}
		s.Words = "leader " + s.Words
		if len(words) != 2 {
			err = errors.New("want one leader, or nobody")
		}
		return err
	}
	s.Names, err = names(words[:1], "nsc")
	return err
}

// parseMessages reads [all|delayed|2nd] [KIND] [FROM -> TO] [among NODES].
func parseMessages(words []string) (m Messages, err error) {
	if len(words) > 0 {
		switch nth := ordinal(words[0]); {
		case words[0] == "all":
			m.All, words = true, words[1:]
		case words[0] == "delayed":
			m.Delayed, words = true, words[1:]
		case nth > 0:
			m.Nth, words = nth-1, words[1:]
		}
	}
	if len(words) > 0 && words[0] != "among" && (len(words) == 1 || words[1] != "->") {
		m.Kind, words = words[0], words[1:]
	}
	if len(words) >= 3 && words[1] == "->" {
		for i, end := range []*string{&m.From, &m.To} {
			if w := words[2*i]; w != "*" {
				if _, err := names([]string{w}, "nsc"); err != nil {
					return m, err
				}
				*end = w
			}
		}
		words = words[3:]
	}
	if len(words) > 0 && words[0] == "among" {
		if len(words) == 1 {
			return m, errors.New("want nodes after among")
		}
		m.Among, err = names(words[1:], "nsc")
		return m, err
	}
	if len(words) > 0 {
		return m, fmt.Errorf("want a kind and a link FROM -> TO, got %q", strings.Join(words, " "))
	}
	if !m.All && !m.Delayed && m.Kind == "" && m.From == "" && m.To == "" {
		return m, errors.New("want all, a kind or a link FROM -> TO")
	}
	return m, nil
}

// ordinal reads 1st, 2nd, 3rd, 4th and so on; 0 for anything else.
func ordinal(s string) int {
	if len(s) < 3 || s[0] == '0' {
		return 0
	}
	n, err := strconv.Atoi(s[:len(s)-2])
	if err != nil || n < 1 || n > 1000 || s != ordinalText(n) {
		return 0
	}
	return n
}

func ordinalText(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
}

// String prints the step as ParseScriptStep reads it.
func (s ScriptStep) String() string {
	parts := []string{string(s.Verb)}
	add := func(words ...string) {
		for _, w := range words {
			if w != "" {
				parts = append(parts, w)
			}
		}
	}
	switch s.Verb {
	case VerbDeliver, VerbDrop, VerbDuplicate, VerbDelay:
		add(s.Messages.String())
	case VerbTick, VerbWait:
		add(FormatDuration(s.Span))
	case VerbClock:
		add(s.Names...)
		add(FormatDuration(s.Span))
	case VerbRequest:
		add(s.Names...)
		add(s.To...)
		add(s.Command.String())
	case VerbReconfigure, VerbTransfer:
		add(s.Names...)
		add("to")
		add(s.To...)
		if len(s.Learners) > 0 {
			add("learners")
			add(s.Learners...)
		}
	case VerbExpect:
		if len(s.Names) == 0 && !strings.HasPrefix(s.Words, "leader ") {
			add(s.Words, s.Messages.String())
			break
		}
		add(s.Names...)
		add(s.Words)
	default:
		add(s.Names...)
		add(s.To...)
		add(s.Words)
	}
	return strings.Join(parts, " ")
}

// String prints which messages as scripts write it.
func (m Messages) String() string {
	var parts []string
	switch {
	case m.All:
		parts = append(parts, "all")
	case m.Delayed:
		parts = append(parts, "delayed")
	case m.Nth > 0:
		parts = append(parts, ordinalText(m.Nth+1))
	}
	if m.Kind != "" {
		parts = append(parts, m.Kind)
	}
	if m.From != "" || m.To != "" {
		parts = append(parts, orAny(m.From), "->", orAny(m.To))
	}
	if len(m.Among) > 0 {
		parts = append(parts, "among")
		parts = append(parts, m.Among...)
	}
	return strings.Join(parts, " ")
}

func orAny(s string) string {
	if s == "" {
		return "*"
	}
	return s
}

// parseCommand reads an operation as protocols.Command.String prints it.
func parseCommand(words []string) (c protocols.Command, err error) {
	bad := func() (protocols.Command, error) {
		return c, fmt.Errorf("want an operation such as put k1 4, get k1, cas k1 3->4, append k1 7, delete k1, +1, *2 or read 1..10, got %q", strings.Join(words, " "))
	}
	c.Kind = protocols.Write
	switch words[0] {
	case "+1":
		c.Op = protocols.Increment
	case "*2":
		c.Op = protocols.Double
	case "follow":
		c.Kind = protocols.Follow
	default:
		if c.Op, err = protocols.ParseOp(words[0]); err != nil || c.Op == protocols.Noop || c.Op == protocols.Increment || c.Op == protocols.Double {
			return bad()
		}
	}
	if c.Op == protocols.Get || c.Op == protocols.ReadRange {
		c.Kind = protocols.Read
	}
	rest := words[1:]
	if len(rest) > 0 && strings.HasPrefix(rest[0], "k") {
		k, err := strconv.ParseUint(rest[0][1:], 10, 32)
		if err != nil || k == 0 {
			return bad()
		}
		c.Key, rest = protocols.Key(k), rest[1:]
	}
	ok := len(rest) == 0
	switch {
	case c.Kind == protocols.Follow || c.Op == protocols.ReadRange:
		ok = len(rest) == 1 && c.Key == 0 && parsePair(rest[0], "..", &c.Arg, &c.Old) && c.Arg > 0 && c.Old >= c.Arg
		c.Old -= c.Arg - 1
	case c.Op == protocols.Put || c.Op == protocols.AppendTo:
		ok = len(rest) == 1 && parseWhole(rest[0], &c.Arg) && c.Arg > 0
	case c.Op == protocols.CAS:
		ok = len(rest) == 1 && parsePair(rest[0], "->", &c.Old, &c.Arg) && c.Arg > 0
	}
	if !ok {
		return bad()
	}
	if c.String() != strings.Join(words, " ") {
		return bad()
	}
	return c, nil
}

func parseWhole(s string, v *int64) bool {
	n, err := strconv.ParseInt(s, 10, 64)
	*v = n
	return err == nil && n >= 0 && n <= 1<<53
}

func parsePair(s, separator string, a, b *int64) bool {
	left, right, ok := strings.Cut(s, separator)
	return ok && parseWhole(left, a) && parseWhole(right, b)
}
