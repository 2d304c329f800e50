package protocols_test

import (
	"fmt"
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Greeting is a message: a pointer to a small struct.
type Greeting struct{ Number uint64 }

// Kind is a constant of the type.
func (*Greeting) Kind() protocols.Kind { return 1 }

// Counted is a record of the write-ahead log.
type Counted struct{ Number uint64 }

// Kind is a constant of the type.
func (*Counted) Kind() protocols.Kind { return 1 }

// Greeter counts greetings and passes each on to the next node.
type Greeter struct {
	next   protocols.NodeID
	number uint64
}

// Step is the whole protocol.
func (g *Greeter) Step(ev *protocols.Event, out *protocols.Effects) {
	switch m := ev.Message.(type) {
	case nil: // no message: the start, or the timer
		out.SetTimer(0, time.Second)
	case *Greeting:
		if m.Number <= g.number {
			out.Note(protocols.Note{Kind: protocols.NoteDropped, Text: "an old greeting"})
			return
		}
		g.number = m.Number
		protocols.Persist(out, Counted{g.number})
		// Gated: it leaves once the record above is durable.
		protocols.Send(out, g.next, Greeting{g.number + 1})
	}
}

// View shows the node.
func (g *Greeter) View(v *protocols.View) {
	*v = protocols.View{Epoch: 1, First: 1, Commit: protocols.Index(g.number), Last: protocols.Index(g.number)}
}

// A node is a step function: an event goes in, effects come out.
func Example() {
	var node protocols.Node = &Greeter{next: 2}
	memory := protocols.NewMemory(protocols.Recycle)
	out := protocols.NewEffects(memory)
	for _, ev := range []*protocols.Event{
		{Kind: protocols.Start},
		{Kind: protocols.Receive, From: 3, Message: &Greeting{7}},
		{Kind: protocols.Receive, From: 3, Message: &Greeting{7}},
	} {
		node.Step(ev, out)
		fmt.Println(ev.Kind)
		for _, e := range out.List {
			switch e.Kind {
			case protocols.EffectSend:
				fmt.Printf("  %s to %s: %+v\n", e.Kind, e.To, *e.Message.(*Greeting))
				memory.ReleaseMessage(e.Message) // the receiver has handled it
			case protocols.EffectPersist:
				fmt.Printf("  %s %+v, %d bytes\n", e.Kind, *e.Record.(*Counted), protocols.WireSize(e.Record))
			case protocols.EffectNote:
				fmt.Printf("  %s %s: %s\n", e.Kind, out.Notes[e.Note].Kind, out.Notes[e.Note].Text)
			default:
				fmt.Printf("  %s %d %s\n", e.Kind, e.Timer, e.Min)
			}
		}
		out.Reset()
	}
	// Output:
	// start
	//   set-timer 0 1s
	// receive
	//   persist {Number:7}, 8 bytes
	//   send to n2: {Number:8}
	// receive
	//   note dropped: an old greeting
}

// An executor runs each request once, however often the log holds it.
func ExampleExecutor() {
	machine, err := protocols.NewMachine("kv")
	if err != nil {
		fmt.Println(err)
		return
	}
	x := protocols.Executor{Machine: machine}
	put := protocols.Command{Client: -1, Kind: protocols.Write, Op: protocols.Put, Key: 1, Seq: 1, Arg: 4}
	fmt.Println(put, "->", x.Apply(1, put, 0))
	fmt.Println(put, "->", x.Apply(2, put, 0)) // sent again: the first answer
	get := protocols.Command{Client: -1, Kind: protocols.Read, Op: protocols.Get, Key: 1}
	fmt.Println(get, "->", x.Read(get))
	// Output:
	// put k1 4 -> nothing at 1
	// put k1 4 -> nothing at 1
	// get k1 -> 4 at 2
}

// Views stay as they are, whatever becomes of the log.
func ExampleLog() {
	var log protocols.Log[string]
	for _, entry := range []string{"a", "b", "c"} {
		log.Append(entry)
	}
	view := log.View(2, 10)
	log.TruncateFrom(2) // a conflict
	log.Append("x")
	fmt.Println(view, *log.At(2), log.First(), log.Last())
	// Output: [b c] x 1 2
}

func ExampleCommittedIndex() {
	match := []protocols.Index{0, 9, 7, 3} // by node id; 0 is nobody
	voters := protocols.NodesUpTo(3)
	fmt.Println(protocols.CommittedIndex(protocols.Majority{Of: voters}, match))
	fmt.Println(protocols.CommittedIndex(protocols.Threshold{Of: voters, Size: 1}, match))
	// Output:
	// 7
	// 9
}
