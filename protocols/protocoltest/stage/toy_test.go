package stage_test

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// The toy: n1 orders what clients write, sends it to all others, and answers what a
// majority holds on disk. A service does nothing.

type toyParameters struct {
	Early  bool // the flaw: a replica says that it holds what is not on its disk yet
	Echo   bool // the flaw: two replicas answer each other for ever
	Claims bool // the durability oracle watches
}

type keep struct {
	Index   protocols.Index
	Command protocols.Command
}

func (*keep) Kind() protocols.Kind { return 1 }

type held struct{ Last protocols.Index }

func (*held) Kind() protocols.Kind { return 2 }

// entry is a record, and checkpoint all records so far in one.
type entry struct{ Command protocols.Command }

func (*entry) Kind() protocols.Kind { return 1 }

type checkpoint struct{ Log []protocols.Command }

func (*checkpoint) Kind() protocols.Kind { return 2 }

type toy struct {
	parameters *toyParameters
	id         protocols.NodeID
	n          int
	disk       protocols.Recovered // as it was at boot
	nonce      uint64
	log        []protocols.Command
	holds      []protocols.NodeSet // by index
	clock      protocols.Time      // at the last step
}

type idle struct{}

func (*idle) Step(*protocols.Event, *protocols.Effects) {}
func (*idle) View(v *protocols.View)                    { *v = protocols.View{} }

func toyProtocol() *protocols.Protocol {
	return &protocols.Protocol{
		Name: "toy",
		Validate: func(_ any, n int) error {
			if n < 2 {
				return fmt.Errorf("got %d replicas, want two or more", n)
			}
			return nil
		},
		New: func(cfg protocols.Config, disk protocols.Recovered) (protocols.Node, error) {
			if int(cfg.ID) > cfg.Cluster.Replicas {
				return &idle{}, nil
			}
			n := &toy{parameters: cfg.Parameters.(*toyParameters), id: cfg.ID, n: cfg.Cluster.Replicas, disk: disk}
			if c, ok := disk.Snapshot.(*checkpoint); ok {
				n.log = append(n.log, c.Log...)
			}
			for _, r := range disk.Records {
				n.log = append(n.log, r.Record.(*entry).Command)
			}
			n.holds = make([]protocols.NodeSet, len(n.log))
			return n, nil
		},
		Durability: func(parameters any) *protocols.Durability {
			if !parameters.(*toyParameters).Claims {
				return nil
			}
			return &protocols.Durability{Claims: toyClaims, Image: func(protocols.NodeID) protocols.DurableImage { return new(image) }}
		},
		Invariants: func(c protocols.Cluster, _ any) []protocols.Observer {
			return []protocols.Observer{&watcher{durable: make([]protocols.Index, c.Nodes()+1)}}
		},
	}
}

func (n *toy) View(v *protocols.View) { *v = protocols.View{Leading: n.id == 1} }

func (n *toy) Step(ev *protocols.Event, out *protocols.Effects) {
	n.clock = ev.Now
	switch ev.Kind {
	case protocols.Start:
		n.nonce = ev.Nonce
	case protocols.Fire:
		out.SaveSnapshot(&checkpoint{append([]protocols.Command(nil), n.log...)})
		out.SetTimer(0, 5)
	case protocols.AdminEvent:
		out.CancelTimer(0)
		out.Note(protocols.Note{Kind: protocols.NoteDropped, Text: "asked"})
	case protocols.Request:
		if n.id != 1 {
			out.Refuse(ev.Command, 1)
			return
		}
		n.store(ev.Command, out)
		for id := protocols.NodeID(2); int(id) <= n.n; id++ {
			protocols.Send(out, id, keep{protocols.Index(len(n.log)), ev.Command})
		}
	case protocols.Receive:
		n.receive(ev, out)
	}
}

func (n *toy) store(c protocols.Command, out *protocols.Effects) {
	n.log, n.holds = append(n.log, c), append(n.holds, protocols.NodeSet{})
	protocols.Persist(out, entry{c})
	if n.parameters.Early {
		protocols.SendEarly(out, 1, held{protocols.Index(len(n.log))})
	} else {
		protocols.Send(out, 1, held{protocols.Index(len(n.log))})
	}
}

func (n *toy) receive(ev *protocols.Event, out *protocols.Effects) {
	switch m := ev.Message.(type) {
	case *keep:
		if m.Index == protocols.Index(len(n.log)+1) {
			n.store(m.Command, out)
		}
	case *held:
		if n.parameters.Echo {
			protocols.Send(out, ev.From, *m)
		}
		if m.Last == 0 || m.Last > protocols.Index(len(n.log)) {
			return
		}
		before := n.holds[m.Last-1].Len()
		n.holds[m.Last-1] = n.holds[m.Last-1].With(ev.From)
		if after := n.holds[m.Last-1].Len(); after > before && after == n.n/2+1 {
			out.Reply(n.log[m.Last-1], protocols.Result{})
		}
	}
}

// toyClaims: who says held has that much on its disk.
func toyClaims(_ protocols.NodeID, m protocols.Message, facts []protocols.DurableFact) []protocols.DurableFact {
	if m, ok := m.(*held); ok && m.Last > 0 {
		facts = append(facts, protocols.DurableFact{Kind: protocols.FactEntry, Index: m.Last})
	}
	return facts
}

// image counts the durable entries of one node.
type image struct{ last protocols.Index }

func (i *image) Persisted(r protocols.Record, snapshot bool) {
	if c, ok := r.(*checkpoint); ok && snapshot {
		i.last = protocols.Index(len(c.Log))
		return
	}
	i.last++
}

func (i *image) Lost() { i.last = 0 }

func (i *image) Holds(f protocols.DurableFact) (bool, string) {
	return f.Index <= i.last, fmt.Sprintf("the disk ends at %d", i.last)
}

// watcher checks T-I1: nobody says held of what is not durable.
type watcher struct{ durable []protocols.Index }

func (*watcher) Moments() protocols.MomentKind { return protocols.Left | protocols.Durable }

func (*watcher) Checks() []protocols.CheckInfo {
	return []protocols.CheckInfo{{ID: "T-I1", Text: "nobody says held of what is not durable"}}
}

func (w *watcher) Observe(m *protocols.Moment) {
	switch {
	case m.Kind == protocols.Durable && !m.Snapshot:
		w.durable[m.Node]++
	case m.Kind == protocols.Left:
		if h, ok := m.Message.(*held); ok && h.Last > w.durable[m.Node] {
			m.Violate("T-I1", "%v says held of %d with %d durable", m.Node, h.Last, w.durable[m.Node])
		}
	}
}
