/** One table. */
import { abandonable, CACHED_ONLY, type Core } from "./core";
import type { Result, TableResult } from "./decode";
import type { Writer } from "./encode";
import { invalid } from "./errors";
import type { Definition, IndexDescription, StreamView } from "./definition";
import { encodeExpressions, hasExpressions, type ExpressionOptions } from "./expression";
import { LANE_WRITE } from "./native";
import { NumberValue } from "./number";
import { query, scan, type Items, type QueryOptions, type ScanOptions } from "./query";
import type { AsyncOptions, Item, KeyAttribute, NumberMode } from "./types";

const PUT = 5;
const GET = 6;
const DELETE = 7;
const BATCH_GET = 9;
const UPDATE = 12;
const CHECK = 13;
const FIELD = { TABLE_ID: 2, KEY: 3, ITEM: 4, DURABILITY: 5, ENTRY: 17, RETURNS: 136 } as const;
const CONSISTENT = 2;
const RETURN_ON_FAILURE = 64;

const RETURNS = { NONE: 0, ALL_OLD: 1, UPDATED_OLD: 2, ALL_NEW: 3, UPDATED_NEW: 4 } as const;

/** What an update gives: the item before or after it, whole or the attributes that it names. */
export type Returns = keyof typeof RETURNS;

/**
 * What a write waits for. "sync": it survives power loss. "interval": power loss takes at most the last intervalMs.
 * "none": it survives the process, not the machine.
 */
export type Durability = "sync" | "interval" | "none";

const LEVELS: Record<Durability, number> = { sync: 1, interval: 2, none: 3 };

/** @internal */
export function durabilityNumber(durability: Durability): number {
  const level = Object.hasOwn(LEVELS, durability) ? LEVELS[durability] : undefined;
  if (level === undefined) throw invalid(`durability must be "sync", "interval" or "none", not ${String(durability)}`);
  return level;
}

interface AnyWriteOptions extends AsyncOptions, ExpressionOptions {
  /** Of this write; default: that of the database. */
  durability?: Durability | undefined;
  /**
   * Must hold for the item that is there, as "attribute_not_exists(title)"; else nothing is written, and the error is a
   * ConditionalCheckFailedException.
   */
  condition?: string | undefined;
  /** The error of a failed condition has the item that it saw, as `item`. */
  returnOnFailure?: boolean | undefined;
  /** How numbers of the item that comes back are read. */
  numbers?: NumberMode | undefined;
}

export interface WriteOptions extends AnyWriteOptions {
  /** Gives the item that was replaced or deleted; the same as returns: "ALL_OLD". */
  returnOld?: boolean | undefined;
  returns?: "NONE" | "ALL_OLD" | undefined;
}

export interface UpdateOptions extends AnyWriteOptions {
  returns?: Returns | undefined;
}

/** @internal What a write says besides its key or item. */
export type WriteFields = Pick<AnyWriteOptions, "durability" | "condition" | "names" | "values" | "returnOnFailure"> & {
  returns?: Returns | undefined;
};

export interface ReadOptions extends AsyncOptions {
  /** The parts of the item to read: "title, crew[0], #n". */
  projection?: string | undefined;
  /** What the #names in it stand for. */
  names?: ExpressionOptions["names"];
  consistent?: boolean | undefined;
  numbers?: NumberMode | undefined;
}

/** A value of a key attribute. */
export type KeyValue = string | number | bigint | NumberValue | Uint8Array;

/** A key: the key attributes as an object, their values in the order of the schema, or the one value of a table without sort key. */
export type Key = { readonly [name: string]: unknown } | readonly KeyValue[] | KeyValue;

function checkReturns<O extends UpdateOptions>(options: O): O {
  if (options.returns !== undefined && !Object.hasOwn(RETURNS, options.returns)) {
    throw invalid(`returns must be one of ${Object.keys(RETURNS).join(", ")}, not ${String(options.returns)}`);
  }
  return options;
}

/** The options of a put or delete, which gives the old item or nothing. */
function oldOnly(options: WriteOptions): WriteOptions {
  if (options.returns === undefined) return options.returnOld ? { ...options, returns: "ALL_OLD" } : options;
  if (options.returns !== "ALL_OLD" && options.returns !== "NONE") {
    throw invalid(`a put or delete returns "ALL_OLD" or "NONE", not ${String(options.returns)}`);
  }
  return options;
}

function expressionOf(expression: string): string {
  if (typeof expression !== "string") throw invalid("the update must be a string, as \"SET stars = :s\"");
  return expression;
}

function returned<T>(options: WriteFields, result: Result): T | undefined {
  const isNew = options.returns === "ALL_NEW" || options.returns === "UPDATED_NEW";
  return (isNew ? result.newItem : result.oldItem) as T | undefined;
}

function isKeyValue(key: unknown): boolean {
  return typeof key !== "object" || key instanceof Uint8Array || key instanceof NumberValue;
}

export class Table<T = Item> {
  readonly name: string;
  /** The partition key and, if there is one, the sort key. */
  readonly keys: readonly KeyAttribute[];
  readonly created: Date;
  /** As they were when the table was opened. */
  readonly indexes: readonly IndexDescription[];
  /** The attribute with the time of expiry. */
  readonly ttl: string | undefined;
  /** What the records of its stream hold; undefined when it has none. */
  readonly stream: StreamView | undefined;
  /** @internal */
  readonly core: Core;
  /** @internal */
  readonly id: number;

  /** @internal */
  constructor(core: Core, result: TableResult, definition: Definition | undefined) {
    this.core = core;
    this.id = result.id;
    this.name = result.name;
    this.keys = Object.freeze(result.keys.map((key) => Object.freeze(key)));
    this.created = new Date(Number(result.createdUs / 1000n));
    this.indexes = Object.freeze((definition?.indexes ?? []).map((index) => Object.freeze(index)));
    this.ttl = definition?.ttl;
    this.stream = definition?.stream;
  }

  /** @internal The key as an object. */
  keyObject(key: unknown): unknown {
    if (!Array.isArray(key) && !isKeyValue(key)) return key;
    const values: readonly unknown[] = Array.isArray(key) ? key : [key];
    if (values.length !== this.keys.length) {
      throw invalid(`table ${this.name} has ${this.keys.length} key attributes, the key has ${values.length} values`);
    }
    const names = this.keys;
    return names.length === 1
      ? { [names[0].name]: values[0] }
      : { [names[0].name]: values[0], [names[1].name]: values[1] };
  }

  /** @internal */
  encodePut(writer: Writer, item: unknown): void {
    writer.request(PUT);
    writer.fieldU32(FIELD.TABLE_ID, this.id);
    writer.fieldItem(FIELD.ITEM, item);
  }

  /** @internal */
  encodeKey(writer: Writer, operation: number, key: unknown): void {
    writer.request(operation);
    writer.fieldU32(FIELD.TABLE_ID, this.id);
    writer.fieldItem(FIELD.KEY, this.keyObject(key));
  }

  /** @internal */
  encodeDelete(writer: Writer, key: unknown): void {
    this.encodeKey(writer, DELETE, key);
  }

  /** @internal */
  encodeUpdateKey(writer: Writer, key: unknown): void {
    this.encodeKey(writer, UPDATE, key);
  }

  /** @internal */
  encodeCheckKey(writer: Writer, key: unknown): void {
    this.encodeKey(writer, CHECK, key);
  }

  /** @internal */
  encodeWrite(writer: Writer, options: WriteFields, update?: string): void {
    if (options.durability !== undefined) writer.fieldByte(FIELD.DURABILITY, durabilityNumber(options.durability));
    if (options.returns !== undefined) writer.fieldByte(FIELD.RETURNS, RETURNS[options.returns]);
    if (options.returnOnFailure) writer.fieldFlags(RETURN_ON_FAILURE);
    const { condition, names, values } = options;
    encodeExpressions(writer, { condition, update, names, values });
  }

  private mode(options: { numbers?: NumberMode | undefined }): NumberMode {
    return options.numbers ?? this.core.numbers;
  }

  private write(options: WriteFields & AnyWriteOptions, encode: (writer: Writer) => void, update?: string): Promise<T | undefined> {
    return abandonable(options.signal, true, () => {
      const whole = (writer: Writer): void => {
        encode(writer);
        this.encodeWrite(writer, options, update);
      };
      if (options.returns === undefined) {
        const isPlain = update === undefined && options.durability === undefined && !options.returnOnFailure && !hasExpressions(options);
        return this.core.write(isPlain, whole, this.mode(options)).then(() => undefined);
      }
      return this.core.work(LANE_WRITE, this.mode(options), whole).then((result) => returned<T>(options, result));
    });
  }

  private writeSync(options: WriteFields & AnyWriteOptions, encode: (writer: Writer) => void, update?: string): T | undefined {
    const result = this.core.runSync(this.mode(options), (writer) => {
      encode(writer);
      this.encodeWrite(writer, options, update);
    });
    return returned<T>(options, result);
  }

  /** Writes an item, replacing one of the same key. With returnOld gives the item that was replaced. */
  async put(item: object, options: WriteOptions = {}): Promise<T | undefined> {
    return this.write(oldOnly(options), (writer) => this.encodePut(writer, item));
  }

  putSync(item: object, options: WriteOptions = {}): T | undefined {
    return this.writeSync(oldOnly(options), (writer) => this.encodePut(writer, item));
  }

  /**
   * Changes the item with this key, or makes it: update(key, "SET stars = :s REMOVE draft", { values: { ":s": 5 } }). Gives what
   * returns asks for.
   */
  async update(key: Key, expression: string, options: UpdateOptions = {}): Promise<Partial<T> | undefined> {
    return this.write(checkReturns(options), (writer) => this.encodeUpdateKey(writer, key), expressionOf(expression));
  }

  updateSync(key: Key, expression: string, options: UpdateOptions = {}): Partial<T> | undefined {
    return this.writeSync(checkReturns(options), (writer) => this.encodeUpdateKey(writer, key), expressionOf(expression));
  }

  /** Deletes by key; deleting what is absent is fine. With returnOld gives the item that was deleted. */
  async delete(key: Key, options: WriteOptions = {}): Promise<T | undefined> {
    return this.write(oldOnly(options), (writer) => this.encodeKey(writer, DELETE, key));
  }

  deleteSync(key: Key, options: WriteOptions = {}): T | undefined {
    return this.writeSync(oldOnly(options), (writer) => this.encodeKey(writer, DELETE, key));
  }

  /** @internal */
  encodeGet(writer: Writer, key: Key, flags: number, options: Pick<ReadOptions, "projection" | "names">): void {
    this.encodeKey(writer, GET, key);
    if (flags !== 0) writer.fieldFlags(flags);
    if (options.projection !== undefined || options.names !== undefined) {
      encodeExpressions(writer, { projection: options.projection, names: options.names });
    }
  }

  /** The item with this key, or undefined. */
  async get(key: Key, options: ReadOptions = {}): Promise<T | undefined> {
    const flags = CACHED_ONLY | (options.consistent ? CONSISTENT : 0);
    const run = () => this.core.read(this.mode(options), (writer) => this.encodeGet(writer, key, flags, options));
    const result = await (options.signal === undefined ? run() : abandonable(options.signal, false, async () => run()));
    return result.item as T | undefined;
  }

  getSync(key: Key, options: ReadOptions = {}): T | undefined {
    const flags = options.consistent ? CONSISTENT : 0;
    return this.core.runSync(this.mode(options), (writer) => this.encodeGet(writer, key, flags, options)).item as T | undefined;
  }

  private encodeBatchGet(writer: Writer, keys: readonly Key[], flags: number, options: ReadOptions): void {
    writer.request(BATCH_GET);
    for (const key of keys) {
      const start = writer.fieldBegin(FIELD.ENTRY);
      this.encodeGet(writer, key, 0, options);
      writer.fieldEnd(start);
    }
    if (flags !== 0) writer.fieldFlags(flags);
  }

  /** The items of many keys in one call: one element for each key, undefined where there is none. */
  async batchGet(keys: Iterable<Key>, options: ReadOptions = {}): Promise<(T | undefined)[]> {
    const list = [...keys];
    if (list.length === 0) return [];
    const flags = CACHED_ONLY | (options.consistent ? CONSISTENT : 0);
    const result = await abandonable(options.signal, false, async () =>
      this.core.read(this.mode(options), (writer) => this.encodeBatchGet(writer, list, flags, options)));
    return result.items as (T | undefined)[];
  }

  batchGetSync(keys: Iterable<Key>, options: ReadOptions = {}): (T | undefined)[] {
    const list = [...keys];
    if (list.length === 0) return [];
    const flags = options.consistent ? CONSISTENT : 0;
    return this.core.runSync(this.mode(options), (writer) => this.encodeBatchGet(writer, list, flags, options)).items as (T | undefined)[];
  }

  /**
   * The items of one partition in the order of the sort key. partition: the value of the partition key, of the table or of the
   * index; undefined with keyCondition.
   */
  query(partition: KeyValue | undefined, options: QueryOptions = {}): Items<T> {
    return query<T>(this.core, this.id, partition, options);
  }

  /** All items of the table. */
  scan(options: ScanOptions = {}): Items<T> {
    return scan<T>(this.core, this.id, options);
  }
}
