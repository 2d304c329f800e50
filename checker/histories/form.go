package histories

import (
	"slices"
	"strconv"
	"strings"
)

// formKind says what a form is.
type formKind uint8

const (
	nilForm formKind = iota
	boolForm
	intForm     // fits 64 bits
	otherForm   // any other number, a character, a symbol: told apart by their text, which is one for equal numbers
	oddForm     // begins as a number, and is none of EDN: 010, 0x1f
	stringForm  // text is without quotes
	keywordForm // text is without the colon
	listForm    // list or vector
	setForm     // its order means nothing
	mapForm     // its children are keys and values in turn
)

// form is a node of a tree of forms. Children are linked by next; 0 ends a list,
// as the root of a tree, number 0, is nobody's child.
type form struct {
	kind        formKind
	from, to    int32 // its text
	n           int64 // intForm: the number; of collections: how many children
	first, next int32
	at          place // where it begins; zero if it does not stand in the file
}

// place is where something stands in a file: its line, and the byte of the line, both
// from 1.
type place struct{ line, column int32 }

// forms is one top-level form. It is used again for the next one.
type forms struct {
	nodes []form
	text  []byte
}

func (f *forms) reset() { f.nodes, f.text = f.nodes[:0], f.text[:0] }

func (f *forms) add(n form) int32 {
	f.nodes = append(f.nodes, n)
	return int32(len(f.nodes) - 1)
}

// textOf returns the text of form i, which is valid until the next form is read.
func (f *forms) textOf(i int32) []byte { return f.text[f.nodes[i].from:f.nodes[i].to] }

// isName reports whether i is a keyword or a string, as which names are written.
func (f *forms) isName(i int32) bool {
	return f.nodes[i].kind == keywordForm || f.nodes[i].kind == stringForm
}

// isList reports whether i is a list of n children.
func (f *forms) isList(i int32, n int64) bool {
	return f.nodes[i].kind == listForm && f.nodes[i].n == n
}

// child returns the k-th child of i, from 0; there must be one.
func (f *forms) child(i int32, k int) int32 {
	at := f.nodes[i].first
	for ; k > 0; k-- {
		at = f.nodes[at].next
	}
	return at
}

// print appends the form as EDN, in one way for equal forms.
func (f *forms) print(to []byte, i int32) []byte {
	n := &f.nodes[i]
	switch n.kind {
	case nilForm:
		return append(to, "nil"...)
	case intForm:
		return strconv.AppendInt(to, n.n, 10)
	case stringForm:
		to = append(to, '"')
		for _, c := range f.textOf(i) {
			if c == '"' || c == '\\' {
				to = append(to, '\\')
			}
			to = append(to, c)
		}
		return append(to, '"')
	case keywordForm:
		return append(append(to, ':'), f.textOf(i)...)
	case listForm:
		to = append(to, '[')
		for c := n.first; c != 0; c = f.nodes[c].next {
			if c != n.first {
				to = append(to, ' ')
			}
			to = f.print(to, c)
		}
		return append(to, ']')
	case setForm:
		return f.printSorted(append(to, '#'), n.first, 1)
	case mapForm:
		return f.printSorted(to, n.first, 2)
	}
	return append(to, f.textOf(i)...)
}

// printSorted appends the children of a set, or the entries of a map, which have two
// forms each, in the order of their texts.
func (f *forms) printSorted(to []byte, first int32, each int) []byte {
	var texts []string
	for c := first; c != 0; {
		text := f.print(nil, c)
		c = f.nodes[c].next
		if each == 2 {
			text = f.print(append(text, ' '), c)
			c = f.nodes[c].next
		}
		texts = append(texts, string(text))
	}
	slices.Sort(texts)
	return append(append(append(to, '{'), strings.Join(texts, " ")...), '}')
}
