package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"github.com/lockstep-sim/lockstep/reports"
)

// isTerminal reports whether w is a terminal that understands escape sequences.
func isTerminal(w io.Writer) bool {
	if s, ok := w.(*reports.StickyWriter); ok {
		w = s.W
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// paint says whether stdout is to be coloured: on a terminal, unless NO_COLOR is
// set (no-color.org).
func (a *app) paint() reports.Paint {
	return reports.Paint(os.Getenv("NO_COLOR") == "" && isTerminal(a.stdout))
}

// meter shows on stderr how far a campaign has come: a bar on a terminal,
// elsewhere a line every ten seconds. Short campaigns show nothing.
type meter struct {
	stderr  io.Writer
	total   int
	done    int
	began   time.Time
	cpu     time.Duration
	events  uint64
	millis  int64 // virtual time
	last    time.Time
	bar     progress.Writer
	tracker *progress.Tracker
	stopped chan struct{}
}

const meterEvery = 10 * time.Second

func newMeter(stderr io.Writer, total int) *meter {
	m := &meter{stderr: stderr, total: total, began: time.Now(), cpu: cpuTime()}
	m.last = m.began
	if total > 1 && isTerminal(stderr) {
		m.bar = progress.NewWriter()
		m.bar.SetOutputWriter(stderr)
		m.bar.SetUpdateFrequency(100 * time.Millisecond)
		m.bar.SetTrackerLength(30)
		m.bar.SetAutoStop(false)
		m.bar.SetTrackerPosition(progress.PositionRight)
		m.bar.Style().Visibility.ETA = true
		m.bar.Style().Options.TimeInProgressPrecision = 100 * time.Millisecond
		m.tracker = &progress.Tracker{Message: "runs", Total: int64(total), Units: progress.UnitsDefault}
		m.bar.AppendTracker(m.tracker)
		m.stopped = make(chan struct{})
		go func() {
			m.bar.Render()
			close(m.stopped)
		}()
	}
	return m
}

// add counts one finished run of so many events and milliseconds of virtual time.
func (m *meter) add(events uint64, millis int64) {
	m.done++
	m.events += events
	m.millis += millis
	switch now := time.Now(); {
	case m.tracker != nil:
		m.tracker.SetValue(int64(m.done))
	case m.total > 1 && now.Sub(m.last) >= meterEvery:
		m.last = now
		fmt.Fprintf(m.stderr, "%d of %d runs\n", m.done, m.total)
	}
}

// stop takes the bar away, so that results can be printed.
func (m *meter) stop() {
	if m.bar == nil {
		return
	}
	m.tracker.MarkAsDone()
	m.bar.Stop()
	<-m.stopped
	fmt.Fprint(m.stderr, text.CursorUp.Sprint(), text.EraseLine.Sprint()) // the bar's last line
	m.bar = nil
}

// summary prints what the runs cost. It differs from run to run, and so goes to
// stderr.
func (m *meter) summary() {
	wall, cpu := time.Since(m.began), cpuTime()-m.cpu
	fmt.Fprintf(m.stderr, "%d of %d runs in %s, %s of CPU", m.done, m.total, reports.Duration(int64(wall)), reports.Duration(int64(cpu)))
	if ms := cpu.Milliseconds(); ms > 0 {
		fmt.Fprintf(m.stderr, ": %d virtual seconds and %d events per CPU second", m.millis/ms, int64(m.events)*1000/ms)
	}
	fmt.Fprintln(m.stderr)
}
