package stator_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	stator "github.com/statordb/stator/go"
)

type Movie struct {
	Title string `dynamodbav:"title"`
	Year  int    `dynamodbav:"year"`
	Stars int    `dynamodbav:"stars,omitempty"`
}

// must keeps the examples short; a program handles its errors.
func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

var ctx = context.Background()

// The first lines.
func Example() {
	folder := must(os.MkdirTemp("", "stator-example-"))
	defer os.RemoveAll(folder)

	db, err := stator.Open(folder+"/shop.stator", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	movies, err := db.Table(ctx, "movies", stator.Schema{Partition: "title:S", Sort: "year:N"})
	if err != nil {
		log.Fatal(err)
	}
	if err := movies.Put(ctx, Movie{Title: "Alien", Year: 1979}); err != nil {
		log.Fatal(err)
	}
	for m, err := range stator.Query[Movie](ctx, movies, "Alien", stator.Sort(stator.GE(1970)), stator.Limit(10)) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(m.Title, m.Year)
	}
	// Output: Alien 1979
}

// Tables: made, opened, listed, deleted.
func ExampleDB_CreateTable() {
	db := must(stator.Open(":memory:", nil))
	defer db.Close()
	films := must(db.CreateTable(ctx, "films", stator.Schema{Partition: "title:S", Sort: "year:N"}))
	fmt.Println(films.Name(), films.Schema(), time.Since(films.Created()) < time.Hour)

	_, err := db.CreateTable(ctx, "films", stator.Schema{Partition: "title:S"})
	fmt.Println(errors.Is(err, stator.ErrTableExists))

	// Table opens a table or makes it; OpenTable wants it to be there.
	must(db.Table(ctx, "actors", stator.Schema{Partition: "name:S"}))
	fmt.Println(must(db.OpenTable(ctx, "actors")).Schema().Partition)
	fmt.Println(must(db.ListTables(ctx)))

	check(db.DeleteTable(ctx, "films"))
	_, err = films.Get(ctx, stator.Key{"Alien", 1979}, &Movie{})
	fmt.Println(errors.Is(err, stator.ErrTableNotFound))
	// Output:
	// films {title:S year:N} true
	// true
	// name:S
	// [actors films]
	// true
}

// Items without a struct of their own: every type of value.
func ExampleItem() {
	db := must(stator.Open(":memory:", nil))
	defer db.Close()
	things := must(db.Table(ctx, "things", stator.Schema{Partition: "id:S"}))
	check(things.Put(ctx, stator.Item{
		"id":    "a",
		"count": 42,
		"price": stator.Number("9.990"),
		"open":  true,
		"none":  nil,
		"bytes": []byte{0, 1},
		"tags":  stator.StringSet{"red", "green"},
		"sizes": stator.NumberSet{"38", "40"},
		"list":  []any{1, "two"},
		"map":   map[string]any{"deep": "yes"},
	}))
	item, found, err := stator.Get[stator.Item](ctx, things, "a")
	check(err)
	fmt.Println(found, item["count"], item["price"], item["open"], item["none"], item["bytes"])
	fmt.Println(item["tags"], item["sizes"], item["list"], item["map"])

	_, found, err = stator.Get[stator.Item](ctx, things, "b")
	fmt.Println(found, err)
	// Output:
	// true 42 9.99 true <nil> [0 1]
	// [green red] [38 40] [1 two] map[deep:yes]
	// false <nil>
}

// One item: written, read, replaced, deleted.
func ExampleTable_Put() {
	db := must(stator.Open(":memory:", nil))
	defer db.Close()
	movies := must(db.Table(ctx, "movies", stator.Schema{Partition: "title:S", Sort: "year:N"}))
	check(movies.Put(ctx, Movie{"Alien", 1979, 4}))

	var old Movie
	var found bool
	check(movies.Put(ctx, Movie{"Alien", 1979, 5}, stator.ReturnOld(&old, &found)))
	fmt.Println(found, old.Stars)

	var m Movie
	found = must(movies.Get(ctx, stator.Key{"Alien", 1979}, &m, stator.Consistent()))
	fmt.Println(found, m.Stars)

	// Less than power loss is enough for this one.
	key := stator.Key{"Alien", 1979}
	check(movies.Delete(ctx, key, stator.WithDurability(stator.DurabilityNone), stator.ReturnOld(&old, nil)))
	fmt.Println(old.Stars, must(movies.Get(ctx, key, &m)))
	// Output:
	// true 4
	// true 5
	// 5 false
}

// Numbers are exact decimal text.
func ExampleNumber() {
	db := must(stator.Open(":memory:", nil))
	defer db.Close()
	accounts := must(db.Table(ctx, "accounts", stator.Schema{Partition: "id:S"}))
	check(accounts.Put(ctx, stator.Item{"id": "a", "sum": stator.Number("0.10"), "big": uint64(1) << 63}))
	account, _, err := stator.Get[struct {
		Sum stator.Number `dynamodbav:"sum"`
		Big stator.Number `dynamodbav:"big"`
	}](ctx, accounts, "a")
	check(err)
	rat, _ := account.Sum.Rat()
	fmt.Println(account.Sum.String(), must(account.Sum.Float64()), rat, must(account.Big.Uint64()))
	_, err = account.Sum.Int64()
	fmt.Println(err != nil)
	// Output:
	// 0.1 0.1 1/10 9223372036854775808
	// true
}

// All or nothing, over any tables; and many reads in one call.
func ExampleDB_Batch() {
	db := must(stator.Open(":memory:", nil))
	defer db.Close()
	orders := must(db.Table(ctx, "orders", stator.Schema{Partition: "id:N"}))
	stock := must(db.Table(ctx, "stock", stator.Schema{Partition: "sku:S"}))

	batch := db.Batch()
	batch.Put(orders, stator.Item{"id": 1, "sku": "lamp"}).Put(stock, stator.Item{"sku": "lamp", "left": 4})
	batch.Delete(stock, "sofa")
	fmt.Println(batch.Len())
	check(batch.Write(ctx))

	for _, order := range must(stator.BatchGet[stator.Item](ctx, orders, []stator.Key{{1}, {2}})) {
		if order != nil {
			fmt.Println((*order)["sku"])
		} else {
			fmt.Println("none")
		}
	}
	// Output:
	// 3
	// lamp
	// none
}

// Conditions on the sort key, order, limits.
func ExampleQuery() {
	db := must(stator.Open(":memory:", nil))
	defer db.Close()
	entries := must(db.Table(ctx, "log", stator.Schema{Partition: "host:S", Sort: "at:N"}))
	batch := db.Batch()
	for at := 1; at <= 9; at++ {
		batch.Put(entries, stator.Item{"host": "web", "at": at})
	}
	check(batch.Write(ctx))

	show := func(options ...stator.QueryOption) {
		var times []any
		for entry, err := range stator.Query[stator.Item](ctx, entries, "web", options...) {
			check(err)
			times = append(times, entry["at"])
		}
		fmt.Println(times...)
	}
	show()
	show(stator.Sort(stator.EQ(3)))
	show(stator.Sort(stator.LT(3)))
	show(stator.Sort(stator.LE(3)))
	show(stator.Sort(stator.GT(7)))
	show(stator.Sort(stator.GE(7)))
	show(stator.Sort(stator.Between(4, 6)))
	show(stator.Reverse(), stator.Limit(3))

	// The token resumes the query whenever you like, also in another process.
	var token []byte
	show(stator.Limit(4), stator.LastKey(&token))
	show(stator.StartAfter(token))
	// Output:
	// 1 2 3 4 5 6 7 8 9
	// 3
	// 1 2
	// 1 2 3
	// 8 9
	// 7 8 9
	// 4 5 6
	// 9 8 7
	// 1 2 3 4
	// 5 6 7 8 9
}

// Sort keys of type S or B can be asked for by their beginning.
func ExampleBeginsWith() {
	db := must(stator.Open(":memory:", nil))
	defer db.Close()
	files := must(db.Table(ctx, "files", stator.Schema{Partition: "disk:S", Sort: "path:S"}))
	for _, path := range []string{"usr/bin", "usr/lib", "var/log"} {
		check(files.Put(ctx, stator.Item{"disk": "c", "path": path}))
	}
	for file, err := range stator.Query[stator.Item](ctx, files, "c", stator.Sort(stator.BeginsWith("usr/"))) {
		check(err)
		fmt.Println(file["path"])
	}
	// Output:
	// usr/bin
	// usr/lib
}

// A whole table: in one sequence, or in parts for as many goroutines.
func ExampleScan() {
	db := must(stator.Open(":memory:", nil))
	defer db.Close()
	points := must(db.Table(ctx, "points", stator.Schema{Partition: "id:N"}))
	for id := range 100 {
		check(points.Put(ctx, stator.Item{"id": id}))
	}
	count := 0
	for part := range 4 {
		for _, err := range stator.Scan[stator.Item](ctx, points, stator.Segment(part, 4)) {
			check(err)
			count++
		}
	}
	fmt.Println(count)

	// A snapshot sees one moment: what is written meanwhile stays unseen.
	count = 0
	for point, err := range stator.Scan[stator.Item](ctx, points, stator.Snapshot(), stator.PageSize(10)) {
		check(err)
		id := must(point["id"].(stator.Number).Int64())
		check(points.Put(ctx, stator.Item{"id": id + 1000}))
		count++
	}
	fmt.Println(count)
	// Output:
	// 100
	// 100
}

// What open can be told, and looking after a database.
func ExampleOpen() {
	folder := must(os.MkdirTemp("", "stator-example-"))
	defer os.RemoveAll(folder)
	_, err := stator.Open(folder+"/missing", &stator.Options{MustExist: true})
	fmt.Println(errors.Is(err, stator.ErrNotFound))

	db := must(stator.Open(folder, &stator.Options{
		Durability:        stator.DurabilityInterval, // power loss takes at most the last 50 ms
		Interval:          50 * time.Millisecond,
		MemoryBudgetBytes: 16 << 20,
	}))
	points := must(db.Table(ctx, "points", stator.Schema{Partition: "id:N"}))
	for id := range 1000 {
		check(points.Put(ctx, stator.Item{"id": id}))
	}
	check(db.Flush())   // from memory to sorted files
	check(db.Compact()) // and these into few large ones
	fmt.Println(strings.Contains(must(db.Verify()), "manifest"))
	stats := must(db.Stats())
	fmt.Println(stats.Tables, stats.Flushes > 0, stats.MemoryBudgetBytes>>20)

	// After a flush an answer may lie in a file; whoever cannot wait says so.
	_, err = points.Get(ctx, 7, &stator.Item{}, stator.CachedOnly())
	fmt.Println(err == nil || errors.Is(err, stator.ErrWouldBlock))
	check(db.Close())
	// Output:
	// true
	// true
	// 1 true 16
	// true
}

// What went wrong, and what may be done about it.
func ExampleError() {
	db := must(stator.Open(":memory:", nil))
	movies := must(db.Table(ctx, "movies", stator.Schema{Partition: "title:S", Sort: "year:N"}))
	err := movies.Put(ctx, stator.Item{"title": "Alien"})
	var e *stator.Error
	if errors.As(err, &e) {
		fmt.Println(e.Code.Name(), e.Exception(), e.Retryable(), e.MaybeApplied())
	}
	check(db.Close())
	err = movies.Put(ctx, Movie{Title: "Alien", Year: 1979})
	fmt.Println(errors.Is(err, stator.ErrClosed))
	// Output:
	// INVALID_ARGUMENT ValidationException false false
	// true
}

// A context that ends abandons the wait, never a write that has begun.
func ExampleCancelledError() {
	db := must(stator.Open(":memory:", nil))
	defer db.Close()
	notes := must(db.Table(ctx, "notes", stator.Schema{Partition: "id:S"}))
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	err := notes.Put(cancelled, stator.Item{"id": "a"})
	fmt.Println(errors.Is(err, context.Canceled))

	// During a call the error is of this type, and says whether the write may have been applied.
	var e *stator.CancelledError
	fmt.Println(errors.As(err, &e))
	// Output:
	// true
	// false
}

// The DynamoDB JSON protocol without a socket: what an SDK sends, and what it gets.
func ExampleDB_Dispatch() {
	db := must(stator.Open(":memory:", nil))
	defer db.Close()
	status, answer, err := db.Dispatch(ctx, "DynamoDB_20120810.Fly", []byte("{}"),
		stator.WithRegion("eu-west-2"), stator.WithAccount("111122223333")) // what ARNs say
	fmt.Println(status, string(answer), err)

	// For tests: a day passes. What has expired by then is gone.
	check(db.MoveClock(ctx, 24*time.Hour))
	// Output:
	// 400 {"__type":"com.amazon.coral.service#UnknownOperationException"} <nil>
}

// Conditions and updates are texts in DynamoDB's language.
func ExampleTable_Update() {
	db := must(stator.Open(":memory:", nil))
	defer db.Close()
	movies := must(db.Table(ctx, "movies", stator.Schema{Partition: "title:S", Sort: "year:N"}))
	alien := stator.Key{"Alien", 1979}
	check(movies.Put(ctx, Movie{Title: "Alien", Year: 1979, Stars: 4}, stator.If("attribute_not_exists(title)")))

	// A condition that fails changes nothing; its error has the item that was in the way.
	err := movies.Put(ctx, Movie{Title: "Alien", Year: 1979}, stator.If("attribute_not_exists(title)"), stator.ReturnOnFailure())
	var failed *stator.Error
	if errors.As(err, &failed) && failed.Code == stator.ErrConditionFailed {
		var there Movie
		found, err := failed.Item(&there)
		fmt.Println(failed.Exception(), found, err, there.Stars)
	}

	var whole, changed, before stator.Item
	check(movies.Update(ctx, alien, "SET stars = :s, #n = :n", stator.Names(map[string]string{"#n": "note"}),
		stator.Values(stator.Item{":s": 5, ":n": "a classic"}), stator.ReturnNew(&whole)))
	fmt.Println(whole["title"], whole["stars"], whole["note"])
	check(movies.Update(ctx, alien, "ADD seen :one", stator.Values(stator.Item{":one": 1}), stator.ReturnUpdatedNew(&changed)))
	check(movies.Update(ctx, alien, "REMOVE note", stator.ReturnUpdatedOld(&before)))
	fmt.Println(changed, before)
	// Output:
	// ConditionalCheckFailedException true <nil> 4
	// Alien 5 a classic
	// map[seen:1] map[note:a classic]
}

// Indexes, filters, projections; items that expire; a stream of changes.
func ExampleWithIndex() {
	db := must(stator.Open(":memory:", nil))
	defer db.Close()
	movies := must(db.Table(ctx, "movies", stator.Schema{Partition: "title:S", Sort: "year:N"},
		stator.WithIndex(stator.Index{Name: "by_stars", Partition: []string{"stars:N"}, Sort: []string{"year:N"}}),
		stator.WithTTL("expires"), stator.WithStream(stator.StreamNewAndOld), stator.WithProtection()))
	fmt.Println(movies.Indexes()[0].Name, movies.TTL(), movies.Stream() == stator.StreamNewAndOld, movies.Protected())
	for _, m := range []Movie{{"Alien", 1979, 5}, {"Brazil", 1985, 5}, {"Cats", 2019, 1}} {
		check(movies.Put(ctx, m))
	}

	for m, err := range stator.Query[Movie](ctx, movies, 5, stator.FromIndex("by_stars"), stator.Sort(stator.GE(1980))) {
		check(err)
		fmt.Println(m.Title)
	}
	for m, err := range stator.Query[stator.Item](ctx, movies, nil, stator.FromIndex("by_stars"),
		stator.KeyCondition("stars = :five"), stator.Filter("begins_with(title, :a)"), stator.Project("title"),
		stator.Values(stator.Item{":five": 5, ":a": "A"})) {
		check(err)
		fmt.Println(m)
	}
	// Output:
	// by_stars expires true true
	// Brazil
	// map[title:Alien]
}

// Transactions: all of it or nothing, over any tables, and safe to repeat.
func ExampleDB_TransactWrite() {
	db := must(stator.Open(":memory:", nil))
	defer db.Close()
	accounts := must(db.Table(ctx, "accounts", stator.Schema{Partition: "id:S"}))
	check(accounts.Put(ctx, stator.Item{"id": "a", "balance": 100}))
	transfer := func(amount int, token string) error {
		values := stator.Values(stator.Item{":amount": amount})
		return db.TransactWrite(ctx, []stator.TransactItem{
			stator.TransactUpdate(accounts, "a", "SET balance = balance - :amount", stator.If("balance >= :amount"), values),
			stator.TransactUpdate(accounts, "b", "ADD balance :amount", values),
			stator.TransactPut(accounts, stator.Item{"id": "last"}),
			stator.TransactDelete(accounts, "draft"),
			stator.TransactCheck(accounts, "frozen", "attribute_not_exists(id)"),
		}, stator.Token(token))
	}
	check(transfer(30, "order-1"))
	check(transfer(30, "order-1")) // again: changes nothing

	err := transfer(500, "order-2")
	var failed *stator.Error
	if errors.As(err, &failed) && failed.Code == stator.ErrTransactionCanceled {
		fmt.Println(failed.Reasons[0].Message)
		found, err := failed.Reasons[0].Item(&stator.Item{}) // with ReturnOnFailure on its write
		fmt.Println(found, err)
	}

	var a, b stator.Item
	var found bool
	check(db.TransactGet(ctx, stator.TransactInto(accounts, "a", &a, nil), stator.TransactInto(accounts, "b", &b, &found)))
	fmt.Println(a["balance"], b["balance"], found)
	// Output:
	// The conditional request failed
	// false <nil>
	// 70 30 true
}
