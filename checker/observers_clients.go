package checker

import "github.com/lockstep-sim/lockstep/protocols"

// request is what is known of one client request.
type request struct {
	command  protocols.Command
	issued   bool
	answered bool // a write, with an answer
	swapped  bool
	value    protocols.Value
	position protocols.Index
}

// clients watches requests and answers.
type clients struct {
	once     bool        // judge [CheckOnce]
	requests [][]request // by client (-id), then by sequence number
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
	if r := x.grow(c); !r.issued {
		*r = request{command: *c, issued: true}
	}
}

// grow returns the place of a request. Sequence numbers count up from 1, so that
// the slices stay dense.
func (x *clients) grow(c *protocols.Command) *request {
	client := -int(c.Client)
	for len(x.requests) <= client {
		x.requests = append(x.requests, nil)
	}
	of := x.requests[client]
	for uint64(len(of)) <= c.Seq {
		of = append(of, request{})
	}
	x.requests[client] = of
	return &of[c.Seq]
}

// find returns a request that was issued, or nil.
func (x *clients) find(c *protocols.Command) *request {
	client := -int(c.Client)
	if client <= 0 || client >= len(x.requests) || c.Seq >= uint64(len(x.requests[client])) {
		return nil
	}
	if r := &x.requests[client][c.Seq]; r.issued {
		return r
	}
	return nil
}

func (x *clients) replied(m *protocols.Moment) {
	c, result := &m.Answer.Command, &m.Answer.Result
	r := x.find(c)
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
