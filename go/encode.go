package stator

import (
	"encoding"
	"encoding/binary"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"
)

// The tags of docs/formats/item.md.
const (
	tagS          = 1
	tagN          = 2
	tagNumberText = 0x12
	tagB          = 3
	tagFalse      = 4
	tagTrue       = 5
	tagNull       = 6
	tagSS         = 7
	tagNS         = 8
	tagNSText     = 0x18
	tagBS         = 9
	tagL          = 10
	tagM          = 11
)

const depthMax = 64 // the engine refuses at 32; this only stops values that contain themselves

// An encoder appends relaxed values: any order, numbers as text. The engine checks and makes them canonical.
type encoder struct{ buf []byte }

func (e *encoder) bytes(tag byte, b []byte) {
	e.buf = append(e.buf, tag)
	e.buf = binary.AppendUvarint(e.buf, uint64(len(b)))
	e.buf = append(e.buf, b...)
}

func (e *encoder) text(tag byte, s string) error {
	if !utf8.ValidString(s) {
		return invalid("a string that is not valid UTF-8 cannot be stored; use []byte for binary data")
	}
	e.raw(tag, s)
	return nil
}

func (e *encoder) raw(tag byte, s string) {
	e.buf = append(e.buf, tag)
	e.name(s)
}

func (e *encoder) name(s string) {
	e.buf = binary.AppendUvarint(e.buf, uint64(len(s)))
	e.buf = append(e.buf, s...)
}

// begin writes the head of a container; end fills it in.
func (e *encoder) begin(tag byte) int {
	e.buf = append(e.buf, tag, 0, 0, 0, 0, 0, 0, 0, 0)
	return len(e.buf)
}

func (e *encoder) end(at, count int) {
	binary.LittleEndian.PutUint32(e.buf[at-8:], uint32(len(e.buf)-at))
	binary.LittleEndian.PutUint32(e.buf[at-4:], uint32(count))
}

// value appends v. The common types need no reflection.
func (e *encoder) value(v any, depth int) error {
	if depth > depthMax {
		return invalid("the value is nested deeper than 32 levels, or contains itself")
	}
	switch v := v.(type) {
	case nil:
		e.buf = append(e.buf, tagNull)
	case string:
		return e.text(tagS, v)
	case Number:
		e.raw(tagNumberText, string(v))
	case []byte:
		e.bytes(tagB, v)
	case bool:
		e.bool(v)
	case int:
		e.int(int64(v))
	case int64:
		e.int(v)
	case float64:
		return e.float(v, 64)
	case StringSet:
		at := e.begin(tagSS)
		for _, s := range v {
			if !utf8.ValidString(s) {
				return invalid("a string that is not valid UTF-8 cannot be stored; use []byte for binary data")
			}
			e.name(s)
		}
		e.end(at, len(v))
	case NumberSet:
		at := e.begin(tagNSText)
		for _, n := range v {
			e.name(string(n))
		}
		e.end(at, len(v))
	case BinarySet:
		at := e.begin(tagBS)
		for _, b := range v {
			e.name(string(b))
		}
		e.end(at, len(v))
	case []any:
		at := e.begin(tagL)
		for _, member := range v {
			if err := e.value(member, depth+1); err != nil {
				return err
			}
		}
		e.end(at, len(v))
	case map[string]any:
		return e.itemMap(v, depth)
	case *big.Int:
		e.raw(tagNumberText, v.String())
	default:
		return e.reflected(reflect.ValueOf(v), depth)
	}
	return nil
}

func (e *encoder) itemMap(v map[string]any, depth int) error {
	at := e.begin(tagM)
	for name, member := range v {
		if !utf8.ValidString(name) {
			return invalid("the attribute name %q is not valid UTF-8", name)
		}
		e.name(name)
		if err := e.value(member, depth+1); err != nil {
			return named(name, err)
		}
	}
	e.end(at, len(v))
	return nil
}

func (e *encoder) bool(v bool) {
	if v {
		e.buf = append(e.buf, tagTrue)
	} else {
		e.buf = append(e.buf, tagFalse)
	}
}

func (e *encoder) int(v int64) {
	var digits [20]byte
	text := strconv.AppendInt(digits[:0], v, 10)
	e.bytes(tagNumberText, text)
}

func (e *encoder) float(v float64, bits int) error {
	text, err := floatText(v, bits)
	if err == nil {
		e.raw(tagNumberText, text)
	}
	return err
}

var (
	timeType          = reflect.TypeOf(time.Time{})
	numberType        = reflect.TypeOf(Number(""))
	bytesType         = reflect.TypeOf([]byte(nil))
	textMarshalerType = reflect.TypeOf((*encoding.TextMarshaler)(nil)).Elem()
)

func (e *encoder) reflected(v reflect.Value, depth int) error {
	if depth > depthMax {
		return invalid("the value is nested deeper than 32 levels, or contains itself")
	}
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			e.buf = append(e.buf, tagNull)
			return nil
		}
		if v.Kind() == reflect.Interface {
			return e.value(v.Interface(), depth)
		}
		v = v.Elem()
	}
	switch v.Type() {
	case timeType:
		return e.text(tagS, v.Interface().(time.Time).Format(time.RFC3339Nano))
	case numberType:
		e.raw(tagNumberText, v.String())
		return nil
	}
	if v.Kind() != reflect.Struct && v.Kind() != reflect.String && v.Type().Implements(textMarshalerType) {
		text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return err
		}
		return e.text(tagS, string(text))
	}
	return e.kind(v, depth)
}

func (e *encoder) kind(v reflect.Value, depth int) error {
	switch v.Kind() {
	case reflect.Bool:
		e.bool(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		e.int(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		e.raw(tagNumberText, strconv.FormatUint(v.Uint(), 10))
	case reflect.Float32:
		return e.float(v.Float(), 32)
	case reflect.Float64:
		return e.float(v.Float(), 64)
	case reflect.String:
		return e.text(tagS, v.String())
	case reflect.Slice, reflect.Array:
		return e.sequence(v, depth)
	case reflect.Map:
		return e.mapped(v, depth)
	case reflect.Struct:
		if number, ok := v.Interface().(big.Int); ok {
			e.raw(tagNumberText, number.String())
			return nil
		}
		return e.structure(v, depth)
	default:
		return invalid("a value of type %s cannot be stored", v.Type())
	}
	return nil
}

func (e *encoder) sequence(v reflect.Value, depth int) error {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		if v.Kind() == reflect.Slice && v.IsNil() {
			e.buf = append(e.buf, tagNull)
			return nil
		}
		b := make([]byte, v.Len())
		reflect.Copy(reflect.ValueOf(b), v)
		e.bytes(tagB, b)
		return nil
	}
	if v.Kind() == reflect.Slice && v.IsNil() {
		e.buf = append(e.buf, tagNull)
		return nil
	}
	at := e.begin(tagL)
	for i := 0; i < v.Len(); i++ {
		if err := e.reflected(v.Index(i), depth+1); err != nil {
			return err
		}
	}
	e.end(at, v.Len())
	return nil
}

func (e *encoder) mapped(v reflect.Value, depth int) error {
	if v.IsNil() {
		e.buf = append(e.buf, tagNull)
		return nil
	}
	at := e.begin(tagM)
	iter := v.MapRange()
	for iter.Next() {
		key := iter.Key()
		var name string
		switch key.Kind() {
		case reflect.String:
			name = key.String()
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
			name = strconv.FormatInt(key.Int(), 10)
		case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
			name = strconv.FormatUint(key.Uint(), 10)
		default:
			return invalid("a map with keys of type %s cannot be stored", key.Type())
		}
		if !utf8.ValidString(name) {
			return invalid("the attribute name %q is not valid UTF-8", name)
		}
		e.name(name)
		if err := e.reflected(iter.Value(), depth+1); err != nil {
			return named(name, err)
		}
	}
	e.end(at, v.Len())
	return nil
}

func (e *encoder) structure(v reflect.Value, depth int) error {
	at := e.begin(tagM)
	count := 0
	for _, f := range fieldsOf(v.Type()) {
		member, ok := f.of(v)
		if !ok || (f.omitEmpty && isEmpty(member)) {
			continue
		}
		e.name(f.name)
		if err := e.field(f, member, depth+1); err != nil {
			return named(f.name, err)
		}
		count++
	}
	e.end(at, count)
	return nil
}

func (e *encoder) field(f field, v reflect.Value, depth int) error {
	switch {
	case f.set != 0:
		return e.set(f.set, v)
	case f.unixTime && v.Type() == timeType:
		e.int(v.Interface().(time.Time).Unix())
		return nil
	case f.asString:
		switch v.Kind() {
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8,
			reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64, reflect.Bool:
			return e.text(tagS, fmt.Sprint(v.Interface()))
		}
	}
	return e.reflected(v, depth)
}

// set writes a slice, or the keys of a map[T]bool or map[T]struct{}, as a set; an empty one as NULL, as DynamoDB has none.
func (e *encoder) set(tag byte, v reflect.Value) error {
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	var members []reflect.Value
	switch v.Kind() {
	case reflect.Map:
		members = v.MapKeys()
	case reflect.Slice, reflect.Array:
		for i := 0; i < v.Len(); i++ {
			members = append(members, v.Index(i))
		}
	}
	if len(members) == 0 {
		e.buf = append(e.buf, tagNull)
		return nil
	}
	at := e.begin(tag)
	for _, member := range members {
		var one encoder
		if err := one.reflected(member, 0); err != nil {
			return err
		}
		want := map[byte]byte{tagSS: tagS, tagNSText: tagNumberText, tagBS: tagB}[tag]
		if one.buf[0] != want {
			return invalid("a value of type %s cannot be a member of this kind of set", member.Type())
		}
		e.buf = append(e.buf, one.buf[1:]...)
	}
	e.end(at, len(members))
	return nil
}

func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Array, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return v.Type() == timeType && v.Interface().(time.Time).IsZero()
	default:
		return v.IsZero()
	}
}

func named(name string, err error) error {
	if e, ok := err.(*Error); ok {
		return &Error{Code: e.Code, Flags: e.Flags, Position: e.Position, Message: "attribute " + name + ": " + e.Message}
	}
	return fmt.Errorf("attribute %s: %w", name, err)
}
