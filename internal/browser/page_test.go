package browser

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// chromium returns the path of the browser, or skips the test.
func chromium(t *testing.T) string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("SKIPPED: no Chromium is installed, so no page is tested in a browser (apt-get install chromium fonts-dejavu-core)")
	return ""
}

// hostile is a scenario whose texts are markup, which fails, so that a page is written.
const hostile = `name: "x"
why: "</style><script>document.title='broken'</script><img src=https://example.invalid/x.png>"
replicas: 3
workload: {clients: 4, keys: 1}
early: [AppendEntriesResponse]
faults:
  - {at: 1s, for: 300ms, crash: leader}
  - {at: 1600ms, for: 300ms, crash: all}
for: 4s
`

// pages writes the report of a comparison and that of a failing run.
func pages(t *testing.T) []string {
	dir := t.TempDir()
	lockstep := filepath.Join(dir, "lockstep")
	build := exec.Command("go", "build", "-o", lockstep, "./cmd/lockstep")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	file := filepath.Join(dir, "hostile.yaml")
	if err := os.WriteFile(file, []byte(hostile), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"run", file, "--protocol", "raft", "--seeds", "1..60", "--out", dir + "/runs"}, {"compare", "leader-crash", "-n", "6", "--out", dir + "/compare"}} {
		cmd := exec.Command(lockstep, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != 0 && code != 1 {
			t.Fatalf("lockstep %s: %v: %s", args, err, out)
		}
	}
	list, err := filepath.Glob(dir + "/runs/x/raft/seed-*/report.html")
	if err != nil || len(list) == 0 {
		t.Fatalf("no failing run wrote a page: %v", err)
	}
	return []string{list[0], dir + "/compare/report.html"}
}

// watched collects what a page asked for, and what it complained of.
type watched struct {
	sync.Mutex
	requests, complaints []string
}

func (w *watched) see(ev any) {
	w.Lock()
	defer w.Unlock()
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(ev.Request.URL, "data:") {
			w.requests = append(w.requests, ev.Request.URL)
		}
	case *log.EventEntryAdded:
		w.complaints = append(w.complaints, ev.Entry.Text)
	case *runtime.EventConsoleAPICalled:
		w.complaints = append(w.complaints, fmt.Sprint(ev.Args))
	case *runtime.EventExceptionThrown:
		w.complaints = append(w.complaints, ev.ExceptionDetails.Text)
	}
}

// TestPagesInChromium: both pages show their parts, load nothing, complain of nothing,
// and can be walked through with the keyboard.
func TestPagesInChromium(t *testing.T) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox)
	allocated, stop := chromedp.NewExecAllocator(t.Context(), options...)
	defer stop()
	for i, file := range pages(t) {
		ctx, cancel := context.WithTimeout(allocated, 2*time.Minute)
		ctx, closeTab := chromedp.NewContext(ctx)
		check(t, ctx, file, [][]string{
			{"What happened", "Faults", "Logs of the replicas", "Messages", "Operations", "document.title='broken'"},
			{"What each protocol gives", "Figures", "Plots", "raft: Faults", "primarybackup: Messages", "commit p99"},
		}[i])
		closeTab()
		cancel()
	}
}

func check(t *testing.T, ctx context.Context, file string, texts []string) {
	t.Helper()
	seen := &watched{}
	if err := chromedp.Listen(ctx, seen.see); err != nil {
		t.Fatal(err)
	}
	enable := chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, log.Enable, cdp.Empty{})
		return err
	})
	address := (&url.URL{Scheme: "file", Path: file}).String()
	if err := chromedp.Do(ctx, enable, chromedp.Navigate(address)); err != nil {
		t.Fatal(err)
	}
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.textContent`))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range texts {
		if !strings.Contains(text, want) {
			t.Errorf("%s does not show %q", file, want)
		}
	}
	title, err := chromedp.Run(ctx, chromedp.Title())
	if err != nil || title == "broken" {
		t.Errorf("%s: title %q, %v", file, title, err)
	}
	drawn, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`[...document.images].every(i => i.naturalWidth > 100) && document.images.length > 0 && [...document.querySelectorAll("svg")].every(s => s.getBoundingClientRect().width > 100)`))
	if err != nil || !drawn {
		t.Errorf("%s: not every picture is drawn (%v)", file, err)
	}
	walk(t, ctx, file)
	seen.Lock()
	defer seen.Unlock()
	if !slices.Equal(seen.requests, []string{address}) {
		t.Errorf("%s asked for %q, want itself only", file, seen.requests)
	}
	if len(seen.complaints) > 0 {
		t.Errorf("%s: the console shows %q", file, seen.complaints)
	}
}

// walk goes from link to link with the tab key, follows one with enter, and wants to
// reach everything that can be scrolled.
func walk(t *testing.T, ctx context.Context, file string) {
	t.Helper()
	stops, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.querySelectorAll("a,summary,[tabindex='0']").length`))
	if err != nil {
		t.Fatal(err)
	}
	reached := 0
	for range stops {
		if err := chromedp.Do(ctx, chromedp.KeyEvent(kb.Tab)); err != nil {
			t.Fatal(err)
		}
		visible, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.activeElement.matches(":focus-visible") && getComputedStyle(document.activeElement).outlineStyle !== "none"`))
		if err != nil {
			t.Fatal(err)
		}
		if visible {
			reached++
		}
	}
	if reached < stops || stops < 8 {
		t.Errorf("%s: the tab key reaches %d of %d places with a visible focus", file, reached, stops)
	}
	if err := chromedp.Do(ctx, chromedp.Focus("nav li:nth-child(3) a"), chromedp.KeyEvent(kb.Enter)); err != nil {
		t.Fatal(err)
	}
	if hash, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.hash`)); err != nil || hash != "#s3" {
		t.Errorf("%s: enter on the third link leads to %q (%v), want #s3", file, hash, err)
	}
}

// TestTheBrowserTellsWhatIsWrong: a page that loads something and complains is seen to.
func TestTheBrowserTellsWhatIsWrong(t *testing.T) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox)
	allocated, stop := chromedp.NewExecAllocator(t.Context(), options...)
	defer stop()
	ctx, cancel := chromedp.NewContext(allocated)
	defer cancel()
	file := filepath.Join(t.TempDir(), "bad.html")
	if err := os.WriteFile(file, []byte(`<img src="missing.png"><script>console.error("so it is")</script>`), 0o666); err != nil {
		t.Fatal(err)
	}
	seen := &watched{}
	if err := chromedp.Listen(ctx, seen.see); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate("file://"+file)); err != nil {
		t.Fatal(err)
	}
	seen.Lock()
	defer seen.Unlock()
	if len(seen.requests) != 2 || len(seen.complaints) == 0 {
		t.Errorf("requests %q and complaints %q, want two and some", seen.requests, seen.complaints)
	}
}
