package stator

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

var ctx = context.Background()

type movie struct {
	Title string `dynamodbav:"title"`
	Year  int    `dynamodbav:"year"`
	Note  string `dynamodbav:"note,omitempty"`
}

func open(t testing.TB) *DB {
	t.Helper()
	db, err := Open(":memory:", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wants(t *testing.T, err error, code Code, text string) {
	t.Helper()
	if !errors.Is(err, code) || !strings.Contains(err.Error(), text) {
		t.Fatalf("%v is not %v with %q", err, code, text)
	}
}

func movies(t testing.TB) (*DB, *Table) {
	db := open(t)
	return db, must(db.Table(ctx, "movies", Schema{Partition: "title:S", Sort: "year:N"}))
}

func TestFirstLinesRunTwiceOnOneDirectory(t *testing.T) {
	path := t.TempDir() + "/shop.stator"
	for i := 0; i < 2; i++ {
		db := must(Open(path, nil))
		table := must(db.Table(ctx, "movies", Schema{Partition: "title:S", Sort: "year:N"}))
		check(t, table.Put(ctx, movie{Title: "Alien", Year: 1979}))
		m, found, err := Get[movie](ctx, table, Key{"Alien", 1979})
		if err != nil || !found || m.Year != 1979 {
			t.Fatal(m, found, err)
		}
		count := 0
		for m, err := range Query[movie](ctx, table, "Alien", Sort(GE(1970)), Limit(10)) {
			check(t, err)
			if m.Title != "Alien" {
				t.Fatal(m)
			}
			count++
		}
		if count != 1 {
			t.Fatal(count)
		}
		check(t, db.Close())
		check(t, db.Close())
	}
}

func TestEveryTypeGoesBothWays(t *testing.T) {
	_, table := movies(t)
	item := Item{"title": "x", "year": Number("1"), "b": []byte{0, 255}, "t": true, "n": nil, "f": Number("-1.5"),
		"ss": StringSet{"a", "b"}, "ns": NumberSet{"-2", "1"}, "bs": BinarySet{{0}, {1}}, "l": []any{"x", Number("1")},
		"m": map[string]any{"k": map[string]any{"d": nil}}, "big": Number("12345678901234567890123456789012345678"),
		"tiny": Number("0." + strings.Repeat("0", 129) + "1"), "huge": Number("9" + strings.Repeat("0", 125))}
	check(t, table.Put(ctx, item))
	got, found, err := Get[Item](ctx, table, Key{"x", 1})
	if err != nil || !found || !reflect.DeepEqual(got, item) {
		t.Fatalf("%v %v\n%#v\n%#v", found, err, got, item)
	}
}

func TestStructsFollowTheirTags(t *testing.T) {
	_, table := movies(t)
	type Base struct {
		Title string `dynamodbav:"title"`
	}
	type full struct {
		Base
		Year   uint16               `dynamodbav:"year"`
		Hidden string               `dynamodbav:"-"`
		Empty  string               `dynamodbav:",omitempty"`
		Tags   []string             `dynamodbav:"tags,stringset"`
		Bits   map[int]bool         `dynamodbav:"bits,numberset"`
		At     time.Time            `dynamodbav:"at,unixtime"`
		When   time.Time            `dynamodbav:"when"`
		Text   int                  `dynamodbav:"text,string"`
		Ptr    *float64             `dynamodbav:"ptr"`
		Nil    *int                 `dynamodbav:"nil"`
		Map    map[string][]int8    `dynamodbav:"map"`
		Raw    [2]byte              `dynamodbav:"raw"`
		Any    any                  `dynamodbav:"any"`
		Sub    struct{ X, Y int32 } `dynamodbav:"sub"`
	}
	half := 0.5
	in := full{Base: Base{"T"}, Year: 7, Hidden: "h", Tags: []string{"b", "a"}, Bits: map[int]bool{1: true, 2: true},
		At: time.Unix(1700000000, 0), When: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Text: 12, Ptr: &half,
		Map: map[string][]int8{"k": {1, -1}}, Raw: [2]byte{1, 2}, Any: []any{"s"}}
	in.Sub.X = -3
	check(t, table.Put(ctx, in))
	out, found, err := Get[full](ctx, table, Key{"T", 7})
	if err != nil || !found {
		t.Fatal(found, err)
	}
	in.Hidden = ""
	in.Tags = []string{"a", "b"}
	if !reflect.DeepEqual(out, in) {
		t.Fatalf("\n%+v\n%+v", out, in)
	}
	raw := must2(Get[Item](ctx, table, Key{"T", 7}))
	if raw["text"] != "12" || raw["at"] != Number("1700000000") || raw["Empty"] != nil {
		t.Fatal(raw)
	}
}

func must2[T any](v T, found bool, err error) T {
	if err != nil || !found {
		panic(fmt.Sprint(found, err))
	}
	return v
}

func TestWhatCannotBeStoredIsRefused(t *testing.T) {
	_, table := movies(t)
	self := map[string]any{}
	self["self"] = self
	for text, item := range map[string]any{
		"cannot be stored":      Item{"title": "x", "year": 1, "c": make(chan int)},
		"valid UTF-8":           Item{"title": "\xff", "year": 1},
		"is not a number":       Item{"title": "x", "year": math.NaN()},
		"nested":                Item{"title": "x", "year": 1, "s": self},
		"must be a map":         7,
		"empty string value":    Item{"title": "", "year": 1},
		"Missing the key year":  Item{"title": "x"},
		"may not be empty":      Item{"title": "x", "year": 1, "s": StringSet{}},
		"cannot be converted":   Item{"title": "x", "year": Number("one")},
		"contains duplicates":   Item{"title": "x", "year": 1, "s": StringSet{"a", "a"}},
		"38 significant digits": Item{"title": "x", "year": Number(strings.Repeat("1", 39))},
	} {
		wants(t, table.Put(ctx, item), ErrInvalidArgument, text)
	}
	var out int
	check(t, table.Put(ctx, movie{"x", 1, "n"}))
	_, err := table.Get(ctx, Key{"x", 1}, &out)
	wants(t, err, ErrInvalidArgument, "does not fit")
	_, err = table.Get(ctx, Key{"x"}, &out)
	wants(t, err, ErrInvalidArgument, "2 key attributes")
}

func TestOldItemsBatchesAndAbsence(t *testing.T) {
	db, table := movies(t)
	var old movie
	var found bool
	check(t, table.Put(ctx, movie{"A", 1, "first"}, ReturnOld(&old, &found)))
	if found {
		t.Fatal(old)
	}
	check(t, table.Put(ctx, movie{"A", 1, "second"}, ReturnOld(&old, &found), WithDurability(DurabilityNone)))
	if !found || old.Note != "first" {
		t.Fatal(old)
	}
	check(t, db.Batch().Put(table, movie{"B", 2, ""}).Put(table, movie{"C", 3, ""}).Delete(table, Key{"A", 1}).Write(ctx))
	got := must(BatchGet[movie](ctx, table, []Key{{"A", 1}, {"C", 3}, {"B", 2}}))
	if got[0] != nil || got[1].Year != 3 || got[2].Year != 2 {
		t.Fatal(got)
	}
	wants(t, db.Batch().Put(table, movie{"B", 2, ""}).Delete(table, Key{"B", 2}).Write(ctx), ErrInvalidArgument, "duplicates")
	wants(t, db.Batch().Write(ctx), ErrInvalidArgument, "empty")
	check(t, table.Delete(ctx, map[string]any{"title": "B", "year": 2}, ReturnOld(&old, &found)))
	if !found || old.Title != "B" {
		t.Fatal(old, found)
	}
	check(t, table.Delete(ctx, movie{"B", 2, ""}))
	if _, found, err := Get[movie](ctx, table, Key{"B", 2}); found || err != nil {
		t.Fatal(found, err)
	}
}

func years(t *testing.T, table *Table, options ...QueryOption) []int {
	t.Helper()
	out := []int{}
	for m, err := range Query[movie](ctx, table, "T", options...) {
		check(t, err)
		out = append(out, m.Year)
	}
	return out
}

func TestQueriesScansAndTokens(t *testing.T) {
	_, table := movies(t)
	for year := 0; year < 30; year++ {
		check(t, table.Put(ctx, movie{"T", year, ""}, WithDurability(DurabilityNone)))
		check(t, table.Put(ctx, movie{fmt.Sprint("U", year), year, ""}, WithDurability(DurabilityNone)))
	}
	for _, c := range []struct {
		want []int
		got  []int
	}{
		{[]int{5}, years(t, table, Sort(EQ(5)))},
		{[]int{0, 1}, years(t, table, Sort(LT(2)))},
		{[]int{0, 1, 2}, years(t, table, Sort(LE(2)))},
		{[]int{29}, years(t, table, Sort(GT(28)))},
		{[]int{28, 29}, years(t, table, Sort(GE(28)))},
		{[]int{6, 5, 4}, years(t, table, Sort(Between(4, 6)), Reverse())},
		{[]int{0, 1, 2, 3}, years(t, table, Limit(4), PageSize(3), Snapshot(), Consistent())},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Fatal(c.got, c.want)
		}
	}
	var token []byte
	all := []int{}
	for first := true; first || token != nil; first = false {
		all = append(all, years(t, table, Limit(7), PageSize(4), StartAfter(token), LastKey(&token))...)
	}
	if len(all) != 30 || all[29] != 29 {
		t.Fatal(all)
	}
	seen := map[string]bool{}
	for i := 0; i < 4; i++ {
		for m, err := range Scan[movie](ctx, table, Segment(i, 4)) {
			check(t, err)
			seen[fmt.Sprint(m.Title, m.Year)] = true
		}
	}
	if len(seen) != 60 {
		t.Fatal(len(seen))
	}
	for range Scan[movie](ctx, table) {
		break
	}
}

func TestTablesAndCare(t *testing.T) {
	db, table := movies(t)
	_, err := db.CreateTable(ctx, "movies", Schema{Partition: "x:S"})
	wants(t, err, ErrTableExists, "movies")
	_, err = db.Table(ctx, "movies", Schema{Partition: "x:S"})
	wants(t, err, ErrInvalidArgument, "other keys")
	_, err = db.OpenTable(ctx, "nothing")
	wants(t, err, ErrTableNotFound, "nothing")
	_, err = db.CreateTable(ctx, "no", Schema{Partition: "x"})
	wants(t, err, ErrInvalidArgument, "name:S")
	must(db.CreateTable(ctx, "books", Schema{Partition: "id:B"}))
	if names := must(db.ListTables(ctx)); !reflect.DeepEqual(names, []string{"books", "movies"}) {
		t.Fatal(names)
	}
	if table.Schema() != (Schema{"title:S", "year:N"}) || table.Name() != "movies" || table.Created().IsZero() {
		t.Fatal(table)
	}
	check(t, db.Flush())
	check(t, db.Compact())
	if report := must(db.Verify()); !strings.Contains(report, "manifest") {
		t.Fatal(report)
	}
	if stats := must(db.Stats()); stats.Tables != 2 {
		t.Fatal(stats)
	}
	check(t, db.DeleteTable(ctx, "movies"))
	wants(t, table.Put(ctx, movie{"x", 1, ""}), ErrTableNotFound, "not found")
	var e *Error
	if !errors.As(table.Put(ctx, movie{"x", 1, ""}), &e) || e.Exception() != "ResourceNotFoundException" {
		t.Fatal(e)
	}
}

func TestContextsEndTheWait(t *testing.T) {
	_, table := movies(t)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := table.Put(ended, movie{"x", 1, ""}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	for _, err := range Scan[movie](ended, table) {
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	timed, cancel2 := context.WithTimeout(ctx, time.Minute)
	defer cancel2()
	check(t, table.Put(timed, movie{"x", 1, ""}))
	if _, found, err := Get[movie](timed, table, Key{"x", 1}); !found || err != nil {
		t.Fatal(found, err)
	}
}

func TestClosedDatabasesSaySo(t *testing.T) {
	db := must(Open(":memory:", nil))
	table := must(db.Table(ctx, "movies", Schema{Partition: "title:S", Sort: "year:N"}))
	check(t, table.Put(ctx, movie{"x", 1, ""}))
	check(t, table.Put(ctx, movie{"y", 1, ""}))
	count := 0
	for _, err := range Scan[movie](ctx, table, PageSize(1)) {
		if count == 0 {
			check(t, err)
			check(t, db.Close())
		} else {
			wants(t, err, ErrClosed, "closed")
		}
		count++
	}
	if count != 2 {
		t.Fatal(count)
	}
	wants(t, table.Put(ctx, movie{"x", 1, ""}), ErrClosed, "closed")
}

func TestManyGoroutines(t *testing.T) {
	_, table := movies(t)
	var group sync.WaitGroup
	for g := 0; g < 8; g++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := 0; i < 200; i++ {
				m := movie{fmt.Sprint("T", g), i, strings.Repeat("n", i)}
				if err := table.Put(ctx, m); err != nil {
					t.Error(err)
				}
				if got, found, err := Get[movie](ctx, table, Key{m.Title, i}); err != nil || !found || got != m {
					t.Error(got, found, err)
				}
			}
		}()
	}
	group.Wait()
	count := 0
	for _, err := range Scan[movie](ctx, table) {
		check(t, err)
		count++
	}
	if count != 1600 {
		t.Fatal(count)
	}
}

func BenchmarkPut(b *testing.B) {
	_, table := movies(b)
	for i := 0; i < b.N; i++ {
		check(b, table.Put(ctx, movie{"T", i, "note"}, WithDurability(DurabilityNone)))
	}
}

func BenchmarkGet(b *testing.B) {
	_, table := movies(b)
	check(b, table.Put(ctx, movie{"T", 1, "note"}))
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		must2(Get[movie](ctx, table, Key{"T", 1}))
	}
}
