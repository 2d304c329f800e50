package reports

import (
	"bufio"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/lockstep-sim/lockstep/scenarios"
)

// WriteTopics writes what was found about a word.
func WriteTopics(w io.Writer, topics []scenarios.Topic, paint Paint) error {
	b := bufio.NewWriter(w)
	for i, t := range topics {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(paint.Strong(Clean(t.Name)) + "  " + Clean(t.Kind) + "\n")
		writeBlock(b, "  ", text.WrapSoft(Clean(t.Text), listWidth))
		for _, d := range t.Details {
			writeBlock(b, "  ", "- "+strings.ReplaceAll(text.WrapSoft(Clean(d), listWidth-2), "\n", "\n  "))
		}
		if t.Example != "" {
			b.WriteString("  example: " + Clean(t.Example) + "\n")
		}
	}
	return b.Flush()
}
