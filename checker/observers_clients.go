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
	once bool                     // judge [CheckOnce]
	of   []protocols.Log[request] // by client (-id): number n is at position n+1
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
// count up from 1, so that the logs stay dense.
func (x *clients) grow(c *protocols.Command, now protocols.Time) *request {
	client := -int(c.Client)
	for len(x.of) <= client {
		x.of = append(x.of, protocols.Log[request]{})
	}
	of, at := &x.of[client], protocols.Index(c.Seq)+1
	if at < of.First() {
		return nil
	}
	for of.Last() < at {
		if of.Last()%forgetEvery == 0 {
			forget(of, now)
		}
		of.Append(request{})
	}
	return of.At(at)
}

// forgetEvery is how many requests of a client are forgotten at once.
const forgetEvery = 256

// forget drops the oldest requests of a client while all of them are old.
func forget(of *protocols.Log[request], now protocols.Time) {
	for of.Len() > forgetEvery {
		last := of.First() + forgetEvery - 1
		if now.Sub(of.At(last).at) < forgetAfter {
			return
		}
		of.CompactTo(last)
	}
}

// find returns a request that was issued, or nil; gone says that it is forgotten.
func (x *clients) find(c *protocols.Command) (r *request, gone bool) {
	client := -int(c.Client)
	if client <= 0 || client >= len(x.of) {
		return nil, false
	}
	of, at := &x.of[client], protocols.Index(c.Seq)+1
	if at < of.First() {
		return nil, true
	}
	if at > of.Last() {
		return nil, false
	}
	if r := of.At(at); r.issued {
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
