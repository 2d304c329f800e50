package protocols

import (
	"reflect"
	"testing"
)

func newExecutor(t testing.TB, name string) *Executor { return &Executor{Machine: machine(t, name)} }

func TestExecutesExactlyOnce(t *testing.T) {
	x := newExecutor(t, "counter")
	inc := Command{Client: -3, Kind: Write, Op: Increment, Seq: 1}
	if r := x.Apply(1, Command{Op: Increment}, 0); r.Status != OK || r.Position != 1 || r.Value != 0 {
		t.Errorf("a command without a client answers %+v, want nothing at 1", r)
	}
	first := x.Apply(2, inc, 0)
	again := x.Apply(3, inc, 0)
	if first.Value != 1 || first.Position != 2 || !reflect.DeepEqual(first, again) {
		t.Errorf("first %+v, again %+v: want value 1 at 2 twice", first, again)
	}
	inc.Seq = 4 // gaps are allowed
	if r := x.Apply(4, inc, 0); r.Value != 2 || r.Position != 4 {
		t.Errorf("the next request answers %+v, want 2 at 4", r)
	}
	inc.Seq = 1
	if r := x.Apply(5, inc, 0); r.Status != Expired {
		t.Errorf("a stale request answers %+v, want expired", r)
	}
	inc.Seq = 0
	if r := x.Apply(6, inc, 0); r.Status != Expired {
		t.Errorf("a request numbered 0 answers %+v, want expired", r)
	}
	if r := x.Read(Command{Op: Get}); r.Value != 2 || r.Position != 6 || x.Applied != 6 {
		t.Errorf("read %+v at applied %d, want 2 at 6", r, x.Applied)
	}
	other := Command{Client: -1, Kind: Write, Op: Increment, Seq: 1}
	if r := x.Apply(7, other, 0); r.Value != 3 {
		t.Errorf("another client's request answers %+v, want 3", r)
	}
}

func TestWithoutSessionsADuplicateIsExecuted(t *testing.T) {
	x := newExecutor(t, "counter")
	x.NoSessions = true
	inc := Command{Client: -3, Kind: Write, Op: Increment, Seq: 1}
	x.Apply(1, inc, 0)
	if r := x.Apply(2, inc, 0); r.Value != 2 || r.Position != 2 {
		t.Errorf("the duplicate answers %+v, want 2 at 2: the bug is off", r)
	}
}

// A primary that executes and installs, and a backup that installs, get what a
// replica gets that applies: also for repeated, older and client-less commands.
func TestExecuteAndInstallAreApply(t *testing.T) {
	active, primary, backup := newExecutor(t, "kv"), newExecutor(t, "kv"), newExecutor(t, "kv")
	for i, seq := range []uint64{1, 1, 2, 0, 1, 3, 3, 4} {
		pos := Index(i + 1)
		c := Command{Client: NodeID(-1 - i%2), Kind: Write, Op: AppendTo, Key: 1, Seq: seq, Arg: int64(i + 1)}
		if i == 3 {
			c = Command{}
		}
		before := primary.Hash()
		r, changes := primary.Execute(pos, c, 0, nil)
		if primary.Hash() != before || primary.Applied != pos-1 {
			t.Fatalf("position %d: Execute changed the state", pos)
		}
		want := active.Apply(pos, c, 0)
		for _, got := range []Result{r, primary.Install(pos, c, r, changes), backup.Install(pos, c, r, changes)} {
			if !reflect.DeepEqual(got, want) {
				t.Errorf("position %d: got %+v, want %+v", pos, got, want)
			}
		}
		if active.Hash() != primary.Hash() || active.Hash() != backup.Hash() {
			t.Errorf("position %d: the states differ", pos)
		}
	}
}

func TestExecutorRefusesGaps(t *testing.T) {
	x := newExecutor(t, "kv")
	if text := panicText(func() { x.Apply(2, Command{}, 0) }); text == "" {
		t.Error("executing position 2 before 1 did not panic")
	}
}

func TestExecutorSnapshot(t *testing.T) {
	x := newExecutor(t, "kv")
	write := func(x *Executor, client NodeID, seq uint64, arg int64) Result {
		return x.Apply(x.Applied+1, Command{Client: client, Kind: Write, Op: AppendTo, Key: 1, Seq: seq, Arg: arg}, 0)
	}
	for i := range 10 {
		write(x, NodeID(-1-i%3), uint64(1+i/3), int64(i+1))
	}
	snapshot, hash, fork := x.Snapshot(), x.Hash(), x.Fork()
	write(x, -1, 9, 99)
	if x.Hash() == hash {
		t.Error("a write did not change the hash")
	}
	y := newExecutor(t, "kv")
	y.Restore(snapshot)
	if y.Applied != 10 || y.Hash() != hash || fork.Hash() != hash || fork.Applied != 10 {
		t.Fatalf("restored: applied %d, hash %x; forked: %d, %x; want 10, %x", y.Applied, y.Hash(), fork.Applied, fork.Hash(), hash)
	}
	if r := write(y, -1, 4, 50); r.Position != 10 { // the last request of client 1, again
		t.Errorf("after a restore a duplicate answers %+v, want the result at 10", r)
	}
	write(&fork, -2, 8, 60)
	z := newExecutor(t, "kv")
	z.Restore(snapshot)
	if z.Hash() != hash {
		t.Error("the snapshot changed with what was restored from it")
	}
	z.Restore(nil)
	if z.Hash() != newExecutor(t, "kv").Hash() || z.Applied != 0 {
		t.Error("Restore(nil) is not the initial state")
	}
}

func TestSessionHashIsOfTheContent(t *testing.T) {
	var a, b Sessions
	one, two := Command{Client: -1, Seq: 5}, Command{Client: -2, Seq: 7}
	a.Record(one, Result{Value: 1})
	a.Record(two, Result{Value: 2})
	b.Record(two, Result{Value: 9})
	b.Record(one, Result{Value: 1})
	if a.Hash() == b.Hash() {
		t.Error("different results have equal hashes")
	}
	b.Record(two, Result{Value: 2})
	if a.Hash() != b.Hash() {
		t.Error("equal tables have different hashes")
	}
	b.Record(Command{Client: 3, Seq: 1}, Result{})
	if _, state := b.Lookup(Command{Client: 3, Seq: 1}); state != SessionNew || a.Hash() != b.Hash() {
		t.Error("a replica got a session")
	}
	if _, state := b.Lookup(Command{Client: -32768, Seq: 1}); state != SessionNew {
		t.Errorf("an unknown client's request is %s, want new", state)
	}
}

func TestExecutorDoesNotAllocate(t *testing.T) {
	x := newExecutor(t, "kv")
	c := Command{Client: -5, Kind: Write, Op: Put, Key: 3, Arg: 1}
	x.Apply(1, Command{Client: -5, Kind: Write, Op: Put, Key: 3, Arg: 1, Seq: 1}, 0)
	c.Seq = 1
	if allocs := testing.AllocsPerRun(100, func() {
		c.Seq++
		x.Apply(x.Applied+1, c, 0)
		x.Read(Command{Op: Get, Key: 3})
		x.Hash()
	}); allocs != 0 {
		t.Errorf("Apply, Read and Hash allocate %v times", allocs)
	}
}

func BenchmarkExecutorPut(b *testing.B) {
	x := newExecutor(b, "kv")
	for i := range b.N {
		x.Apply(x.Applied+1, Command{Client: -1, Kind: Write, Op: Put, Key: 1, Arg: int64(i), Seq: uint64(i) + 1}, 0)
	}
}

func TestExecutorAnswers(t *testing.T) {
	machine, err := NewMachine("register")
	if err != nil {
		t.Fatal(err)
	}
	x := Executor{Machine: machine}
	put := Command{Client: -1, Kind: Write, Op: Put, Seq: 1, Arg: 4}
	follow := Command{Client: -2, Kind: Follow, Arg: 1, Old: 9}
	if r := x.Answer(follow, 0); r.Follow == nil || r.Follow.Start != 1 || r.Follow.Snapshot != nil {
		t.Errorf("a follower of nothing got %+v", r.Follow)
	}
	if r := x.Answer(put, 0); r.Position != 1 || x.Applied != 1 {
		t.Errorf("the write went to %d, applied %d, want 1", r.Position, x.Applied)
	}
	if r := x.Answer(put, 0); r.Position != 1 || x.Applied != 2 {
		t.Errorf("the repeated write was answered with %d, applied %d, want 1 and 2", r.Position, x.Applied)
	}
	if r := x.Answer(Command{Client: -1, Kind: Read, Op: Get, Seq: 2}, 0); r.Value != 4 || x.Applied != 2 {
		t.Errorf("read %d at %d, want 4 at 2", r.Value, x.Applied)
	}
	r := x.Answer(follow, 0)
	if r.Follow == nil || r.Follow.Start != 3 || r.Position != 2 {
		t.Fatalf("the follower got %+v", r)
	}
	other, _ := NewMachine("register")
	y := Executor{Machine: other}
	if y.Restore(r.Follow.Snapshot); y.Applied != 2 || y.Hash() != x.Hash() {
		t.Errorf("the follower is at %d with another state", y.Applied)
	}
}
