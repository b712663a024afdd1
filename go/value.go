package stator

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// An Item is one row, or any map inside one. Values that come out are string, Number, []byte, bool, nil, StringSet,
// NumberSet, BinarySet, []any and map[string]any. Going in, Go's own numbers, slices, maps, structs and time.Time are fine too.
type Item = map[string]any

// A Number is DynamoDB's: exact decimal text of at most 38 significant digits.
type Number string

// The three kinds of set.
type (
	StringSet []string
	NumberSet []Number
	BinarySet [][]byte
)

// Key names an item by the values of its key attributes, in the order of the schema: Key{"Alien", 1979}.
type Key []any

func (n Number) String() string { return string(n) }

// Int64 is the exact value; an error when it has a fraction or does not fit.
func (n Number) Int64() (int64, error) {
	if v, err := strconv.ParseInt(string(n), 10, 64); err == nil {
		return v, nil
	}
	rat, ok := new(big.Rat).SetString(string(n))
	if !ok || !rat.IsInt() || !rat.Num().IsInt64() {
		return 0, invalid("the number %s is not a 64-bit integer", string(n))
	}
	return rat.Num().Int64(), nil
}

// Uint64 is the exact value; an error when it has a fraction, is negative or does not fit.
func (n Number) Uint64() (uint64, error) {
	rat, ok := new(big.Rat).SetString(string(n))
	if !ok || !rat.IsInt() || !rat.Num().IsUint64() {
		return 0, invalid("the number %s is not an unsigned 64-bit integer", string(n))
	}
	return rat.Num().Uint64(), nil
}

// Float64 is the nearest double.
func (n Number) Float64() (float64, error) {
	v, err := strconv.ParseFloat(string(n), 64)
	if err != nil {
		return 0, invalid("the number %s is not a double", string(n))
	}
	return v, nil
}

// Rat is the exact value.
func (n Number) Rat() (*big.Rat, bool) { return new(big.Rat).SetString(string(n)) }

func floatText(v float64, bits int) (string, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "", invalid("%v is not a number that can be stored", v)
	}
	return strconv.FormatFloat(v, 'g', -1, bits), nil
}

const numberBias = 130

// appendNumber turns the ordered form of docs/formats/item.md into canonical text.
func appendNumber(to []byte, form []byte) ([]byte, bool) {
	if len(form) == 0 || form[0] < 1 || form[0] > 3 {
		return to, false
	}
	if form[0] == 2 {
		return append(to, '0'), len(form) == 1
	}
	var flip byte
	if form[0] == 1 {
		flip = 0xFF
		to = append(to, '-')
	}
	if len(form) < 4 || form[len(form)-1]^flip != 0 {
		return to, false
	}
	exponent := int(form[1]^flip) - numberBias
	var digits [2 * 20]byte
	count := 0
	for _, b := range form[2 : len(form)-1] {
		pair := int(b^flip) - 1
		if pair < 0 || pair > 99 || count+2 > len(digits) {
			return to, false
		}
		digits[count], digits[count+1] = byte('0'+pair/10), byte('0'+pair%10)
		count += 2
	}
	for count > 1 && digits[count-1] == '0' {
		count--
	}
	return appendDecimal(to, digits[:count], exponent), true
}

// appendDecimal writes d.ddd x 10^exponent as plain decimal text.
func appendDecimal(to []byte, digits []byte, exponent int) []byte {
	switch whole := exponent + 1; {
	case whole <= 0:
		to = append(to, "0."...)
		for ; whole < 0; whole++ {
			to = append(to, '0')
		}
		return append(to, digits...)
	case whole >= len(digits):
		to = append(to, digits...)
		return append(to, strings.Repeat("0", whole-len(digits))...)
	default:
		to = append(to, digits[:whole]...)
		to = append(to, '.')
		return append(to, digits[whole:]...)
	}
}
