/**
 * What calls fail with. Every class is a StatorError; where DynamoDB has the error, the class is named as in the SDK, so that
 * `error.name === "ResourceNotFoundException"` and `instanceof` both work. Where several codes share a DynamoDB name (CORRUPT
 * and NO_SPACE are both InternalServerError), `code` tells them apart.
 */
import { statuses } from "./codes";
import type { DetailReason } from "./decode";
import type { Item } from "./types";

const RETRYABLE = 1;
const MAYBE_APPLIED = 2;

export interface ErrorDetails {
  readonly code?: string;
  readonly retryable?: boolean;
  readonly maybeApplied?: boolean;
  readonly position?: number | undefined;
  readonly osError?: number | undefined;
}

export class StatorError extends Error {
  /** The name of the status, as "LOCKED". */
  readonly code: string;
  /** The same call may succeed later. */
  readonly retryable: boolean;
  /** The call failed, and its write may have been applied all the same. */
  readonly maybeApplied: boolean;
  /** Byte position in a text, frame or file. */
  readonly position: number | undefined;
  /** errno of the system call that failed. */
  readonly osError: number | undefined;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message);
    this.code = details.code ?? "UNKNOWN";
    this.retryable = details.retryable ?? false;
    this.maybeApplied = details.maybeApplied ?? false;
    this.position = details.position;
    this.osError = details.osError;
  }
}
Object.defineProperty(StatorError.prototype, "name", { value: "StatorError", configurable: true, writable: true });

function named<C extends typeof StatorError>(type: C, name: string): C {
  Object.defineProperty(type.prototype, "name", { value: name, configurable: true, writable: true });
  return type;
}

/** An argument, item, key or number is not valid; the texts are DynamoDB's where it has one. */
export class ValidationException extends StatorError {}
/** There is no such table, or it was deleted. */
export class ResourceNotFoundException extends StatorError {}
/** A table of that name exists already. */
export class ResourceInUseException extends StatorError {}
/** The condition of a write did not hold. */
export class ConditionalCheckFailedException extends StatorError {
  /** The item that it saw: when the write had returnOnFailure, and there was one. */
  readonly item: Item | undefined;
}
export class TransactionConflictException extends StatorError {}
/** Why an entry of a transaction was in its way. */
export interface Reason {
  /** undefined: it was not. */
  readonly code: "CONDITION_FAILED" | "INVALID_ARGUMENT" | "TRANSACTION_CONFLICT" | undefined;
  readonly message: string;
  /** What a failed condition saw: when the entry had returnOnFailure, and there was an item. */
  readonly item: Item | undefined;
}

/** Nothing of the transaction was applied. */
export class TransactionCanceledException extends StatorError {
  /** One for each entry, in their order. */
  readonly reasons: readonly Reason[] = [];
}
/** The token of a transaction was used for another one. */
export class IdempotentParameterMismatchException extends StatorError {}
/** PartiQL's INSERT of an item that exists. */
export class DuplicateItemException extends StatorError {}
/** Too many changes of tables at once. */
export class LimitExceededException extends StatorError {}
/** The machine under the database: memory, disk, files. See `code`. */
export class InternalServerError extends StatorError {}
export class MisuseError extends StatorError {}
/** The database is closed. */
export class ClosedError extends StatorError {}
export class ForkedError extends StatorError {}
export class BusyError extends StatorError {}
/** Another process has the database open. */
export class LockedError extends StatorError {}
/** The path holds something else. */
export class NotADatabaseError extends StatorError {}
/** The database was opened with readOnly. */
export class ReadOnlyError extends StatorError {}
export class CancelledError extends StatorError {}
export class DeadlineError extends StatorError {}
export class WouldBlockError extends StatorError {}
/** A file or directory is missing. */
export class NotFoundError extends StatorError {}

const classes: Record<string, typeof StatorError> = {
  ValidationException, ResourceNotFoundException, ResourceInUseException, ConditionalCheckFailedException,
  TransactionConflictException, TransactionCanceledException, IdempotentParameterMismatchException,
  DuplicateItemException, LimitExceededException, InternalServerError, MisuseError, ClosedError, ForkedError,
  BusyError, LockedError, NotADatabaseError, ReadOnlyError, CancelledError, DeadlineError, WouldBlockError, NotFoundError,
};
for (const [name, type] of Object.entries(classes)) named(type, name);

/** @internal The error of a status. */
export function makeError(status: number, flags: number, position: number, osError: number, message: string): StatorError {
  const row = statuses[status];
  const type = (row && classes[row.exception]) || StatorError;
  return new type(message || row?.text || `status ${status}`, {
    code: row?.name ?? "UNKNOWN",
    retryable: (flags & RETRYABLE) !== 0,
    maybeApplied: (flags & MAYBE_APPLIED) !== 0,
    position: position < 0 ? undefined : position,
    osError: osError || undefined,
  });
}

const REASONS = [undefined, "CONDITION_FAILED", "INVALID_ARGUMENT", "TRANSACTION_CONFLICT"] as const;

/** @internal The error with what the engine tells besides. */
export function detailed(error: StatorError, item: Item | undefined, reasons: readonly DetailReason[] | undefined): StatorError {
  const set = (name: string, value: unknown) => Object.defineProperty(error, name, { value, enumerable: true, configurable: true });
  if (item !== undefined) set("item", item);
  if (reasons !== undefined) set("reasons", reasons.map(({ reason, message, item: seen }) => ({ code: REASONS[reason], message, item: seen })));
  return error;
}

/** @internal A refusal of an argument, before the engine sees it. */
export function invalid(message: string): ValidationException {
  return new ValidationException(message, { code: "INVALID_ARGUMENT" });
}

/** @internal A result that the codec cannot read. */
export function malformedResult(): StatorError {
  return new StatorError("the engine gave a result that cannot be read", { code: "INTERNAL" });
}

/** @internal Every name that a status can have. */
export const classNames: readonly string[] = Object.keys(classes);
