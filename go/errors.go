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
