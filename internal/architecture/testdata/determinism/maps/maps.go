// Package maps depends on the order of maps.
package maps

import (
	"maps"
	"reflect"
	"slices"
)

type table map[string]int

type tables interface{ ~map[string]int }

func loop(m map[string]int) (n int) {
	for _, v := range m { // want: map order
		n = n*31 + v
	}
	return n
}

func named(t table) (n int) {
	for _, v := range t { // want: map order
		n = n*31 + v
	}
	return n
}

func generic[M tables](m M) (n int) {
	for _, v := range m { // want: map order
		n = n*31 + v
	}
	return n
}

func iterator(m map[string]int) []string {
	return slices.Collect(maps.Keys(m)) // want: map order
}

func reflected(m map[string]int) []reflect.Value {
	return reflect.ValueOf(m).MapKeys() // want: map order
}

func method(m map[string]int) *reflect.MapIter {
	f := reflect.ValueOf(m).MapRange // want: map order
	return f()
}

func sorted(m map[string]int) []string { return slices.Sorted(maps.Keys(m)) }

var _, _, _, _, _, _, _ = loop, named, generic[table], iterator, reflected, method, sorted
