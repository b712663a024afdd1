package stator

import (
	"encoding/binary"
	"slices"
	"strings"
)

// A TableOption says more of a table than its keys. Table refuses one that exists with others than given.
type TableOption func(*definition)

// An Index is another way to read a table: the same items, or parts of them, under other keys. Items without its keys are not
// in it.
type Index struct {
	Name      string
	Local     bool     // the partition key is the table's; Partition stays empty
	Partition []string // "name:T", up to four
	Sort      []string // "name:T", up to four; may be empty
	KeysOnly  bool     // keep the keys alone
	Include   []string // keep the keys and these attributes; without it and KeysOnly all
}

// A StreamView says what the records of a table's stream hold.
type StreamView uint8

const (
	StreamOff       StreamView = 0
	StreamKeys      StreamView = 1
	StreamNewImage  StreamView = 2
	StreamOldImage  StreamView = 3
	StreamNewAndOld StreamView = 4
)

// Numbers of docs/formats/catalog.md.
const (
	definitionVersion = 1

	definitionSchema = 1
	definitionIndex  = 2
	definitionExpiry = 3
	definitionStream = 4
	definitionFlags  = 5

	indexName       = 1
	indexKind       = 2
	indexSchema     = 3
	indexProjection = 4
	indexInclude    = 5

	kindLocal      = 1
	kindGlobal     = 2
	projectAll     = 1
	projectKeys    = 2
	projectInclude = 3
	protectedFlag  = 1
	expiryIDBytes  = 4 // before the attribute
)

type definition struct {
	partition, sort []keyAttribute
	indexes         []Index
	ttl             string
	stream          StreamView
	isProtected     bool
}

// WithIndex adds an index.
func WithIndex(index Index) TableOption {
	return func(d *definition) { d.indexes = append(d.indexes, index) }
}

// WithTTL names the attribute, a number of seconds since 1970, behind which an item expires and is deleted.
func WithTTL(attribute string) TableOption { return func(d *definition) { d.ttl = attribute } }

// WithStream keeps a record of every change for a day.
func WithStream(view StreamView) TableOption { return func(d *definition) { d.stream = view } }

// WithProtection refuses to delete the table.
func WithProtection() TableOption { return func(d *definition) { d.isProtected = true } }

func parseKeyAttributes(texts []string) ([]keyAttribute, error) {
	keys := make([]keyAttribute, len(texts))
	for i, text := range texts {
		key, err := parseKeyAttribute(text)
		if err != nil {
			return nil, err
		}
		keys[i] = key
	}
	return keys, nil
}

func (e *encoder) schema(number byte, partition, sort []keyAttribute) {
	at := e.open(number)
	e.buf = append(e.buf, byte(len(partition)), byte(len(sort)))
	for _, keys := range [][]keyAttribute{partition, sort} {
		for _, key := range keys {
			e.buf = append(e.buf, key.kind)
			e.name(key.name)
		}
	}
	e.shut(at)
}

func (d *definition) encode(e *encoder) error {
	whole := e.open(fieldDefinition)
	e.buf = append(e.buf, definitionVersion)
	e.schema(definitionSchema, d.partition, d.sort)
	for _, index := range d.indexes {
		at := e.open(definitionIndex)
		if err := index.encode(e, d); err != nil {
			return err
		}
		e.shut(at)
	}
	if d.ttl != "" {
		at := e.open(definitionExpiry)
		e.buf = append(append(e.buf, 0, 0, 0, 0), d.ttl...)
		e.shut(at)
	}
	if d.stream != StreamOff {
		at := e.open(definitionStream)
		e.buf = append(e.buf, 0, 0, 0, 0, byte(d.stream), 0, 0, 0, 0, 0, 0, 0, 0)
		e.shut(at)
	}
	if d.isProtected {
		e.fieldU32(definitionFlags, protectedFlag)
	}
	e.shut(whole)
	return nil
}

func (i *Index) encode(e *encoder, table *definition) error {
	partition, err := parseKeyAttributes(i.Partition)
	if err != nil {
		return err
	}
	sort, err := parseKeyAttributes(i.Sort)
	if err != nil {
		return err
	}
	if i.Local && len(partition) > 0 {
		return invalid("the local index %s has the table's partition key and names none", i.Name)
	}
	if i.KeysOnly && len(i.Include) > 0 {
		return invalid("the index %s keeps keys alone, or includes attributes; not both", i.Name)
	}
	kind, projection := byte(kindGlobal), byte(projectAll)
	if i.Local {
		kind, partition = kindLocal, table.partition
	}
	switch {
	case i.KeysOnly:
		projection = projectKeys
	case len(i.Include) > 0:
		projection = projectInclude
	}
	e.fieldBytes(indexName, []byte(i.Name))
	e.fieldU8(indexKind, kind)
	e.schema(indexSchema, partition, sort)
	e.fieldU8(indexProjection, projection)
	for _, name := range i.Include {
		e.fieldBytes(indexInclude, []byte(name))
	}
	return nil
}

// fields calls take with each field of bytes.
func fields(bytes []byte, take func(number byte, payload []byte) error) error {
	for len(bytes) > 0 {
		if len(bytes) < 5 || uint64(binary.LittleEndian.Uint32(bytes[1:])) > uint64(len(bytes)-5) {
			return errFrame
		}
		end := 5 + int(binary.LittleEndian.Uint32(bytes[1:]))
		if err := take(bytes[0], bytes[5:end:end]); err != nil {
			return err
		}
		bytes = bytes[end:]
	}
	return nil
}

func parseDefinition(bytes []byte) (definition, error) {
	var d definition
	if len(bytes) == 0 || bytes[0] != definitionVersion {
		return d, errFrame
	}
	err := fields(bytes[1:], func(number byte, payload []byte) error {
		switch number {
		case definitionIndex:
			index, err := parseIndex(payload)
			d.indexes = append(d.indexes, index)
			return err
		case definitionExpiry:
			if len(payload) < expiryIDBytes {
				return errFrame
			}
			d.ttl = string(payload[expiryIDBytes:])
		case definitionStream:
			if len(payload) < 5 {
				return errFrame
			}
			d.stream = StreamView(payload[4])
		case definitionFlags:
			if len(payload) < 4 {
				return errFrame
			}
			d.isProtected = binary.LittleEndian.Uint32(payload)&protectedFlag != 0
		}
		return nil
	})
	return d, err
}

func parseSchema(payload []byte) (partition, sort []string, err error) {
	if len(payload) < 2 {
		return nil, nil, errFrame
	}
	d := decoder{frame: payload, at: 2}
	for i := 0; i < int(payload[0])+int(payload[1]); i++ {
		kind, err := d.byte()
		if err != nil {
			return nil, nil, err
		}
		name, err := d.take()
		if err != nil {
			return nil, nil, err
		}
		text := keyAttribute{string(name), kind}.String()
		if i < int(payload[0]) {
			partition = append(partition, text)
		} else {
			sort = append(sort, text)
		}
	}
	return partition, sort, nil
}

func parseIndex(bytes []byte) (Index, error) {
	var index Index
	err := fields(bytes, func(number byte, payload []byte) (err error) {
		switch {
		case number == indexName:
			index.Name = string(payload)
		case number == indexKind && len(payload) == 1:
			index.Local = payload[0] == kindLocal
		case number == indexSchema:
			index.Partition, index.Sort, err = parseSchema(payload)
		case number == indexProjection && len(payload) == 1:
			index.KeysOnly = payload[0] == projectKeys
		case number == indexInclude:
			index.Include = append(index.Include, string(payload))
		}
		return err
	})
	if index.Local {
		index.Partition = nil
	}
	return index, err
}

// difference names the part that d asks for and that the table has otherwise, or is "".
func (d *definition) difference(has *definition) string {
	sorted := func(d *definition) []Index {
		indexes := slices.Clone(d.indexes)
		slices.SortFunc(indexes, func(a, b Index) int { return strings.Compare(a.Name, b.Name) })
		return indexes
	}
	same := func(a, b Index) bool {
		return a.Name == b.Name && a.Local == b.Local && a.KeysOnly == b.KeysOnly && slices.Equal(a.Partition, b.Partition) &&
			slices.Equal(a.Sort, b.Sort) && slices.Equal(a.Include, b.Include)
	}
	switch {
	case len(d.indexes) > 0 && !slices.EqualFunc(sorted(d), sorted(has), same):
		return "indexes"
	case d.ttl != "" && d.ttl != has.ttl:
		return "TTL"
	case d.stream != StreamOff && d.stream != has.stream:
		return "stream"
	case d.isProtected && !has.isProtected:
		return "protection"
	}
	return ""
}

// Indexes of the table, as they were when it was opened.
func (t *Table) Indexes() []Index { return t.definition.indexes }

// TTL is the attribute behind which items expire, or "".
func (t *Table) TTL() string { return t.definition.ttl }

// Stream is what the records of its stream hold.
func (t *Table) Stream() StreamView { return t.definition.stream }

// Protected says whether the table refuses to be deleted.
func (t *Table) Protected() bool { return t.definition.isProtected }
