package page_test

import (
	"bytes"
	"fmt"

	"github.com/lockstep-sim/lockstep/reports/page"
)

// A page is one file that loads nothing. Every text is escaped.
func Example() {
	p := &page.Page{Title: "Crashes", Verdict: "ok"}
	s := p.Section("Runs")
	s.Text("n1 <-> n2 were cut off.")
	s.Table("what came of it", []string{"seed", "verdict"}, [][]string{{"1", "ok"}, {"2", "ok"}})
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(bytes.Contains(b.Bytes(), []byte("n1 &lt;-&gt; n2 were cut off.")), bytes.Contains(b.Bytes(), []byte("<script")))
	// Output: true false
}
