package protocols

// Part is a run of rows of a snapshot of an [Executor], for protocols that send a
// snapshot in pieces. A row is a cell of the kv machine, an element of the log
// machine, the whole of another machine, or a client's session. It is immutable and
// shares the rows of its snapshot.
type Part struct {
	applied  Index
	machine  any // cut out of the machine's snapshot; nil: none of its rows
	sessions []session
}

// Applied returns the position of the snapshot that p is of; 0 for no part.
func (p Part) Applied() Index { return p.applied }

// Rows returns how many rows p has.
func (p Part) Rows() uint64 {
	return machineRows(p.machine) + uint64(len(p.sessions))
}

// Rows returns how many rows a snapshot has that [Executor.Snapshot] gave. Equal
// states at equal positions have equal rows in equal order.
func Rows(snapshot any) uint64 {
	s, ok := snapshot.(executorState)
	if !ok {
		return 0
	}
	table, _ := s.sessions.(Sessions)
	return machineRows(s.machine) + uint64(len(table.byClient))
}

// Cut returns at most count rows of a snapshot that [Executor.Snapshot] gave, from
// row from on, counted from 0.
func Cut(snapshot any, from, count uint64) Part {
	s, ok := snapshot.(executorState)
	if !ok {
		return Part{}
	}
	p := Part{applied: s.applied}
	rows := machineRows(s.machine)
	if from < rows {
		n := min(count, rows-from)
		p.machine = cutMachine(s.machine, from, from+n)
		from, count = rows, count-n
	}
	table, _ := s.sessions.(Sessions)
	if first := from - rows; first < uint64(len(table.byClient)) {
		last := first + min(count, uint64(len(table.byClient))-first)
		p.sessions = table.byClient[first:last:last]
	}
	return p
}

// Join puts the parts of one snapshot, in order and without gaps, together again:
// Restore takes the result. It returns nil when they are not of one position and one
// machine.
func Join(parts []Part) any {
	var s executorState
	var table Sessions
	for _, p := range parts {
		if s.applied != 0 && s.applied != p.applied {
			return nil
		}
		s.applied = p.applied
		if p.machine != nil {
			joined, ok := joinMachine(s.machine, p.machine)
			if !ok {
				return nil
			}
			s.machine = joined
		}
		for i := range p.sessions {
			table.hash += p.sessions[i].hash
			if p.sessions[i].seq > 0 && !p.sessions[i].expired {
				table.live++
			}
		}
		table.byClient = append(table.byClient, p.sessions...)
	}
	if s.applied == 0 {
		return nil
	}
	s.sessions = table
	return s
}

func machineRows(snapshot any) uint64 {
	switch m := snapshot.(type) {
	case nil:
		return 0
	case []kvCell:
		return uint64(len(m))
	case logMachine:
		return uint64(len(m.values))
	}
	return 1
}

func cutMachine(snapshot any, from, to uint64) any {
	switch m := snapshot.(type) {
	case []kvCell:
		return m[from:to:to]
	case logMachine:
		return logMachine{m.values[from:to:to], m.roll}
	}
	return snapshot
}

// joinMachine appends the rows of next to what was joined before, which is left as
// it is.
func joinMachine(before, next any) (any, bool) {
	switch m := next.(type) {
	case []kvCell:
		rows, ok := before.([]kvCell)
		return append(rows[:len(rows):len(rows)], m...), ok || before == nil
	case logMachine:
		rows, ok := before.(logMachine)
		return logMachine{append(rows.values[:len(rows.values):len(rows.values)], m.values...), m.roll}, ok || before == nil
	}
	return next, before == nil
}
