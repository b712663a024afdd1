package stator

import "context"

// A TransactItem is one write of TransactWrite.
type TransactItem struct {
	table     *Table
	operation byte
	value     any // an item, or a key
	options   writeOptions
}

func transactItem(t *Table, operation byte, value any, options []WriteOption) TransactItem {
	return TransactItem{t, operation, value, writeOptionsOf(options)}
}

// TransactPut writes an item.
func TransactPut(t *Table, item any, options ...WriteOption) TransactItem {
	return transactItem(t, opPut, item, options)
}

// TransactUpdate changes the item with this key, as Table.Update.
func TransactUpdate(t *Table, key any, expression string, options ...WriteOption) TransactItem {
	item := transactItem(t, opUpdate, key, options)
	item.options.update = expression
	return item
}

// TransactDelete removes the item with this key.
func TransactDelete(t *Table, key any, options ...WriteOption) TransactItem {
	return transactItem(t, opDelete, key, options)
}

// TransactCheck writes nothing; the transaction holds only if the condition does for the item with this key.
func TransactCheck(t *Table, key any, condition string, options ...WriteOption) TransactItem {
	item := transactItem(t, opCheck, key, options)
	item.options.condition = condition
	return item
}

// Token makes a TransactWrite safe to repeat: within ten minutes the same transaction with the same token changes nothing
// more, and another one with it is ErrTokenMismatch. 1 to 36 bytes.
func Token(token string) WriteOption {
	return writeOption(func(o *writeOptions) { o.token = token })
}

// TransactWrite applies all of the items, or none: then the error is ErrTransactionCanceled and Error.Reasons tells of each why.
// options: WithDurability and Token.
func (db *DB) TransactWrite(ctx context.Context, items []TransactItem, options ...WriteOption) error {
	o := writeOptionsOf(options)
	if o.returns != 0 || o.flags != 0 || o.condition != "" {
		return invalid("conditions and ReturnOnFailure belong to the items of a transaction, which returns nothing else")
	}
	c := newCall()
	e := encoder{c.request}
	e.start(opTransactWrite)
	if len(o.token) > 36 {
		return invalid("a token has at most 36 bytes, not %d", len(o.token))
	}
	if o.token != "" {
		e.fieldBytes(fieldToken, []byte(o.token))
		o.token = ""
	}
	if err := o.encode(&e, opTransactWrite); err != nil {
		return err
	}
	e.deadline(ctx)
	for _, item := range items {
		if item.table.db != db {
			return invalid("table %s belongs to another database than the transaction", item.table.name)
		}
		if item.options.returns != 0 || item.options.durability != DurabilityDefault {
			return invalid("an item of a transaction returns nothing and has the transaction's durability")
		}
		at := e.open(fieldEntry)
		if err := item.table.entry(&e, item.operation, item.value); err != nil {
			return err
		}
		if err := item.options.encode(&e, item.operation); err != nil {
			return err
		}
		e.shut(at)
	}
	c.request = e.buf
	_, err := c.run(ctx, db, true)
	return err
}

// A TransactRead is one read of TransactGet.
type TransactRead struct {
	table   *Table
	key     any
	item    any
	found   *bool
	options readOptions
}

// TransactInto reads the item with this key into item, a pointer, and says in found, which may be nil, whether there is one.
func TransactInto(t *Table, key, item any, found *bool, options ...ReadOption) TransactRead {
	read := TransactRead{table: t, key: key, item: item, found: found}
	for _, option := range options {
		option.read(&read.options)
	}
	return read
}

// TransactGet reads items of one moment, over any tables.
func (db *DB) TransactGet(ctx context.Context, reads ...TransactRead) error {
	c := newCall()
	e := encoder{c.request}
	e.start(opTransactGet)
	e.deadline(ctx)
	for _, read := range reads {
		if read.table.db != db {
			return invalid("table %s belongs to another database than the transaction", read.table.name)
		}
		at := e.open(fieldEntry)
		if err := read.table.entry(&e, opGet, read.key); err != nil {
			return err
		}
		if err := read.options.encode(&e); err != nil {
			return err
		}
		e.shut(at)
	}
	c.request = e.buf
	frame, err := c.run(ctx, db, false)
	if err != nil {
		return err
	}
	r, err := parseResult(frame)
	if err != nil {
		return err
	}
	items, err := frames(r.items)
	if err != nil {
		return err
	}
	if len(items) != len(reads) {
		return errFrame
	}
	for i, read := range reads {
		if read.found != nil {
			*read.found = len(items[i]) > 0
		}
		if len(items[i]) > 0 {
			if err := decodeInto(items[i], read.item); err != nil {
				return err
			}
		}
	}
	return nil
}
