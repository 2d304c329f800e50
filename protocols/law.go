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

// RoundCost is the cost of one round between a leader and all others, who send and
// receive each of the kinds once: four delays, and the given number of durable writes
// one after the other. Alone there is nobody to ask: two delays, and at most one write.
func RoundCost(writes int, kinds ...string) func(n int) Cost {
	return func(n int) Cost {
		if n == 1 {
			return LocalCost(min(writes, 1))(n)
		}
		c := Cost{Delays: 4, Writes: writes, Busiest: 2 + (n-1)*len(kinds)}
		for _, k := range kinds {
			c.Sent = append(c.Sent, KindCount{k, n - 1})
		}
		return c
	}
}

// LocalCost is the cost of what a leader answers alone, after the given number of
// durable writes; others get each of the kinds without being waited for.
func LocalCost(writes int, kinds ...string) func(n int) Cost {
	return func(n int) Cost {
		c := Cost{Delays: 2, Writes: writes, Busiest: 2 + (n-1)*len(kinds)}
		for _, k := range kinds {
			if n > 1 {
				c.Sent = append(c.Sent, KindCount{k, n - 1})
			}
		}
		return c
	}
}
