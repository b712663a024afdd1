/** One table. */
import { abandonable, CACHED_ONLY, type Core } from "./core";
import type { TableResult } from "./decode";
import type { Writer } from "./encode";
import { invalid } from "./errors";
import { LANE_WRITE } from "./native";
import { NumberValue } from "./number";
import { query, scan, type Items, type QueryOptions, type ScanOptions } from "./query";
import type { AsyncOptions, Item, KeyAttribute, NumberMode } from "./types";

const PUT = 5;
const GET = 6;
const DELETE = 7;
const BATCH_GET = 9;
const FIELD = { TABLE_ID: 2, KEY: 3, ITEM: 4, DURABILITY: 5, ENTRY: 17 } as const;
const CONSISTENT = 2;
const RETURN_OLD = 4;

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

export interface WriteOptions extends AsyncOptions {
  /** Of this write; default: that of the database. */
  durability?: Durability | undefined;
  /** Gives the item that was replaced or deleted. */
  returnOld?: boolean | undefined;
  /** How numbers of that item come back. */
  numbers?: NumberMode | undefined;
}

export interface ReadOptions extends AsyncOptions {
  consistent?: boolean | undefined;
  numbers?: NumberMode | undefined;
}

/** A value of a key attribute. */
export type KeyValue = string | number | bigint | NumberValue | Uint8Array;

/** A key: the key attributes as an object, their values in the order of the schema, or the one value of a table without sort key. */
export type Key = { readonly [name: string]: unknown } | readonly KeyValue[] | KeyValue;

function isKeyValue(key: unknown): boolean {
  return typeof key !== "object" || key instanceof Uint8Array || key instanceof NumberValue;
}

export class Table<T = Item> {
  readonly name: string;
  /** The partition key and, if there is one, the sort key. */
  readonly keys: readonly KeyAttribute[];
  readonly created: Date;
  /** @internal */
  readonly core: Core;
  /** @internal */
  readonly id: number;

  /** @internal */
  constructor(core: Core, result: TableResult) {
    this.core = core;
    this.id = result.id;
    this.name = result.name;
    this.keys = Object.freeze(result.keys.map((key) => Object.freeze(key)));
    this.created = new Date(Number(result.createdUs / 1000n));
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

  private encodeWrite(writer: Writer, options: WriteOptions): void {
    if (options.durability !== undefined) writer.fieldByte(FIELD.DURABILITY, durabilityNumber(options.durability));
    if (options.returnOld) writer.fieldFlags(RETURN_OLD);
  }

  private mode(options: { numbers?: NumberMode | undefined }): NumberMode {
    return options.numbers ?? this.core.numbers;
  }

  private write(options: WriteOptions, encode: (writer: Writer) => void): Promise<T | undefined> {
    return abandonable(options.signal, true, () => {
      const whole = (writer: Writer): void => {
        encode(writer);
        this.encodeWrite(writer, options);
      };
      if (!options.returnOld) {
        return this.core.write(options.durability === undefined, whole).then(() => undefined);
      }
      return this.core.work(LANE_WRITE, this.mode(options), whole).then((result) => result.oldItem as T | undefined);
    });
  }

  private writeSync(options: WriteOptions, encode: (writer: Writer) => void): T | undefined {
    const result = this.core.runSync(this.mode(options), (writer) => {
      encode(writer);
      this.encodeWrite(writer, options);
    });
    return result.oldItem as T | undefined;
  }

  /** Writes an item, replacing one of the same key. With returnOld gives the item that was replaced. */
  async put(item: object, options: WriteOptions = {}): Promise<T | undefined> {
    return this.write(options, (writer) => this.encodePut(writer, item));
  }

  putSync(item: object, options: WriteOptions = {}): T | undefined {
    return this.writeSync(options, (writer) => this.encodePut(writer, item));
  }

  /** Deletes by key; deleting what is absent is fine. With returnOld gives the item that was deleted. */
  async delete(key: Key, options: WriteOptions = {}): Promise<T | undefined> {
    return this.write(options, (writer) => this.encodeKey(writer, DELETE, key));
  }

  deleteSync(key: Key, options: WriteOptions = {}): T | undefined {
    return this.writeSync(options, (writer) => this.encodeKey(writer, DELETE, key));
  }

  private encodeGet(writer: Writer, key: Key, flags: number): void {
    this.encodeKey(writer, GET, key);
    if (flags !== 0) writer.fieldFlags(flags);
  }

  /** The item with this key, or undefined. */
  async get(key: Key, options: ReadOptions = {}): Promise<T | undefined> {
    const flags = CACHED_ONLY | (options.consistent ? CONSISTENT : 0);
    const run = () => this.core.read(this.mode(options), (writer) => this.encodeGet(writer, key, flags));
    const result = await (options.signal === undefined ? run() : abandonable(options.signal, false, async () => run()));
    return result.item as T | undefined;
  }

  getSync(key: Key, options: ReadOptions = {}): T | undefined {
    const flags = options.consistent ? CONSISTENT : 0;
    return this.core.runSync(this.mode(options), (writer) => this.encodeGet(writer, key, flags)).item as T | undefined;
  }

  private encodeBatchGet(writer: Writer, keys: readonly Key[], flags: number): void {
    writer.request(BATCH_GET);
    for (const key of keys) {
      const start = writer.fieldBegin(FIELD.ENTRY);
      this.encodeKey(writer, GET, key);
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
      this.core.read(this.mode(options), (writer) => this.encodeBatchGet(writer, list, flags)));
    return result.items as (T | undefined)[];
  }

  batchGetSync(keys: Iterable<Key>, options: ReadOptions = {}): (T | undefined)[] {
    const list = [...keys];
    if (list.length === 0) return [];
    const flags = options.consistent ? CONSISTENT : 0;
    return this.core.runSync(this.mode(options), (writer) => this.encodeBatchGet(writer, list, flags)).items as (T | undefined)[];
  }

  /** The items of one partition in the order of the sort key. */
  query(partition: KeyValue, options: QueryOptions = {}): Items<T> {
    return query<T>(this.core, this.id, partition, options);
  }

  /** All items of the table. */
  scan(options: ScanOptions = {}): Items<T> {
    return scan<T>(this.core, this.id, options);
  }
}
