// Package addresses lets pointers decide.
package addresses

import (
	"fmt"
	"reflect"
)

func name(p *int) string {
	return fmt.Sprintf("%p", p) // want: address
}

func hash(p *int) uintptr {
	return reflect.ValueOf(p).Pointer() // want: address
}

var _, _ = name, hash
