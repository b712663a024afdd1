package stator

import "fmt"

// A Code is the status of a failed call: compare with errors.Is(err, stator.ErrLocked), or look at Error.Code.
type Code int32

// Error lets a Code be the target of errors.Is.
func (c Code) Error() string { return "stator: " + c.text() }

// Name is the name of the status, as "TABLE_NOT_FOUND".
func (c Code) Name() string { return c.name() }

// Flags of Error.Flags.
const (
	FlagRetryable    = 1 // the same call may succeed later
	FlagMaybeApplied = 2 // the write may or may not have been applied
	FlagCaller       = 4 // the caller's fault: repeating does not help
)

// An Error is what a call of the library failed with.
type Error struct {
	Code     Code
	Flags    uint32
	Position int64 // byte position in a text, frame or file; -1 when there is none
	Message  string
	Reasons  []Reason // of ErrTransactionCanceled: one for each item, in their order

	item []byte
}

// Item fills item (a pointer) with what a failed condition saw: of ErrConditionFailed, when the write had ReturnOnFailure.
func (e *Error) Item(item any) (found bool, err error) { return itemInto(e.item, item) }

// A Reason is why an item of a transaction was in the way of it.
type Reason struct {
	Code    Code // 0: it was not; ErrConditionFailed, ErrInvalidArgument or ErrTransactionConflict
	Message string

	item []byte
}

// Item fills item (a pointer) with what a failed condition saw, when it had ReturnOnFailure.
func (r Reason) Item(item any) (found bool, err error) { return itemInto(r.item, item) }

func itemInto(frame []byte, item any) (bool, error) {
	if len(frame) == 0 {
		return false, nil
	}
	return true, decodeInto(frame, item)
}

// Numbers of docs/formats/error.md.
const (
	detailText    = 1
	detailItem    = 2
	detailReasons = 3
)

// detail takes over what the engine tells besides. What cannot be read is left out: the error itself stands.
func (e *Error) detail(bytes []byte) {
	if len(bytes) < 2 || bytes[0] != 1 {
		return
	}
	_ = fields(bytes[2:], func(number byte, payload []byte) error {
		switch number {
		case detailText:
			e.Message = string(payload)
		case detailItem:
			e.item = payload
		case detailReasons:
			return e.reasons(payload)
		}
		return nil
	})
}

func (e *Error) reasons(payload []byte) error {
	d := decoder{frame: payload}
	count, err := d.u32()
	for i := 0; i < count && err == nil; i++ {
		var number byte
		var parts [2][]byte
		number, err = d.byte()
		for j := 0; j < len(parts) && err == nil; j++ {
			var size int
			if size, err = d.u32(); err != nil || size > len(payload)-d.at {
				return errFrame
			}
			parts[j] = payload[d.at : d.at+size : d.at+size]
			d.at += size
		}
		code := map[byte]Code{1: ErrConditionFailed, 2: ErrInvalidArgument, 3: ErrTransactionConflict}[number]
		e.Reasons = append(e.Reasons, Reason{Code: code, Message: string(parts[0]), item: parts[1]})
	}
	return err
}

func (e *Error) Error() string { return "stator: " + e.Message }

// Is makes errors.Is(err, stator.ErrTableNotFound) work.
func (e *Error) Is(target error) bool {
	code, ok := target.(Code)
	return ok && code == e.Code
}

// Exception is DynamoDB's name of the error, as "ResourceNotFoundException", or "".
func (e *Error) Exception() string { return e.Code.exception() }

// Retryable says whether the same call may succeed later.
func (e *Error) Retryable() bool { return e.Flags&FlagRetryable != 0 }

// MaybeApplied says whether a failed write may nevertheless have been applied.
func (e *Error) MaybeApplied() bool { return e.Flags&FlagMaybeApplied != 0 }

// A CancelledError is returned when a context ended before the call did. It wraps the context's error.
type CancelledError struct {
	Cause        error
	MaybeApplied bool // the write may or may not have been applied
}

func (e *CancelledError) Error() string {
	if e.MaybeApplied {
		return fmt.Sprintf("stator: %v; the write may have been applied", e.Cause)
	}
	return fmt.Sprintf("stator: %v", e.Cause)
}

func (e *CancelledError) Unwrap() error { return e.Cause }

func invalid(format string, arguments ...any) error {
	return &Error{Code: ErrInvalidArgument, Flags: FlagCaller, Position: -1, Message: fmt.Sprintf(format, arguments...)}
}
