// Made from ffi/include/stator.h by bindings/gen/generate.py; do not edit.

package stator

// Codes of errors.
const (
	ErrMisuse              Code = 1  // invalid handle or call sequence
	ErrClosed              Code = 2  // the handle or its database is closed
	ErrForked              Code = 3  // the handle belongs to the parent process
	ErrBusy                Code = 4  // the handle is in use by another call
	ErrNoMemory            Code = 5  // out of memory
	ErrInvalidArgument     Code = 6  // invalid argument
	ErrUnsupported         Code = 7  // not supported
	ErrTableNotFound       Code = 8  // table not found
	ErrTableExists         Code = 9  // table already exists
	ErrConditionFailed     Code = 10 // the condition was not met
	ErrTransactionConflict Code = 11 // conflict with another write
	ErrTransactionCanceled Code = 12 // transaction cancelled
	ErrLocked              Code = 13 // the database is locked by another process
	ErrNotADatabase        Code = 14 // not a Stator database
	ErrCorrupt             Code = 15 // corrupt data
	ErrIO                  Code = 16 // input/output error
	ErrNoSpace             Code = 17 // no space left
	ErrReadOnly            Code = 18 // the database is read-only
	ErrFailed              Code = 19 // an earlier failure stopped writing; reopen the database
	ErrCancelled           Code = 20 // cancelled
	ErrDeadline            Code = 21 // deadline exceeded
	ErrWouldBlock          Code = 22 // the answer is not in memory
	ErrNotFound            Code = 23 // not found
	ErrInternal            Code = 24 // internal error
	ErrTokenMismatch       Code = 25 // the token was used for another transaction
	ErrDuplicateItem       Code = 26 // the item exists
	ErrInUse               Code = 27 // the resource is in use
	ErrLimitExceeded       Code = 28 // too many at once
)

func (c Code) name() string {
	switch c {
	case 0:
		return "OK"
	case 1:
		return "MISUSE"
	case 2:
		return "CLOSED"
	case 3:
		return "FORKED"
	case 4:
		return "BUSY"
	case 5:
		return "NO_MEMORY"
	case 6:
		return "INVALID_ARGUMENT"
	case 7:
		return "UNSUPPORTED"
	case 8:
		return "TABLE_NOT_FOUND"
	case 9:
		return "TABLE_EXISTS"
	case 10:
		return "CONDITION_FAILED"
	case 11:
		return "TRANSACTION_CONFLICT"
	case 12:
		return "TRANSACTION_CANCELED"
	case 13:
		return "LOCKED"
	case 14:
		return "NOT_A_DATABASE"
	case 15:
		return "CORRUPT"
	case 16:
		return "IO"
	case 17:
		return "NO_SPACE"
	case 18:
		return "READ_ONLY"
	case 19:
		return "FAILED"
	case 20:
		return "CANCELLED"
	case 21:
		return "DEADLINE"
	case 22:
		return "WOULD_BLOCK"
	case 23:
		return "NOT_FOUND"
	case 24:
		return "INTERNAL"
	case 25:
		return "TOKEN_MISMATCH"
	case 26:
		return "DUPLICATE_ITEM"
	case 27:
		return "IN_USE"
	case 28:
		return "LIMIT_EXCEEDED"
	}
	return "UNKNOWN"
}

func (c Code) text() string {
	switch c {
	case 0:
		return "ok"
	case 1:
		return "invalid handle or call sequence"
	case 2:
		return "the handle or its database is closed"
	case 3:
		return "the handle belongs to the parent process"
	case 4:
		return "the handle is in use by another call"
	case 5:
		return "out of memory"
	case 6:
		return "invalid argument"
	case 7:
		return "not supported"
	case 8:
		return "table not found"
	case 9:
		return "table already exists"
	case 10:
		return "the condition was not met"
	case 11:
		return "conflict with another write"
	case 12:
		return "transaction cancelled"
	case 13:
		return "the database is locked by another process"
	case 14:
		return "not a Stator database"
	case 15:
		return "corrupt data"
	case 16:
		return "input/output error"
	case 17:
		return "no space left"
	case 18:
		return "the database is read-only"
	case 19:
		return "an earlier failure stopped writing; reopen the database"
	case 20:
		return "cancelled"
	case 21:
		return "deadline exceeded"
	case 22:
		return "the answer is not in memory"
	case 23:
		return "not found"
	case 24:
		return "internal error"
	case 25:
		return "the token was used for another transaction"
	case 26:
		return "the item exists"
	case 27:
		return "the resource is in use"
	case 28:
		return "too many at once"
	}
	return "unknown status"
}

func (c Code) exception() string {
	switch c {
	case 5:
		return "InternalServerError"
	case 6:
		return "ValidationException"
	case 7:
		return "ValidationException"
	case 8:
		return "ResourceNotFoundException"
	case 9:
		return "ResourceInUseException"
	case 10:
		return "ConditionalCheckFailedException"
	case 11:
		return "TransactionConflictException"
	case 12:
		return "TransactionCanceledException"
	case 15:
		return "InternalServerError"
	case 16:
		return "InternalServerError"
	case 17:
		return "InternalServerError"
	case 19:
		return "InternalServerError"
	case 24:
		return "InternalServerError"
	case 25:
		return "IdempotentParameterMismatchException"
	case 26:
		return "DuplicateItemException"
	case 27:
		return "ResourceInUseException"
	case 28:
		return "LimitExceededException"
	}
	return ""
}
