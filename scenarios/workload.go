package scenarios

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/sim"
)

// workloadMapping is all of a workload.
func workloadMapping() *mapping[sim.Workload] {
	own := []field[sim.Workload]{
		key("clients", "Number of clients, 1..1000; they are called c1, c2 and so on.", func(w *sim.Workload) *int { return &w.Clients }, whole[int](1, sim.MaxClients)),
		key("keys", "Number of keys; each operation draws one.", func(w *sim.Workload) *int { return &w.Keys }, whole[int](1, 1_000_000)),
	}
	rest := []field[sim.Workload]{
		key("operations", "Stop after this many calls; 0: no limit.", func(w *sim.Workload) *int { return &w.Operations }, whole[int](0, 10_000_000)),
		key("subscribers", "Number of clients beside these that follow the log from any replica and feed derived tables, 0..100; they are numbered after the clients, and crash and boot at drawn times.", func(w *sim.Workload) *int { return &w.Subscribers }, whole[int](0, sim.MaxSubscribers)),
		key("begin", "When the first call may come.", func(w *sim.Workload) *protocols.Time { return &w.Begin }, instant()),
		callsField(),
	}
	return &mapping[sim.Workload]{what: "a workload", fields: slices.Concat(own, conductFields(), rest), after: loops}
}

// conductMapping is what of a workload a phase may change.
func conductMapping() *mapping[sim.Workload] {
	return &mapping[sim.Workload]{
		what: "a workload of a phase", flow: true, fields: conductFields(), after: loops,
		before: func(d *decoder, w *sim.Workload) { *w = d.scenario.Workload },
	}
}

// conductFields say what clients call, how often and how long they wait.
func conductFields() []field[sim.Workload] {
	rate := rateCodec()
	return []field[sim.Workload]{
		key("popularity", "How often each key is drawn: uniform, zipf(0.99) for key k in proportion to 1/k^0.99, or hotspot(10%,90%) for a tenth of the keys with nine tenths of the operations. k1 is the most popular.", func(w *sim.Workload) *sim.Popularity { return &w.Popularity }, popularity()),
		key("mix", "What each operation is, in shares that add up to 100%: {get: 50%, put: 40%, cas: 10%}. Without it, the machine has a mix of its own: the default is that of kv.", func(w *sim.Workload) *[]sim.Share { return &w.Mix }, mixCodec()),
		key("payload", "Bytes that a written value takes in messages and records beside its number: 100B, 1kB, or 100B..4KiB evenly; at most 1MiB.", func(w *sim.Workload) *sim.Sizes { return &w.Payload }, sizes()),
		key("think", "Closed loop: pause between a result and the client's next call.", func(w *sim.Workload) *sim.Dist { return &w.Think }, distribution()),
		key("every", "Open loop: time between arrivals over all clients; 0s is a closed loop.", func(w *sim.Workload) *sim.Dist { return &w.Every }, distribution()),
		{
			key: "rate", doc: "Open loop: arrivals per second over all clients, at random times: 200/s. Short for every: exponential.",
			read: func(d *decoder, n *yaml.Node, path string, w *sim.Workload) {
				rate.read(d, n, path, &w.Every)
			},
			write:  func(*sim.Workload) *yaml.Node { return nil }, // written as every
			schema: rate.schema,
		},
		key("burst", fmt.Sprintf("Open loop: operations at each arrival, 1..%d; without it 1.", sim.MaxBurst), func(w *sim.Workload) *int { return &w.Burst }, omitted(whole[int](1, sim.MaxBurst), 0)),
		key("timeout", "Per attempt; then the same request goes to another node.", func(w *sim.Workload) *protocols.Duration { return &w.Timeout }, span(1, maxSpan)),
		key("give_up", "Per operation; then its outcome is failed or unknown.", func(w *sim.Workload) *protocols.Duration { return &w.GiveUp }, span(1, maxSpan)),
	}
}

// loops refuses to say one thing in two ways.
func loops(d *decoder, n *yaml.Node, path string, given []string, w *sim.Workload) {
	if slices.Contains(given, "every") && slices.Contains(given, "rate") {
		d.fail(d.at(path+".rate"), "%s: want every or rate, not both", path)
	}
	if w.Burst == 1 {
		w.Burst = 0 // the same, said in one way
	}
}

func popularity() codec[sim.Popularity] {
	c := scalar("uniform, zipf(0.99) or hotspot(10%,90%)", func(s string) (sim.Popularity, error) {
		p, err := sim.ParsePopularity(s)
		if err != nil && strings.Contains(s, "(") && !strings.HasSuffix(s, ")") {
			err = fmt.Errorf("%w (inside {…} a comma ends a value: quote it)", err)
		}
		return p, err
	}, sim.Popularity.String, object{"type": "string"})
	return omitted(c, sim.Popularity{})
}

// sizes is a size, or a range of sizes, with a unit.
func sizes() codec[sim.Sizes] {
	c := scalar("a size such as 100B, 1kB or 100B..4KiB", func(s string) (sim.Sizes, error) {
		from, to, two := strings.Cut(s, "..")
		if !two {
			to = from
		}
		low, err := parseSize(from)
		if err != nil {
			return sim.Sizes{}, err
		}
		high, err := parseSize(to)
		if err == nil && low > high {
			err = fmt.Errorf("the range %s ends before it begins", quote(s))
		}
		return sim.Sizes{Min: low, Max: high}, err
	}, func(s sim.Sizes) string {
		if s.Min == s.Max {
			return formatSize(s.Min)
		}
		return formatSize(s.Min) + ".." + formatSize(s.Max)
	}, object{"type": "string", "pattern": `^[0-9.]+ *(B|kB|KiB|MB|MiB)(\.\.[0-9.]+ *(B|kB|KiB|MB|MiB))?$`})
	return omitted(c, sim.Sizes{})
}

func parseSize(s string) (protocols.Payload, error) {
	v, err := parseBytes(strings.TrimSpace(s))
	if err == nil && v > sim.MaxPayload {
		err = fmt.Errorf("want at most %s, got %s", formatBytes(sim.MaxPayload), quote(s))
	}
	return protocols.Payload(v), err
}

// formatSize prints what parseSize reads.
func formatSize(p protocols.Payload) string { return formatBytes(int64(p)) }

// conductProblem says what is wrong with how clients behave, and with which key.
func conductProblem(sc *Scenario, w *sim.Workload) (key string, err error) {
	switch {
	case w.GiveUp < w.Timeout:
		return "give_up", fmt.Errorf("want at least the timeout of one attempt (%s), got %s", sim.FormatDuration(w.Timeout), sim.FormatDuration(w.GiveUp))
	case len(w.Mix) == 0:
		return "mix", errors.New("want at least one operation")
	case w.Burst > 1 && w.Every.Zero():
		return "burst", errors.New("only an open loop has arrivals: write every or rate")
	case w.Popularity != sim.Popularity{} && sc.Machine != "kv":
		return "popularity", fmt.Errorf("the %s machine has no keys", sc.Machine)
	}
	for _, s := range w.Mix {
		if _, ok := shareNamed(sc.Machine, shareName(s)); !ok {
			return "mix", fmt.Errorf("the %s machine has %s; give a mix of these", sc.Machine, strings.Join(shareNames(sc.Machine), ", "))
		}
	}
	return "", nil
}
