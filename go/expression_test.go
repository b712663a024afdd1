package stator

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func errorOf(t *testing.T, err error, code Code) *Error {
	t.Helper()
	var failed *Error
	if !errors.As(err, &failed) || failed.Code != code {
		t.Fatalf("%v is not %v", err, code)
	}
	return failed
}

func itemOf(t *testing.T, table *Table, key any) Item {
	t.Helper()
	item, _, err := Get[Item](ctx, table, key)
	check(t, err)
	return item
}

func TestConditionsOfPutUpdateAndDelete(t *testing.T) {
	_, table := movies(t)
	key := Key{"Alien", 1979}
	check(t, table.Put(ctx, movie{Title: "Alien", Year: 1979, Note: "first"}, If("attribute_not_exists(title)")))
	refused := []error{
		table.Put(ctx, movie{Title: "Alien", Year: 1979}, If("attribute_not_exists(title)"), ReturnOnFailure()),
		table.Update(ctx, key, "REMOVE note", If("note = :n"), Values(Item{":n": "second"}), ReturnOnFailure()),
		table.Delete(ctx, key, If("#n <> :n"), Names(map[string]string{"#n": "note"}), Values(Item{":n": "first"}), ReturnOnFailure()),
	}
	for _, err := range refused {
		wants(t, err, ErrConditionFailed, "The conditional request failed")
		var saw movie
		found, err := errorOf(t, err, ErrConditionFailed).Item(&saw)
		if err != nil || !found || saw != (movie{"Alien", 1979, "first"}) {
			t.Fatal(saw, found, err)
		}
	}
	if item := itemOf(t, table, key); item["note"] != "first" {
		t.Fatal(item)
	}
	check(t, table.Delete(ctx, key, If("note = :n"), Values(Item{":n": "first"})))
	if item := itemOf(t, table, key); item != nil {
		t.Fatal(item)
	}
}

func TestAFailedConditionGivesNoItemThatWasNotAskedForOrIsNotThere(t *testing.T) {
	_, table := movies(t)
	check(t, table.Put(ctx, movie{Title: "Alien", Year: 1979}))
	for _, err := range []error{
		table.Put(ctx, movie{Title: "Alien", Year: 1979}, If("attribute_not_exists(title)")),
		table.Delete(ctx, Key{"Brazil", 1985}, If("attribute_exists(title)"), ReturnOnFailure()),
	} {
		if found, err := errorOf(t, err, ErrConditionFailed).Item(&movie{}); found || err != nil {
			t.Fatal(found, err)
		}
	}
}

func TestUpdateReturnsWhatIsAskedFor(t *testing.T) {
	_, table := movies(t)
	key := Key{"Alien", 1979}
	check(t, table.Put(ctx, Item{"title": "Alien", "year": 1979, "stars": 4, "note": "x"}))
	set := func(stars int, option WriteOption) {
		t.Helper()
		check(t, table.Update(ctx, key, "SET stars = :s", Values(Item{":s": stars}), option))
	}
	var old, updatedOld, updated, whole Item
	var found bool
	set(5, ReturnOld(&old, &found))
	set(6, ReturnUpdatedOld(&updatedOld))
	set(7, ReturnUpdatedNew(&updated))
	set(8, ReturnNew(&whole))
	for _, c := range []struct{ got, want Item }{
		{old, Item{"title": "Alien", "year": Number("1979"), "stars": Number("4"), "note": "x"}},
		{updatedOld, Item{"stars": Number("5")}}, {updated, Item{"stars": Number("7")}},
		{whole, Item{"title": "Alien", "year": Number("1979"), "stars": Number("8"), "note": "x"}},
	} {
		if !reflect.DeepEqual(c.got, c.want) || !found {
			t.Error(c.got, c.want)
		}
	}
	check(t, table.Update(ctx, Key{"Brazil", 1985}, "ADD seen :one", Values(Item{":one": 1}), ReturnOld(&old, &found)))
	if found || itemOf(t, table, Key{"Brazil", 1985})["seen"] != Number("1") {
		t.Fatal("an update makes what is missing")
	}
	wants(t, table.Put(ctx, movie{Title: "Alien"}, ReturnNew(&whole)), ErrInvalidArgument, "only an Update")
	wants(t, table.Update(ctx, key, "SET stars = :s"), ErrInvalidArgument, ":s")
	wants(t, table.Put(ctx, movie{Title: "Alien"}, Token("once")), ErrInvalidArgument, "Token")
}

func TestProjectionFilterAndKeyCondition(t *testing.T) {
	_, table := movies(t)
	for year := 1979; year <= 1988; year++ {
		check(t, table.Put(ctx, movie{Title: "Alien", Year: year, Note: fmt.Sprint(year % 3)}))
	}
	item, found, err := Get[Item](ctx, table, Key{"Alien", 1980}, Project("#y"), Names(map[string]string{"#y": "year"}))
	if err != nil || !found || !reflect.DeepEqual(item, Item{"year": Number("1980")}) {
		t.Fatal(item, found, err)
	}
	many := must(BatchGet[Item](ctx, table, []Key{{"Alien", 1979}, {"Alien", 1}}, Project("note")))
	if !reflect.DeepEqual(*many[0], Item{"note": "2"}) || many[1] != nil {
		t.Fatal(many)
	}
	years := func(options ...QueryOption) (out []int) {
		for m, err := range Query[movie](ctx, table, nil, options...) {
			check(t, err)
			out = append(out, m.Year)
		}
		return out
	}
	condition := []QueryOption{KeyCondition("title = :t AND #y BETWEEN :a AND :b"), Names(map[string]string{"#y": "year"}),
		Values(Item{":t": "Alien", ":a": 1981, ":b": 1986, ":n": "1"}), Filter("note = :n")}
	if got := years(condition...); !slices.Equal(got, []int{1981, 1984}) {
		t.Fatal(got)
	}
	if got := years(append(condition, Limit(1), PageSize(2))...); !slices.Equal(got, []int{1981}) {
		t.Fatal(got)
	}
	for _, partition := range []any{"Alien", nil} {
		for _, err := range Query[movie](ctx, table, partition, KeyCondition("title = :t"), Values(Item{":t": "Alien"}), Sort(EQ(1))) {
			wants(t, err, ErrInvalidArgument, "not both")
		}
	}
	count := 0
	for item, err := range Scan[Item](ctx, table, Filter("note = :n"), Values(Item{":n": "0"}), Project("note"), PageSize(1)) {
		check(t, err)
		if !reflect.DeepEqual(item, Item{"note": "0"}) {
			t.Fatal(item)
		}
		count++
	}
	if count != 3 {
		t.Fatal(count)
	}
}

func TestIndexesTTLAndStreamOfATable(t *testing.T) {
	db := open(t)
	indexes := []Index{
		{Name: "by_note", Local: true, Sort: []string{"note:S"}, KeysOnly: true},
		{Name: "by_rating", Partition: []string{"genre:S", "rating:N"}, Sort: []string{"year:N"}, Include: []string{"stars"}},
		{Name: "by_year", Partition: []string{"year:N"}},
	}
	schema := Schema{Partition: "title:S", Sort: "year:N"}
	options := []TableOption{WithIndex(indexes[0]), WithIndex(indexes[1]), WithIndex(indexes[2]), WithTTL("expires"),
		WithStream(StreamNewAndOld), WithProtection()}
	made := must(db.CreateTable(ctx, "movies", schema, options...))
	again := must(db.Table(ctx, "movies", schema, options...))
	for _, table := range []*Table{made, again, must(db.OpenTable(ctx, "movies"))} {
		if !reflect.DeepEqual(table.Indexes(), indexes) || table.TTL() != "expires" || table.Stream() != StreamNewAndOld ||
			!table.Protected() || table.Schema() != schema {
			t.Fatal(table.Indexes(), table.TTL(), table.Stream())
		}
	}
	must(db.Table(ctx, "movies", schema))
	for text, option := range map[string]TableOption{
		"indexes": WithIndex(indexes[2]), "TTL": WithTTL("until"), "stream": WithStream(StreamKeys),
	} {
		_, err := db.Table(ctx, "movies", schema, option)
		wants(t, err, ErrInvalidArgument, "other "+text)
	}
	must(db.Table(ctx, "plain", schema))
	_, err := db.Table(ctx, "plain", schema, WithProtection())
	wants(t, err, ErrInvalidArgument, "other protection")
	for year := 1979; year <= 1982; year++ {
		check(t, made.Put(ctx, Item{"title": "Alien", "year": year, "note": fmt.Sprint(9 - year%10%2), "genre": "space",
			"rating": year % 2, "stars": 3, "extra": true, "expires": time.Now().Add(24 * time.Hour).Unix()}))
	}
	all := func(partition any, options ...QueryOption) (out []Item) {
		for item, err := range Query[Item](ctx, made, partition, options...) {
			check(t, err)
			out = append(out, item)
		}
		return out
	}
	if got := all("Alien", FromIndex("by_note"), Sort(EQ("8"))); len(got) != 2 || len(got[0]) != 3 {
		t.Fatal(got)
	}
	got := all(nil, FromIndex("by_rating"), KeyCondition("genre = :g AND rating = :r"), Values(Item{":g": "space", ":r": 1}), Reverse())
	if len(got) != 2 || got[0]["year"] != Number("1981") || got[0]["stars"] != Number("3") || got[0]["extra"] != nil {
		t.Fatal(got)
	}
	if got := all(1980, FromIndex("by_year")); len(got) != 1 || got[0]["extra"] != true {
		t.Fatal(got)
	}
	count := 0
	for _, err := range Scan[Item](ctx, made, FromIndex("by_year"), PageSize(1)) {
		check(t, err)
		count++
	}
	if count != 4 {
		t.Fatal(count)
	}
	for _, err := range Query[Item](ctx, made, "x", FromIndex("none")) {
		wants(t, err, ErrInvalidArgument, "none")
	}
	check(t, db.MoveClock(ctx, 48*time.Hour))
	if item := itemOf(t, made, Key{"Alien", 1980}); item != nil {
		t.Fatal(item)
	}
	wants(t, db.DeleteTable(ctx, "movies"), ErrInvalidArgument, "protect")
}

func TestWrongDefinitionsAreRefused(t *testing.T) {
	db := open(t)
	for _, c := range []struct {
		index Index
		text  string
	}{
		{Index{Name: "a", Partition: []string{"x"}}, "name:S"},
		{Index{Name: "a", Partition: []string{"x:S"}, Sort: []string{"y:Q"}}, "name:S"},
		{Index{Name: "a", Local: true, Partition: []string{"x:S"}}, "local"},
		{Index{Name: "a", Partition: []string{"x:S"}, KeysOnly: true, Include: []string{"y"}}, "not both"},
	} {
		_, err := db.CreateTable(ctx, "t", Schema{Partition: "id:S"}, WithIndex(c.index))
		wants(t, err, ErrInvalidArgument, c.text)
	}
	if names := must(db.ListTables(ctx)); len(names) != 0 {
		t.Fatal(names)
	}
}

func TestTransactWriteIsAllOrNothing(t *testing.T) {
	db, table := movies(t)
	other := must(db.Table(ctx, "other", Schema{Partition: "id:S"}))
	check(t, table.Put(ctx, movie{Title: "Alien", Year: 1979, Note: "x"}))
	check(t, other.Put(ctx, Item{"id": "gone"}))
	items := func(note string) []TransactItem {
		return []TransactItem{
			TransactPut(other, Item{"id": "a"}, If("attribute_not_exists(id)")),
			TransactUpdate(other, "b", "ADD hits :one", Values(Item{":one": 1})),
			TransactDelete(other, "gone"),
			TransactCheck(table, Key{"Alien", 1979}, "note = :n", Values(Item{":n": note}), ReturnOnFailure()),
		}
	}
	err := db.TransactWrite(ctx, items("y"))
	wants(t, err, ErrTransactionCanceled, "[None, None, None, ConditionalCheckFailed]")
	reasons := errorOf(t, err, ErrTransactionCanceled).Reasons
	var saw movie
	if len(reasons) != 4 || reasons[0].Code != 0 || reasons[3].Code != ErrConditionFailed || reasons[3].Message != "The conditional request failed" {
		t.Fatal(reasons)
	}
	if found, err := reasons[3].Item(&saw); !found || err != nil || saw.Note != "x" {
		t.Fatal(saw, found, err)
	}
	if found, err := reasons[0].Item(&saw); found || err != nil {
		t.Fatal(found, err)
	}
	if itemOf(t, other, "a") != nil || itemOf(t, other, "gone") == nil {
		t.Fatal("a part was applied")
	}
	check(t, db.TransactWrite(ctx, items("x"), WithDurability(DurabilityNone)))
	var a, b, gone Item
	var foundA, foundGone bool
	check(t, db.TransactGet(ctx, TransactInto(other, "a", &a, &foundA), TransactInto(other, "gone", &gone, &foundGone),
		TransactInto(other, "b", &b, nil, Project("hits"))))
	if !foundA || foundGone || a["id"] != "a" || !reflect.DeepEqual(b, Item{"hits": Number("1")}) || gone != nil {
		t.Fatal(a, b, gone)
	}
}

func TestATokenAppliesATransactionOnce(t *testing.T) {
	db, table := movies(t)
	add := func(n int) []TransactItem {
		return []TransactItem{TransactUpdate(table, Key{"Alien", 1979}, "ADD seen :n", Values(Item{":n": n}))}
	}
	for range 2 {
		check(t, db.TransactWrite(ctx, add(1), Token("once")))
	}
	if item := itemOf(t, table, Key{"Alien", 1979}); item["seen"] != Number("1") {
		t.Fatal(item)
	}
	wants(t, db.TransactWrite(ctx, add(2), Token("once")), ErrTokenMismatch, "")
	wants(t, db.TransactWrite(ctx, add(2), Token(strings.Repeat("x", 37))), ErrInvalidArgument, "36")
	check(t, db.MoveClock(ctx, 11*time.Minute))
	check(t, db.TransactWrite(ctx, add(2), Token("once")))
	if item := itemOf(t, table, Key{"Alien", 1979}); item["seen"] != Number("3") {
		t.Fatal(item)
	}
}

func TestOptionsWhereTheyHaveNoMeaningAreRefused(t *testing.T) {
	db, table := movies(t)
	_, foreign := movies(t)
	put := TransactPut(table, movie{Title: "Alien"})
	for _, err := range []error{
		db.TransactWrite(ctx, []TransactItem{put}, If("attribute_exists(title)")),
		db.TransactWrite(ctx, []TransactItem{TransactPut(table, movie{}, WithDurability(DurabilitySync))}),
		db.TransactWrite(ctx, []TransactItem{TransactPut(table, movie{}, ReturnOld(&movie{}, nil))}),
		db.TransactWrite(ctx, []TransactItem{TransactPut(foreign, movie{})}),
		db.TransactGet(ctx, TransactInto(foreign, Key{"Alien", 1}, &movie{}, nil)),
		db.Batch().Put(table, movie{}).Write(ctx, If("attribute_exists(title)")),
		db.Batch().Put(table, movie{}).Write(ctx, ReturnOld(&movie{}, nil)),
		db.TransactWrite(ctx, nil), db.TransactGet(ctx),
	} {
		wants(t, err, ErrInvalidArgument, "")
	}
}

func TestALongMessageIsWhole(t *testing.T) {
	_, table := movies(t)
	err := table.Put(ctx, movie{Title: "Alien"}, If(strings.Repeat("x", 400)+" = :v"), Values(Item{":v": 1, ":unused" + strings.Repeat("u", 300): 2}))
	if message := errorOf(t, err, ErrInvalidArgument).Message; len(message) < 300 {
		t.Fatal(message)
	}
}
