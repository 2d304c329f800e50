package reproduce

import (
	"fmt"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
	"github.com/lockstep-sim/lockstep/sim"
	"github.com/lockstep-sim/lockstep/sim/laws"
)

// messageDelays holds every protocol to its laws with 3, 5 and 7 replicas, and the
// elections to theirs.
func messageDelays(l *lab) error {
	sc, err := l.load("message-delays")
	if err != nil {
		return err
	}
	for _, p := range l.Protocols {
		if p.Laws == nil {
			continue
		}
		for _, law := range p.Laws() {
			if err := l.law(sc, p, law); err != nil {
				return err
			}
		}
	}
	if err := l.electionLaws(sc); err != nil {
		return err
	}
	l.remark("Not measured, since no shipped protocol has it: chain replication, and a request that a follower forwards (followers answer with the leader's name).")
	return nil
}

// law compares one law with a run for each number of replicas.
func (l *lab) law(sc *scenarios.Scenario, p *protocols.Protocol, law protocols.Law) error {
	what := p.Name + ": " + law.Name
	if law.Setting != "" {
		what += " (" + law.Setting + ")"
	}
	var sizes, theirs, ours []string
	for _, n := range lawSizes {
		if law.Parameters(n) == nil {
			continue
		}
		took, messages, err := l.measured(sc, p, law, n, 0)
		if err != nil {
			return fmt.Errorf("%s, %d replicas: %w", what, n, err)
		}
		cost := law.Cost(n)
		sizes = append(sizes, fmt.Sprint(n))
		theirs = append(theirs, fmt.Sprintf("%dd/%d", cost.Delays, cost.Messages()))
		ours = append(ours, fmt.Sprintf("%gd/%g", float64(took)/float64(laws.Delay), messages))
	}
	l.add(said(fmt.Sprintf("%s, n=%s", what, strings.Join(sizes, ",")), strings.Join(theirs, " "), strings.Join(ours, " ")))
	return nil
}

// lawSizes are the numbers of replicas for which laws are compared.
var lawSizes = []int{3, 5, 7}

// measured runs the operations of a law, and returns what each took, -1 where they
// differ, and how many messages an operation needed, request and answer included.
func (l *lab) measured(sc *scenarios.Scenario, p *protocols.Protocol, law protocols.Law, n int, fsync protocols.Duration) (took protocols.Duration, messages float64, err error) {
	m, err := laws.Measure(sc.Config(p, 1), law, n, fsync)
	if err != nil {
		return 0, 0, err
	}
	l.figure.Runs++
	took, same := m.Time()
	if !same {
		took = -1
	}
	return took, 2 + float64(m.Messages())/laws.Operations, nil
}

// counter counts timers that fire, and keeps the milestones.
type counter struct {
	fired int
	last  [protocols.MaxNodes + 1]protocols.Time // by node: when a timer fired last
	notes []milestone
}

// milestone is a note, and when the node's timer fired before it.
type milestone struct {
	protocols.Note
	node      protocols.NodeID
	at, fired protocols.Time
}

func (o *counter) Moments() protocols.MomentKind { return protocols.Stepped }
func (o *counter) Checks() []protocols.CheckInfo { return nil }

// Observe implements [protocols.Observer].
func (o *counter) Observe(m *protocols.Moment) {
	if m.Event.Kind == protocols.Fire {
		o.fired++
		o.last[m.Node] = m.Now
	}
	for _, n := range m.Effects.Notes {
		o.notes = append(o.notes, milestone{n, m.Node, m.Now, o.last[m.Node]})
	}
}

// electionLaws compares what an election, phase 1 and a view change take.
func (l *lab) electionLaws(sc *scenarios.Scenario) error {
	for _, c := range []struct{ protocol, what, key, value string }{
		{"raft", "raft: election after the timeout (pre_vote: false)", "parameters.raft.pre_vote", "false"},
		{"raft", "raft: election after the timeout (pre_vote: true)", "parameters.raft.pre_vote", "true"},
		{"paxos", "paxos: phase 1 after the timeout", "", ""},
	} {
		p, err := l.protocol(c.protocol)
		if err != nil {
			return err
		}
		one := *sc
		want := 2.0
		if c.key != "" {
			if err := scenarios.Set(&one, c.key, c.value, l.Protocols); err != nil {
				return err
			}
			if c.value == "true" {
				want = 4
			}
		}
		for _, n := range lawSizes {
			one.Replicas = n
			notes, err := l.milestones(&one, p, nil)
			if err != nil {
				return err
			}
			lead := first(notes, func(m *milestone) bool { return m.Kind == protocols.NoteLeader })
			l.add(exactly(fmt.Sprintf("%s, n=%d", c.what, n), "d", want, delays(lead.at-lead.fired)))
			if c.protocol == "raft" && want == 2 {
				commit := first(notes, func(m *milestone) bool { return m.Kind == protocols.NoteCommit && m.node == lead.node })
				l.add(exactly(fmt.Sprintf("raft: first commit after the election, n=%d", n), "d", 2, delays(commit.at-lead.at)))
			}
		}
	}
	return l.viewChange(sc)
}

// viewChange compares what a view change takes after the primary has crashed, from the
// moment at which the timers of all backups fire.
func (l *lab) viewChange(sc *scenarios.Scenario) error {
	p, err := l.protocol("vr")
	if err != nil {
		return err
	}
	one := *sc
	if err := scenarios.Set(&one, "parameters.vr.view_timeout", "200ms..200ms", l.Protocols); err != nil {
		return err
	}
	for _, n := range lawSizes {
		one.Replicas = n
		crash := downFrom(1, 1)
		crash[0].At = 60_500_000 // after the first Commit of the primary, at 50 ms, has reached all
		notes, err := l.milestones(&one, p, crash)
		if err != nil {
			return err
		}
		last := milestone{}
		for _, m := range notes {
			if m.Kind == protocols.NoteNormal && m.Epoch == 1 && m.at > last.at {
				last = m
			}
		}
		l.add(exactly(fmt.Sprintf("vr: view change after the timeout, until the last backup is normal, n=%d", n), "d", 3, delays(last.at-last.fired)))
	}
	return nil
}

// milestones runs a second without clients.
func (l *lab) milestones(sc *scenarios.Scenario, p *protocols.Protocol, faults []sim.Fault) ([]milestone, error) {
	o := &counter{}
	cfg := sc.Config(p, 1)
	cfg.Workload, cfg.Faults, cfg.Observers = sim.Workload{}, faults, []protocols.Observer{o}
	w, err := sim.New(cfg)
	if err != nil {
		return nil, err
	}
	l.figure.Runs++
	w.Run(1_000_000_000)
	return o.notes, nil
}

func first(notes []milestone, wanted func(*milestone) bool) milestone {
	for i := range notes {
		if wanted(&notes[i]) {
			return notes[i]
		}
	}
	return milestone{}
}

func delays(t protocols.Time) float64 { return float64(t) / float64(laws.Delay) }

// diskWrites compares the laws of writes with a disk that takes time.
func diskWrites(l *lab) error {
	sc, err := l.load("message-delays")
	if err != nil {
		return err
	}
	for _, p := range l.Protocols {
		if p.Laws == nil {
			continue
		}
		for _, law := range p.Laws() {
			if law.Read || law.Parameters(3) == nil {
				continue
			}
			took, _, err := l.measured(sc, p, law, 3, laws.Fsync)
			if err != nil {
				return err
			}
			what := p.Name + ": " + law.Name
			if law.Setting != "" {
				what += " (" + law.Setting + ")"
			}
			cost := law.Cost(3)
			want := protocols.Duration(cost.Delays)*laws.Delay + protocols.Duration(cost.Writes)*laws.Fsync
			row := exactly(what, "ms", float64(want)/1e6, float64(took)/1e6)
			row.Published = fmt.Sprintf("%dd + %dw = %s", cost.Delays, cost.Writes, row.Published)
			l.add(row)
		}
	}
	return nil
}
