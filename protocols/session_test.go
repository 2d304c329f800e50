package protocols

import "testing"

// session returns a write of a client.
func request(client NodeID, seq uint64) Command {
	return Command{Client: client, Kind: Write, Op: Put, Key: 1, Seq: seq, Arg: int64(seq)}
}

// With a bound the session expires whose last request stands earliest in the log. What
// it asked before is refused, never executed again; what it asks next opens it again.
func TestSessionsExpireByTheLog(t *testing.T) {
	m, err := NewMachine("kv")
	if err != nil {
		t.Fatal(err)
	}
	x := Executor{Machine: m, Sessions: Sessions{Limit: 2}}
	state := func(c Command) SessionState {
		_, s := x.Sessions.Lookup(c)
		return s
	}
	apply := func(c Command) Result { return x.Apply(x.Applied+1, c, 0) }
	apply(request(-1, 1))
	apply(request(-2, 1))
	apply(request(-1, 2)) // n2's is the older one now
	apply(request(-3, 1))
	for _, c := range []struct {
		command Command
		want    SessionState
	}{
		{request(-1, 2), SessionDone}, {request(-3, 1), SessionDone},
		{request(-2, 1), SessionStale}, {request(-2, 2), SessionNew},
	} {
		if got := state(c.command); got != c.want {
			t.Errorf("%v %d: got state %d, want %d", c.command.Client, c.command.Seq, got, c.want)
		}
	}
	if r := apply(request(-2, 1)); r.Status != Expired {
		t.Errorf("a request of an expired session: got %+v, want it expired", r)
	}
	// A snapshot tells the same, and the bound stays that of the replica.
	y := Executor{Machine: m, Sessions: Sessions{Limit: 2}}
	y.Restore(x.Snapshot())
	if y.Hash() != x.Hash() || y.Sessions.Limit != 2 || y.Sessions.live != 2 {
		t.Errorf("restored: hash %x, limit %d, %d live; want %x, 2, 2", y.Hash(), y.Sessions.Limit, y.Sessions.live, x.Hash())
	}
	apply(request(-2, 2)) // opens again, and costs n1 its own
	if state(request(-1, 2)) != SessionStale || state(request(-2, 2)) != SessionDone {
		t.Error("the session that opened again did not cost the oldest one")
	}
	if y.Restore(nil); y.Sessions.Limit != 2 || y.Sessions.Hash() != 0 {
		t.Error("the empty table has another bound, or is not empty")
	}
}
