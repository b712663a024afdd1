package stator

/*
#include "bridge.h"
*/
import "C"

import (
	"context"
	"time"
	"unsafe"
)

// A DispatchOption changes what Dispatch answers.
type DispatchOption func(*dispatchOptions)

type dispatchOptions struct{ region, account string }

// WithRegion is the region that ARNs name, at most 31 bytes; without it us-east-1.
func WithRegion(region string) DispatchOption { return func(o *dispatchOptions) { o.region = region } }

// WithAccount is the account that ARNs name, at most 15 bytes; without it 000000000000.
func WithAccount(account string) DispatchOption {
	return func(o *dispatchOptions) { o.account = account }
}

// Dispatch answers one request of the DynamoDB JSON protocol as the service does, without a socket. operation is the header
// X-Amz-Target ("DynamoDB_20120810.PutItem", "DynamoDBStreams_20120810.GetRecords") or the operation alone; body is JSON. What
// the service would answer, its errors included, is a status (200, 400, 500) and JSON; err is for what is wrong with the call
// itself, as a closed database.
func (db *DB) Dispatch(ctx context.Context, operation string, body []byte, options ...DispatchOption) (status int, answer []byte, err error) {
	var o dispatchOptions
	for _, option := range options {
		option(&o)
	}
	var place C.stator_go_place
	if len(o.region) >= len(place.region) || len(o.account) >= len(place.account) {
		return 0, nil, invalid("a region has at most %d bytes and an account %d", len(place.region)-1, len(place.account)-1)
	}
	place.region_bytes = fillText(place.region[:], o.region)
	place.account_bytes = fillText(place.account[:], o.account)
	c := newCall()
	c.request = append(append(c.request, operation...), body...)
	reported := new(C.int32_t)
	answer, err = c.await(ctx, true, func() ([]byte, error) {
		answer, err := c.dispatch(db, len(operation), &place)
		*reported = c.c.http_status
		return answer, err
	})
	if err != nil {
		return 0, nil, err
	}
	return int(*reported), answer, nil
}

func fillText(to []C.char, text string) C.size_t {
	return C.size_t(copy(unsafe.Slice((*byte)(unsafe.Pointer(&to[0])), len(to)), text))
}

// MoveClock is for tests: it sets the clock that expiry, retention of streams, tokens and times of creation obey so far from
// the system's; 0 is where it begins. Items that have expired by then are gone when it returns.
func (db *DB) MoveClock(ctx context.Context, d time.Duration) error {
	c := newCall()
	_, err := c.await(ctx, true, func() ([]byte, error) { return c.moveClock(db, d.Microseconds()) })
	return err
}
