package stator

import (
	"context"
	"encoding/binary"
	"iter"
	"math"
)

// A Condition on the sort key.
type Condition struct {
	number byte
	values []any
}

func EQ(v any) Condition              { return Condition{1, []any{v}} }         // = v
func LT(v any) Condition              { return Condition{2, []any{v}} }         // < v
func LE(v any) Condition              { return Condition{3, []any{v}} }         // <= v
func GT(v any) Condition              { return Condition{4, []any{v}} }         // > v
func GE(v any) Condition              { return Condition{5, []any{v}} }         // >= v
func Between(low, high any) Condition { return Condition{6, []any{low, high}} } // low <= key <= high
func BeginsWith(v any) Condition      { return Condition{7, []any{v}} }         // keys of type S or B

// A QueryOption changes a Query or a Scan.
type QueryOption interface{ query(*queryOptions) }

type queryOptions struct {
	expressions
	flags             uint32
	sort              *Condition
	limit             uint64
	pageSize          uint32
	startAfter        []byte
	lastKey           *[]byte
	segment, segments uint32
	err               error // of an option; it ends the sequence
}

type queryOption func(*queryOptions)

func (f queryOption) query(o *queryOptions) { f(o) }

// Sort restricts a Query to sort keys that meet the condition.
func Sort(c Condition) QueryOption { return queryOption(func(o *queryOptions) { o.sort = &c }) }

func (o *queryOptions) refuse(isRefused bool, format string, arguments ...any) {
	if isRefused && o.err == nil {
		o.err = invalid(format, arguments...)
	}
}

// Limit ends the sequence after n items, at least 1.
func Limit(n int) QueryOption {
	return queryOption(func(o *queryOptions) {
		o.refuse(n < 1, "the limit must be at least 1, not %d", n)
		o.limit = uint64(n)
	})
}

// PageSize is the number of items fetched at once, at least 1; a page also ends at 1 MiB.
func PageSize(n int) QueryOption {
	return queryOption(func(o *queryOptions) {
		o.refuse(n < 1 || uint64(n) > math.MaxUint32, "the page size must be at least 1 and fit 32 bits, not %d", n)
		o.pageSize = uint32(n)
	})
}

// Reverse yields items in descending order of the sort key.
func Reverse() QueryOption { return readFlag(flagReverse) }

// Snapshot makes the whole sequence see one moment. Without it each page sees its own.
func Snapshot() QueryOption { return readFlag(flagSnapshot) }

// StartAfter resumes behind a key that LastKey left.
func StartAfter(token []byte) QueryOption {
	return queryOption(func(o *queryOptions) { o.startAfter = token })
}

// LastKey sets *token when the sequence ends because of Limit: StartAfter(token) goes on exactly there, also after the
// database was reopened. It is nil when nothing is left. With a break out of the loop it stands behind the last whole page.
func LastKey(token *[]byte) QueryOption {
	return queryOption(func(o *queryOptions) { o.lastKey = token })
}

// Segment scans part i of n disjoint parts, 0 <= i < n; the parts may run in parallel.
func Segment(i, n int) QueryOption {
	return queryOption(func(o *queryOptions) {
		o.refuse(i < 0 || i >= n || n > 1_000_000, "segments must be 0 <= segment < segments <= 1,000,000, not %d of %d", i, n)
		o.segment, o.segments = uint32(i), uint32(n)
	})
}

func (o *queryOptions) encode(e *encoder) error {
	if o.flags != 0 {
		e.fieldU32(fieldFlags, o.flags)
	}
	if o.limit != 0 {
		e.fieldU64(fieldLimit, o.limit)
	}
	if o.pageSize != 0 {
		e.fieldU32(fieldPageItems, o.pageSize)
	}
	if o.startAfter != nil {
		e.fieldBytes(fieldStartAfter, o.startAfter)
	}
	if o.segments != 0 {
		at := e.open(fieldSegment)
		e.buf = binary.LittleEndian.AppendUint32(e.buf, o.segment)
		e.buf = binary.LittleEndian.AppendUint32(e.buf, o.segments)
		e.shut(at)
	}
	return o.expressions.encode(e)
}

// keyValue appends a key value; a Go string for a binary key would be a mistake, and the engine says so.
func (o *queryOptions) encodeKeys(e *encoder, partition any) error {
	if o.keyCondition != "" && partition == nil && o.sort == nil {
		return nil
	}
	if o.keyCondition != "" {
		return invalid("a query has a KeyCondition, or a partition and Sort; not both")
	}
	at := e.open(fieldPartition)
	if err := e.value(partition, 1); err != nil {
		return err
	}
	e.shut(at)
	if o.sort == nil {
		return nil
	}
	at = e.open(fieldSort)
	e.buf = append(e.buf, o.sort.number)
	for _, v := range o.sort.values {
		if err := e.value(v, 1); err != nil {
			return err
		}
	}
	e.shut(at)
	return nil
}

func newRequest(t *Table, operation byte, options []QueryOption) (encoder, queryOptions) {
	var o queryOptions
	for _, option := range options {
		option.query(&o)
	}
	var e encoder
	e.start(operation)
	e.fieldU32(fieldTableID, t.id)
	return e, o
}

// Query yields the items of one partition in the order of the sort key, each as a T. An error ends the sequence. partition is
// the value of the partition key, of the table or with FromIndex of the index; or nil with KeyCondition.
func Query[T any](ctx context.Context, t *Table, partition any, options ...QueryOption) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		e, o := newRequest(t, opQuery, options)
		err := o.encode(&e)
		if err == nil {
			err = o.encodeKeys(&e, partition)
		}
		if err != nil {
			var none T
			yield(none, err)
			return
		}
		run(ctx, t, e.buf, o, yield)
	}
}

// Scan yields all items of the table, each as a T. An error ends the sequence.
func Scan[T any](ctx context.Context, t *Table, options ...QueryOption) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		e, o := newRequest(t, opScan, options)
		if err := o.encode(&e); err != nil {
			var none T
			yield(none, err)
			return
		}
		run(ctx, t, e.buf, o, yield)
	}
}

func run[T any](ctx context.Context, t *Table, request []byte, o queryOptions, yield func(T, error) bool) {
	var none T
	if o.lastKey != nil {
		*o.lastKey = nil
	}
	if o.err != nil {
		yield(none, o.err)
		return
	}
	cur, err := openCursor(t.db, request)
	if err != nil {
		yield(none, err)
		return
	}
	defer cur.close()
	for yielded := uint64(0); ; {
		if ctx != nil && ctx.Err() != nil {
			yield(none, &CancelledError{Cause: context.Cause(ctx)})
			return
		}
		frame, err := cur.nextPage()
		var r result
		var items [][]byte
		if err == nil {
			r, err = parseResult(frame)
		}
		if err == nil {
			items, err = frames(r.items)
		}
		if err != nil {
			yield(none, err)
			return
		}
		for _, item := range items {
			var v T
			err := decodeInto(item, &v)
			if !yield(v, err) || err != nil {
				return
			}
			yielded++
		}
		if o.lastKey != nil {
			*o.lastKey = r.lastKey
		}
		if r.lastKey == nil || o.limit != 0 && yielded >= o.limit {
			return
		}
	}
}
