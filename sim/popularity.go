package sim

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lockstep-sim/lockstep/protocols"
)

// Popularity says how often each key is drawn. The zero value draws all keys
// equally. Make one with ParsePopularity, which checks it.
type Popularity struct {
	kind     popularityKind
	exponent int64 // zipf: thousandths
	keys     Prob  // hotspot: share of the keys that are hot, k1 upwards
	share    Prob  // hotspot: share of the operations that go to them
}

type popularityKind uint8

const (
	uniformKeys popularityKind = iota
	zipfKeys
	hotKeys
)

const popularityForms = "want uniform, zipf(exponent) such as zipf(0.99), or hotspot(keys,operations) such as hotspot(10%,90%)"

// ParsePopularity reads uniform, zipf(0.99) — key k is drawn in proportion to
// 1/k^0.99 — or hotspot(10%,90%): a tenth of the keys, at least one, get nine tenths
// of the operations, and within hot and cold keys all are equal. An exponent is
// within 0.01..10, in thousandths.
func ParsePopularity(text string) (Popularity, error) {
	p, err := parsePopularity(strings.TrimSpace(text))
	if err != nil {
		return Popularity{}, fmt.Errorf("%q: %w", text, err)
	}
	return p, nil
}

func parsePopularity(s string) (p Popularity, err error) {
	name, inner, call := strings.Cut(s, "(")
	inner, closed := strings.CutSuffix(inner, ")")
	args := strings.Split(inner, ",")
	switch {
	case s == "uniform":
		return Popularity{}, nil
	case !call || !closed:
	case name == "zipf" && len(args) == 1:
		p.kind = zipfKeys
		if p.exponent, err = parseDecimal(strings.TrimSpace(args[0]), 3); err == nil && (p.exponent < 10 || p.exponent > 10_000) {
			err = errors.New("the exponent must be within 0.01..10")
		}
		return p, err
	case name == "hotspot" && len(args) == 2:
		p.kind = hotKeys
		if p.keys, err = ParseProb(args[0]); err == nil {
			p.share, err = ParseProb(args[1])
		}
		if err == nil && (p.keys == 0 || p.keys == Always) {
			err = errors.New("the share of hot keys must be above 0% and below 100%")
		}
		return p, err
	}
	return p, errors.New(popularityForms)
}

// String prints what ParsePopularity reads back unchanged.
func (p Popularity) String() string {
	switch p.kind {
	case zipfKeys:
		return "zipf(" + formatDecimal(p.exponent, 3) + ")"
	case hotKeys:
		return "hotspot(" + p.keys.String() + "," + p.share.String() + ")"
	}
	return "uniform"
}

// popular draws keys as a popularity says.
type popular struct {
	Popularity
	of     int      // number of keys
	hot    int      // hotspot: how many of them are hot
	weight []uint64 // zipf: sums of the weights of k1..k(i+1)
}

// unitWeight is the weight of the first key of a Zipf distribution.
const unitWeight = protocols.Duration(1 << 40)

// prepare makes p ready for so many keys. The table of a Zipf distribution is kept
// where it fits.
func (p *popular) prepare(like Popularity, keys int) {
	if p.Popularity == like && p.of == keys {
		return
	}
	p.Popularity, p.of, p.weight = like, keys, nil
	switch like.kind {
	case zipfKeys:
		p.weight = make([]uint64, keys)
		sum := uint64(0)
		for i := range p.weight {
			e := int64(log2(uint64(i+1))) / 1000 * like.exponent // log2 is at most 20·2^32, so that this fits
			sum += max(1, uint64(scale(unitWeight, -e)))
			p.weight[i] = sum
		}
	case hotKeys:
		p.hot = min(max(1, int(int64(keys)*int64(like.keys)/int64(Always))), keys)
	}
}

// key draws a key, from 1.
func (p *popular) key(draws *stream) protocols.Key {
	switch {
	case p.kind == zipfKeys:
		u := below(draws.next(), p.weight[p.of-1])
		i, found := slices.BinarySearch(p.weight, u)
		if found { // the sum up to a key is no longer that key's
			i++
		}
		return protocols.Key(1 + i)
	case p.kind == hotKeys && p.hot < p.of:
		if p.share.hit(draws.next()) {
			return protocols.Key(1 + below(draws.next(), uint64(p.hot)))
		}
		return protocols.Key(1 + p.hot + int(below(draws.next(), uint64(p.of-p.hot))))
	}
	return protocols.Key(1 + below(draws.next(), uint64(p.of)))
}
