package checker

import "github.com/lockstep-sim/lockstep/protocols"

// Applied is an observer that keeps the log as the first replica executed it,
// position by position, for [Options.Log]: it tells where operations with unknown
// outcome took effect, if they did. It reports nothing itself; that replicas
// execute the same is for the generic observers to see.
type Applied struct{ log []protocols.LogCommand }

// Moments implements [protocols.Observer].
func (a *Applied) Moments() protocols.MomentKind { return protocols.Stepped }

// Checks implements [protocols.Observer].
func (a *Applied) Checks() []protocols.CheckInfo { return nil }

// Observe implements [protocols.Observer].
func (a *Applied) Observe(m *protocols.Moment) {
	for i := range m.Effects.Notes {
		n := &m.Effects.Notes[i]
		if n.Kind == protocols.NoteApplied && n.Index > a.last() {
			a.log = append(a.log, protocols.LogCommand{Position: n.Index, Command: n.Command})
		}
	}
}

func (a *Applied) last() protocols.Index {
	if len(a.log) == 0 {
		return 0
	}
	return a.log[len(a.log)-1].Position
}

// Log returns what has been executed so far, in the order of positions.
func (a *Applied) Log() []protocols.LogCommand { return a.log }
