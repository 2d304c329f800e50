package reproduce

import (
	"fmt"
	"math"
	"time"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/combin"

	"github.com/lockstep-sim/lockstep/protocols"
	"github.com/lockstep-sim/lockstep/reports"
	"github.com/lockstep-sim/lockstep/sim"
)

// wanElections is the election on a simulated wide-area cluster.
func wanElections(l *lab) error {
	var ours []reports.Measured
	var theirs []reports.Published
	for _, c := range []struct {
		scenario, curve string
		mean, p999      float64
	}{{"raft-election-wan", "0 failed", 430.0, 978}, {"raft-election-wan-crashed", "1 failed", 468.6, 1382}} {
		sc, err := l.load(c.scenario)
		if err != nil {
			return err
		}
		published, err := curve("availsim-wan-equal-logs", c.curve)
		if err != nil {
			return err
		}
		times, err := l.elections(sc, l.Elections, func(o *elected) int64 { return int64(o.at) })
		if err != nil {
			return err
		}
		s := sampled(times)
		l.add(s.meanRow(c.curve+", mean", c.mean, 0.01),
			s.quantileRow(c.curve+", p50", 0.5, at(published, 0.5), 0.01),
			s.quantileRow(c.curve+", p90", 0.9, at(published, 0.9), 0),
			s.quantileRow(c.curve+", p99", 0.99, at(published, 0.99), 0.05),
			s.quantileRow(c.curve+", p99.9", 0.999, c.p999, 0))
		ours = append(ours, reports.Measured{Name: c.curve + ", ours", Times: times})
		theirs = append(theirs, published)
	}
	l.draw("raft-election-wan", reports.AgainstPublished("Raft elections on a wide-area cluster",
		fmt.Sprintf("dashed: Ongaro's dissertation, 10,000 trials; solid: %d trials of the model", l.Elections), "time until a leader has a majority of votes", ours, theirs))
	return nil
}

// splitVotes compares the share of first terms without a leader with the closed form.
func splitVotes(l *lab) error {
	sc, err := l.load("raft-split-vote")
	if err != nil {
		return err
	}
	const width = protocols.Duration(200_000_000) // of the timeout range, as the scenario has it
	cells := []struct{ n, s int }{{3, 2}, {5, 4}, {5, 3}, {7, 6}}
	shares := []int64{5, 10, 20, 30}
	z := deviates(chance / float64(len(cells)*len(shares)))
	for _, c := range cells {
		for _, percent := range shares {
			one := *sc
			one.Replicas, one.Faults = c.n, downFrom(c.s+1, c.n)
			one.Network.Between.Latency = sim.Exactly(width * protocols.Duration(percent) / 100)
			terms, err := l.elections(&one, l.Elections, func(o *elected) int64 { return int64(min(o.epoch, 2)) })
			if err != nil {
				return err
			}
			split := 0
			for _, t := range terms {
				split += int(t - 1)
			}
			p := splitProbability(c.n, c.s, float64(percent)/100)
			bound := z * math.Sqrt(p*(1-p)/float64(len(terms)))
			l.add(within(fmt.Sprintf("%d servers, %d up, l = 0.%02d", c.n, c.s, percent), "%", 100*p, 100*float64(split)/float64(len(terms)), 100*bound,
				fmt.Sprintf("%.2f points", 100*bound)))
		}
	}
	l.remark("The tolerance is the binomial bound of %d trials that a model which agrees exactly leaves in 1 %% of all tables of %d cells.", l.Elections, len(cells)*len(shares))
	return nil
}

// splitProbability is the closed form of section 9.2: n servers of which s are up, and
// a latency of share of the width of the timeout range.
func splitProbability(n, s int, share float64) float64 {
	c := s - n/2 + 1
	p := 0.0
	for k := c - 1; k <= s; k++ {
		p += float64(combin.Binomial(s, k)) * math.Pow(share, float64(k)) * math.Pow(1-share, float64(s-k))
	}
	return p
}

// downFrom plans that the servers first to last are down from the start.
func downFrom(first, last int) []sim.Fault {
	var faults []sim.Fault
	for id := first; id <= last; id++ {
		target, err := sim.ParseTarget(fmt.Sprintf("n%d", id))
		if err != nil {
			panic(err) // a name made here
		}
		faults = append(faults, sim.Fault{Kind: protocols.FaultCrash, For: sim.Forever, Target: target})
	}
	return faults
}

// figure16 is the fail-over on a local network.
func figure16(l *lab) error {
	var ours []reports.Measured
	var theirs []reports.Published
	for _, c := range []struct {
		figure, curve, timeouts, heartbeat string
		mean                               float64
	}{
		{"raft-fig16-top", "150-300ms", "150ms..300ms", "75ms", 181},
		{"raft-fig16-top", "150-200ms", "150ms..200ms", "75ms", 156},
		{"raft-fig16-bottom", "50-100ms", "50ms..100ms", "25ms", 71.3},
	} {
		published, err := curve(c.figure, c.curve)
		if err != nil {
			return err
		}
		times, err := l.failovers(c.timeouts, c.heartbeat, l.Elections, time.Minute)
		if err != nil {
			return err
		}
		s := sampled(times)
		l.add(s.meanRow(c.curve+", mean", c.mean, 0.05),
			s.quantileRow(c.curve+", p50", 0.5, at(published, 0.5), 0),
			s.quantileRow(c.curve+", p90", 0.9, at(published, 0.9), 0),
			s.quantileRow(c.curve+", p99", 0.99, at(published, 0.99), 0),
			s.quantileRow(c.curve+", p99.9", 0.999, at(published, 0.999), 0))
		ours = append(ours, reports.Measured{Name: c.curve + ", ours", Times: times})
		theirs = append(theirs, published)
	}
	if l.figure.Missed() > 0 {
		l.remark("The miss: with timeouts of 50 to 100 ms and a round of 15 ms nothing can take less than 42 ms, which is 50 ms from the last heartbeat, at most 25 ms of them before the crash, then 13 ms of disk and three or four messages of 1 ms. The published p1 is 39.1 ms and its median 66.7 ms: part of the paper's rounds must have taken less than the 15 ms that it names. The model has them constant, and the shorter the timeouts, the more of the mean they are. Jitter of the disk alone does not explain it: 3 to 23 ms for a write make the mean longer. With 10 ms, a round of 12 ms, all three means are within 5 %%; these rows are shown, and the setting stays at what the paper says.")
	}
	l.draw("raft-figure-16", reports.AgainstPublished("Raft: time without a leader after a crash",
		fmt.Sprintf("dashed: Figure 16, 1,000 trials; solid: %d trials of the model", l.Elections), "from the crash until all others hear the next leader", ours, theirs))
	if err := l.shorterWrites(); err != nil {
		return err
	}
	return l.otherRules()
}

// shorterWrites shows which disk the published means go with.
func (l *lab) shorterWrites() error {
	for _, c := range []struct {
		timeouts, heartbeat, name string
		mean                      float64
	}{{"150ms..300ms", "75ms", "150-300ms", 181}, {"150ms..200ms", "75ms", "150-200ms", 156}, {"50ms..100ms", "25ms", "50-100ms", 71.3}} {
		times, err := l.failovers(c.timeouts, c.heartbeat, min(l.Elections, fewest), time.Minute, "disk.fsync", "10ms")
		if err != nil {
			return err
		}
		l.add(numbers(c.name+", mean, 10 ms for a disk write", "ms", c.mean, stat.Mean(sampled(times), nil)))
	}
	return nil
}

// failovers runs figure 16 with the given settings.
func (l *lab) failovers(timeouts, heartbeat string, n int, limit protocols.Duration, set ...string) ([]int64, error) {
	sc, err := l.load("raft-figure-16", append([]string{"parameters.raft.heartbeat", "1ms", "parameters.raft.election_timeout", timeouts, "parameters.raft.heartbeat", heartbeat}, set...)...)
	if err != nil {
		return nil, err
	}
	spread, err := time.ParseDuration(heartbeat)
	if err != nil {
		return nil, err
	}
	return l.crashes(sc, n, spread, limit)
}

// otherRules shows what two rules of the shipped defaults cost here.
func (l *lab) otherRules() error {
	for _, c := range []struct{ what, key, value string }{
		{"150-300ms, mean, a candidate's own write first", "early", "[]"},
		{"150-300ms, mean, election_timer: each-term", "parameters.raft.election_timer", "each-term"},
	} {
		times, err := l.failovers("150ms..300ms", "75ms", min(l.Elections, fewest), time.Minute, c.key, c.value)
		if err != nil {
			return err
		}
		l.add(numbers(c.what, "ms", 181, stat.Mean(sampled(times), nil)))
	}
	l.remark("The paper says that a broadcast takes about 15 ms with one disk write. The scenario lets a candidate ask for votes while it writes its own (early: [RequestVote]). As shipped, Raft asks after its own write is durable, which is one disk write of 13 ms more: the row before the last.")
	l.remark("The scenario runs Raft with election_timer: heard, the rule of the paper's Figure 2: the timer starts anew when the leader is heard, a vote is granted or an election begins. By default (each-term) a higher term alone starts it anew as well. Then a candidate that cannot win because of its log holds up those that can, and as two of four are such here the mean about doubles: the last row.")
	l.remark("Only means are claimed. The published p99 and beyond are above ours: they come from real disks and processors that sometimes take longer, where the model has a constant 13 ms and no CPU time.")
	return nil
}

// collapse shows what happens without randomness.
func collapse(l *lab) error {
	trials := min(l.Elections, 1000)
	const limit = protocols.Duration(60_000_000_000)
	var medians []float64
	var ours []reports.Measured
	var theirs []reports.Published
	for _, c := range []struct {
		curve, timeouts string
		trials          int
	}{{"150-150ms", "150ms..150000001ns", min(trials, 100)}, {"150-151ms", "150ms..151ms", trials}, {"150-200ms", "150ms..200ms", trials}} {
		published, err := curve("raft-fig16-top", c.curve)
		if err != nil {
			return err
		}
		times, err := l.failovers(c.timeouts, "75ms", c.trials, limit)
		if err != nil {
			return err
		}
		s := sampled(times)
		l.add(stopped(s.quantileRow(c.curve+", p50", 0.5, at(published, 0.5), 0), limit))
		medians = append(medians, s.quantile(0.5))
		ours = append(ours, reports.Measured{Name: c.curve + ", ours", Times: times})
		theirs = append(theirs, published)
	}
	l.add(said("150-150ms: elections take longer than 10 s", "yes", yesNo(medians[0] > 10_000)),
		said("150-151ms: the typical election takes longer than a second", "yes", yesNo(medians[1] > 1000)),
		said("150-151ms: more than three times the median of 150-200ms", "yes", yesNo(medians[1] > 3*medians[2])),
		said("order of the medians: 150-150 > 150-151 > 150-200", "yes", yesNo(medians[0] > medians[1] && medians[1] > medians[2])))
	first, err := l.failovers("150ms..151ms", "75ms", trials, limit, "early", "[]")
	if err != nil {
		return err
	}
	l.add(stopped(sampled(first).quantileRow("150-151ms, p50, a candidate's own write first", 0.5, 1198.6, 0), limit))
	if err := l.shortWriteFirst(trials, limit); err != nil {
		return err
	}
	l.remark("The miss: how often two candidates of a narrow range meet depends on the time from the timeout of one to the arrival of its request at the others, and on the spread of that. Where a candidate asks as it writes, the time is that of a local network, 1 ms +-20 %%, and the median is below the published one, at 2 ms of latency as well. Where it writes first, it is 14 ms, and with a constant disk no election of this range ends. With a write of 0 to 2 ms before the request, so 2 ms on average with a spread, median, p90 and p99 are near the published ones and p10 is above: the last rows. They were chosen among about twenty variants because they are the nearest. What the paper measured would be consistent with about a millisecond beside the network, not always the same, before a request was out. It names no such time and the scenario has none, so that narrow ranges are not claimed.")
	l.draw("raft-collapse", reports.AgainstPublished("Raft: elections without randomness",
		"dashed: Figure 16; solid: the model, stopped after 60 s", "from the crash until all others hear the next leader", ours, theirs))
	return nil
}

// shortWriteFirst shows the narrow range where a candidate's request waits for a short
// write that does not always take the same time.
func (l *lab) shortWriteFirst(trials int, limit protocols.Duration) error {
	published, err := curve("raft-fig16-top", "150-151ms")
	if err != nil {
		return err
	}
	times, err := l.failovers("150ms..151ms", "75ms", trials, limit, "early", "[]", "disk.fsync", "0ms..2ms")
	if err != nil {
		return err
	}
	s := sampled(times)
	for _, q := range []struct {
		name string
		at   float64
	}{{"p10", 0.1}, {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}} {
		l.add(stopped(s.quantileRow("150-151ms, "+q.name+", a write of 0 to 2 ms first", q.at, at(published, q.at), 0), limit))
	}
	return nil
}

// stopped says of a time that is the limit that it is longer.
func stopped(r Row, limit protocols.Duration) Row {
	if *r.Number >= float64(limit)/1e6 {
		r.Ours, r.Difference, r.Number, r.Theirs = "more than "+limit.String(), "", nil, nil
	}
	return r
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// draw adds a plot.
func (l *lab) draw(name string, f *reports.Figure) {
	l.figure.plots = append(l.figure.plots, reports.NamedFigure{Name: name, Figure: f})
}
