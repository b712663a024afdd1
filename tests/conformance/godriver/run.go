package main

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"

	stator "github.com/statordb/stator/go"
)

func (r *runner) onTable(t *stator.Table, op string, words []string) ([]stator.Item, error) {
	var old stator.Item
	switch op {
	case "put":
		return nil, t.Put(ctx, item(parse(words[0])))
	case "delete":
		return nil, t.Delete(ctx, item(parse(words[0])))
	case "put-old":
		err := t.Put(ctx, item(parse(words[0])), stator.ReturnOld(&old, nil))
		return []stator.Item{old}, err
	case "delete-old":
		err := t.Delete(ctx, item(parse(words[0])), stator.ReturnOld(&old, nil))
		return []stator.Item{old}, err
	case "get":
		got, _, err := stator.Get[stator.Item](ctx, t, item(parse(words[0])))
		return []stator.Item{got}, err
	case "batch":
		b := r.db.Batch()
		for i := 0; i < len(words); i += 2 {
			if words[i] == "put" {
				b.Put(t, item(parse(words[i+1])))
			} else {
				b.Delete(t, item(parse(words[i+1])))
			}
		}
		return nil, b.Write(ctx)
	case "batch-get":
		var out []stator.Item
		for _, word := range words {
			got, _, err := stator.Get[stator.Item](ctx, t, item(parse(word)))
			if err != nil {
				return nil, err
			}
			out = append(out, got)
		}
		return out, nil
	case "query":
		return r.query(t, words)
	}
	var out []stator.Item
	for i, err := range stator.Scan[stator.Item](ctx, t) {
		if err != nil {
			return nil, err
		}
		out = append(out, i)
	}
	return out, nil
}

func sorted(items []stator.Item) []stator.Item {
	sort.Slice(items, func(i, j int) bool { return fmt.Sprint(items[i]) < fmt.Sprint(items[j]) })
	return items
}

func fail(line int, words []string, what ...any) {
	fmt.Println(append([]any{"line", line, words[0], ":"}, what...)...)
	os.Exit(1)
}

func main() {
	text := string(must(os.ReadFile(os.Args[1])))
	var lines [][]string
	for _, line := range strings.Split(text, "\n") {
		if line != "" && line[0] != '#' {
			lines = append(lines, strings.Split(line, "\t"))
		}
	}
	r, count := &runner{}, 0
	for at := 0; at < len(lines); {
		words, begin := lines[at], at
		at++
		if words[0] == "case" {
			if r.db != nil {
				must(0, r.db.Close())
			}
			r.path = must(os.MkdirTemp("", "stator-conformance-")) + "/db"
			defer os.RemoveAll(strings.TrimSuffix(r.path, "/db"))
			r.open()
			continue
		}
		var want []stator.Item
		var failure []string
		for ; at < len(lines) && (lines[at][0] == "=" || lines[at][0] == "none" || lines[at][0] == "error"); at++ {
			switch lines[at][0] {
			case "=":
				want = append(want, item(parse(lines[at][1])))
			case "none":
				want = append(want, nil)
			default:
				failure = lines[at]
			}
		}
		got, err := r.run(words)
		var e *stator.Error
		if err != nil && (failure == nil || !errors.As(err, &e) || e.Code.Name() != failure[1] || !strings.Contains(e.Message, failure[2])) {
			fail(begin, words, err, "expected", failure, want)
		}
		if words[0] == "scan" {
			got, want = sorted(got), sorted(want)
		}
		if err == nil && (failure != nil || len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want)) {
			fail(begin, words, got, "expected", failure, want)
		}
		count++
	}
	must(0, r.db.Close())
	fmt.Println(count, "steps")
}
