/// <reference lib="esnext.disposable" preserve="true" />
/**
 * DynamoDB's data model in your process.
 *
 *     const db = await open("shop.stator");
 *     const movies = await db.table("movies", { partition: "title:S", sort: "year:N" });
 *     await movies.put({ title: "Alien", year: 1979 });
 *     for await (const m of movies.query("Alien", { sort: ge(1970), limit: 10 })) console.log(m.year);
 *     await db.close();
 */
export { open, openSync, Database, Batch } from "./database";
export type { OpenOptions, Stats } from "./database";
export type { GlobalIndex, IndexDescription, IndexProjection, KeySpec, LocalIndex, Schema, StreamView } from "./definition";
export type { ExpressionOptions } from "./expression";
export type { TransactGetOptions, TransactItem, TransactRead, TransactWriteOptions } from "./transact";
export type { DispatchAnswer, DispatchOptions } from "./protocol";
export { Table } from "./table";
export type { Durability, Key, KeyValue, ReadOptions, Returns, UpdateOptions, WriteOptions } from "./table";
export { Items, SortCondition, eq, lt, le, gt, ge, between, beginsWith } from "./query";
export type { PageOptions, QueryOptions, ScanOptions } from "./query";
export { NumberValue } from "./number";
export type { AsyncOptions, AttributeValue, Item, KeyAttribute, KeyType, NumberMode } from "./types";
export {
  StatorError, ValidationException, ResourceNotFoundException, ResourceInUseException, ConditionalCheckFailedException,
  TransactionConflictException, TransactionCanceledException, IdempotentParameterMismatchException,
  DuplicateItemException, LimitExceededException, InternalServerError, MisuseError, ClosedError, ForkedError,
  BusyError, LockedError, NotADatabaseError, ReadOnlyError, CancelledError, DeadlineError, WouldBlockError, NotFoundError,
} from "./errors";
export type { ErrorDetails, Reason } from "./errors";
export { version } from "./version";
