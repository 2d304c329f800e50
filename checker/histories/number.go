package histories

import (
	"bytes"
	"strconv"
)

// widest is how many digits a number may have that is printed without an exponent.
const widest = 30

// decimal is a number: sign, digits times ten to the power of exponent. Neither the
// first nor the last digit is 0; zero has none.
type decimal struct {
	negative bool
	digits   []byte
	exponent int64
	integer  bool // it was written without a fraction or an exponent
	exact    bool // M: a decimal of Clojure, which is equal to no other number
}

// startsNumber reports whether a word is a number, or ought to be one: + and - may
// begin a symbol as well.
func startsNumber(word []byte) bool {
	digit := func(c byte) bool { return c >= '0' && c <= '9' }
	return digit(word[0]) || len(word) > 1 && (word[0] == '-' || word[0] == '+') && digit(word[1])
}

// parseDecimal reads a number of EDN, or of JSON (RFC 8259, section 6). It reports
// false for what is none, among that integers with a leading zero, which readers of EDN
// take for octal.
func parseDecimal(word []byte, json bool) (decimal, bool) {
	var d decimal
	rest := word
	if rest[0] == '-' || rest[0] == '+' && !json {
		d.negative = rest[0] == '-'
		rest = rest[1:]
	}
	whole, rest := digitsOf(rest)
	if len(whole) == 0 || len(whole) > 1 && whole[0] == '0' {
		return d, false
	}
	d.integer = true
	var fraction []byte
	if len(rest) > 0 && rest[0] == '.' {
		d.integer = false
		if fraction, rest = digitsOf(rest[1:]); len(fraction) == 0 && json {
			return d, false
		}
	}
	if len(rest) > 0 && (rest[0] == 'e' || rest[0] == 'E') {
		d.integer = false
		signed := bytes.TrimPrefix(rest[1:], []byte("+"))
		end := len(signed) - len(bytes.TrimLeft(bytes.TrimPrefix(signed, []byte("-")), "0123456789"))
		exponent, err := strconv.ParseInt(string(signed[:end]), 10, 32)
		if err != nil {
			return d, false
		}
		d.exponent, rest = exponent, signed[end:]
	}
	if len(rest) == 1 && !json && (rest[0] == 'M' || rest[0] == 'N' && d.integer) {
		d.exact = rest[0] == 'M'
		rest = nil
	}
	d.digits = append(append(d.digits, whole...), fraction...)
	d.exponent -= int64(len(fraction))
	d.normalise()
	return d, len(rest) == 0
}

// digitsOf splits off the digits with which a text begins.
func digitsOf(text []byte) (digits, rest []byte) {
	rest = bytes.TrimLeft(text, "0123456789")
	return text[:len(text)-len(rest)], rest
}

func (d *decimal) normalise() {
	d.digits = bytes.TrimLeft(d.digits, "0")
	trimmed := bytes.TrimRight(d.digits, "0")
	d.exponent += int64(len(d.digits) - len(trimmed))
	if d.digits = trimmed; len(trimmed) == 0 {
		d.exponent, d.negative = 0, false
	}
}

// text prints the number in one way for all that are equal: JSON has one kind of
// numbers, and in EDN integers, fractions and exact decimals differ.
func (d *decimal) text(json bool) []byte {
	var out []byte
	if d.negative {
		out = append(out, '-')
	}
	digits, point := d.digits, int64(len(d.digits))+d.exponent // digits before the point
	if len(digits) == 0 {
		digits = []byte("0")
		point = 1
	}
	fraction := !json && (!d.integer || d.exact)
	switch {
	case d.integer && !json && !d.exact, point >= int64(len(digits)) && point <= widest:
		out = append(append(out, digits...), bytes.Repeat([]byte("0"), int(point)-len(digits))...)
		if fraction {
			out = append(out, ".0"...)
		}
	case point > 0 && point <= widest:
		out = append(append(append(out, digits[:point]...), '.'), digits[point:]...)
	case point <= 0 && point > -widest:
		out = append(append(append(out, "0."...), bytes.Repeat([]byte("0"), int(-point))...), digits...)
	default:
		out = strconv.AppendInt(append(append(out, digits...), 'e'), d.exponent, 10)
	}
	if d.exact {
		out = append(out, 'M')
	}
	return out
}
