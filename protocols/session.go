package protocols

// SessionState says what the session table knows of a request.
type SessionState uint8

const (
	SessionNew   SessionState = iota // not executed
	SessionDone                      // executed; the cached result answers it
	SessionStale                     // older than the client's last: executed or given up long ago
)

// Sessions is the client table: for each client its last executed request and
// the result. It makes execution exactly once per (client, seq) and is part of
// the replicated state and of snapshots (thesis §6.3; VRR §4.1). A client has one
// request outstanding at a time.
type Sessions struct {
	last []session // by -client-1
	hash uint64
}

type session struct {
	seq    uint64
	result Result
}

// Lookup says whether c has been executed, and with what result.
func (s *Sessions) Lookup(c Command) (Result, SessionState) {
	slot := int(-c.Client) - 1
	if slot < 0 || slot >= len(s.last) || s.last[slot].seq < c.Seq {
		return Result{}, SessionNew
	}
	if s.last[slot].seq == c.Seq {
		return s.last[slot].result, SessionDone
	}
	return Result{}, SessionStale
}

// Record notes that c has been executed with result r.
func (s *Sessions) Record(c Command, r Result) {
	slot := int(-c.Client) - 1
	if slot < 0 {
		return
	}
	for slot >= len(s.last) {
		s.last = append(s.last, session{})
	}
	e := &s.last[slot]
	s.hash -= e.digest(slot)
	*e = session{c.Seq, r}
	s.hash += e.digest(slot)
}

func (e *session) digest(slot int) uint64 {
	if e.seq == 0 {
		return 0
	}
	h := Fold(Fold(uint64(slot), e.seq), uint64(e.result.Position))
	return Mix64(Fold(Fold(h, uint64(e.result.Value)), uint64(e.result.Status)))
}

// Hash is a digest of the table, kept up to date at O(1) per Record.
func (s *Sessions) Hash() uint64 { return s.hash }

// Fork returns a table with the same content and memory of its own.
func (s *Sessions) Fork() Sessions {
	return Sessions{last: append([]session(nil), s.last...), hash: s.hash}
}

// Len returns how many clients have a session.
func (s *Sessions) Len() int {
	n := 0
	for i := range s.last {
		if s.last[i].seq > 0 {
			n++
		}
	}
	return n
}
