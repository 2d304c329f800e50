package generate

type happeningKind uint8

const (
	calls       happeningKind = iota // a client calls; subject is the client
	takesEffect                      // an operation takes effect; subject is the operation
)

type happening struct {
	at      int64
	seq     int64 // breaks ties
	kind    happeningKind
	subject int32
}

// queue is a binary heap of happenings by time.
type queue struct {
	items []happening
	seq   int64
}

func (q *queue) len() int { return len(q.items) }

func (q *queue) less(i, j int) bool {
	a, b := &q.items[i], &q.items[j]
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}

func (q *queue) push(h happening) {
	q.seq++
	h.seq = q.seq
	q.items = append(q.items, h)
	for i := len(q.items) - 1; i > 0 && q.less(i, (i-1)/2); i = (i - 1) / 2 {
		q.items[i], q.items[(i-1)/2] = q.items[(i-1)/2], q.items[i]
	}
}

func (q *queue) pop() happening {
	top := q.items[0]
	last := len(q.items) - 1
	q.items[0] = q.items[last]
	q.items = q.items[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return top
		}
		if child+1 < last && q.less(child+1, child) {
			child++
		}
		if !q.less(child, i) {
			return top
		}
		q.items[i], q.items[child] = q.items[child], q.items[i]
		i = child
	}
}
