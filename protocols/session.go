package protocols

import "slices"

// SessionState says what the replicated state knows of a request.
type SessionState uint8

const (
	// SessionNew: nothing of this request; it is to be executed.
	SessionNew SessionState = iota
	// SessionDone: exactly this request was the client's last; its result is kept.
	SessionDone
	// SessionStale: the client has gone on to a later request, or its session has
	// expired since, so the result of this one is no longer known and it must not be
	// executed.
	SessionStale
)

// Sessions is the client table: the last request of every client and its result,
// so that a request is executed exactly once however often it is sent (Raft
// thesis §6.3; VR Revisited §4.1). It is part of the replicated state and of every
// snapshot. A client has one request under way at a time, numbered from 1; gaps
// are allowed.
//
// With a Limit, sessions expire: a client too many costs the one its result whose last
// request stands earliest in the log, at every replica alike. Of an expired session the
// number of the last request is left, so that nothing is ever executed twice: what is
// not above it is stale, and what is above opens the session again. (In the thesis a
// client registers and gets a new id.)
//
// The zero value is empty. Only ids below 0 are clients: others have no session.
type Sessions struct {
	// Limit bounds the sessions that keep a result; 0 is no bound. All replicas must
	// have the same. It is no part of a snapshot.
	Limit    int
	byClient []session // index: -client
	live     int       // sessions with a result
	hash     uint64
}

type session struct {
	seq     uint64 // 0: no session
	hash    uint64 // of client, seq and result; 0 without a session
	expired bool   // the result is dropped
	result  Result
}

// Lookup says whether c is to be executed, and for SessionDone returns its
// result. A Seq of 0 is no request and always stale.
func (s *Sessions) Lookup(c Command) (Result, SessionState) {
	state := s.state(&c)
	if state == SessionDone {
		return s.byClient[-int(c.Client)].result, state
	}
	return Result{}, state
}

// state is Lookup without the result.
func (s *Sessions) state(c *Command) SessionState {
	last := uint64(0)
	if at := -int(c.Client); at > 0 && at < len(s.byClient) {
		x := &s.byClient[at]
		if last = x.seq; c.Seq == last && last > 0 && !x.expired {
			return SessionDone
		}
	}
	if c.Seq > last {
		return SessionNew
	}
	return SessionStale
}

// Record keeps r as the result of c, which becomes the client's last request.
func (s *Sessions) Record(c Command, r Result) { s.record(&c, &r) }

func (s *Sessions) record(c *Command, r *Result) {
	at := -int(c.Client)
	if at <= 0 {
		return
	}
	if at >= len(s.byClient) {
		s.byClient = slices.Grow(s.byClient, at+1-len(s.byClient))[:at+1]
	}
	last := &s.byClient[at]
	h := Mix64(Fold(Fold(Fold(HashSeed, uint64(at)), c.Seq), r.hash()))
	s.hash += h - last.hash
	opened := last.seq == 0 || last.expired
	last.seq, last.hash, last.result, last.expired = c.Seq, h, *r, false
	if opened {
		if s.live++; s.Limit > 0 && s.live > s.Limit {
			s.expire()
		}
	}
}

// expire drops the result of the session whose last request stands earliest in the
// log.
func (s *Sessions) expire() {
	oldest := -1
	for i := range s.byClient {
		if x := &s.byClient[i]; x.seq > 0 && !x.expired && (oldest < 0 || x.result.Position < s.byClient[oldest].result.Position) {
			oldest = i
		}
	}
	x := &s.byClient[oldest]
	h := Mix64(Fold(Fold(HashSeed, uint64(oldest)), x.seq))
	s.hash += h - x.hash
	s.live--
	x.hash, x.expired, x.result = h, true, Result{}
}

// Hash digests the table: equal tables have equal hashes, however they came
// about. It is kept up to date at O(1) per Record.
func (s *Sessions) Hash() uint64 { return s.hash }

// Snapshot returns the table as an immutable value.
func (s *Sessions) Snapshot() any { return s.Fork() }

// Restore replaces the table by a snapshot; nil is the empty table.
func (s *Sessions) Restore(snapshot any) {
	limit := s.Limit
	if *s = (Sessions{}); snapshot != nil {
		table := snapshot.(Sessions)
		*s = table.Fork()
	}
	s.Limit = limit
}

// Fork returns an independent copy.
func (s *Sessions) Fork() Sessions {
	f := *s
	f.byClient = slices.Clone(s.byClient)
	return f
}
