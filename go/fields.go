package stator

import (
	"reflect"
	"strings"
	"sync"
)

// A field of a struct as the tag `dynamodbav:"name,omitempty,string,unixtime,stringset,numberset,binaryset"` describes it.
// Without a tag the field's own name is the attribute; "-" leaves it out; embedded structs are flattened.
type field struct {
	name      string
	index     []int
	omitEmpty bool
	asString  bool
	unixTime  bool
	set       byte
}

var fieldCache sync.Map // reflect.Type -> []field

func fieldsOf(t reflect.Type) []field {
	if cached, ok := fieldCache.Load(t); ok {
		return cached.([]field)
	}
	var fields []field
	seen := map[string]int{} // name -> depth
	for _, f := range reflect.VisibleFields(t) {
		tag, hasTag := f.Tag.Lookup("dynamodbav")
		name, options, _ := strings.Cut(tag, ",")
		if name == "-" || !f.IsExported() {
			continue
		}
		if f.Anonymous && name == "" && structOf(f.Type) != nil && structOf(f.Type) != timeType {
			continue // its fields are visible themselves
		}
		if isHidden(t, f.Index) {
			continue
		}
		out := field{name: f.Name, index: f.Index}
		if hasTag && name != "" {
			out.name = name
		}
		for _, option := range strings.Split(options, ",") {
			switch option {
			case "omitempty":
				out.omitEmpty = true
			case "string":
				out.asString = true
			case "unixtime":
				out.unixTime = true
			case "stringset":
				out.set = tagSS
			case "numberset":
				out.set = tagNSText
			case "binaryset":
				out.set = tagBS
			}
		}
		if depth, ok := seen[out.name]; ok && depth <= len(f.Index) {
			continue
		}
		seen[out.name] = len(f.Index)
		fields = append(fields, out)
	}
	fieldCache.Store(t, fields)
	return fields
}

func structOf(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Struct {
		return t
	}
	return nil
}

// isHidden says whether an embedded struct on the way is left out or has a name of its own.
func isHidden(t reflect.Type, index []int) bool {
	for i := 1; i < len(index); i++ {
		f := t.FieldByIndex(index[:i])
		name, _, _ := strings.Cut(f.Tag.Get("dynamodbav"), ",")
		if name != "" || structOf(f.Type) == nil {
			return true
		}
	}
	return false
}

// of finds the field in v; false when an embedded pointer on the way is nil.
func (f field) of(v reflect.Value) (reflect.Value, bool) {
	for i, x := range f.index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return reflect.Value{}, false
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	return v, true
}

// settable is of, but makes embedded pointers on the way.
func (f field) settable(v reflect.Value) reflect.Value {
	for i, x := range f.index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	return v
}
