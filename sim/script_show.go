package sim

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// showStep prints nodes and messages in flight.
func (w *World) showStep(s *ScriptStep) (lines []string, err error) {
	if s.Words != "messages" {
		set, err := w.set(s.Names)
		if err != nil {
			return nil, err
		}
		for id := set.Next(protocols.Nobody); id != protocols.Nobody; id = set.Next(id) {
			lines = append(lines, w.NodeText(id))
		}
	}
	if len(s.Names) == 0 {
		for _, f := range w.InFlight() {
			lines = append(lines, w.FlyingText(&f))
		}
	}
	return lines, nil
}

// FlyingText says in words what is in flight.
func (w *World) FlyingText(f *Flying) string {
	text := fmt.Sprintf("%s -> %s %s%s", w.cluster.Name(f.From), w.cluster.Name(f.To), f.Kind, f.Text)
	if f.Delayed {
		text += " (delayed)"
	}
	return text
}

// NodeText describes a node in its protocol's words: "n1 leader, term 2, log 1..3,
// commit 2".
func (w *World) NodeText(id protocols.NodeID) string {
	n := &w.nodes[id-1]
	name := w.cluster.Name(id)
	if !n.up {
		return fmt.Sprintf("%s down, %d records on disk", name, n.disk.durable-n.disk.first)
	}
	var b strings.Builder
	b.WriteString(w.ViewText(id, &n.view))
	if n.pauses > 0 {
		b.WriteString(", paused")
	}
	if late := n.disk.appended - n.disk.durable; late > 0 {
		fmt.Fprintf(&b, ", %d records not durable", late)
	}
	return b.String()
}

// ViewText says what a node shows of itself in its protocol's words, as NodeText
// does of a node that is up: v may be of any moment.
func (w *World) ViewText(id protocols.NodeID, v *protocols.View) string {
	var b strings.Builder
	b.WriteString(w.cluster.Name(id) + " " + w.RoleText(v))
	if int(id) <= w.cluster.Replicas {
		switch {
		case v.Last >= v.First && v.Last > 0:
			fmt.Fprintf(&b, ", log %d..%d", v.First, v.Last)
		case v.Last > 0:
			fmt.Fprintf(&b, ", log empty behind %d", v.Last)
		default:
			b.WriteString(", log empty")
		}
		fmt.Fprintf(&b, ", commit %d", v.Commit)
		if v.Applied != v.Commit {
			fmt.Fprintf(&b, ", applied %d", v.Applied)
		}
	}
	if int(id) <= w.cluster.Replicas && v.Members != w.membersOf(id) {
		b.WriteString(", members " + v.Members.String())
	}
	return b.String()
}

// RoleText says in the protocol's words what a node believes to be: leader, term 2.
func (w *World) RoleText(v *protocols.View) string {
	return w.roleText(v.Role) + ", " + epochWord(w.cfg.Protocol) + " " + w.epochText(v.Epoch)
}

func (w *World) roleText(role uint8) string {
	if roles := w.cfg.Protocol.Roles; int(role) < len(roles) {
		return roles[role]
	}
	return fmt.Sprintf("role %d", role)
}

// expectStep checks what a step expects. The error says what there is instead.
func (w *World) expectStep(s *ScriptStep) error {
	switch {
	case s.Words == "message" || s.Words == "no message":
		match, err := w.matcher(&s.Messages)
		if err != nil {
			return err
		}
		found := w.first(func(k key, p *payload) bool { return match(k, p) && (!s.Messages.Delayed || w.isDelayed(k)) }) >= 0
		if found != (s.Words == "message") {
			return fmt.Errorf("expected %s %s; %s", s.Words, s.Messages, w.inFlight())
		}
		return nil
	case len(s.Names) == 0:
		want := strings.TrimPrefix(s.Words, "leader ")
		if got := w.cluster.Name(w.leader()); got != want {
			return fmt.Errorf("expected leader %s, got %s", want, got)
		}
		return nil
	}
	id, err := w.name(s.Names[0])
	if err != nil {
		return err
	}
	if id < 0 {
		return w.expectClient(&w.clients[-id-1], s)
	}
	return w.expectNode(&w.nodes[id-1], s)
}

// expectClient checks what became of a client's last operation.
func (w *World) expectClient(c *client, s *ScriptStep) error {
	got := "idle"
	if c.busy() {
		got = "waiting"
	} else if c.seq > 0 {
		op := w.history.at(c.op)
		if got = op.Outcome.String(); op.Outcome == protocols.Done {
			switch {
			case s.Words == "ok":
				return nil
			case op.Value == 0:
				got = "nothing"
			default:
				got = "value " + strconv.FormatInt(int64(op.Value), 10)
			}
		}
	}
	if got != s.Words {
		return fmt.Errorf("expected %s %s, got %s", s.Names[0], s.Words, got)
	}
	return nil
}

// expectNode checks what a node shows of itself: a role, down, up, or a number.
func (w *World) expectNode(n *node, s *ScriptStep) error {
	rest := strings.Fields(s.Words)
	for len(rest) > 0 {
		word := rest[0]
		if used, ok := w.roleWords(n, rest); used > 0 {
			if !ok {
				return w.unexpected(n, s)
			}
			rest = rest[used:]
			continue
		}
		if len(rest) < 2 {
			return fmt.Errorf("expected %s: %q is no role of %s and has no number", s.Names[0], word, w.cfg.Protocol.Name)
		}
		got, known := w.figure(n, word)
		if !known {
			return fmt.Errorf("expected %s: unknown %q; want a role, up, down, %s, commit, applied, first, last or members", s.Names[0], word, epochWord(w.cfg.Protocol))
		}
		if !n.up || got != rest[1] {
			return w.unexpected(n, s)
		}
		rest = rest[2:]
	}
	return nil
}

func (w *World) unexpected(n *node, s *ScriptStep) error {
	return fmt.Errorf("expected %s %s, got %s", s.Names[0], s.Words, w.NodeText(n.id))
}

// roleWords reads a role, up or down at the start of words: how many words it takes,
// and whether it holds.
func (w *World) roleWords(n *node, words []string) (used int, holds bool) {
	switch words[0] {
	case "up":
		return 1, n.up
	case "down":
		return 1, !n.up
	case "paused":
		return 1, n.up && n.pauses > 0
	}
	for i, role := range w.cfg.Protocol.Roles {
		parts := strings.Fields(role)
		if len(parts) <= len(words) && strings.Join(words[:len(parts)], " ") == role && len(parts) > used {
			used, holds = len(parts), n.up && int(n.view.Role) == i
		}
	}
	return used, holds
}

// figure returns a number that n shows, as text.
func (w *World) figure(n *node, word string) (string, bool) {
	v := &n.view
	switch word {
	case "epoch", epochWord(w.cfg.Protocol):
		return w.epochText(v.Epoch), true
	case "commit":
		return strconv.FormatUint(uint64(v.Commit), 10), true
	case "applied":
		return strconv.FormatUint(uint64(v.Applied), 10), true
	case "first":
		return strconv.FormatUint(uint64(v.First), 10), true
	case "last":
		return strconv.FormatUint(uint64(v.Last), 10), true
	case "members":
		return strings.ReplaceAll(NodeNames(v.Members), " ", ","), true
	}
	return "", false
}
