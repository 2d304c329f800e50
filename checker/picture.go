package checker

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/anishathalye/porcupine"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Mark is a stretch of time beside the operations of a picture: a fault, a term.
// Its ends are on the scale of Call and Return.
type Mark struct {
	Row, Text  string
	Start, End int64
}

// maxPicture bounds the operations of a picture: it is a tree of SVG elements, and
// browsers get slow.
const maxPicture = 2_000

// WritePicture writes a page with porcupine's picture of operations of one part:
// who did what when, the orders that come farthest, and where they get stuck. The
// page needs nothing but itself. Marks are cut to the time that the operations span.
// Equal operations and marks make equal bytes.
func WritePicture(w io.Writer, ops []protocols.Operation, marks []Mark, title string, opt Options) error {
	opt = opt.filled()
	ops = ops[:min(len(ops), maxPicture)]
	kind, err := checkSize(ops, opt)
	if err != nil {
		return err
	}
	p := Part{history: ops, kind: kind, opt: opt}
	p.opt.Blind = opt.Blind || opt.Seated
	left := int64(explainSteps)
	model := p.model(&left)
	model.DescribeOperation = func(in, _ any) string {
		return harmless(formatOperation(in.(*protocols.Operation), kind, opt))
	}
	_, info := porcupine.CheckOperationsVerbose(model, p.drawn(), 0)
	left = math.MaxInt64 // what is left is replay
	for _, partials := range info.PartialLinearizations() {
		// They come out of a map, and stand in the page in this order.
		slices.SortFunc(partials, func(a, b []int) int {
			if len(a) != len(b) {
				return len(b) - len(a)
			}
			return slices.Compare(a, b)
		})
	}
	info.AddAnnotations(p.annotations(marks))
	var page bytes.Buffer
	if err := porcupine.Visualize(model, info, &page); err != nil {
		return err
	}
	// The legend is fixed above what scrolls: the heading begins below it.
	heading := "<h1 style=\"font: bold 16px/1.4 sans-serif; margin: 52px 10px 0\">" + harmless(title) + "</h1>\n    <div id=\"legend\">"
	text := strings.Replace(page.String(), "<title>Porcupine</title>", "<title>"+harmless(title)+"</title>", 1)
	_, err = io.WriteString(w, strings.Replace(text, "<div id=\"legend\">", heading, 1))
	return err
}

// annotations cuts marks to the time that the operations span, and leaves out those
// outside it.
func (p *Part) annotations(marks []Mark) []porcupine.Annotation {
	from, to := int64(math.MaxInt64), int64(0)
	for _, op := range p.drawn() {
		from, to = min(from, op.Call), max(to, op.Return)
	}
	var out []porcupine.Annotation
	for _, m := range marks {
		if m.End < from || m.Start > to || len(out) == maxPicture {
			continue
		}
		out = append(out, porcupine.Annotation{Tag: harmless(m.Row), Start: max(m.Start, from), End: min(m.End, to),
			Description: harmless(m.Text), Details: harmless(m.Text)})
	}
	return out
}

// model is the machine for a search without patches, which *left steps bound: the
// picture then shows how far it came.
func (p *Part) model(left *int64) porcupine.Model {
	sp := newSpec(p.kind, p.opt.Blind)
	return porcupine.Model{
		Init: func() any { return state{} },
		Step: func(st, input, _ any) (bool, any) {
			if *left == 0 {
				return false, st
			}
			*left--
			next, ok := sp.step(st.(state), input.(*protocols.Operation))
			return ok, next
		},
		Equal:         func(a, b any) bool { return a.(state) == b.(state) },
		DescribeState: func(st any) string { return harmless(p.describeState(st.(state))) },
	}
}

// describeState prints the value of a cell, and how much a log or queue holds.
func (p *Part) describeState(st state) string {
	switch p.kind {
	case counterMachine:
		return strconv.FormatInt(int64(st.value), 10)
	case logMachine:
		return fmt.Sprintf("%d entries", st.length)
	case queueMachine:
		return fmt.Sprintf("%d elements", int64(st.length)-int64(st.value))
	}
	return p.opt.Names.Value(int64(st.value))
}

// drawn lists operations with clients numbered in the order in which they call, and
// those of unknown outcome up to a little after the last instant.
func (p *Part) drawn() []porcupine.Operation {
	end := int64(0)
	for i := range p.history {
		op := &p.history[i]
		if end = max(end, op.Call); op.Return != protocols.Infinity {
			end = max(end, op.Return)
		}
	}
	rows := map[string]int{} // by client; looked up, never ranged over
	var out []porcupine.Operation
	for i := range p.history {
		op := &p.history[i]
		name := p.opt.Names.Client(op)
		row, have := rows[name]
		if !have {
			row = len(rows)
			rows[name] = row
		}
		out = append(out, porcupine.Operation{ClientId: row, Input: op, Call: op.Call, Return: min(op.Return, end+1)})
	}
	return out
}

// harmless takes out of a text what a page could take for markup: the picture puts
// texts into the page as they are.
func harmless(s string) string {
	return strings.NewReplacer("<", "‹", ">", "›", "&", "+", "\"", "'", "\\", "∖", "`", "'").Replace(s)
}
