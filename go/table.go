package stator

import (
	"context"
	"reflect"
)

// A WriteOption changes one Put, Update, Delete, Batch.Write or TransactWrite.
type WriteOption interface{ write(*writeOptions) }

type writeOption func(*writeOptions)

func (f writeOption) write(o *writeOptions) { f(o) }

// What a write returns, as request field 136 has it.
const (
	returnsAllOld     = 1
	returnsUpdatedOld = 2
	returnsAllNew     = 3
	returnsUpdatedNew = 4
)

type writeOptions struct {
	expressions
	durability Durability
	returns    byte
	item       any // where what is returned goes
	found      *bool
	token      string
	flags      uint32
}

// WithDurability sets what this write waits for.
func WithDurability(level Durability) WriteOption {
	return writeOption(func(o *writeOptions) { o.durability = level })
}

func returning(what byte, item any, found *bool) WriteOption {
	return writeOption(func(o *writeOptions) { o.returns, o.item, o.found = what, item, found })
}

// ReturnOld fills old (a pointer) with the item that was replaced, changed or deleted and sets *found; found may be nil.
func ReturnOld(old any, found *bool) WriteOption { return returning(returnsAllOld, old, found) }

// ReturnNew fills item (a pointer) with what an Update has made.
func ReturnNew(item any) WriteOption { return returning(returnsAllNew, item, nil) }

// ReturnUpdatedOld fills item (a pointer) with the old values of the attributes that an Update names.
func ReturnUpdatedOld(item any) WriteOption { return returning(returnsUpdatedOld, item, nil) }

// ReturnUpdatedNew fills item (a pointer) with the new values of the attributes that an Update names.
func ReturnUpdatedNew(item any) WriteOption { return returning(returnsUpdatedNew, item, nil) }

// ReturnOnFailure lets the error of a failed condition carry the item that it saw: Error.Item, Reason.Item.
func ReturnOnFailure() WriteOption {
	return writeOption(func(o *writeOptions) { o.flags |= flagReturnOnFailure })
}

func writeOptionsOf(options []WriteOption) writeOptions {
	var o writeOptions
	for _, option := range options {
		option.write(&o)
	}
	return o
}

// A ReadOption changes one Get, BatchGet, Query or Scan.
type ReadOption interface{ read(*readOptions) }

type readOptions struct {
	expressions
	flags uint32
}

type readFlag uint32

func (f readFlag) read(o *readOptions)   { o.flags |= uint32(f) }
func (f readFlag) query(o *queryOptions) { o.flags |= uint32(f) }

// Consistent asks for a strongly consistent read. In process every read sees every acknowledged write.
func Consistent() interface {
	ReadOption
	QueryOption
} {
	return readFlag(flagConsistent)
}

// CachedOnly answers ErrWouldBlock instead of reading a file.
func CachedOnly() interface {
	ReadOption
	QueryOption
} {
	return readFlag(flagCachedOnly)
}

// key appends a key map from a Key, a single value (tables without sort key), a map or a struct.
func (t *Table) key(e *encoder, key any) error {
	values, ok := key.(Key)
	if !ok {
		v := reflect.ValueOf(key)
		for v.IsValid() && v.Kind() == reflect.Pointer && !v.IsNil() {
			v = v.Elem()
		}
		if v.IsValid() && (v.Kind() == reflect.Map || v.Kind() == reflect.Struct && v.Type() != timeType) {
			return e.object(key, "a key")
		}
		values = Key{key}
	}
	if len(values) != len(t.keys) {
		return invalid("table %s has %d key attributes, the key has %d values", t.name, len(t.keys), len(values))
	}
	at := e.begin(tagM)
	for i, attribute := range t.keys {
		e.name(attribute.name)
		if err := e.value(values[i], 1); err != nil {
			return named(attribute.name, err)
		}
	}
	e.end(at, len(values))
	return nil
}

// object appends a value that must come out as a map.
func (e *encoder) object(v any, what string) error {
	at := len(e.buf)
	if err := e.value(v, 0); err != nil {
		return err
	}
	if e.buf[at] != tagM {
		return invalid("%s must be a map or a struct, not %T", what, v)
	}
	return nil
}

func (t *Table) entry(e *encoder, operation byte, v any) error {
	e.start(operation)
	e.fieldU32(fieldTableID, t.id)
	if operation == opPut {
		at := e.open(fieldItem)
		err := e.object(v, "an item")
		e.shut(at)
		return err
	}
	at := e.open(fieldKey)
	err := t.key(e, v)
	e.shut(at)
	return err
}

// encode appends what options say of one write.
func (o *writeOptions) encode(e *encoder, operation byte) error {
	if o.durability != DurabilityDefault {
		e.fieldU8(fieldDurability, byte(o.durability))
	}
	if o.returns != 0 {
		if operation != opUpdate && o.returns != returnsAllOld {
			return invalid("only an Update returns new or updated values")
		}
		e.fieldU8(fieldReturns, o.returns)
	}
	if o.flags != 0 {
		e.fieldU32(fieldFlags, o.flags)
	}
	if o.token != "" {
		return invalid("only TransactWrite takes a Token")
	}
	return o.expressions.encode(e)
}

func (t *Table) write(ctx context.Context, operation byte, v any, o writeOptions) error {
	c := newCall()
	e := encoder{c.request}
	if err := t.entry(&e, operation, v); err != nil {
		return err
	}
	if err := o.encode(&e, operation); err != nil {
		return err
	}
	e.deadline(ctx)
	c.request = e.buf
	frame, err := c.run(ctx, t.db, true)
	if err != nil || o.returns == 0 {
		return err
	}
	r, err := parseResult(frame)
	if err != nil {
		return err
	}
	item := r.oldItem
	if o.returns == returnsAllNew || o.returns == returnsUpdatedNew {
		item = r.newItem
	}
	if o.found != nil {
		*o.found = item != nil
	}
	if item == nil || o.item == nil {
		return nil
	}
	return decodeInto(item, o.item)
}

// Put writes an item (a struct, a map or an Item), replacing one of the same key.
func (t *Table) Put(ctx context.Context, item any, options ...WriteOption) error {
	return t.write(ctx, opPut, item, writeOptionsOf(options))
}

// Update changes the item with this key, or makes it: "SET stars = :s, #n = if_not_exists(#n, :zero) + :one REMOVE draft".
func (t *Table) Update(ctx context.Context, key any, expression string, options ...WriteOption) error {
	o := writeOptionsOf(options)
	o.update = expression
	return t.write(ctx, opUpdate, key, o)
}

// Delete removes the item with this key; deleting what is absent is fine.
func (t *Table) Delete(ctx context.Context, key any, options ...WriteOption) error {
	return t.write(ctx, opDelete, key, writeOptionsOf(options))
}

func (o *readOptions) encode(e *encoder) error {
	if o.flags != 0 {
		e.fieldU32(fieldFlags, o.flags)
	}
	return o.expressions.encode(e)
}

// Get fills out (a pointer) with the item of this key; found says whether there is one.
func (t *Table) Get(ctx context.Context, key any, out any, options ...ReadOption) (found bool, err error) {
	var o readOptions
	for _, option := range options {
		option.read(&o)
	}
	c := newCall()
	e := encoder{c.request}
	if err := t.entry(&e, opGet, key); err != nil {
		return false, err
	}
	if err := o.encode(&e); err != nil {
		return false, err
	}
	e.deadline(ctx)
	c.request = e.buf
	frame, err := c.run(ctx, t.db, false)
	if err != nil {
		return false, err
	}
	r, err := parseResult(frame)
	if err != nil || r.item == nil {
		return false, err
	}
	return true, decodeInto(r.item, out)
}

// Get reads the item with this key as a T.
func Get[T any](ctx context.Context, t *Table, key any, options ...ReadOption) (item T, found bool, err error) {
	found, err = t.Get(ctx, key, &item, options...)
	return item, found, err
}

// A Batch collects puts and deletes over any tables of one database; Write applies them together.
type Batch struct {
	db      *DB
	entries encoder
	count   int
	err     error
}

// Batch begins a batch.
func (db *DB) Batch() *Batch { return &Batch{db: db} }

func (b *Batch) add(t *Table, operation byte, v any) *Batch {
	if b.err == nil && t.db != b.db {
		b.err = invalid("table %s belongs to another database than the batch", t.name)
	}
	if b.err == nil {
		at := b.entries.open(fieldEntry)
		b.err = t.entry(&b.entries, operation, v)
		b.entries.shut(at)
		b.count++
	}
	return b
}

// Put adds an item. An error shows in Write.
func (b *Batch) Put(t *Table, item any) *Batch { return b.add(t, opPut, item) }

// Delete adds a deletion.
func (b *Batch) Delete(t *Table, key any) *Batch { return b.add(t, opDelete, key) }

// Len is the number of puts and deletes.
func (b *Batch) Len() int { return b.count }

// Write applies all of the batch, or none of it, and empties it.
func (b *Batch) Write(ctx context.Context, options ...WriteOption) error {
	entries, err := b.entries.buf, b.err
	*b = Batch{db: b.db}
	if err != nil {
		return err
	}
	o := writeOptionsOf(options)
	if o.returns != 0 || o.flags != 0 || o.condition != "" {
		return invalid("a batch has no conditions and returns nothing; see TransactWrite")
	}
	c := newCall()
	e := encoder{c.request}
	e.start(opBatchWrite)
	if err := o.encode(&e, opBatchWrite); err != nil {
		return err
	}
	e.deadline(ctx)
	e.buf = append(e.buf, entries...)
	c.request = e.buf
	_, err = c.run(ctx, b.db, true)
	return err
}

// BatchGet reads many items in one call. The answer has one element for each key, nil where there is no such item.
func BatchGet[T any](ctx context.Context, t *Table, keys []Key, options ...ReadOption) ([]*T, error) {
	var o readOptions
	for _, option := range options {
		option.read(&o)
	}
	if len(keys) == 0 {
		return []*T{}, nil
	}
	c := newCall()
	e := encoder{c.request}
	e.start(opBatchGet)
	if o.flags != 0 {
		e.fieldU32(fieldFlags, o.flags)
	}
	e.deadline(ctx)
	for _, key := range keys {
		at := e.open(fieldEntry)
		if err := t.entry(&e, opGet, key); err != nil {
			return nil, err
		}
		if err := o.expressions.encode(&e); err != nil {
			return nil, err
		}
		e.shut(at)
	}
	c.request = e.buf
	frame, err := c.run(ctx, t.db, false)
	if err != nil {
		return nil, err
	}
	r, err := parseResult(frame)
	if err != nil {
		return nil, err
	}
	items, err := frames(r.items)
	if err != nil {
		return nil, err
	}
	out := make([]*T, len(items))
	for i, item := range items {
		if len(item) > 0 {
			out[i] = new(T)
			if err := decodeInto(item, out[i]); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}
