package stator

import (
	"context"
	"encoding/binary"
	"time"
)

// Numbers of docs/formats/request.md and result.md.
const (
	opCreateTable   = 1
	opDescribeTable = 2
	opListTables    = 3
	opDeleteTable   = 4
	opPut           = 5
	opGet           = 6
	opDelete        = 7
	opBatchWrite    = 8
	opBatchGet      = 9
	opQuery         = 10
	opScan          = 11
	opUpdate        = 12
	opCheck         = 13
	opTransactWrite = 14
	opTransactGet   = 15

	fieldTableName  = 1
	fieldTableID    = 2
	fieldKey        = 3
	fieldItem       = 4
	fieldDurability = 5
	fieldDeadline   = 6
	fieldFlags      = 7
	fieldSchema     = 8
	fieldPartition  = 9
	fieldLimit      = 10
	fieldSort       = 11
	fieldPageItems  = 12
	fieldStartAfter = 14
	fieldSegment    = 15
	fieldEntry      = 17

	fieldCondition    = 128
	fieldUpdate       = 129
	fieldFilter       = 130
	fieldProjection   = 131
	fieldKeyCondition = 132
	fieldNames        = 133
	fieldValues       = 134
	fieldIndex        = 135
	fieldReturns      = 136
	fieldDefinition   = 137
	fieldToken        = 139

	flagCachedOnly = 1
	flagConsistent = 2
	flagReverse    = 8
	flagSnapshot   = 16
	flagEnsure     = 32

	flagReturnOnFailure = 64

	resultItem       = 1
	resultItems      = 2
	resultLastKey    = 3
	resultSequence   = 4
	resultTable      = 5
	resultNames      = 6
	resultOldItem    = 7
	resultNewItem    = 9
	resultDefinition = 13
	resultReplayed   = 16
)

func (e *encoder) start(operation byte) { e.buf = append(e.buf, 1, operation) }

// open begins a field; shut fills in its length.
func (e *encoder) open(number byte) int {
	e.buf = append(e.buf, number, 0, 0, 0, 0)
	return len(e.buf)
}

func (e *encoder) shut(at int) { binary.LittleEndian.PutUint32(e.buf[at-4:], uint32(len(e.buf)-at)) }

func (e *encoder) fieldBytes(number byte, b []byte) {
	at := e.open(number)
	e.buf = append(e.buf, b...)
	e.shut(at)
}

func (e *encoder) fieldU8(number, v byte) { e.buf = append(e.buf, number, 1, 0, 0, 0, v) }

func (e *encoder) fieldU32(number byte, v uint32) {
	e.buf = append(e.buf, number, 4, 0, 0, 0)
	e.buf = binary.LittleEndian.AppendUint32(e.buf, v)
}

func (e *encoder) fieldU64(number byte, v uint64) {
	e.buf = append(e.buf, number, 8, 0, 0, 0)
	e.buf = binary.LittleEndian.AppendUint64(e.buf, v)
}

func (e *encoder) deadline(ctx context.Context) {
	if ctx == nil {
		return
	}
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline).Milliseconds()
		e.fieldU32(fieldDeadline, uint32(min(max(left, 1), 1<<31)))
	}
}

// A result is a decoded result frame; its slices point into the frame.
type result struct {
	item, items, lastKey, table, names, oldItem []byte
	newItem, definition                         []byte
	sequence                                    uint64
	isReplayed                                  bool
}

func parseResult(frame []byte) (result, error) {
	var r result
	if len(frame) < 2 || frame[0] != 1 {
		return r, errFrame
	}
	for rest := frame[2:]; len(rest) > 0; {
		if len(rest) < 5 {
			return r, errFrame
		}
		number, size := rest[0], int(binary.LittleEndian.Uint32(rest[1:]))
		if size > len(rest)-5 {
			return r, errFrame
		}
		payload := rest[5 : 5+size : 5+size]
		rest = rest[5+size:]
		switch number {
		case resultItem:
			r.item = payload
		case resultItems:
			r.items = payload
		case resultLastKey:
			r.lastKey = payload
		case resultSequence:
			if size == 8 {
				r.sequence = binary.LittleEndian.Uint64(payload)
			}
		case resultTable:
			r.table = payload
		case resultNames:
			r.names = payload
		case resultOldItem:
			r.oldItem = payload
		case resultNewItem:
			r.newItem = payload
		case resultDefinition:
			r.definition = payload
		case resultReplayed:
			r.isReplayed = true
		}
	}
	return r, nil
}

// frames yields the item frames of a page; an absent item is empty.
func frames(page []byte) ([][]byte, error) {
	d := decoder{frame: page}
	if len(page) == 0 {
		return nil, nil
	}
	count, err := d.u32()
	if err != nil || count > (len(page)-4)/4 {
		return nil, errFrame
	}
	out := make([][]byte, count)
	for i := range out {
		size, err := d.u32()
		if err != nil || size > len(page)-d.at {
			return nil, errFrame
		}
		out[i] = page[d.at : d.at+size : d.at+size]
		d.at += size
	}
	return out, nil
}
