// Package output writes to the terminal.
package output

import "fmt"

func say(text string) string {
	fmt.Println(text) // want: standard output
	print(text)       // want: standard output
	return fmt.Sprint(text)
}

var _ = say
