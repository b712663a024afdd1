package stator

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

const unknownOperation = `{"__type":"com.amazon.coral.service#UnknownOperationException"}`

func TestDispatchGivesTheServicesStatusAndBody(t *testing.T) {
	db := open(t)
	for _, c := range []struct{ operation, body, answer string }{
		{"DynamoDB_20120810.Fly", "{}", unknownOperation},
		{"Fly", "{}", unknownOperation},
		{"", "{}", unknownOperation},
		{"ListTables", `{"Limit": `, `{"__type":"com.amazon.coral.service#SerializationException"}`},
		{"ListTables", "", `{"__type":"com.amazon.coral.service#SerializationException"}`},
	} {
		for _, ctx := range []context.Context{ctx, nil} {
			status, answer, err := db.Dispatch(ctx, c.operation, []byte(c.body))
			if status != 400 || string(answer) != c.answer || err != nil {
				t.Errorf("%s %s: %d %s %v", c.operation, c.body, status, answer, err)
			}
		}
	}
}

func TestDispatchGoesOnAfterItsContextEnded(t *testing.T) {
	db := open(t)
	ended, end := context.WithCancel(ctx)
	end()
	if _, _, err := db.Dispatch(ended, "Fly", []byte("{}")); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	running, end := context.WithCancel(ctx)
	defer end()
	if status, answer, err := db.Dispatch(running, "Fly", []byte("{}")); status != 400 || string(answer) != unknownOperation || err != nil {
		t.Fatal(status, string(answer), err)
	}
}

func TestDispatchRefusesWhatIsWrongWithTheCallItself(t *testing.T) {
	db := must(Open(":memory:", nil))
	_, _, err := db.Dispatch(ctx, "Fly", nil, WithRegion(strings.Repeat("r", 32)))
	wants(t, err, ErrInvalidArgument, "region")
	_, _, err = db.Dispatch(ctx, "Fly", nil, WithAccount(strings.Repeat("1", 16)))
	wants(t, err, ErrInvalidArgument, "account")
	check(t, db.Close())
	status, answer, err := db.Dispatch(ctx, "Fly", []byte("{}"))
	wants(t, err, ErrClosed, "closed")
	if status != 0 || answer != nil {
		t.Fatal(status, answer)
	}
	wants(t, db.MoveClock(ctx, time.Hour), ErrClosed, "closed")
}

func TestDispatchFromManyGoroutines(t *testing.T) {
	db := open(t)
	var group sync.WaitGroup
	for i := 0; i < 8; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			body := []byte(`{"pad": "` + strings.Repeat("x", 5000) + `"}`)
			for j := 0; j < 50; j++ {
				if status, answer, err := db.Dispatch(ctx, "Fly", body); status != 400 || string(answer) != unknownOperation || err != nil {
					t.Error(status, string(answer), err)
				}
			}
		}()
	}
	group.Wait()
}

func TestMoveClockMovesTimesOfCreation(t *testing.T) {
	db := open(t)
	before := must(db.Table(ctx, "before", Schema{Partition: "id:S"})).Created()
	check(t, db.MoveClock(ctx, 48*time.Hour))
	after := must(db.Table(ctx, "after", Schema{Partition: "id:S"})).Created()
	if moved := after.Sub(before); moved < 47*time.Hour || moved > 49*time.Hour {
		t.Fatal(moved)
	}
}
