package scenarios

import "fmt"

// Template returns a commented scenario to start from. name must be a valid
// scenario name ([ValidName]).
func Template(name string) []byte { return fmt.Appendf(nil, template, name) }

// ValidName reports whether a scenario may be called so.
func ValidName(name string) bool { return validName(name) == nil }

const template = `# A lockstep scenario. Run it:  lockstep run %[1]s.yaml --seeds 1..20
# Every key but name has a default; lockstep schema gives editors completion.
name: %[1]s
why: The leader is cut off for two seconds. The others elect a new one.

replicas: 3                  # n1, n2, n3
machine: kv                  # register, counter, log or stamp
# protocols: [raft]          # without it, every protocol
# parameters:                # settings of one protocol: lockstep list protocols
#   raft: {pre_vote: true}

network:
  latency: 0.5ms..1ms        # one way; also exp(5ms), lognormal(1ms,20ms), …
  loss: 0%%
  duplicate: 0%%
  order: free                # messages may overtake each other; or fifo
  # client: {latency: 2ms}   # links between clients and replicas
  # links:                   # exceptions, each one way
  #   - {from: n1, to: n2, latency: 20ms}

disk: {write: 10us, fsync: 0.8ms..1.2ms}
# clock: {offset: 0s..50ms, drift: 50ppm}

workload:
  clients: 5                 # c1 to c5, each with one operation at a time
  keys: 5
  mix: {get: 50%%, put: 40%%, cas: 10%%}
  think: 5ms..15ms           # closed loop; or rate: 200/s
  timeout: 500ms             # then the same request goes to another node
  give_up: 2s                # then its outcome is failed or unknown
  # popularity: zipf(0.99)   # of keys; or hotspot(10%%,90%%)
  # payload: 100B..1KB       # size of values

# phases:                    # stretches with other links or other conduct
#   - {name: rush, at: 6s, workload: {rate: 200/s, burst: 5}, network: {loss: 1%%}}

faults:                      # each has its own end; for: forever lasts until the heal
  - {at: 3s, for: 2s, partition: leader}
  # - {at: 6s, for: 500ms, crash: leader}
  # - {at: 6s, for: 1s, pause: n2}
  # - {at: 6s, for: 1s, loss: 20%%}
  # - {at: 6s, for: 1s, delay: {target: n1, latency: 100ms}}
  # - {when: leader-elected, after: 200ms, count: 3, for: 1s, pause: subject}   # lockstep list events
# nemesis: {faults: [kill, partition, packet], every: 2s}   # more of them, drawn from the seed

# matrix: {replicas: [3, 5], network.loss: [0%%, 1%%]}   # a scenario for each combination

for: 10s                     # safety phase; then the heal, and progress is demanded

expect:
  verdict: ok
  leaderless: < 2s
  # latency.p99: < 400ms

sometimes:                   # what must have happened, or the run proves nothing
  - fault 1 effective
  - leader changes
`
