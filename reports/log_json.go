package reports

import (
	"fmt"
	"io"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/scenarios"
)

// logJSON is the object of `lockstep log --json`. Its keys are fixed.
type logJSON struct {
	Scenario  string         `json:"scenario"`
	Protocol  string         `json:"protocol"`
	Seed      uint64         `json:"seed"`
	AtNS      int64          `json:"at_ns"`
	Ended     bool           `json:"ended"`
	Violation string         `json:"violation,omitempty"`
	Nodes     []nodeJSON     `json:"nodes"`
	Node      string         `json:"node,omitempty"`
	Log       []entryJSON    `json:"log,omitempty"`
	Recovery  []recoveryJSON `json:"recoveries,omitempty"`
	Table     *tableJSON     `json:"table,omitempty"`
	Changelog *changelogJSON `json:"changelog,omitempty"`
	Diff      *diffJSON      `json:"diff,omitempty"`
}

type nodeJSON struct {
	Node      string          `json:"node"`
	Up        bool            `json:"up"`
	Role      string          `json:"role"`
	Epoch     uint64          `json:"epoch"`
	First     protocols.Index `json:"first"`
	Last      protocols.Index `json:"last"`
	Durable   protocols.Index `json:"durable"`
	Committed protocols.Index `json:"committed"`
	Applied   protocols.Index `json:"applied"`
	State     string          `json:"state,omitempty"`
	Replays   *bool           `json:"replays,omitempty"`
}

type entryJSON struct {
	Position  protocols.Index `json:"position"`
	Epoch     uint64          `json:"epoch"`
	Client    string          `json:"client,omitempty"`
	Command   string          `json:"command"`
	Durable   bool            `json:"durable"`
	Committed bool            `json:"committed"`
	Applied   bool            `json:"applied"`
	Ships     []changeJSON    `json:"ships,omitempty"`
}

type changeJSON struct {
	Kind  string          `json:"kind"`
	Key   protocols.Key   `json:"key"`
	Value protocols.Value `json:"value"`
}

type recoveryJSON struct {
	AtNS     int64           `json:"at_ns"`
	Node     string          `json:"node"`
	What     string          `json:"what"` // crash or boot
	Life     uint32          `json:"life"`
	Snapshot string          `json:"snapshot,omitempty"`
	Records  []recordsJSON   `json:"records"`
	Epoch    uint64          `json:"epoch,omitempty"`
	Last     protocols.Index `json:"last,omitempty"`
}

type recordsJSON struct {
	Kind  string          `json:"kind"`
	Count int             `json:"count"`
	First protocols.Index `json:"first,omitempty"`
	Last  protocols.Index `json:"last,omitempty"`
}

type tableJSON struct {
	Position protocols.Index `json:"position"`
	State    string          `json:"state"`
	Rows     []protocols.Row `json:"rows"`
}

type changelogJSON struct {
	From  protocols.Index `json:"from"`
	To    protocols.Index `json:"to"`
	Steps []stepJSON      `json:"steps"`
}

type stepJSON struct {
	Position protocols.Index `json:"position"`
	Client   string          `json:"client,omitempty"`
	Command  string          `json:"command"`
	Changes  []changeJSON    `json:"changes"`
}

type diffJSON struct {
	Nodes [2]string       `json:"nodes"`
	From  protocols.Index `json:"from"`           // the first position that both hold
	Same  protocols.Index `json:"same"`           // equal up to here
	At    protocols.Index `json:"at,omitempty"`   // the first position that differs
	Left  *entryJSON      `json:"left,omitempty"` // absent where that log has ended
	Right *entryJSON      `json:"right,omitempty"`
}

// WriteLogJSON writes the view as one JSON object on one line.
func WriteLogJSON(w io.Writer, v *LogView) error {
	x := v.Of
	o := logJSON{Scenario: x.Scenario, Protocol: x.Protocol.Name, Seed: x.Seed, AtNS: int64(x.At), Ended: x.Ended, Violation: x.Violation}
	for i := range x.Nodes {
		o.Nodes = append(o.Nodes, nodeObject(x, &x.Nodes[i]))
	}
	if v.Node != nil {
		o.Node = v.Node.ID.String()
	}
	if v.Rows {
		for at := v.First; at <= v.Last; at++ {
			if e, err := v.Node.Entry(at); err == nil {
				o.Log = append(o.Log, *entryObject(v.Node, e))
			}
		}
		o.Recovery = recoveryObjects(v)
	}
	if t := v.Table; t != nil {
		o.Table = &tableJSON{t.Position, hex(t.Hash), append([]protocols.Row{}, t.Table.Rows()...)}
	}
	if c := v.Changelog; c != nil {
		o.Changelog = &changelogJSON{From: c.From, To: c.To, Steps: []stepJSON{}}
		for _, s := range c.Steps {
			e := entryObject(v.Node, s.Entry)
			o.Changelog.Steps = append(o.Changelog.Steps, stepJSON{s.Entry.Position, e.Client, e.Command, changeObjects(s.Changes)})
		}
	}
	if p := v.Parting; p != nil {
		o.Diff = diffObject(p)
	}
	return encode(w, o, "")
}

// hex prints a state hash, which a JSON number cannot hold.
func hex(hash uint64) string { return fmt.Sprintf("%016x", hash) }

func nodeObject(x *scenarios.Examination, n *scenarios.NodeLog) nodeJSON {
	o := nodeJSON{Node: n.ID.String(), Up: n.Up, Role: role(x, n), Epoch: n.DiskView.Epoch, First: n.First, Last: n.Last, Durable: n.DurableTo()}
	if n.Up {
		o.Epoch, o.Committed, o.Applied, o.State = n.View.Epoch, n.View.Commit, n.View.Applied, hex(n.View.StateHash)
		if same, known := n.Replays(); known {
			o.Replays = &same
		}
	}
	return o
}

func entryObject(n *scenarios.NodeLog, e *protocols.LogEntry) *entryJSON {
	o := &entryJSON{
		Position: e.Position, Epoch: e.Epoch, Command: e.Text,
		Durable: n.Durable(e.Position), Committed: n.Up && e.Position <= n.View.Commit, Applied: n.Up && e.Position <= n.View.Applied,
	}
	if e.Command.Client < 0 {
		o.Client, o.Command = e.Command.Client.String(), e.Command.String()
	}
	if e.Effect != nil {
		o.Ships = changeObjects(e.Effect.Changes)
	}
	return o
}

func changeObjects(changes []protocols.Change) []changeJSON {
	list := []changeJSON{}
	for _, c := range changes {
		list = append(list, changeJSON{c.Kind.String(), c.Key, c.Value})
	}
	return list
}

func recoveryObjects(v *LogView) []recoveryJSON {
	var list []recoveryJSON
	for i := range v.Of.History {
		r := &v.Of.History[i]
		if r.Node != v.Node.ID {
			continue
		}
		o := recoveryJSON{AtNS: int64(r.At), Node: r.Node.String(), What: "crash", Life: r.Life, Snapshot: r.Snapshot, Records: []recordsJSON{}, Epoch: r.Epoch, Last: r.Last}
		if r.Boot {
			o.What = "boot"
		}
		for _, c := range r.Records {
			o.Records = append(o.Records, recordsJSON{c.Name, c.Count, c.First, c.Last})
		}
		list = append(list, o)
	}
	return list
}

func diffObject(p *Parting) *diffJSON {
	o := &diffJSON{Nodes: [2]string{p.A.ID.String(), p.B.ID.String()}, From: p.From, Same: p.Same}
	if p.Parting.A != nil {
		o.At, o.Left = p.Same+1, entryObject(p.A, p.Parting.A)
	}
	if p.Parting.B != nil {
		o.At, o.Right = p.Same+1, entryObject(p.B, p.Parting.B)
	}
	return o
}
