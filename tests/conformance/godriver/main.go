// The conformance cases through Go; prints the count, or the first difference.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	stator "github.com/statordb/stator/go"
)

var ctx = context.Background()

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func native(v map[string]any) any {
	for kind, content := range v {
		switch kind {
		case "S":
			return content.(string)
		case "N":
			return stator.Number(content.(string))
		case "B":
			return must(base64.StdEncoding.DecodeString(content.(string)))
		case "BOOL":
			return content.(bool)
		case "M":
			return item(content.(map[string]any))
		case "L":
			out := []any{}
			for _, member := range content.([]any) {
				out = append(out, native(member.(map[string]any)))
			}
			return out
		case "SS", "NS", "BS":
			return set(kind, content.([]any))
		}
	}
	return nil
}

func set(kind string, members []any) any {
	var strs stator.StringSet
	var nums stator.NumberSet
	var bins stator.BinarySet
	for _, m := range members {
		strs = append(strs, m.(string))
		nums = append(nums, stator.Number(m.(string)))
		if kind == "BS" {
			bins = append(bins, must(base64.StdEncoding.DecodeString(m.(string))))
		}
	}
	return map[string]any{"SS": strs, "NS": nums, "BS": bins}[kind]
}

func item(content map[string]any) stator.Item {
	out := stator.Item{}
	for name, value := range content {
		out[name] = native(value.(map[string]any))
	}
	return out
}

func parse(text string) map[string]any {
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic(text + err.Error())
	}
	return v
}

type runner struct {
	path string
	db   *stator.DB
}

func (r *runner) open() {
	r.db = must(stator.Open(r.path, &stator.Options{Durability: stator.DurabilityNone}))
}

var conditions = map[string]func(any) stator.Condition{"=": stator.EQ, "<": stator.LT, "<=": stator.LE, ">": stator.GT,
	">=": stator.GE, "begins_with": stator.BeginsWith}

func (r *runner) query(t *stator.Table, words []string) ([]stator.Item, error) {
	partition, options := native(parse(words[0])), []stator.QueryOption{}
	for words = words[1:]; len(words) > 0; words = words[1:] {
		switch condition, ok := conditions[words[0]]; {
		case ok:
			options = append(options, stator.Sort(condition(native(parse(words[1])))))
			words = words[1:]
		case words[0] == "between":
			options = append(options, stator.Sort(stator.Between(native(parse(words[1])), native(parse(words[2])))))
			words = words[2:]
		case words[0] == "reverse":
			options = append(options, stator.Reverse())
		case words[0] == "limit":
			options = append(options, stator.Limit(must(strconv.Atoi(words[1]))))
			words = words[1:]
		}
	}
	var out []stator.Item
	for i, err := range stator.Query[stator.Item](ctx, t, partition, options...) {
		if err != nil {
			return nil, err
		}
		out = append(out, i)
	}
	return out, nil
}

func (r *runner) run(words []string) ([]stator.Item, error) {
	switch words[0] {
	case "flush":
		return nil, r.db.Flush()
	case "compact":
		return nil, r.db.Compact()
	case "reopen":
		err := r.db.Close()
		r.open()
		return nil, err
	case "drop":
		return nil, r.db.DeleteTable(ctx, words[1])
	case "table":
		_, err := r.db.Table(ctx, words[1], stator.Schema{Partition: words[2], Sort: strings.Join(words[3:], "")})
		return nil, err
	}
	t, err := r.db.OpenTable(ctx, words[1])
	if err != nil {
		return nil, err
	}
	return r.onTable(t, words[0], words[2:])
}
