package stator

import (
	"encoding"
	"encoding/binary"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

// A decoder walks a canonical item frame. Strings and bytes it yields point into the frame, which is never changed.
type decoder struct {
	frame []byte
	at    int
}

var errFrame = &Error{Code: ErrCorrupt, Position: -1, Message: "an item frame is malformed"}

func (d *decoder) byte() (byte, error) {
	if d.at >= len(d.frame) {
		return 0, errFrame
	}
	d.at++
	return d.frame[d.at-1], nil
}

func (d *decoder) u32() (int, error) {
	if len(d.frame)-d.at < 4 {
		return 0, errFrame
	}
	v := binary.LittleEndian.Uint32(d.frame[d.at:])
	d.at += 4
	return int(v), nil
}

func (d *decoder) take() ([]byte, error) {
	size, n := binary.Uvarint(d.frame[d.at:])
	if n <= 0 || size > uint64(len(d.frame)-d.at-n) {
		return nil, errFrame
	}
	from := d.at + n
	d.at = from + int(size)
	return d.frame[from:d.at:d.at], nil
}

func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func (d *decoder) container() (count int, err error) {
	if _, err = d.u32(); err != nil {
		return 0, err
	}
	count, err = d.u32()
	if err == nil && count > len(d.frame)-d.at {
		err = errFrame
	}
	return count, err
}

// frameHead moves behind version, flags, count and offsets, to the first entry.
func (d *decoder) frameHead() (count int, err error) {
	version, err := d.byte()
	if err != nil {
		return 0, err
	}
	if version != 1 {
		return 0, &Error{Code: ErrUnsupported, Position: 0, Message: "item frame version " + strconv.Itoa(int(version))}
	}
	if _, err = d.byte(); err != nil {
		return 0, err
	}
	count, err = d.u32()
	if err != nil || count > (len(d.frame)-d.at)/4 {
		return 0, errFrame
	}
	d.at += 4 * count
	return count, nil
}

func decodeItem(frame []byte) (Item, error) {
	d := decoder{frame: frame}
	count, err := d.frameHead()
	if err != nil {
		return nil, err
	}
	return d.members(count)
}

func (d *decoder) members(count int) (map[string]any, error) {
	out := make(map[string]any, count)
	for i := 0; i < count; i++ {
		name, err := d.take()
		if err != nil {
			return nil, err
		}
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		out[textOf(name)] = v
	}
	return out, nil
}

func (d *decoder) value() (any, error) {
	tag, err := d.byte()
	if err != nil {
		return nil, err
	}
	switch tag {
	case tagS:
		b, err := d.take()
		return textOf(b), err
	case tagN:
		return d.number()
	case tagB:
		return d.take()
	case tagFalse, tagTrue:
		return tag == tagTrue, nil
	case tagNull:
		return nil, nil
	}
	count, err := d.container()
	if err != nil {
		return nil, err
	}
	switch tag {
	case tagSS:
		out := make(StringSet, count)
		for i := range out {
			b, err := d.take()
			if err != nil {
				return nil, err
			}
			out[i] = textOf(b)
		}
		return out, nil
	case tagNS:
		out := make(NumberSet, count)
		for i := range out {
			if out[i], err = d.number(); err != nil {
				return nil, err
			}
		}
		return out, nil
	case tagBS:
		out := make(BinarySet, count)
		for i := range out {
			if out[i], err = d.take(); err != nil {
				return nil, err
			}
		}
		return out, nil
	case tagL:
		out := make([]any, count)
		for i := range out {
			if out[i], err = d.value(); err != nil {
				return nil, err
			}
		}
		return out, nil
	case tagM:
		return d.members(count)
	}
	return nil, errFrame
}

func (d *decoder) number() (Number, error) {
	form, err := d.take()
	if err != nil {
		return "", err
	}
	var room [192]byte
	text, ok := appendNumber(room[:0], form)
	if !ok {
		return "", errFrame
	}
	return Number(text), nil
}

// ---- into the caller's types ---------------------------------------------------------------------------------------

// decodeInto fills out (a pointer) from a frame.
func decodeInto(frame []byte, out any) error {
	if item, ok := out.(*Item); ok {
		decoded, err := decodeItem(frame)
		*item = decoded
		return err
	}
	target := reflect.ValueOf(out)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return invalid("the target of a read must be a pointer that is not nil, not %T", out)
	}
	item, err := decodeItem(frame)
	if err != nil {
		return err
	}
	return assign(target.Elem(), item)
}

func mismatch(v any, t reflect.Type) error {
	return invalid("a stored %s does not fit into a Go value of type %s", kindName(v), t)
}

func kindName(v any) string {
	switch v.(type) {
	case nil:
		return "NULL"
	case string:
		return "string"
	case Number:
		return "number"
	case []byte:
		return "binary"
	case bool:
		return "boolean"
	case []any:
		return "list"
	case map[string]any:
		return "map"
	}
	return "set"
}

// assign stores a decoded value in a variable of any type.
func assign(to reflect.Value, v any) error {
	if v == nil {
		to.SetZero()
		return nil
	}
	if to.Kind() == reflect.Pointer {
		if to.IsNil() {
			to.Set(reflect.New(to.Type().Elem()))
		}
		return assign(to.Elem(), v)
	}
	if from := reflect.ValueOf(v); from.Type().AssignableTo(to.Type()) {
		to.Set(from)
		return nil
	}
	switch v := v.(type) {
	case string:
		return assignText(to, v)
	case Number:
		return assignNumber(to, v)
	case bool:
		if to.Kind() == reflect.Bool {
			to.SetBool(v)
			return nil
		}
	case []byte:
		if to.Kind() == reflect.Slice && to.Type().Elem().Kind() == reflect.Uint8 {
			to.SetBytes(v)
			return nil
		}
		if to.Kind() == reflect.Array && to.Type().Elem().Kind() == reflect.Uint8 && to.Len() == len(v) {
			reflect.Copy(to, reflect.ValueOf(v))
			return nil
		}
	case map[string]any:
		return assignMap(to, v)
	case []any:
		return assignList(to, len(v), func(i int) any { return v[i] }, v)
	case StringSet:
		return assignList(to, len(v), func(i int) any { return v[i] }, v)
	case NumberSet:
		return assignList(to, len(v), func(i int) any { return v[i] }, v)
	case BinarySet:
		return assignList(to, len(v), func(i int) any { return v[i] }, v)
	}
	return mismatch(v, to.Type())
}

func assignText(to reflect.Value, v string) error {
	if to.Type() == timeType {
		t, err := time.Parse(time.RFC3339Nano, v)
		if err != nil {
			return invalid("the stored string %q is not a time", v)
		}
		to.Set(reflect.ValueOf(t))
		return nil
	}
	if to.Kind() == reflect.String {
		to.SetString(v)
		return nil
	}
	if to.CanAddr() {
		if u, ok := to.Addr().Interface().(encoding.TextUnmarshaler); ok {
			return u.UnmarshalText([]byte(v))
		}
	}
	return mismatch(v, to.Type())
}

func assignNumber(to reflect.Value, v Number) error {
	switch to.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := v.Int64()
		if err != nil || to.OverflowInt(n) {
			return invalid("the number %s does not fit into %s", v, to.Type())
		}
		to.SetInt(n)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, err := v.Uint64()
		if err != nil || to.OverflowUint(n) {
			return invalid("the number %s does not fit into %s", v, to.Type())
		}
		to.SetUint(n)
	case reflect.Float32, reflect.Float64:
		n, err := v.Float64()
		if err != nil {
			return err
		}
		to.SetFloat(n)
	case reflect.String:
		if to.Type() != numberType {
			return mismatch(v, to.Type())
		}
		to.SetString(string(v))
	default:
		if u, ok := to.Addr().Interface().(encoding.TextUnmarshaler); ok {
			return u.UnmarshalText([]byte(v))
		}
		return mismatch(v, to.Type())
	}
	return nil
}

func assignMap(to reflect.Value, v map[string]any) error {
	switch {
	case to.Kind() == reflect.Struct && to.Type() != timeType:
		for _, f := range fieldsOf(to.Type()) {
			member, ok := v[f.name]
			if !ok {
				continue
			}
			if err := assignField(f, f.settable(to), member); err != nil {
				return named(f.name, err)
			}
		}
		return nil
	case to.Kind() == reflect.Map && to.Type().Key().Kind() == reflect.String:
		out := reflect.MakeMapWithSize(to.Type(), len(v))
		for name, member := range v {
			slot := reflect.New(to.Type().Elem()).Elem()
			if err := assign(slot, member); err != nil {
				return named(name, err)
			}
			out.SetMapIndex(reflect.ValueOf(name).Convert(to.Type().Key()), slot)
		}
		to.Set(out)
		return nil
	}
	return mismatch(v, to.Type())
}

func assignField(f field, to reflect.Value, v any) error {
	switch n := v.(type) {
	case Number:
		if f.unixTime && to.Type() == timeType {
			seconds, err := n.Int64()
			if err == nil {
				to.Set(reflect.ValueOf(time.Unix(seconds, 0)))
			}
			return err
		}
	case string:
		if f.asString && to.Kind() != reflect.String {
			if to.Kind() == reflect.Bool {
				b, err := strconv.ParseBool(strings.TrimSpace(n))
				to.SetBool(b)
				return err
			}
			return assignNumber(to, Number(n))
		}
	}
	return assign(to, v)
}

func assignList(to reflect.Value, count int, member func(int) any, whole any) error {
	switch to.Kind() {
	case reflect.Slice:
		out := reflect.MakeSlice(to.Type(), count, count)
		for i := 0; i < count; i++ {
			if err := assign(out.Index(i), member(i)); err != nil {
				return err
			}
		}
		to.Set(out)
		return nil
	case reflect.Array:
		if to.Len() != count {
			return mismatch(whole, to.Type())
		}
		for i := 0; i < count; i++ {
			if err := assign(to.Index(i), member(i)); err != nil {
				return err
			}
		}
		return nil
	case reflect.Map:
		if _, isList := whole.([]any); isList {
			break
		}
		out := reflect.MakeMapWithSize(to.Type(), count)
		for i := 0; i < count; i++ {
			key := reflect.New(to.Type().Key()).Elem()
			if err := assign(key, member(i)); err != nil {
				return err
			}
			present := reflect.New(to.Type().Elem()).Elem()
			if present.Kind() == reflect.Bool {
				present.SetBool(true)
			}
			out.SetMapIndex(key, present)
		}
		to.Set(out)
		return nil
	}
	return mismatch(whole, to.Type())
}
