package reproduce_test

import (
	"context"
	"fmt"

	"github.com/lockstep-sim/lockstep/protocols/all"
	"github.com/lockstep-sim/lockstep/reports/reproduce"
)

// How many message delays each operation takes, as published and as measured.
func ExampleMake() {
	f, err := reproduce.Make(context.Background(), "message-delays", reproduce.Options{Elections: 1, Workers: 1, Protocols: all.List()})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Title)
	fmt.Println(f.Missed(), "missed")
	// Output:
	// Message delays and messages of each operation
	// 0 missed
}
