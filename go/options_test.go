package stator

import (
	"errors"
	"math/rand"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Each option that the package has reaches the engine, and shows there.

func openAt(t *testing.T, path string, options *Options) *DB {
	t.Helper()
	db, err := Open(path, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, db.Close()) })
	return db
}

type entry struct {
	Host  string `dynamodbav:"host"`
	At    int    `dynamodbav:"at"`
	Extra []byte `dynamodbav:"extra,omitempty"`
}

// fill writes items that do not become smaller when they are compressed.
func fill(t *testing.T, db *DB, count, extra int) *Table {
	t.Helper()
	table := must(db.Table(ctx, "log", Schema{Partition: "host:S", Sort: "at:N"}))
	noise := rand.New(rand.NewSource(1))
	for at := range count {
		e := entry{Host: "web", At: at, Extra: make([]byte, extra)}
		noise.Read(e.Extra)
		check(t, table.Put(ctx, e))
	}
	return table
}

func statsOf(db *DB) Stats { return must(db.Stats()) }

func TestMustExistAndReadOnly(t *testing.T) {
	path := t.TempDir() + "/db"
	_, err := Open(path, &Options{MustExist: true})
	wants(t, err, ErrNotFound, path)
	db := must(Open(path, nil))
	fill(t, db, 3, 0)
	check(t, db.Close())
	db = openAt(t, path, &Options{MustExist: true, ReadOnly: true})
	table := must(db.OpenTable(ctx, "log"))
	if m, found, err := Get[entry](ctx, table, Key{"web", 2}); !found || err != nil || m.At != 2 {
		t.Fatal(m, found, err)
	}
	wants(t, table.Put(ctx, entry{Host: "web"}), ErrReadOnly, "read-only")
	wants(t, db.Flush(), ErrReadOnly, "read-only")
	_, err = db.CreateTable(ctx, "other", Schema{Partition: "id:S"})
	wants(t, err, ErrReadOnly, "read-only")
}

func TestDurabilityOfTheDatabase(t *testing.T) {
	for level, syncs := range map[Durability]uint64{DurabilityDefault: 10, DurabilitySync: 10, DurabilityInterval: 0, DurabilityNone: 0} {
		db := openAt(t, t.TempDir(), &Options{Durability: level, Interval: time.Minute})
		fill(t, db, 0, 0)
		before := statsOf(db).Syncs
		fill(t, db, 10, 0)
		after := statsOf(db)
		if after.Syncs-before != syncs {
			t.Errorf("level %d took %d syncs, not %d", level, after.Syncs-before, syncs)
		}
		if (after.DurableSequence == after.AppliedSequence) != (syncs > 0) {
			t.Errorf("level %d: %d of %d are durable", level, after.DurableSequence, after.AppliedSequence)
		}
	}
}

func TestDurabilityOfSingleWrites(t *testing.T) {
	db := openAt(t, t.TempDir(), &Options{Durability: DurabilityNone})
	table := fill(t, db, 1, 0)
	for level, syncs := range map[Durability]uint64{DurabilityDefault: 0, DurabilityNone: 0, DurabilitySync: 3} {
		before := statsOf(db).Syncs
		check(t, table.Put(ctx, entry{Host: "web", At: 1}, WithDurability(level)))
		check(t, table.Delete(ctx, Key{"web", 1}, WithDurability(level)))
		check(t, db.Batch().Put(table, entry{Host: "web", At: 2}).Write(ctx, WithDurability(level)))
		if got := statsOf(db).Syncs - before; got != syncs {
			t.Errorf("level %d took %d syncs, not %d", level, got, syncs)
		}
	}
	wants(t, table.Put(ctx, entry{Host: "web"}, WithDurability(9)), ErrInvalidArgument, "durability")
}

func sumOfFiles(stats Stats) (files uint64) {
	for _, level := range stats.Levels {
		files += level.Files
	}
	return files
}

func TestMemoryBudgetMemtableAndFileBytes(t *testing.T) {
	usual := openAt(t, t.TempDir(), &Options{Durability: DurabilityNone})
	fill(t, usual, 1000, 1000)
	if stats := statsOf(usual); stats.MemoryBudgetBytes != 64<<20 || stats.Flushes != 0 || stats.WrittenBytesLog < 1<<20 {
		t.Fatalf("%+v", stats)
	}
	check(t, usual.Compact())
	if files := sumOfFiles(statsOf(usual)); files != 1 {
		t.Fatal(files)
	}
	small := openAt(t, t.TempDir(), &Options{Durability: DurabilityNone, MemoryBudgetBytes: 2 << 20,
		MemtableBytes: 128 << 10, FileBytes: 128 << 10})
	fill(t, small, 1000, 1000)
	if stats := statsOf(small); stats.MemoryBudgetBytes != 2<<20 || stats.Flushes < 3 {
		t.Fatalf("%+v", stats)
	}
	check(t, small.Compact())
	if stats := statsOf(small); sumOfFiles(stats) < 4 || stats.WrittenBytesFlush < 1<<20 || stats.WrittenBytesCompaction == 0 {
		t.Fatalf("%+v", stats)
	}
}

// A second opening in one process with another value is refused by the name of the option.
func TestTheEngineIsToldEachOption(t *testing.T) {
	path := t.TempDir()
	openAt(t, path, nil)
	openAt(t, path, &Options{Durability: DurabilitySync, Interval: 100 * time.Millisecond, MemoryBudgetBytes: 64 << 20})
	for name, options := range map[string]Options{
		"read_only":           {ReadOnly: true},
		"durability":          {Durability: DurabilityNone},
		"interval_ms":         {Interval: 99 * time.Millisecond},
		"memory_budget_bytes": {MemoryBudgetBytes: 2 << 20},
		"memtable_bytes":      {MemtableBytes: 1 << 20},
		"file_bytes":          {FileBytes: 1 << 20},
	} {
		_, err := Open(path, &options)
		wants(t, err, ErrInvalidArgument, name)
	}
}

func TestValuesThatMakeNoSenseAreRefused(t *testing.T) {
	for text, options := range map[string]Options{
		"the interval must be 1ms to 1m, not -1s":   {Interval: -time.Second},
		"the interval must be 1ms to 1m, not 1µs":   {Interval: time.Microsecond},
		"the interval must be 1ms to 1m, not 1200h": {Interval: 1200 * time.Hour},
		"memory_budget_bytes must be":               {MemoryBudgetBytes: 1},
		"durability":                                {Durability: 9},
	} {
		_, err := Open(":memory:", &options)
		wants(t, err, ErrInvalidArgument, text)
	}
	table := fill(t, openAt(t, ":memory:", nil), 1, 0)
	for text, option := range map[string]QueryOption{
		"the limit must be at least 1, not 0":      Limit(0),
		"the limit must be at least 1, not -3":     Limit(-3),
		"the page size must be at least 1":         PageSize(0),
		"segments must be 0 <= segment < segments": Segment(0, 0),
		"not -1 of 4":      Segment(-1, 4),
		"not 4 of 4":       Segment(4, 4),
		"not 0 of 1000001": Segment(0, 1_000_001),
	} {
		count := 0
		for _, err := range Scan[entry](ctx, table, option) {
			wants(t, err, ErrInvalidArgument, text)
			count++
		}
		if count != 1 {
			t.Errorf("%s: %d", text, count)
		}
	}
}

func TestReadOptions(t *testing.T) {
	path := t.TempDir()
	db := must(Open(path, nil))
	fill(t, db, 100, 1000)
	check(t, db.Flush())
	check(t, db.Close())
	table := must(openAt(t, path, nil).OpenTable(ctx, "log"))
	var e entry
	_, err := table.Get(ctx, Key{"web", 50}, &e, CachedOnly())
	wants(t, err, ErrWouldBlock, "not in memory")
	_, err = BatchGet[entry](ctx, table, []Key{{"web", 50}}, CachedOnly())
	wants(t, err, ErrWouldBlock, "not in memory")
	for _, err := range Scan[entry](ctx, table, CachedOnly()) {
		wants(t, err, ErrWouldBlock, "not in memory")
	}
	for _, err := range Query[entry](ctx, table, "web", Consistent()) {
		check(t, err)
	}
	for _, options := range [][]ReadOption{nil, {Consistent()}, {CachedOnly()}} { // the first reads, and what was read stays
		found, err := table.Get(ctx, Key{"web", 50}, &e, options...)
		if !found || err != nil {
			t.Fatal(found, err)
		}
	}
	count := 0
	for _, err := range Scan[entry](ctx, table, CachedOnly()) {
		check(t, err)
		count++
	}
	if count != 100 {
		t.Fatal(count)
	}
}

func numbersOf(t *testing.T, table *Table, isScan bool, options ...QueryOption) []int {
	t.Helper()
	items := Query[entry](ctx, table, "web", options...)
	if isScan {
		items = Scan[entry](ctx, table, options...)
	}
	numbers := []int{}
	for e, err := range items {
		check(t, err)
		numbers = append(numbers, e.At)
	}
	return numbers
}

func TestQueryOptions(t *testing.T) {
	table := fill(t, openAt(t, ":memory:", nil), 6, 0)
	for _, isScan := range []bool{false, true} {
		var token []byte
		for _, c := range []struct{ got, want []int }{
			{numbersOf(t, table, isScan), []int{0, 1, 2, 3, 4, 5}},
			{numbersOf(t, table, isScan, Limit(2), PageSize(1), LastKey(&token)), []int{0, 1}},
			{numbersOf(t, table, isScan, StartAfter(token)), []int{2, 3, 4, 5}},
		} {
			if !reflect.DeepEqual(c.got, c.want) {
				t.Error(isScan, c.got, c.want)
			}
		}
	}
	if got := numbersOf(t, table, false, Reverse()); !reflect.DeepEqual(got, []int{5, 4, 3, 2, 1, 0}) {
		t.Error(got)
	}
}

// What is written while a sequence runs shows page by page, and not in a snapshot.
func TestPageSizeAndSnapshotSayWhichMomentIsSeen(t *testing.T) {
	for _, isScan := range []bool{false, true} {
		for _, c := range []struct {
			options []QueryOption
			want    int
		}{
			{[]QueryOption{PageSize(1)}, 4},
			{[]QueryOption{PageSize(100)}, 3},
			{nil, 3},
			{[]QueryOption{PageSize(1), Snapshot()}, 3},
		} {
			table := fill(t, openAt(t, ":memory:", nil), 3, 0)
			items := Query[entry](ctx, table, "web", c.options...)
			if isScan {
				items = Scan[entry](ctx, table, c.options...)
			}
			count := 0
			for _, err := range items {
				check(t, err)
				if count++; count == 1 {
					check(t, table.Put(ctx, entry{Host: "web", At: 3}))
				}
			}
			if count != c.want {
				t.Errorf("scan %v, %d options: %d, not %d", isScan, len(c.options), count, c.want)
			}
		}
	}
}

// Every field of stator_stats that stator.h has is in Stats.
func TestStatsAreWhole(t *testing.T) {
	header := string(must(os.ReadFile("../ffi/include/stator.h")))
	_, rest, _ := strings.Cut(header, "typedef struct stator_stats {")
	fields, _, found := strings.Cut(rest, "} stator_stats;")
	if !found {
		t.Fatal(errors.New("stator_stats is not in the header"))
	}
	fields = regexp.MustCompile(`/\*.*?\*/`).ReplaceAllString(fields, "")
	code := string(must(os.ReadFile("call.go")))
	count := 0
	for _, name := range regexp.MustCompile(`\b[a-z]+(_[a-z]+)*\b`).FindAllString(fields, -1) {
		if name == "struct_size" {
			continue
		}
		count++
		if !strings.Contains(code, "s."+name) {
			t.Errorf("%s is in stator_stats and not in Stats", name)
		}
	}
	if count < 20 {
		t.Fatal(count)
	}
}
