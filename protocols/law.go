package protocols

// Law is one line of a protocol's analytical model: what one operation costs its
// client and the cluster when nothing fails. It holds exactly, with zero tolerance,
// for one closed-loop client that knows the right node, constant delays and constant
// disk times, from the client's second operation on.
type Law struct {
	Name    string // what is asked, and how it is answered: "read under a lease"
	Setting string // the parameters that differ from the defaults, as a scenario writes them
	Source  string // where the paper says so
	Read    bool   // the operation is a read; otherwise it is a write
	// Parameters returns the parameters under which the law holds for n replicas, with
	// timeouts so long that hours pass without a timer; nil: it does not hold for n.
	Parameters func(n int) any
	// Cost returns what the operation costs with n replicas.
	Cost func(n int) Cost
}

// Cost is what one operation costs. With a one-way delay d on every link and a time w
// of one fsync, w at most 2d, the client waits for Delays·d + Writes·w.
type Cost struct {
	Delays int // one-way delays, one after the other, from the client's call to its return
	Writes int // durable writes, one after the other, that the client waits for
	// Sent is how many messages of each kind nodes send each other for it; a kind that
	// is not there is not sent. The request and the reply come on top.
	Sent []KindCount
	// Busiest is how many messages the busiest node sends and receives, request and
	// reply included.
	Busiest int
}

// KindCount is a number of messages of one kind, by its name.
type KindCount struct {
	Name     string
	Messages int
}

// Messages returns how many messages the operation takes in all, the client's request
// and the reply included.
func (c Cost) Messages() int {
	n := 2
	for _, k := range c.Sent {
		n += k.Messages
	}
	return n
}
