package histories_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/lockstep-sim/lockstep/checker"
	"github.com/lockstep-sim/lockstep/checker/generate"
	"github.com/lockstep-sim/lockstep/checker/histories"
	"github.com/lockstep-sim/lockstep/protocols"
)

func read(t *testing.T, model, text string) *histories.History {
	t.Helper()
	h, err := histories.Read(strings.NewReader(text), "f", model, histories.Detect)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func verdict(h *histories.History) checker.Verdict {
	return checker.Linearizable(h.Operations, h.Options()).Verdict
}

// event prints one line of EDN.
func event(process int, kind, f, value string) string {
	return fmt.Sprintf("{:type :%s, :f :%s, :value %s, :process %d}\n", kind, f, value, process)
}

// TestModels: every model reads what its tests write, and judges it.
func TestModels(t *testing.T) {
	done := func(p int, f, in, out string) string { return event(p, "invoke", f, in) + event(p, "ok", f, out) }
	for _, c := range []struct {
		name, model, text string
		want              checker.Verdict
	}{
		{"read nil", "register", done(0, "read", "nil", "nil"), checker.OK},
		{"zero is a value", "register", done(0, "write", "0", "0") + done(0, "read", "nil", "nil"), checker.Violation},
		{"values of any kind", "register", done(0, "write", ":a/b", ":a/b") + done(0, "read", "nil", ":a/b") + done(0, "write", `"x"`, `"x"`) + done(1, "read", "nil", `"x"`), checker.OK},
		{"repeated values", "register", done(0, "write", "1", "1") + done(0, "write", "2", "2") + done(0, "write", "1", "1") + done(1, "read", "nil", "1"), checker.OK},
		{"repeated and stale", "register", done(0, "write", "1", "1") + done(0, "write", "2", "2") + done(0, "write", "2", "2") + done(1, "read", "nil", "1"), checker.Violation},
		{"cas", "cas-register", done(0, "write", "1", "1") + done(1, "cas", "[1 2]", "[1 2]") + done(0, "read", "nil", "2"), checker.OK},
		{"cas of another value", "cas-register", done(0, "write", "1", "1") + done(1, "cas", "[3 2]", "[3 2]"), checker.Violation},
		{"fail did not happen", "cas-register", event(0, "invoke", "write", "1") + event(0, "fail", "write", "1") + done(1, "read", "nil", "1"), checker.Violation},
		{"info may have", "cas-register", event(0, "invoke", "write", "1") + event(0, "info", "write", "1") + done(1, "read", "nil", "nil") + done(1, "read", "nil", "1"), checker.OK},
		{"no completion", "register", event(0, "invoke", "write", "1") + done(1, "read", "nil", "1"), checker.OK},
		{"independent keys", "register", done(0, "write", "[:x 1]", "[:x 1]") + done(1, "read", "[:y nil]", "[:y nil]"), checker.OK},
		{"one key is wrong", "cas-register", done(0, "write", "[9 1]", "[9 1]") + done(1, "read", "[9 nil]", "[9 nil]") + done(1, "cas", "[9 [1 2]]", "[9 [1 2]]"), checker.Violation},
		{"kv", "kv", done(0, "w", "[1 1]", "[1 1]") + done(0, "r", "[1 nil]", "[1 1]"), checker.OK},
		{"single transactions", "kv", done(0, "txn", "[[:w 1 1]]", "[[:w 1 1]]") + done(0, "txn", "[[:r 1 nil]]", "[[:r 1 nil]]"), checker.Violation},
		{"queue", "queue", done(0, "enqueue", "1", "1") + done(0, "enqueue", "2", "2") + done(1, "dequeue", "nil", "1"), checker.OK},
		{"queue out of order", "queue", done(0, "enqueue", "1", "1") + done(0, "enqueue", "2", "2") + done(1, "dequeue", "nil", "2") + done(1, "dequeue", "nil", "1"), checker.Violation},
		{"empty queue", "queue", done(0, "enqueue", "1", "1") + done(1, "dequeue", "nil", "nil"), checker.Violation},
		{"drain", "queue", done(0, "enqueue", "1", "1") + done(0, "enqueue", "2", "2") + done(1, "drain", "nil", "[1 2]"), checker.OK},
		{"drained twice", "queue", done(0, "enqueue", "1", "1") + done(1, "dequeue", "nil", "1") + done(1, "drain", "nil", "[1]"), checker.Violation},
		{"log", "log", done(0, "append", "1", "1") + done(1, "append", "2", "2") + done(1, "read", "nil", "[1 2]"), checker.OK},
		{"log reordered", "log", done(0, "append", "1", "1") + done(1, "append", "2", "2") + done(1, "read", "nil", "[2 1]"), checker.Violation},
		{"log lost", "log", done(0, "append", "1", "1") + done(1, "append", "2", "2") + done(1, "read", "nil", "[2]"), checker.Violation},
		{"log repeated values", "log", done(0, "append", "1", "1") + done(1, "append", "1", "1") + done(1, "read", "nil", "[1 1]"), checker.OK},
		{"list-append", "log", done(0, "txn", "[[:append 5 1]]", "[[:append 5 1]]") + done(1, "txn", "[[:r 5 nil]]", "[[:r 5 [1]]]") + done(1, "txn", "[[:r 6 nil]]", "[[:r 6 nil]]"), checker.OK},
		{"counter", "counter", done(0, "add", "3", "3") + done(0, "add", "-1", "-1") + done(1, "read", "nil", "2"), checker.OK},
		{"counter too high", "counter", done(0, "add", "3", "3") + done(1, "read", "nil", "6"), checker.Violation},
		{"nemesis", "register", "{:type :info :process :nemesis :f :kill :value {:n1 :ok}}" + done(0, "write", "1", "1"), checker.OK},
		{"one vector", "register", "[" + done(0, "write", "1", "1") + "]", checker.OK},
		{"tags, sets, comments", "register", "; hello\n#_{:type :invoke} #jepsen.history.Op{:type :invoke :process 0 :f :write :value 1 :error #{nil 1/2 1.5M \\a \\newline ##NaN #inst \"2020\" (1 2) ^{:m 1} x}}" + event(0, "ok", "write", "1"), checker.OK},
		{"one list", "register", "; as Knossos keeps them\n(" + done(0, "write", "1", "1") + ")", checker.OK},
		{"sets and maps have no order", "register", done(0, "write", "#{1 2 {:a 1, :b 2}}", "#{{:b 2, :a 1} 2 1}") + done(1, "read", "nil", "#{2 1 {:a 1, :b 2}}"), checker.OK},
		{"a set is no vector", "register", done(0, "write", "#{1 2}", "#{1 2}") + done(1, "read", "nil", "[1 2]"), checker.Violation},
		{"large numbers", "register", done(0, "write", strings.Repeat("9", 500), strings.Repeat("9", 500)) + done(1, "read", "nil", strings.Repeat("9", 500)), checker.OK},
		{"tuples", "register", done(0, "write", "#jepsen.independent.Tuple [1 2]", "#clojure.lang.MapEntry[1 2]") + done(1, "read", "[1 nil]", "[1 2]"), checker.OK},
		{"any index and error", "register", "{:type :invoke :f :write :process 0 :value 1 :index x :error {:a [#{1}]}}" + event(0, "ok", "write", "1"), checker.OK},
		{"negative times", "register", "{:type :invoke :f :write :process 0 :value 1 :time -5}{:type :ok :f :write :process 0 :value 1 :time -3}", checker.OK},
		{"named nemesis", "register", "{:type :info :process \"nemesis\" :f :kill}" + done(0, "write", "1", "1"), checker.OK},
		{"log of Jepsen", "cas-register", "INFO  jepsen.core - Worker 0 starting\nINFO  jepsen.util - 0\t:invoke\t:write\t1\nINFO  jepsen.util - :nemesis\t:info\t:start\tnil\nINFO  jepsen.util - 0\t:ok\t:write\t1\nINFO  jepsen.util - 1\t:invoke\t:read\tnil\nINFO  jepsen.util - 1\t:fail\t:read\t:timed-out\nINFO  jepsen.util - 2\t:invoke\t:cas\t[1 2]\nINFO  jepsen.util - 2\t:info\t:cas\t:timed-out", checker.OK},
		{"log of a newer Jepsen", "cas-register", "2021-02-26 23:39:01,300{GMT}\tINFO\t[jepsen worker 1] jepsen.util: 1\t:invoke\t:write\t[0 2]\n2021-02-26 23:39:01,301{GMT}\tINFO\t[jepsen worker 1] jepsen.util: 1\t:fail\t:write\t[0 2]\t:conn-closed\n2021-02-26 23:39:01,302{GMT}\tINFO\t[jepsen worker 1] jepsen.util: 1\t:invoke\t:read\t[0 nil]\n2021-02-26 23:39:01,303{GMT}\tINFO\t[jepsen worker 1] jepsen.util: 1\t:ok\t:read\t[0 2]\n", checker.Violation},
		{"CRLF and BOM", "register", "\ufeff" + strings.ReplaceAll(done(0, "write", "1", "1"), "\n", "\r\n"), checker.OK},
		{"JSON", "kv", `{"client":"a","op":"put","key":"x","arg":"v","call":1,"return":2}` + "\n" + `{"client":7,"op":"get","key":"x","value":"v","call":3,"return":4}`, checker.OK},
		{"JSON, stale", "kv", `{"client":"a","op":"put","key":"x","arg":"v","call":1,"return":2}` + "\n" + `{"client":7,"op":"get","key":"x","value":null,"call":3,"return":4}`, checker.Violation},
		{"JSON, out of order", "register", `{"client":1,"op":"read","value":5,"call":3,"return":4}` + "\n" + `{"client":2,"op":"write","arg":5,"call":1,"return":2}`, checker.OK},
		{"JSON array", "queue", `[{"client":1,"op":"enqueue","arg":5,"call":1,"return":2}, {"client":1,"op":"dequeue","value":5,"call":3,"return":4}]`, checker.OK},
		{"JSON log", "log", `{"client":1,"op":"append","arg":5,"call":1,"return":2}` + "\n" + `{"client":1,"op":"read","list":[5],"call":3,"return":4}`, checker.OK},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := read(t, c.model, c.text)
			if err := checker.Validate(h.Operations, h.Options()); err != nil {
				t.Fatal(err)
			}
			if got := verdict(h); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// TestMalformed: what has no meaning is refused, with its line and column.
func TestMalformed(t *testing.T) {
	ok := event(0, "invoke", "write", "1") + event(0, "ok", "write", "1")
	for _, c := range []struct{ name, model, text, want string }{
		{"gzip", "register", "\x1f\x8b\x08\x00", "f:1:1: the file is compressed by gzip"},
		{"junk", "register", ok + "\x00\x01\x02", "f:3:1: byte 0x00"},
		{"UTF-16", "register", "\xff\xfe{", "f:1:1: the file is UTF-16"},
		{"truncated", "register", ok + "{:type :invoke", "f:3:1: the file ends inside"},
		{"truncated vector", "register", "[" + ok, "f:3:1: the file ends before the vector or list"},
		{"truncated string", "register", `{:type "in`, "f:1:1: the file ends inside"},
		{"bracket", "register", ok + "]", "f:3:1: unexpected ']'"},
		{"after the vector", "register", "[" + ok + "] {}", "f:3:3: unexpected '{'"},
		{"no map", "register", ok + "42", "f:3:1: \"42\": want a map"},
		{"odd map", "register", "{:type}", "f:1:7: a map has a key without a value"},
		{"deep", "register", strings.Repeat("[", 300), "f:1:203: forms are nested"},
		{"deep tags", "register", strings.Repeat("#a ", 100_000), "f:1:604: forms are nested"},
		{"deep discards", "register", strings.Repeat("#_ ", 100_000), "f:1:604: forms are nested"},
		{"deep metadata", "register", strings.Repeat("^", 100_000), "f:1:202: forms are nested"},
		{"deep JSON", "register", `{"client":` + strings.Repeat("[", 100_000), "f:1:211: forms are nested"},
		{"a string that is not UTF-8", "register", ok + "{:type :invoke :f :write :process 0 :value \"\xff\"}", "f:3:46: a string is not UTF-8"},
		{"a keyword that is not UTF-8", "register", "{:type :inv\xffoke}", "is not UTF-8"},
		{"a character that is not UTF-8", "register", "{:type \\\xff}", "is not UTF-8"},
		{"list closed as vector", "register", "(" + ok + "]", "f:3:1: unexpected ']'"},
		{"field twice", "register", "{:type :invoke :type :ok}", "f:1:16: an event has :type twice"},
		{"process of a fraction", "register", "{:type :invoke :f :read :process 1.5}", `f:1:34: :process "1.5": want a whole number`},
		{"process too large", "register", "{:type :invoke :f :read :process 99999999999999999999}", "want a whole number of 64 bits"},
		{"no process number", "register", "{:type :invoke :f :read :process nil}", "want a whole number of 64 bits"},
		{"completed twice", "register", ok + event(0, "ok", "write", "1"), "f:3:1: :ok by process p0, which has no operation open"},
		{"info without invoke", "register", event(4, "info", "write", "1"), "f:1:1: :info by process p4, which has no operation open"},
		{"counter too large", "counter", event(0, "invoke", "add", "9223372036854775808"), "a counter has whole numbers of 64 bits"},
		{"transaction of a register", "register", event(0, "invoke", "txn", "[[:append 1 2]]"), "f:1:20: operation :append is not one of model register"},
		{"no history", "register", "hello world", "f:1:1: the file begins neither with a map"},
		{"torn line of a log", "register", "INFO  jepsen.util - 0\t:invoke\t:read\tnil\nINFO  jepsen.util - 0\t:ok\t:read\t[1", "f:2:21: the file ends inside"},
		{"JSON field twice", "register", `{"client":1,"op":"read","op":"write","call":1,"return":2}`, `f:1:25: an operation has the field "op" twice`},
		{"JSON string without end", "register", "{\"client\":\"a,\n\"op\":1}", "f:1:1: a string holds byte 0x0a"},
		{"JSON escape", "register", `{"client":"\q"}`, `f:1:13: \q is no escape`},
		{"JSON plus", "register", `{"client":1,"op":"write","arg":+1,"call":1,"return":2}`, `f:1:32: "+1" is no JSON number`},
		{"JSON leading zero", "register", `{"client":1,"op":"write","arg":1,"call":01,"return":2}`, `f:1:41: "01" is no JSON number`},
		{"JSON number too large", "register", `{"client":1,"op":"write","arg":1,"call":1,"return":99999999999999999999}`, "want a whole number"},
		{"JSON never", "register", `{"client":1,"op":"write","arg":1,"call":1,"return":9223372036854775807}`, "want a return after the call"},
		{"JSON before the beginning", "register", `{"client":1,"op":"write","arg":1,"call":-1,"return":2}`, "f:1:41: call -1"},
		{"JSON comma at the end", "register", `{"client":1,}`, "f:1:13: unexpected '}'"},
		{"no type", "register", "{:process 0}", "f:1:1: an event without a :type"},
		{"type", "register", "{:type :started :process 0}", "f:1:8: type :started"},
		{"no process", "register", "{:type :invoke}", "f:1:1: an event without a :process"},
		{"ok without invoke", "register", event(0, "ok", "write", "1"), "f:1:1: :ok by process p0, which has no operation open"},
		{"two open", "register", ok + event(0, "invoke", "write", "2") + event(0, "invoke", "write", "3"), "f:4:1: process p0 invokes while its operation of line 3 is open"},
		{"reuse", "register", event(0, "invoke", "write", "1") + event(0, "info", "write", "1") + event(0, "invoke", "write", "2"), "f:3:1: process p0 is used again after its :info on line 2"},
		{"other f", "register", event(0, "invoke", "write", "1") + event(0, "ok", "read", "1"), "f:2:16: process p0 completes :read, but on line 1"},
		{"other value", "register", event(0, "invoke", "write", "1") + event(0, "ok", "write", "2"), "f:2:31: process p0 completes with the value \"2\""},
		{"duplicate index", "register", "{:type :invoke :f :read :process 0 :index 3}{:type :ok :f :read :process 0 :index 3}", "f:1:83: :index 3 after :index 3"},
		{"operation", "register", event(0, "invoke", "cas", "[1 2]"), "f:1:20: operation :cas is not one of model register"},
		{"transaction", "log", event(0, "invoke", "txn", "[[:append 1 1] [:r 1 nil]]"), "f:1:33: a transaction that is not one operation"},
		{"kv without key", "kv", event(0, "invoke", "write", "5"), "the model kv wants [k v]"},
		{"mixed keys", "register", event(0, "invoke", "write", "[1 2]") + event(1, "invoke", "write", "5"), "f:2:35: value \"5\" names no key"},
		{"cas of one", "cas-register", event(0, "invoke", "cas", "5"), "f:1:33: cas \"5\": want [old new]"},
		{"octal", "register", event(0, "invoke", "write", "010"), "f:1:35: \"010\" is no number of EDN"},
		{"hexadecimal key", "kv", event(0, "invoke", "write", "[0x1f 1]"), "f:1:36: \"0x1f\" is no number of EDN"},
		{"JSON number and letters", "register", `{"client":1,"op":"write","arg":5N,"call":1,"return":2}`, `f:1:32: "5N" is no JSON number`},
		{"JSON number and point", "register", `{"client":1,"op":"write","arg":5.,"call":1,"return":2}`, `f:1:32: "5." is no JSON number`},
		{"type of another kind", "register", "{:type 5 :process 0}", "f:1:8: type \"5\": want :invoke"},
		{"fraction and integer", "register", event(0, "invoke", "write", "3.0") + event(0, "ok", "write", "3"), "f:2:31: process p0 completes with the value \"3\""},
		{"counter of text", "counter", event(0, "invoke", "add", ":x"), "f:1:33: \":x\": a counter has whole numbers"},
		{"enqueue nil", "queue", event(0, "invoke", "enqueue", "nil"), "f:1:37: enqueue nil"},
		{"drain in doubt", "queue", event(0, "invoke", "drain", "nil") + event(0, "info", "drain", "nil"), "f:2:1: a drain ends in :info"},
		{"JSON without return", "register", `{"client":1,"op":"read","call":1}`, `f:1:1: no field "return"`},
		{"JSON backwards", "register", `{"client":1,"op":"read","value":1,"call":5,"return":4}`, "f:1:53: return 4: want a return after the call 5"},
		{"JSON comma", "register", `{"client":1 "op":"read"}`, `f:1:13: unexpected '"': want ','`},
		{"JSON op", "log", `{"client":1,"op":"jump","call":1,"return":2}`, "f:1:18: op \"jump\" is not one of model log"},
		{"JSON fraction", "register", `{"client":1,"op":"read","value":1,"call":1.5,"return":2}`, "f:1:42: call \"1.5\": want a whole number"},
		{"JSON outcome", "register", `{"client":1,"op":"read","call":1,"return":2,"outcome":"maybe"}`, `f:1:55: outcome "maybe"`},
		{"JSON no answer", "register", `{"client":1,"op":"read","call":1,"return":2}`, "without value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := histories.Read(strings.NewReader(c.text), "f", c.model, histories.Detect)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if _, ok := errors.AsType[*histories.Error](err); !ok {
				t.Errorf("%T has no line", err)
			}
		})
	}
}

func TestNotesTimeGoingBack(t *testing.T) {
	h := read(t, "register", "{:type :invoke :f :read :process 0 :time 9}\n{:type :ok :f :read :process 0 :time 5}")
	if len(h.Notes) != 1 || !strings.Contains(h.Notes[0], "line 2: :time goes back from 9 to 5") {
		t.Errorf("notes %q", h.Notes)
	}
}

func TestEmpty(t *testing.T) {
	for _, text := range []string{"", "\n\n", "[]", "; nothing\n"} {
		if h := read(t, "log", text); len(h.Operations) != 0 {
			t.Errorf("%q: %d operations", text, len(h.Operations))
		}
	}
}

// TestRoundTrip: a history that is written as EDN and read again has the same
// operations, as far as EDN has them, and the same verdict.
func TestRoundTrip(t *testing.T) {
	mixes := map[string]generate.Mix{
		"register": {Read: 1, Put: 1}, "cas-register": {Read: 2, Put: 1, CAS: 2}, "kv": {Read: 2, Put: 2, CAS: 1, Delete: 1},
		"log": {Read: 1, Append: 2}, "counter": {Read: 1, Increment: 2},
	}
	for model, mix := range mixes {
		machine := strings.TrimPrefix(model, "cas-")
		for seed := range uint64(20) {
			stale := 0
			if seed%2 == 1 && (model == "register" || model == "kv") {
				stale = 300
				mix = generate.Mix{Read: 1, Put: 1}
			}
			g := generate.New(generate.Config{Machine: machine, Seed: seed, N: 300, Clients: 5, Keys: 3, Unknown: 50, Mix: mix, Stale: stale})
			h := read(t, model, jsonLines(model, g.Operations))
			var first, second bytes.Buffer
			if err := histories.WriteEDN(&first, h); err != nil {
				if model == "log" && strings.Contains(err.Error(), "part of a log") {
					continue
				}
				t.Fatal(err)
			}
			again := read(t, model, first.String())
			if a, b := verdict(h), verdict(again); a != b || h.Blind != again.Blind {
				t.Fatalf("%s seed %d: %v, then %v", model, seed, a, b)
			}
			if err := histories.WriteEDN(&second, again); err != nil {
				t.Fatal(err)
			}
			third := read(t, model, second.String())
			if !reflect.DeepEqual(again.Operations, third.Operations) || first.String() != second.String() {
				t.Fatalf("%s seed %d: the second round differs", model, seed)
			}
		}
	}
}

// jsonLines writes operations as package reports does, shorter. Reads of a log show
// all of it.
func jsonLines(model string, ops []protocols.Operation) string {
	var b strings.Builder
	for i := range ops {
		op := &ops[i]
		name := op.Op.String()
		if model == "queue" {
			name = map[protocols.Op]string{protocols.AppendTo: "enqueue", protocols.Delete: "dequeue"}[op.Op]
		}
		fmt.Fprintf(&b, `{"client":%q,"op":%q,"key":%d,"arg":%d,"old":%d,"outcome":%q,"value":%d,"swapped":%v,"call":%d`,
			op.Client, name, op.Key, op.Arg, op.Old, op.Outcome, op.Value, op.Swapped, op.Call)
		if op.Op == protocols.ReadRange {
			b.WriteString(`,"list":[`)
			for k, v := range op.List {
				if k > 0 {
					b.WriteByte(',')
				}
				fmt.Fprint(&b, v)
			}
			b.WriteByte(']')
		}
		if op.Outcome == protocols.Unknown {
			b.WriteString(",\"return\":null}\n")
		} else {
			fmt.Fprintf(&b, ",\"return\":%d}\n", op.Return)
		}
	}
	return b.String()
}

// FuzzRead: no input panics the reader, what it accepts can be judged, and what is
// written of it reads back as the same history.
func FuzzRead(f *testing.F) {
	f.Add("register", "INFO  jepsen.util - 0\t:invoke\t:write\t1")
	done := func(p int, f, in, out string) string { return event(p, "invoke", f, in) + event(p, "ok", f, out) }
	f.Add("register", done(0, "write", "1", "1")+event(1, "invoke", "write", ":x")+event(1, "info", "write", ":x"))
	f.Add("cas-register", done(0, "write", "1", "1")+event(1, "invoke", "cas", "[3 2]")+event(1, "fail", "cas", "[3 2]")+done(2, "cas", "[1 2]", "[1 2]"))
	f.Add("log", event(0, "invoke", "txn", "[[:append 1 1]]")+done(1, "read", "nil", "[1 2]"))
	f.Add("queue", done(0, "enqueue", "1", "1")+done(1, "dequeue", "nil", "1")+done(1, "drain", "nil", "[2 3]"))
	f.Add("counter", done(0, "add", "2", "2")+done(0, "read", "nil", "2"))
	f.Add("kv", done(0, "w", "[1 1]", "[1 1]")+done(1, "txn", "[[:r 1 nil]]", "[[:r 1 1]]"))
	f.Add("kv", `{"client":"a","op":"put","key":"x","arg":"v","call":1,"return":2}`)
	f.Add("log", `{"client":"a","op":"append","arg":7,"value":1,"position":3,"call":1,"return":null}`)
	f.Fuzz(func(t *testing.T, model, text string) {
		h, err := histories.Read(strings.NewReader(text), "f", model, histories.Detect)
		if err != nil || len(h.Operations) > 50 {
			return
		}
		verdict := judged(t, h)
		var first, second bytes.Buffer
		if histories.WriteEDN(&first, h) != nil {
			return // EDN has no form for it
		}
		again, err := histories.Read(bytes.NewReader(first.Bytes()), "f", model, histories.EDN)
		if err != nil {
			t.Fatalf("what was written is refused: %v\n%s", err, &first)
		}
		if v := judged(t, again); v != verdict {
			t.Fatalf("%v, and when written and read again %v:\n%s\n%s", verdict, v, text, &first)
		}
		if err := histories.WriteEDN(&second, again); err != nil || first.String() != second.String() {
			t.Fatalf("written a second time (%v):\n%s\nat first:\n%s", err, &second, &first)
		}
	})
}

// judged returns the verdict over a history that was read, which must be valid.
func judged(t *testing.T, h *histories.History) checker.Verdict {
	opt := h.Options()
	opt.Budget = checker.Budget{Steps: 10_000, CacheBytes: 1 << 20}
	if err := checker.Validate(h.Operations, opt); err != nil {
		t.Fatal(err)
	}
	checker.WhatHolds(h.Operations, nil, opt)
	return checker.Linearizable(h.Operations, opt).Verdict
}
