package checker

import "github.com/lockstep-sim/lockstep/protocols"

// request is what is known of one client request.
type request struct {
	command  protocols.Command
	at       protocols.Time // when it first reached a node
	issued   bool
	answered bool // a write, with an answer
	swapped  bool
	value    protocols.Value
	position protocols.Index
}

// forgetAfter is how long ago a request came when it is forgotten: nothing that is
// under way for so long is judged any more.
const forgetAfter protocols.Duration = 2 * 60e9

// clients watches requests and answers.
type clients struct {
	once bool          // judge [CheckOnce]
	of   []clientCalls // by client (-id)
}

// clientCalls are the requests of one client from number first on.
type clientCalls struct {
	first    uint64
	requests []request
}

func newClients(once bool) *clients { return &clients{once: once} }

// Moments implements [protocols.Observer].
func (x *clients) Moments() protocols.MomentKind { return protocols.Stepped | protocols.Replied }

// Checks implements [protocols.Observer].
func (x *clients) Checks() []protocols.CheckInfo {
	return []protocols.CheckInfo{
		{ID: CheckIssued, Text: "every answer is to a command that its client has sent"},
		{ID: CheckOnce, Text: "every answer to one write names the same position and the same result"},
	}
}

// Observe implements [protocols.Observer].
func (x *clients) Observe(m *protocols.Moment) {
	if m.Kind == protocols.Replied {
		x.replied(m)
		return
	}
	if m.Event.Kind != protocols.Request {
		return
	}
	c := &m.Event.Command
	if c.Client >= 0 {
		return // a request of one node to another is the protocol's own business
	}
	if r := x.grow(c, m.Now); r != nil && !r.issued {
		*r = request{command: *c, issued: true, at: m.Now}
	}
}

// grow returns the place of a request, or nil where it is forgotten. Sequence numbers
// count up from 1, so that the slices stay dense.
func (x *clients) grow(c *protocols.Command, now protocols.Time) *request {
	client := -int(c.Client)
	for len(x.of) <= client {
		x.of = append(x.of, clientCalls{})
	}
	of := &x.of[client]
	if c.Seq < of.first {
		return nil
	}
	for of.first+uint64(len(of.requests)) <= c.Seq {
		of.forget(now)
		of.requests = append(of.requests, request{})
	}
	return &of.requests[c.Seq-of.first]
}

// forget drops the older half of many requests once all of it is old, when memory
// would have to grow.
func (of *clientCalls) forget(now protocols.Time) {
	half := len(of.requests) / 2
	if half < 128 || len(of.requests) < cap(of.requests) || now.Sub(of.requests[half].at) < forgetAfter {
		return
	}
	rest := copy(of.requests, of.requests[half:])
	of.first += uint64(half)
	of.requests = of.requests[:rest]
}

// find returns a request that was issued, or nil; gone says that it is forgotten.
func (x *clients) find(c *protocols.Command) (r *request, gone bool) {
	client := -int(c.Client)
	if client <= 0 || client >= len(x.of) {
		return nil, false
	}
	of := &x.of[client]
	if c.Seq < of.first {
		return nil, true
	}
	if c.Seq-of.first >= uint64(len(of.requests)) {
		return nil, false
	}
	if r := &of.requests[c.Seq-of.first]; r.issued {
		return r, false
	}
	return nil, false
}

func (x *clients) replied(m *protocols.Moment) {
	c, result := &m.Answer.Command, &m.Answer.Result
	r, gone := x.find(c)
	if gone {
		return
	}
	if r == nil || r.command != *c {
		m.Violate(CheckIssued, "%s answered request %d of %s, which that client has not sent like this", m.Node, c.Seq, c.Client)
		return
	}
	if !x.once || c.Kind != protocols.Write || result.Status != protocols.OK {
		return
	}
	if !r.answered {
		r.answered, r.swapped, r.value, r.position = true, result.Swapped, result.Value, result.Position
		return
	}
	if r.position != result.Position {
		m.Violate(CheckOnce, "request %d of %s took effect at position %d and, says %s, at %d", c.Seq, c.Client, r.position, m.Node, result.Position)
	} else if r.value != result.Value || r.swapped != result.Swapped {
		m.Violate(CheckOnce, "request %d of %s was answered %d and, by %s, %d", c.Seq, c.Client, r.value, m.Node, result.Value)
	}
}
