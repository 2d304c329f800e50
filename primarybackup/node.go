package primarybackup

import (
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols"
)

// role is what a replica currently is.
type role uint8

const (
	idle     role = iota // outside the view, or of a view whose members it has not heard
	backup               // the view counts it
	starting             // named as primary; the view is not yet acknowledged
	primary              // serves
	stopped              // its disk failed; silent until restarted
)

// roleService is the view service's, in protocols.View.
const roleService = uint8(stopped) + 1

func roleNames() []string {
	return []string{"idle", "backup", "starting", "primary", "stopped", "view service"}
}

// The timers.
const (
	// timerTick runs everywhere, every Parameters.Ping.
	timerTick protocols.Timer = iota
	// timerWait runs at a primary under semisync while writes wait for backups.
	timerWait
)

// maxEpoch bounds the views that a node accepts, so that the next one always exists.
const maxEpoch = 1 << 62

// mode is Parameters.Mode as a number.
type mode uint8

const (
	modeSync mode = iota
	modeSemisync
	modeAsync
)

// Node is one replica.
type Node struct {
	id         protocols.NodeID   `hash:"-"`
	service    protocols.NodeID   `hash:"-"`
	replicas   int                `hash:"-"`
	parameters Parameters         `hash:"-"`
	mode       mode               `hash:"-"`
	physical   bool               `hash:"-"`
	k          int                `hash:"-"` // backups that semisync waits for
	serial     bool               `hash:"-"` // Parameters.LeaderWrite
	lease      protocols.Duration `hash:"-"`
	bugs       bugs               `hash:"-"`

	// Durable: view.Number, holds and log. What is here may be ahead of the disk; what
	// is said with Send is not.
	//
	// view is the highest known. Only its number is durable: who serves it is asked
	// again after a restart. Number is this replica's epoch, below which it takes part
	// in nothing.
	view View
	// holds is the newest view whose whole log this replica has: every entry that its
	// primary had when it took the view over, and all that was committed in it since.
	holds uint64
	log   protocols.Log[Entry]
	// baseEpoch is the epoch of the entry before log.First(), which a checkpoint
	// stands for; 0 at position 0. base is the checkpoint's state, nil at position 0.
	baseEpoch uint64
	base      any `hash:"-"`

	// Volatile at everyone.
	role role
	life Life
	echo protocols.Time // Announce.Sent of the last one heard
	// commit is up to where every member of an acknowledged view has the log.
	// execute.Applied == commit between steps.
	commit  protocols.Index
	execute protocols.Executor
	now     protocols.Time `hash:"-"` // of the current event, monotone
	wall    protocols.Time `hash:"-"` // of the current event
	// verified is up to where this log is known to equal that of the view's primary.
	verified protocols.Index
	// aside are what came before its turn in this view, by PrevIndex.
	aside []Replicate

	primaryState
}

// New boots the node Config.ID from its disk: a replica, or the view service.
func New(cfg protocols.Config, disk protocols.Recovered) (protocols.Node, error) {
	p, ok := cfg.Parameters.(*Parameters)
	if !ok {
		return nil, fmt.Errorf("primarybackup: got parameters of type %T, want *primarybackup.Parameters", cfg.Parameters)
	}
	switches, err := knownBugs().Parse(p.Bugs)
	if err != nil {
		return nil, fmt.Errorf("primarybackup: %w", err)
	}
	if int(cfg.ID) > cfg.Cluster.Replicas {
		return newService(cfg, p, switches, disk)
	}
	size := cfg.Cluster.Replicas + 1
	n := &Node{
		id:         cfg.ID,
		service:    protocols.NodeID(size),
		replicas:   cfg.Cluster.Replicas,
		parameters: *p,
		mode:       parseMode(p.Mode),
		physical:   p.Log == Physical,
		k:          min(p.K, cfg.Cluster.Replicas-1),
		serial:     p.LeaderWrite == LeaderWriteSerial,
		lease:      p.lease(),
		bugs:       switches,
		execute:    protocols.Executor{Machine: cfg.Machine},
		primaryState: primaryState{
			match:     make([]protocols.Index, size),
			confirmed: make([]protocols.Index, size),
			progress:  make([]progress, size),
		},
	}
	if err := recoverRecords(cfg.ID, disk, n.replay); err != nil {
		return nil, err
	}
	return n, nil
}

func parseMode(s string) mode {
	switch s {
	case ModeSemisync:
		return modeSemisync
	case ModeAsync:
		return modeAsync
	}
	return modeSync
}

// Step implements [protocols.Node].
func (n *Node) Step(ev *protocols.Event, out *protocols.Effects) {
	n.now, n.wall = ev.Now, ev.Wall
	if n.role == stopped {
		return
	}
	switch ev.Kind {
	case protocols.Receive:
		n.receive(ev.From, ev.Message, out)
	case protocols.Request:
		n.request(ev.Command, out)
	case protocols.Fire:
		n.fire(ev.Timer, out)
	case protocols.Start:
		n.life = Life{Nonce: ev.Nonce, Since: n.now}
		n.tick(out)
	case protocols.DiskFailed:
		n.becomeStopped(out)
	}
	n.compact(out)
}

func (n *Node) receive(from protocols.NodeID, m protocols.Message, out *protocols.Effects) {
	if a, ok := m.(*Announce); ok {
		if from != n.service {
			n.drop(out, "an announcement that is not from the view service")
			return
		}
		n.onAnnounce(a, out)
		return
	}
	if from < 1 || int(from) > n.replicas {
		n.drop(out, "sender is no replica")
		return
	}
	switch m := m.(type) {
	case *Replicate:
		n.onReplicate(from, m, out)
	case *ReplicateResponse:
		n.onReplicateResponse(from, m, out)
	case *Heartbeat:
		n.onHeartbeat(from, m, out)
	case *HeartbeatResponse:
		n.onHeartbeatResponse(from, m, out)
	case *Progress:
		n.onProgress(from, m, out)
	case *Confirm:
		n.onConfirm(from, m, out)
	case *ConfirmResponse:
		n.onConfirmResponse(from, m, out)
	case *State:
		n.onState(from, m, out)
	}
}

func (n *Node) fire(t protocols.Timer, out *protocols.Effects) {
	switch t {
	case timerTick:
		n.tick(out)
	case timerWait:
		n.onWaitTimer(out)
	}
}

// tick pings the view service, and the backups if there are any.
func (n *Node) tick(out *protocols.Effects) {
	out.SetTimer(timerTick, n.parameters.Ping)
	if n.role == starting || n.role == primary {
		n.heartbeat(out)
	}
	n.ping(out)
}

// drop notes that a message was ignored which no correct node can send.
func (n *Node) drop(out *protocols.Effects, why string) {
	out.Note(protocols.Note{Kind: protocols.NoteDropped, Epoch: n.view.Number, Text: why})
}

// assert panics when this node's own state is broken; it is never about a message.
func assert(ok bool, what string) {
	if !ok {
		panic("primarybackup: " + what)
	}
}

// epochAt returns the epoch of the entry at i, from the one before the log's first.
func (n *Node) epochAt(i protocols.Index) uint64 {
	if i < n.log.First() {
		return n.baseEpoch
	}
	return n.log.At(i).Epoch
}

// has reports whether the log holds, or once held before it was cut at the head,
// the entry at i of an epoch.
func (n *Node) has(i protocols.Index, epoch uint64) bool {
	return i+1 < n.log.First() || i <= n.log.Last() && n.epochAt(i) == epoch
}

// View implements [protocols.Node].
func (n *Node) View(v *protocols.View) {
	*v = protocols.View{
		Role: uint8(n.role), Leading: n.role == primary,
		Epoch: n.view.Number, Leader: n.view.Primary,
		Commit: n.commit, Applied: n.execute.Applied,
		First: n.log.First(), Last: n.log.Last(),
		Members:   n.view.Members(),
		StateHash: n.execute.Hash(),
	}
	if n.role == idle && n.view.Backups.Has(n.id) {
		v.Role = uint8(backup)
	}
	if n.role == primary {
		v.LeaseUntil = n.leaseUntil
	}
}
