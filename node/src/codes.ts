// Made from ffi/include/stator.h by bindings/gen/generate.py; do not edit.

export interface Status {
  readonly name: string;
  readonly text: string;
  readonly exception: string;
  readonly flags: number;
}

export const statuses: Readonly<Record<number, Status>> = {
  0: { name: "OK", text: "ok", exception: "", flags: 0 },
  1: { name: "MISUSE", text: "invalid handle or call sequence", exception: "MisuseError", flags: 4 },
  2: { name: "CLOSED", text: "the handle or its database is closed", exception: "ClosedError", flags: 4 },
  3: { name: "FORKED", text: "the handle belongs to the parent process", exception: "ForkedError", flags: 4 },
  4: { name: "BUSY", text: "the handle is in use by another call", exception: "BusyError", flags: 1 },
  5: { name: "NO_MEMORY", text: "out of memory", exception: "InternalServerError", flags: 1 },
  6: { name: "INVALID_ARGUMENT", text: "invalid argument", exception: "ValidationException", flags: 4 },
  7: { name: "UNSUPPORTED", text: "not supported", exception: "ValidationException", flags: 4 },
  8: { name: "TABLE_NOT_FOUND", text: "table not found", exception: "ResourceNotFoundException", flags: 4 },
  9: { name: "TABLE_EXISTS", text: "table already exists", exception: "ResourceInUseException", flags: 4 },
  10: { name: "CONDITION_FAILED", text: "the condition was not met", exception: "ConditionalCheckFailedException", flags: 4 },
  11: { name: "TRANSACTION_CONFLICT", text: "conflict with another write", exception: "TransactionConflictException", flags: 1 },
  12: { name: "TRANSACTION_CANCELED", text: "transaction cancelled", exception: "TransactionCanceledException", flags: 4 },
  13: { name: "LOCKED", text: "the database is locked by another process", exception: "LockedError", flags: 1 },
  14: { name: "NOT_A_DATABASE", text: "not a Stator database", exception: "NotADatabaseError", flags: 4 },
  15: { name: "CORRUPT", text: "corrupt data", exception: "InternalServerError", flags: 0 },
  16: { name: "IO", text: "input/output error", exception: "InternalServerError", flags: 0 },
  17: { name: "NO_SPACE", text: "no space left", exception: "InternalServerError", flags: 1 },
  18: { name: "READ_ONLY", text: "the database is read-only", exception: "ReadOnlyError", flags: 0 },
  19: { name: "FAILED", text: "an earlier failure stopped writing; reopen the database", exception: "InternalServerError", flags: 2 },
  20: { name: "CANCELLED", text: "cancelled", exception: "CancelledError", flags: 1 },
  21: { name: "DEADLINE", text: "deadline exceeded", exception: "DeadlineError", flags: 1 },
  22: { name: "WOULD_BLOCK", text: "the answer is not in memory", exception: "WouldBlockError", flags: 1 },
  23: { name: "NOT_FOUND", text: "not found", exception: "NotFoundError", flags: 4 },
  24: { name: "INTERNAL", text: "internal error", exception: "InternalServerError", flags: 0 },
  25: { name: "TOKEN_MISMATCH", text: "the token was used for another transaction", exception: "IdempotentParameterMismatchException", flags: 4 },
  26: { name: "DUPLICATE_ITEM", text: "the item exists", exception: "DuplicateItemException", flags: 4 },
  27: { name: "IN_USE", text: "the resource is in use", exception: "ResourceInUseException", flags: 4 },
  28: { name: "LIMIT_EXCEEDED", text: "too many at once", exception: "LimitExceededException", flags: 1 },
};
