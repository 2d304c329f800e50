package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// maxCalls bounds the calls of an explicit workload.
const maxCalls = 10_000

// callsField is the explicit workload: every call of every client.
func callsField() field[sim.Workload] {
	list := listOf("a list of calls", false, callMapping().codec())
	simpler := list.simpler
	list.simpler = func(v, plain []sim.Call) []step[[]sim.Call] { // one stays: no list would be a drawn workload
		return slices.DeleteFunc(simpler(v, plain), func(s step[[]sim.Call]) bool { return len(s.value) == 0 })
	}
	return key("calls", "Explicit workload: every call that a client makes, in the order in which the client makes them. mix, think, every and begin then play no part.",
		func(w *sim.Workload) *[]sim.Call { return &w.Calls }, list)
}

func callMapping() *mapping[sim.Call] {
	node := nodeName()
	return &mapping[sim.Call]{
		what: "a call", flow: true,
		fields: []field[sim.Call]{
			key("at", "When the client calls, from the start of the run; a client that is busy then calls as soon as it is not.", func(c *sim.Call) *protocols.Time { return &c.At }, instant()),
			key("client", "Who calls: c1.", func(c *sim.Call) *protocols.NodeID { return &c.Client }, node),
			{
				key: "call", doc: "What is called: the operation, and its key where the machine is kv: put k1, get k2, increment. Arguments are drawn.",
				read: readOperation, write: writeOperation,
				schema: func([]*protocols.Protocol) object { return object{"type": "string"} },
			},
			key("to", "The replica that is asked first; without it the one that the client believes to lead.", func(c *sim.Call) *protocols.NodeID { return &c.To }, optional(node)),
		},
		after: func(d *decoder, n *yaml.Node, path string, given []string, c *sim.Call) {
			if len(given) < 3 || given[0] != "at" || given[1] != "client" || given[2] != "call" {
				d.fail(n, "%s: want at, client and call, as in {at: 1s, client: c1, call: put k1}", path)
			}
		},
	}
}

// optional leaves nobody out.
func optional(c codec[protocols.NodeID]) codec[protocols.NodeID] {
	write := c.write
	c.write = func(v *protocols.NodeID) *yaml.Node {
		if *v == protocols.Nobody {
			return nil
		}
		return write(v)
	}
	return c
}

// readOperation reads put k1, as the scenario's machine has it.
func readOperation(d *decoder, n *yaml.Node, path string, c *sim.Call) {
	d.where[path] = n
	words := strings.Fields(n.Value)
	machine := d.scenario.Machine
	if n.Kind != yaml.ScalarNode || len(words) == 0 {
		d.fail(n, "%s: want an operation such as put k1, got %s", path, show(n))
		return
	}
	share, ok := shareNamed(machine, words[0])
	if !ok {
		names := shareNames(machine)
		d.fail(n, "%s: the %s machine has no operation %s; it has %s%s", path, machine, quote(words[0]), strings.Join(names, ", "), DidYouMean(words[0], names))
		return
	}
	c.Op, c.Kind, c.Key = share.Op, share.Kind, 0
	keyed := machine == "kv" && share.Kind != protocols.Follow
	switch {
	case keyed && len(words) == 2:
		var k int
		if _, err := fmt.Sscanf(words[1], "k%d", &k); err != nil || k < 1 || k > 1_000_000 || words[1] != protocols.Key(k).String() {
			d.fail(n, "%s: want a key such as k1, got %s", path, quote(words[1]))
			return
		}
		c.Key = protocols.Key(k)
	case keyed:
		d.fail(n, "%s: want an operation and its key, as in %s k1, got %s", path, words[0], show(n))
	case len(words) > 1:
		d.fail(n, "%s: %s has no key here, got %s", path, words[0], show(n))
	}
}

func writeOperation(c *sim.Call) *yaml.Node { return text(callText(c)) }

// callText is what a call asks for: put k1.
func callText(c *sim.Call) string {
	s := shareName(sim.Share{Op: c.Op, Kind: c.Kind})
	if c.Key != 0 {
		s += " " + c.Key.String()
	}
	return s
}

// validateCalls checks what the list of calls says about the rest of the scenario.
func validateCalls(sc *Scenario, report reporter) {
	w := &sc.Workload
	if len(w.Calls) > maxCalls {
		report("workload.calls", "want at most %d calls, got %d", maxCalls, len(w.Calls))
	}
	for i := range w.Calls {
		c := &w.Calls[i]
		at := fmt.Sprintf("workload.calls[%d]", i+1)
		switch {
		case int64(c.At) >= int64(sc.For):
			report(at+".at", "the call comes at %s, after the safety phase (for: %s)", c.At, sim.FormatDuration(sc.For))
		case c.Client != protocols.Nobody && (c.Client > 0 || int(-c.Client) > w.Clients):
			report(at+".client", "no client %q; this workload has c1..c%d", c.Client, w.Clients)
		case c.To < 0 || int(c.To) > sc.Replicas:
			report(at+".to", "no replica %q; this cluster has n1..n%d", c.To, sc.Replicas)
		case int(c.Key) > w.Keys:
			report(at+".call", "no key %s; this workload has k1..k%d", c.Key, w.Keys)
		}
		if _, ok := shareNamed(sc.Machine, shareName(sim.Share{Op: c.Op, Kind: c.Kind})); !ok {
			report(at+".call", "the %s machine has no operation %s", sc.Machine, callText(c))
		}
	}
}
