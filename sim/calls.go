package sim

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Call is one operation of an explicit workload: what a client calls, and when.
// A client makes its calls in the order of the list; one whose time has come while
// the client is busy is made as soon as it is not.
type Call struct {
	At     protocols.Time
	Client protocols.NodeID      // below 0
	To     protocols.NodeID      // the replica that is asked first; Nobody: whom the client believes to lead
	Op     protocols.Op          // ignored by a Follow
	Kind   protocols.CommandKind // Write, Read or Follow
	Key    protocols.Key         // kv: from 1; other machines: 0
}

func checkCalls(cfg *Config) error {
	for i := range cfg.Workload.Calls {
		c := &cfg.Workload.Calls[i]
		switch {
		case c.At < 0:
			return fmt.Errorf("workload.calls[%d]: at %s is negative", i, c.At)
		case c.Client >= 0 || int(-c.Client) > cfg.Workload.Clients:
			return fmt.Errorf("workload.calls[%d]: client %d is outside -1..-%d", i, c.Client, cfg.Workload.Clients)
		case c.To < 0 || int(c.To) > cfg.Replicas:
			return fmt.Errorf("workload.calls[%d]: to %d is outside 0..%d", i, c.To, cfg.Replicas)
		case c.Kind < protocols.Write || c.Kind > protocols.Follow:
			return fmt.Errorf("workload.calls[%d]: want a kind: write, read or follow", i)
		case int(c.Key) > max(1, cfg.Workload.Keys):
			return fmt.Errorf("workload.calls[%d]: key %d is outside 0..%d", i, c.Key, max(1, cfg.Workload.Keys))
		}
	}
	return nil
}

// plannedCall returns the next call of c, nil when there is none left.
func (w *World) plannedCall(c *client) *Call {
	calls := w.cfg.Workload.Calls
	for ; c.next < len(calls); c.next++ {
		if calls[c.next].Client == c.id {
			return &calls[c.next]
		}
	}
	return nil
}

// await makes an idle client sleep until its next planned call.
func (w *World) await(c *client) {
	if next := w.plannedCall(c); next != nil && !w.stopped {
		c.state = pausing
		w.sleep(c, max(w.now, next.At))
	}
}
