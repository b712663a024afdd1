package stator

/*
#cgo CFLAGS: -std=c11 -O2 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DSTATOR_ZSTD_DLOPEN -fno-strict-aliasing
#cgo CFLAGS: -I${SRCDIR}/../core -I${SRCDIR}/../ffi -I${SRCDIR}/../ffi/include
#cgo LDFLAGS: -lpthread -ldl
#include "bridge.h"
*/
import "C"

import (
	"context"
	"runtime"
	"sync"
	"time"
	"unsafe"
)

// A call holds the memory of one crossing: the request, room for a small result, and what came back. Calls are reused.
type call struct {
	request []byte
	result  []byte
	c       C.stator_go_call
}

const callResultBytes = 4096

var callPool = sync.Pool{New: func() any {
	return &call{request: make([]byte, 0, 1024), result: make([]byte, callResultBytes)}
}}

func newCall() *call {
	c := callPool.Get().(*call)
	c.request = c.request[:0]
	return c
}

// free returns the call for reuse; what take returned stays valid, because it was copied.
func (c *call) free() {
	if cap(c.request) > 1<<20 {
		return
	}
	callPool.Put(c)
}

func bytesPointer(b []byte) unsafe.Pointer {
	if len(b) == 0 {
		return nil
	}
	return unsafe.Pointer(&b[0])
}

func (c *call) err() error {
	if c.c.status == 0 {
		return nil
	}
	err := &Error{
		Code:     Code(c.c.status),
		Flags:    uint32(c.c.error.flags),
		Position: int64(c.c.error.position),
		Message:  C.GoString(&c.c.error.message[0]),
	}
	if c.c.error.detail != nil {
		err.detail(C.GoBytes(c.c.error.detail, C.int(c.c.error.detail_bytes)))
		C.stator_error_clear(&c.c.error)
	}
	return err
}

// take copies the result frame out, so that decoded strings and bytes may point into the copy.
func (c *call) take() ([]byte, error) {
	if err := c.err(); err != nil {
		if c.c.buffer != 0 {
			C.stator_go_release(&c.c)
		}
		return nil, err
	}
	if c.c.buffer == 0 {
		frame := make([]byte, int(c.c.result_bytes))
		copy(frame, c.result)
		return frame, nil
	}
	frame := make([]byte, int(c.c.buffer_bytes))
	copy(frame, unsafe.Slice((*byte)(c.c.buffer_data), int(c.c.buffer_bytes)))
	C.stator_go_release(&c.c)
	return frame, nil
}

func (c *call) execute(db *DB) ([]byte, error) {
	C.stator_go_execute(db.token, bytesPointer(c.request), C.size_t(len(c.request)), unsafe.Pointer(&c.result[0]),
		callResultBytes, &c.c)
	runtime.KeepAlive(db)
	return c.take()
}

// run executes the request of c. With a context that can be cancelled the wait is abandoned on cancellation, never a write
// that has begun: the error then wraps the context's own and, for writes, says that it may have been applied.
func (c *call) run(ctx context.Context, db *DB, isWrite bool) ([]byte, error) {
	return c.await(ctx, isWrite, func() ([]byte, error) { return c.execute(db) })
}

// await runs what crosses over with c, and frees c.
func (c *call) await(ctx context.Context, isWrite bool, cross func() ([]byte, error)) ([]byte, error) {
	if ctx == nil || ctx.Done() == nil {
		frame, err := cross()
		c.free()
		return frame, err
	}
	if err := ctx.Err(); err != nil {
		c.free()
		return nil, err
	}
	type answer struct {
		frame []byte
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		frame, err := cross()
		c.free()
		done <- answer{frame, err}
	}()
	select {
	case a := <-done:
		return a.frame, a.err
	case <-ctx.Done():
		return nil, &CancelledError{Cause: context.Cause(ctx), MaybeApplied: isWrite}
	}
}

// dispatch runs the operation and body in the request of c. The status is c's until it is freed.
func (c *call) dispatch(db *DB, operationBytes int, place *C.stator_go_place) ([]byte, error) {
	C.stator_go_dispatch(db.token, bytesPointer(c.request), C.size_t(operationBytes), C.size_t(len(c.request)), place, &c.c)
	runtime.KeepAlive(db)
	return c.take()
}

func (c *call) moveClock(db *DB, offsetMicroseconds int64) ([]byte, error) {
	C.stator_go_clock_move(db.token, C.int64_t(offsetMicroseconds), &c.c)
	runtime.KeepAlive(db)
	return c.take()
}

// ---- database ------------------------------------------------------------------------------------------------------

func openToken(path string, options *Options) (C.uintptr_t, error) {
	var c call
	var o C.stator_options
	C.stator_options_init(&o)
	if err := options.fill(&o); err != nil {
		return 0, err
	}
	var token C.uintptr_t
	name := []byte(path)
	C.stator_go_open(bytesPointer(name), C.size_t(len(name)), &o, &token, &c.c)
	return token, c.err()
}

func (o *Options) fill(to *C.stator_options) error {
	if o == nil {
		return nil
	}
	if o.MustExist {
		to.create = 0
	}
	if o.ReadOnly {
		to.read_only = 1
	}
	if o.Durability != DurabilityDefault {
		to.durability = C.uint32_t(o.Durability)
	}
	if o.Interval != 0 {
		if o.Interval < time.Millisecond || o.Interval > time.Minute {
			return invalid("the interval must be 1ms to 1m, not %v", o.Interval)
		}
		to.interval_ms = C.uint32_t(o.Interval.Milliseconds())
	}
	if o.MemoryBudgetBytes > 0 {
		to.memory_budget_bytes = C.uint64_t(o.MemoryBudgetBytes)
	}
	to.memtable_bytes = C.uint64_t(o.MemtableBytes)
	to.file_bytes = C.uint64_t(o.FileBytes)
	return nil
}

type dbToken = C.uintptr_t

func closeToken(token dbToken) error {
	var c call
	C.stator_go_close(token, &c.c)
	return c.err()
}

const (
	careFlush   = C.STATOR_GO_FLUSH
	careCompact = C.STATOR_GO_COMPACT
	careVerify  = C.STATOR_GO_VERIFY
)

// care runs a long call; the report is returned also when it failed.
func (db *DB) care(what C.int32_t) (string, error) {
	var c call
	C.stator_go_care(db.token, what, &c.c)
	runtime.KeepAlive(db)
	report := ""
	if c.c.buffer != 0 {
		report = C.GoStringN((*C.char)(c.c.buffer_data), C.int(c.c.buffer_bytes))
		C.stator_go_release(&c.c)
	}
	return report, c.err()
}

func (db *DB) stats() (Stats, error) {
	var c call
	var s C.stator_stats
	C.stator_go_stats(db.token, &s, &c.c)
	runtime.KeepAlive(db)
	out := Stats{
		Tables: uint32(s.table_count), AppliedSequence: uint64(s.applied_sequence),
		PublishedSequence: uint64(s.published_sequence), DurableSequence: uint64(s.durable_sequence),
		MemtableBytes: uint64(s.memtable_bytes), MemtableEntries: uint64(s.memtable_entries),
		LogSegments: uint64(s.log_segments), LogBytes: uint64(s.log_bytes),
		CacheBytes: uint64(s.cache_bytes), CacheHits: uint64(s.cache_hits), CacheMisses: uint64(s.cache_misses),
		WrittenBytesLog: uint64(s.written_bytes_log), WrittenBytesFlush: uint64(s.written_bytes_flush),
		WrittenBytesCompaction: uint64(s.written_bytes_compaction),
		Flushes:                uint64(s.flushes), Compactions: uint64(s.compactions), Syncs: uint64(s.syncs),
		StallTime:       time.Duration(s.stall_us) * time.Microsecond,
		MemoryUsedBytes: uint64(s.memory_used_bytes), MemoryBudgetBytes: uint64(s.memory_budget_bytes),
		RecoveredFrames: uint64(s.recovered_frames), RecoveredTornBytes: uint64(s.recovered_torn_bytes),
	}
	for i := range out.Levels {
		out.Levels[i] = LevelStats{Files: uint64(s.level_files[i]), Bytes: uint64(s.level_bytes[i]),
			Entries: uint64(s.level_entries[i])}
	}
	return out, c.err()
}

// ---- cursor --------------------------------------------------------------------------------------------------------

type cursor struct {
	db    *DB
	token C.uintptr_t
}

func openCursor(db *DB, request []byte) (*cursor, error) {
	var c call
	cur := &cursor{db: db}
	C.stator_go_cursor_open(db.token, bytesPointer(request), C.size_t(len(request)), &cur.token, &c.c)
	runtime.KeepAlive(db)
	return cur, c.err()
}

func (cur *cursor) nextPage() ([]byte, error) {
	c := newCall()
	C.stator_go_cursor_next_page(cur.token, unsafe.Pointer(&c.result[0]), callResultBytes, &c.c)
	runtime.KeepAlive(cur.db)
	frame, err := c.take()
	c.free()
	return frame, err
}

func (cur *cursor) close() {
	C.stator_go_cursor_free(cur.token)
	cur.token = 0
}
