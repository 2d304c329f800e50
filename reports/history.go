package reports

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"github.com/lockstep-sim/lockstep/protocols"
)

// historyLine is one operation of a client history. Call and Return order the
// operations; the times are for readers.
type historyLine struct {
	Client   string  `json:"client"`
	Seq      uint64  `json:"seq"`
	Kind     string  `json:"kind"`
	Op       string  `json:"op"`
	Key      uint32  `json:"key"`
	Arg      int64   `json:"arg"`
	Old      int64   `json:"old"`
	Outcome  string  `json:"outcome"`
	Value    int64   `json:"value"`
	Swapped  bool    `json:"swapped"`
	List     []int64 `json:"list,omitempty"`
	Position uint64  `json:"position"`
	Call     int64   `json:"call"`
	Return   *int64  `json:"return"` // null: never returned
	BeganNS  int64   `json:"began_ns"`
	EndedNS  int64   `json:"ended_ns"`
	Attempts int32   `json:"attempts"`
	Node     string  `json:"node"`
}

// WriteHistory writes one JSON object per operation and line, in the order of the
// calls.
func WriteHistory(w io.Writer, history []protocols.Operation) error {
	b := bufio.NewWriter(w)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	for i := range history {
		op := &history[i]
		l := historyLine{
			Client: op.Client.String(), Seq: op.Seq, Kind: op.Kind.String(), Op: op.Op.String(), Key: uint32(op.Key), Arg: op.Arg, Old: op.Old,
			Outcome: op.Outcome.String(), Value: int64(op.Value), Swapped: op.Swapped, Position: uint64(op.Position),
			Call: op.Call, BeganNS: int64(op.Began), EndedNS: int64(op.Ended), Attempts: op.Attempts, Node: op.Node.String(),
		}
		for _, v := range op.List {
			l.List = append(l.List, int64(v))
		}
		if op.Return != protocols.Infinity {
			l.Return = &op.Return
		}
		if err := e.Encode(&l); err != nil {
			return fmt.Errorf("encoding operation %d: %w", i, err)
		}
	}
	return b.Flush()
}
