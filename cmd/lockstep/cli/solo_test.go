package cli_test

import (
	"slices"

	"github.com/lockstep-sim/lockstep/protocols"
)

// solo is somebody else's protocol: one server with a disk and no replicas. It
// shows that the whole command line works with it, and its bugs make the failures
// that the tests need.
func solo() *protocols.Protocol {
	return &protocols.Protocol{
		Name: "solo", Title: "One server", Doc: "A server with a disk and no replicas.",
		EpochWord:  "epoch",
		Roles:      []string{"server"},
		Messages:   []protocols.KindInfo{{Kind: 1, Name: "Synced", New: func() any { return new(synced) }}},
		Records:    []protocols.KindInfo{{Kind: 1, Name: "Write", New: func() any { return new(written) }}},
		Parameters: func() any { return new(soloParameters) },
		Bugs: []protocols.Bug{
			{ID: "S-01", Title: "a write is answered before the disk has it", Caught: "linearizability"},
			{ID: "S-02", Title: "the tenth write panics", Caught: "panic"},
		},
		New: newServer,
	}
}

type soloParameters struct {
	Bugs []string `doc:"known bugs to switch on"`
}

// synced is what the server says to itself once everything before it is durable.
type synced struct{ Upto protocols.Index }

func (*synced) Kind() protocols.Kind { return 1 }

type written struct{ Command protocols.Command }

func (*written) Kind() protocols.Kind { return 1 }

type server struct {
	id       protocols.NodeID
	bugs     []string
	log      []protocols.Command // position 1 is log[0]
	executor protocols.Executor
}

func newServer(cfg protocols.Config, disk protocols.Recovered) (protocols.Node, error) {
	s := &server{id: cfg.ID, bugs: cfg.Parameters.(*soloParameters).Bugs, executor: protocols.Executor{Machine: cfg.Machine}}
	for _, r := range disk.Records {
		if r.State != protocols.RecordOK {
			break
		}
		s.log = append(s.log, r.Record.(*written).Command)
	}
	return s, nil
}

func (s *server) has(bug string) bool { return slices.Contains(s.bugs, bug) }

func (s *server) Step(ev *protocols.Event, out *protocols.Effects) {
	switch ev.Kind {
	case protocols.Start:
		out.Note(protocols.Note{Kind: protocols.NoteLeader, Epoch: 1})
		s.execute(protocols.Index(len(s.log)), out)
	case protocols.Receive:
		s.execute(ev.Message.(*synced).Upto, out)
	case protocols.Request:
		s.request(ev.Command, out)
	}
}

func (s *server) request(c protocols.Command, out *protocols.Effects) {
	if c.Kind != protocols.Write {
		out.ReplyEarly(c, s.executor.Read(c))
		return
	}
	if r, state := s.executor.Sessions.Lookup(c); state == protocols.SessionDone {
		out.ReplyEarly(c, r)
		return
	}
	s.log = append(s.log, c)
	protocols.Persist(out, written{Command: c})
	if upto := protocols.Index(len(s.log)); s.has("S-01") {
		s.execute(upto, out)
	} else {
		protocols.Send(out, s.id, synced{Upto: upto})
	}
}

// execute executes and answers what is durable.
func (s *server) execute(upto protocols.Index, out *protocols.Effects) {
	for s.executor.Applied < upto {
		at := s.executor.Applied + 1
		if s.has("S-02") && at == 10 {
			panic("the tenth write")
		}
		c := s.log[at-1]
		result := s.executor.Apply(at, c, 0)
		out.Note(protocols.Note{Kind: protocols.NoteCommit, Epoch: 1, Index: at})
		out.Note(protocols.Note{Kind: protocols.NoteApplied, Epoch: 1, Index: at, Hash: c.Hash(), State: s.executor.Hash()})
		out.ReplyEarly(c, result)
	}
}

func (s *server) View(v *protocols.View) {
	*v = protocols.View{
		Leading: true, Epoch: 1, Leader: s.id, Members: protocols.Nodes(s.id),
		Commit: s.executor.Applied, Applied: s.executor.Applied, First: 1, Last: protocols.Index(len(s.log)), StateHash: s.executor.Hash(),
	}
}
