package sim

import (
	"errors"
	"fmt"
	"time"

	"github.com/lockstep-sim/lockstep/protocols"
)

// maxFaults bounds a fault plan.
const maxFaults = 10_000

// completed returns cfg with its defaults filled in, or what is wrong with it.
func completed(cfg Config) (Config, error) {
	p := cfg.Protocol
	switch {
	case p.Check() != nil:
		return cfg, p.Check()
	case cfg.Replicas < 1 || cfg.Replicas > MaxReplicas:
		return cfg, fmt.Errorf("replicas: %d is outside 1..%d", cfg.Replicas, MaxReplicas)
	}
	if cfg.Parameters == nil && p.Parameters != nil {
		cfg.Parameters = p.Parameters()
	}
	if p.Validate != nil {
		if err := p.Validate(cfg.Parameters, cfg.Replicas); err != nil {
			return cfg, fmt.Errorf("parameters: %w", err)
		}
	}
	cluster := clusterOf(&cfg)
	if cluster.Nodes() > protocols.MaxNodes {
		return cfg, fmt.Errorf("replicas: %d and %d service nodes are more than %d", cluster.Replicas, cluster.Services, protocols.MaxNodes)
	}
	if cfg.Machine == "" {
		cfg.Machine = "kv"
	}
	if _, err := protocols.NewMachine(cfg.Machine); err != nil {
		return cfg, fmt.Errorf("machine: %w", err)
	}
	if cfg.Trace {
		cfg.Memory = protocols.Keep
	}
	if cfg.MaxEvents == 0 {
		cfg.MaxEvents = DefaultMaxEvents
	}
	if err := checkNames(&cfg); err != nil {
		return cfg, err
	}
	if err := checkWorld(&cfg, cluster); err != nil {
		return cfg, err
	}
	if err := checkWorkload(&cfg); err != nil {
		return cfg, err
	}
	if err := checkPhases(&cfg, cluster); err != nil {
		return cfg, err
	}
	if err := checkAdmin(&cfg); err != nil {
		return cfg, err
	}
	return cfg, checkFaults(&cfg, cluster)
}

func checkNames(cfg *Config) error {
	for _, name := range cfg.Early {
		if !hasKind(cfg.Protocol.Messages, name) {
			return fmt.Errorf("early: %s has no message %q", cfg.Protocol.Name, name)
		}
	}
	for _, name := range cfg.Lose {
		if !hasKind(cfg.Protocol.Records, name) {
			return fmt.Errorf("lose: %s has no record %q", cfg.Protocol.Name, name)
		}
	}
	return nil
}

func hasKind(list []protocols.KindInfo, name string) bool {
	for _, k := range list {
		if k.Name == name {
			return true
		}
	}
	return false
}

// Validate says what is wrong with l.
func (l *Link) Validate() error {
	if err := l.Latency.Validate(); err != nil {
		return fmt.Errorf("latency: %w", err)
	}
	if !l.Loss.valid() || !l.Duplicate.valid() {
		return fmt.Errorf("loss %s and duplicate %s must be within 0%%..100%%", l.Loss, l.Duplicate)
	}
	return checkTraffic(l)
}

// checkWorld checks network, disk and clock.
func checkWorld(cfg *Config, cluster protocols.Cluster) error {
	if err := cfg.Network.Between.Validate(); err != nil {
		return fmt.Errorf("network.between: %w", err)
	}
	if err := cfg.Network.Client.Validate(); err != nil {
		return fmt.Errorf("network.client: %w", err)
	}
	if len(cfg.Network.Links) > 60_000 {
		return fmt.Errorf("network.links: %d rules are more than 60000", len(cfg.Network.Links))
	}
	for i := range cfg.Network.Links {
		r := &cfg.Network.Links[i]
		for _, id := range [...]protocols.NodeID{r.From, r.To} {
			if id == 0 || int(id) > cluster.Nodes() || int(id) < -cfg.Workload.Clients-cfg.Workload.Subscribers {
				return fmt.Errorf("network.links[%d]: %s does not exist", i, cluster.Name(id))
			}
		}
		if r.From == r.To || r.From < 0 && r.To < 0 {
			return fmt.Errorf("network.links[%d]: there is no link from %s to %s", i, cluster.Name(r.From), cluster.Name(r.To))
		}
		if err := r.Link.Validate(); err != nil {
			return fmt.Errorf("network.links[%d]: %w", i, err)
		}
	}
	if err := checkRegions(cfg, cluster); err != nil {
		return err
	}
	if err := cfg.CPU.check(); err != nil {
		return fmt.Errorf("cpu.%w", err)
	}
	for _, d := range [...]struct {
		name string
		dist Dist
	}{
		{"disk.write", cfg.Disk.Write}, {"disk.fsync", cfg.Disk.Fsync}, {"clock.offset", cfg.Clock.Offset},
		{"workload.think", cfg.Workload.Think}, {"workload.every", cfg.Workload.Every},
	} {
		if err := d.dist.Validate(); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
	}
	if cfg.Clock.Drift < 0 || cfg.Clock.Drift > maxDrift {
		return fmt.Errorf("clock.drift: %d ppb is outside 0..%d", cfg.Clock.Drift, maxDrift)
	}
	return nil
}

// maxDrift is the largest rate error: a clock at half or one and a half times
// the true rate.
const maxDrift = billion / 2

func checkWorkload(cfg *Config) error {
	wl := &cfg.Workload
	switch {
	case wl.Clients < 0 || wl.Clients > MaxClients:
		return fmt.Errorf("workload.clients: %d is outside 0..%d", wl.Clients, MaxClients)
	case wl.Subscribers < 0 || wl.Subscribers > MaxSubscribers:
		return fmt.Errorf("workload.subscribers: %d is outside 0..%d", wl.Subscribers, MaxSubscribers)
	case wl.Keys < 0 || wl.Keys > 1_000_000:
		return fmt.Errorf("workload.keys: %d is outside 0..1000000", wl.Keys)
	case wl.Timeout < 0 || wl.GiveUp < 0:
		return errors.New("workload: timeout and giveUp must not be negative")
	case wl.Clients*max(1, wl.Keys) > MaxSeen: // fits 32 bits: 1000 times 1,000,000
		return fmt.Errorf("workload.keys: %d clients times %d keys are more than %d", wl.Clients, wl.Keys, MaxSeen)
	case wl.Burst < 0 || wl.Burst > MaxBurst:
		return fmt.Errorf("workload.burst: %d is outside 0..%d", wl.Burst, MaxBurst)
	case wl.Burst > 1 && wl.Every.Zero():
		return errors.New("workload.burst: only an open loop has arrivals: want every")
	case wl.Payload.Min > wl.Payload.Max || wl.Payload.Max > MaxPayload:
		return fmt.Errorf("workload.payload: want 0 <= min <= max <= %d bytes, got %d and %d", MaxPayload, wl.Payload.Min, wl.Payload.Max)
	case wl.Operations < 0:
		return fmt.Errorf("workload.operations: %d is negative", wl.Operations)
	case wl.Begin < 0:
		return fmt.Errorf("workload.begin: %s is negative", wl.Begin)
	}
	for i, s := range wl.Mix {
		if s.Weight < 0 || s.Weight > 1_000_000 {
			return fmt.Errorf("workload.mix[%d]: weight %d is outside 0..1000000", i, s.Weight)
		}
		if s.Kind < protocols.Write || s.Kind > protocols.Follow {
			return fmt.Errorf("workload.mix[%d]: want a kind: write, read or follow", i)
		}
	}
	if len(wl.Mix) > 0 && weightOf(wl.Mix) == 0 {
		return errors.New("workload.mix: all weights are 0")
	}
	return checkCalls(cfg)
}

func weightOf(mix []Share) (sum int64) {
	for _, s := range mix {
		sum += s.Weight
	}
	return sum
}

func checkFaults(cfg *Config, cluster protocols.Cluster) error {
	if len(cfg.Faults) > maxFaults {
		return fmt.Errorf("faults: %d are more than %d", len(cfg.Faults), maxFaults)
	}
	seen, strikes := make(map[int]bool, len(cfg.Faults)), 0
	for i := range cfg.Faults {
		f := &cfg.Faults[i]
		id := f.ID
		if id == 0 {
			id = i + 1
		}
		if id < 0 || seen[id] {
			return fmt.Errorf("faults[%d]: id %d is negative or taken", i, id)
		}
		seen[id] = true
		if err := f.Validate(cfg.Clock.Drift); err != nil {
			return fmt.Errorf("faults[%d]: %w", i, err)
		}
		err := f.Target.check(cfg, cluster, f.When)
		if err == nil {
			err = checkOccasion(cfg, occasion{when: f.When, after: f.After, until: f.Until, fault: id})
		}
		if err != nil {
			return fmt.Errorf("faults[%d]: %w", i, err)
		}
		if strikes += max(1, f.Count); strikes > maxFaults {
			return fmt.Errorf("faults: %d strikes are more than %d", strikes, maxFaults)
		}
		if !f.From.Empty() {
			if err := f.From.check(cfg, cluster, f.When); err != nil {
				return fmt.Errorf("faults[%d]: from: %w", i, err)
			}
		}
	}
	return nil
}

// Validate says what is wrong with f by itself, where clocks are declared to
// stay within ±drift parts per billion. Who its target may name is up to New.
func (f *Fault) Validate(drift int64) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%s: "+format, append([]any{f.Kind}, args...)...)
	}
	switch {
	case f.At < 0 || f.For < 0:
		return bad("at %s and for %s must not be negative", f.At, FormatDuration(f.For))
	case f.For != Forever && f.For > maxSpan || f.At > maxSpan:
		return bad("at and for must not be above %s, or for be forever", FormatDuration(maxSpan))
	case f.Stream < 0:
		return bad("stream %d is negative", f.Stream)
	case f.OneWay > Out:
		return bad("%s: want both, in or out", f.OneWay)
	case f.Cut < 0 || f.Cut > 0 && f.Kind != protocols.FaultCrash:
		return bad("cut %d: only a crash has one, from 1", f.Cut)
	case !f.Prob.valid():
		return bad("probability %s is outside 0%%..100%%", f.Prob)
	}
	if err := f.Latency.Validate(); err != nil {
		return bad("latency: %w", err)
	}
	if err := f.checkCount(); err != nil {
		return bad("%w", err)
	}
	if err := f.Down.Validate(); err != nil {
		return bad("down: %w", err)
	}
	if err := f.validateNetwork(bad); err != nil {
		return err
	}
	return f.validateKind(drift, bad)
}

func (f *Fault) validateKind(drift int64, bad func(string, ...any) error) error {
	switch f.Kind {
	case protocols.FaultCrash, protocols.FaultPause, protocols.FaultPartition, protocols.FaultReorder,
		protocols.FaultPowerLoss, protocols.FaultWipe, protocols.FaultStall, protocols.FaultTorn, protocols.FaultReordered,
		protocols.FaultDiskFull, protocols.FaultLying, protocols.FaultCorrupt, protocols.FaultMisdirect,
		protocols.FaultClog, protocols.FaultSwizzleClog, protocols.FaultBandwidth, protocols.FaultReplay, protocols.FaultCorruptMessage:
	case protocols.FaultAttrition, protocols.FaultCrashPoint, protocols.FaultStrobe:
		return f.validateMoments(bad)
	case protocols.FaultLoss, protocols.FaultDuplicate, protocols.FaultDiskError:
		if f.Prob == 0 {
			return bad("needs a probability above 0%%")
		}
	case protocols.FaultDelay:
		if f.Latency.Zero() {
			return bad("needs a latency above 0")
		}
	case protocols.FaultSlowDisk, protocols.FaultSlowNode:
		if f.Factor < 2 || f.Factor > 1000 {
			return bad("factor %d is outside 2..1000", f.Factor)
		}
	case protocols.FaultClock:
		if f.Step == 0 && f.Drift == 0 {
			return bad("needs a step or a drift")
		}
		if f.Drift > drift || f.Drift < -drift {
			return bad("drift %d ppb is beyond the declared bound of %d ppb; that is a fault of kind skew", f.Drift, drift)
		}
		if f.Step > MaxDist || f.Step < -MaxDist {
			return bad("step %s is beyond %s", FormatDuration(f.Step), FormatDuration(MaxDist))
		}
	case protocols.FaultSkew:
		if f.Drift == 0 || f.Drift > maxDrift || f.Drift < -maxDrift {
			return bad("drift %d ppb: want -%d..%d, not 0", f.Drift, maxDrift, maxDrift)
		}
	default:
		return fmt.Errorf("kind %q cannot be injected; want one of %s", f.Kind, kindList())
	}
	return nil
}

// minEvery keeps faults that strike again and again from filling a run.
const minEvery = time.Millisecond

// validateMoments checks the kinds that strike at moments of their own.
func (f *Fault) validateMoments(bad func(string, ...any) error) error {
	switch {
	case f.Kind == protocols.FaultCrashPoint && (f.Point < crashPoint(pointPersist, Before) || f.Point > crashPoint(pointApply, After)):
		return bad("%s: want a point such as before sync", f.Point)
	case f.Kind == protocols.FaultCrashPoint && (f.Nth < 0 || f.Nth > 1_000_000):
		return bad("count %d is outside 1..1000000", f.Nth)
	case f.Kind != protocols.FaultCrashPoint && (f.Every < minEvery || f.Every > MaxDist):
		return bad("every %s is outside %s..%s", FormatDuration(f.Every), FormatDuration(minEvery), FormatDuration(MaxDist))
	case f.Kind == protocols.FaultStrobe && (f.Step == 0 || f.Step > MaxDist || f.Step < -MaxDist):
		return bad("step %s: want one within %s, not 0", FormatDuration(f.Step), FormatDuration(MaxDist))
	}
	return nil
}

func kindList() string {
	s := ""
	for _, k := range FaultKinds() {
		s += ", " + string(k.Kind)
	}
	return s[2:]
}
