// Package stator is DynamoDB's data model in your process: tables of items in a directory, or in memory.
//
//	db, err := stator.Open("shop.stator", nil)
//	defer db.Close()
//	movies, err := db.Table(ctx, "movies", stator.Schema{Partition: "title:S", Sort: "year:N"})
//	err = movies.Put(ctx, Movie{Title: "Alien", Year: 1979})
//	m, found, err := stator.Get[Movie](ctx, movies, stator.Key{"Alien", 1979})
//	for m, err := range stator.Query[Movie](ctx, movies, "Alien", stator.Sort(stator.GE(1970))) { ... }
//
// A DB, a Table and what is made from them may be used from any number of goroutines; a sequence by one at a time.
package stator

import (
	"context"
	"encoding/binary"
	"strings"
	"sync/atomic"
	"time"
)

// Durability says what an acknowledged write survives.
type Durability uint8

const (
	DurabilityDefault  Durability = 0 // that of the database
	DurabilitySync     Durability = 1 // power loss
	DurabilityInterval Durability = 2 // the end of the process; power loss takes at most the last Interval
	DurabilityNone     Durability = 3 // the end of the process
)

// Options of Open; the zero value means defaults.
type Options struct {
	MustExist         bool          // do not create a missing database: ErrNotFound
	ReadOnly          bool          // take no lock and write nothing
	Durability        Durability    // of writes that name none; default DurabilitySync
	Interval          time.Duration // of DurabilityInterval; 1 ms to 1 minute, default 100 ms
	MemoryBudgetBytes uint64        // memtables, cache, filters, indexes; default 64 MiB
	MemtableBytes     uint64        // default: the smaller of 64 MiB and a quarter of the budget
	FileBytes         uint64        // target size of a sorted file; default 32 MiB
}

// A DB is an open database.
type DB struct {
	token    dbToken
	isClosed atomic.Bool
}

// Open opens the database in the directory path, or a private one without files for ":memory:".
func Open(path string, options *Options) (*DB, error) {
	token, err := openToken(path, options)
	if err != nil {
		return nil, err
	}
	return &DB{token: token}, nil
}

// Close syncs and closes the database; sequences that are still open end with ErrClosed. Closing twice is fine.
func (db *DB) Close() error {
	if db.isClosed.Swap(true) {
		return nil
	}
	return closeToken(db.token)
}

// Flush writes what is in memory to sorted files.
func (db *DB) Flush() error { _, err := db.care(careFlush); return err }

// Compact flushes, then merges everything into one level, the deepest in use.
func (db *DB) Compact() error { _, err := db.care(careCompact); return err }

// Verify reads and checks every byte of every file. The report says what was checked, also when damage was found.
func (db *DB) Verify() (report string, err error) { return db.care(careVerify) }

// LevelStats are sums over the files of one level.
type LevelStats struct{ Files, Bytes, Entries uint64 }

// Stats are counters since Open.
type Stats struct {
	Tables                                                                  uint32
	AppliedSequence, PublishedSequence, DurableSequence                     uint64
	MemtableBytes, MemtableEntries, LogSegments, LogBytes                   uint64
	Levels                                                                  [7]LevelStats
	CacheBytes, CacheHits, CacheMisses                                      uint64
	WrittenBytesLog, WrittenBytesFlush, WrittenBytesCompaction              uint64
	Flushes, Compactions, Syncs                                             uint64
	StallTime                                                               time.Duration // that writers waited for flushes and compactions
	MemoryUsedBytes, MemoryBudgetBytes, RecoveredFrames, RecoveredTornBytes uint64
}

// Stats reads the counters.
func (db *DB) Stats() (Stats, error) { return db.stats() }

// A Schema names the keys of a table: "name:T" with T one of S, N and B.
type Schema struct {
	Partition string
	Sort      string // "" when the table has no sort key
}

type keyAttribute struct {
	name string
	kind byte
}

func parseKeyAttribute(text string) (keyAttribute, error) {
	colon := strings.LastIndexByte(text, ':')
	if colon > 0 {
		switch text[colon+1:] {
		case "S":
			return keyAttribute{text[:colon], tagS}, nil
		case "N":
			return keyAttribute{text[:colon], tagN}, nil
		case "B":
			return keyAttribute{text[:colon], tagB}, nil
		}
	}
	return keyAttribute{}, invalid("the key %q is not name:S, name:N or name:B", text)
}

func (k keyAttribute) String() string {
	return k.name + map[byte]string{tagS: ":S", tagN: ":N", tagB: ":B"}[k.kind]
}

func (s Schema) parse() (partition, sort []keyAttribute, err error) {
	if partition, err = parseKeyAttributes([]string{s.Partition}); err == nil && s.Sort != "" {
		sort, err = parseKeyAttributes([]string{s.Sort})
	}
	return partition, sort, err
}

// Table opens the table, or creates it when it is missing. Other keys than those it has are an error, and so are other indexes,
// TTL or stream where options name them.
func (db *DB) Table(ctx context.Context, name string, schema Schema, options ...TableOption) (*Table, error) {
	return db.create(ctx, name, schema, options, flagEnsure)
}

// CreateTable makes a new table; ErrTableExists when the name is taken.
func (db *DB) CreateTable(ctx context.Context, name string, schema Schema, options ...TableOption) (*Table, error) {
	return db.create(ctx, name, schema, options, 0)
}

func (db *DB) create(ctx context.Context, name string, schema Schema, options []TableOption, flags uint32) (*Table, error) {
	var d definition
	var err error
	if d.partition, d.sort, err = schema.parse(); err != nil {
		return nil, err
	}
	for _, option := range options {
		option(&d)
	}
	c := newCall()
	e := encoder{c.request}
	e.start(opCreateTable)
	e.fieldBytes(fieldTableName, []byte(name))
	if len(options) == 0 {
		e.schema(fieldSchema, d.partition, d.sort)
	} else if err := d.encode(&e); err != nil {
		return nil, err
	}
	e.fieldU32(fieldFlags, flags)
	c.request = e.buf
	t, err := db.describe(c.run(ctx, db, true))
	if err != nil {
		return nil, err
	}
	if other := d.difference(&t.definition); other != "" {
		return nil, invalid("table %s exists with other %s than given", name, other)
	}
	return t, nil
}

// OpenTable opens a table that exists; ErrTableNotFound otherwise.
func (db *DB) OpenTable(ctx context.Context, name string) (*Table, error) {
	c := newCall()
	e := encoder{c.request}
	e.start(opDescribeTable)
	e.fieldBytes(fieldTableName, []byte(name))
	c.request = e.buf
	return db.describe(c.run(ctx, db, false))
}

// DeleteTable deletes a table with all its items.
func (db *DB) DeleteTable(ctx context.Context, name string) error {
	c := newCall()
	e := encoder{c.request}
	e.start(opDeleteTable)
	e.fieldBytes(fieldTableName, []byte(name))
	c.request = e.buf
	_, err := c.run(ctx, db, true)
	return err
}

// ListTables gives the names of all tables in ascending order.
func (db *DB) ListTables(ctx context.Context) ([]string, error) {
	names := []string{}
	var startAfter []byte
	for {
		c := newCall()
		e := encoder{c.request}
		e.start(opListTables)
		if startAfter != nil {
			e.fieldBytes(fieldStartAfter, startAfter)
		}
		c.request = e.buf
		frame, err := c.run(ctx, db, false)
		if err != nil {
			return nil, err
		}
		r, err := parseResult(frame)
		if err != nil {
			return nil, err
		}
		d := decoder{frame: r.names}
		if len(r.names) > 0 {
			count, err := d.u32()
			for i := 0; i < count && err == nil; i++ {
				var name []byte
				if name, err = d.take(); err == nil {
					names = append(names, string(name))
				}
			}
			if err != nil {
				return nil, err
			}
		}
		if r.lastKey == nil {
			return names, nil
		}
		startAfter = r.lastKey
	}
}

// A Table is a handle of one table. It needs no closing.
type Table struct {
	db      *DB
	id      uint32
	created time.Time
	name    string
	keys    []keyAttribute // partition first

	definition definition // without keys
}

func (db *DB) describe(frame []byte, err error) (*Table, error) {
	if err != nil {
		return nil, err
	}
	r, err := parseResult(frame)
	if err != nil {
		return nil, err
	}
	if len(r.table) < 14 {
		return nil, errFrame
	}
	t := &Table{db: db, id: binary.LittleEndian.Uint32(r.table)}
	t.created = time.UnixMicro(int64(binary.LittleEndian.Uint64(r.table[4:])))
	count := int(r.table[12]) + int(r.table[13])
	d := decoder{frame: r.table, at: 14}
	for i := 0; i < count; i++ {
		kind, err := d.byte()
		if err != nil {
			return nil, err
		}
		name, err := d.take()
		if err != nil {
			return nil, err
		}
		t.keys = append(t.keys, keyAttribute{string(name), kind})
	}
	tableName, err := d.take()
	t.name = string(tableName)
	if err == nil && r.definition != nil {
		t.definition, err = parseDefinition(r.definition)
	}
	return t, err
}

// Name of the table.
func (t *Table) Name() string { return t.name }

// Created is when the table was made.
func (t *Table) Created() time.Time { return t.created }

// Schema of the table.
func (t *Table) Schema() Schema {
	s := Schema{Partition: t.keys[0].String()}
	if len(t.keys) > 1 {
		s.Sort = t.keys[1].String()
	}
	return s
}
