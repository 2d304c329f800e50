package checker

import "math/bits"

// sortable is an item with the number it is sorted by.
type sortable struct {
	key  uint64
	item int32
}

const radixBits = 11

// radixSort sorts items by key, stably, in as many passes of 11 bits as the
// spread of the keys needs. spare is scratch of the same length; the sorted items
// are in the slice returned, which is one of the two.
func radixSort(items, spare []sortable) []sortable {
	if len(items) < 48 {
		insertionSort(items)
		return items
	}
	least, most := items[0].key, items[0].key
	for i := range items {
		least, most = min(least, items[i].key), max(most, items[i].key)
	}
	var counts [1 << radixBits]int32
	for shift, width := 0, bits.Len64(most-least); shift < width; shift += radixBits {
		clear(counts[:])
		for i := range items {
			counts[(items[i].key-least)>>shift&(1<<radixBits-1)]++
		}
		sum := int32(0)
		for i, c := range counts {
			counts[i] = sum
			sum += c
		}
		for i := range items {
			digit := (items[i].key - least) >> shift & (1<<radixBits - 1)
			spare[counts[digit]] = items[i]
			counts[digit]++
		}
		items, spare = spare, items
	}
	return items
}

func insertionSort(items []sortable) {
	for i := 1; i < len(items); i++ {
		x := items[i]
		j := i
		for ; j > 0 && items[j-1].key > x.key; j-- {
			items[j] = items[j-1]
		}
		items[j] = x
	}
}
