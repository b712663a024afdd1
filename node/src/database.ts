/** Databases and batches. */
import { abandonable, Core } from "./core";
import { copyBytes, type Result } from "./decode";
import { definitionOf, difference, encodeDefinition, readDefinition, type Definition, type Schema } from "./definition";
import { withWriter, type Writer } from "./encode";
import { invalid } from "./errors";
import { checked, KIND_COMPACT, KIND_FLUSH, KIND_VERIFY, LANE_READ, LANE_WRITE, native, wait } from "./native";
import {
  dispatch, dispatchSync, moveClock, moveClockSync, type DispatchAnswer, type DispatchOptions,
} from "./protocol";
import { durabilityNumber, Table, type Durability, type Key } from "./table";
import {
  transactGet, transactGetSync, transactWrite, transactWriteSync, type TransactGetOptions, type TransactItem, type TransactRead,
  type TransactWriteOptions,
} from "./transact";
import type { AsyncOptions, Item, NumberMode } from "./types";

const CREATE_TABLE = 1;
const DESCRIBE_TABLE = 2;
const LIST_TABLES = 3;
const DELETE_TABLE = 4;
const BATCH_WRITE = 8;
const FIELD = { TABLE_NAME: 1, DURABILITY: 5, SCHEMA: 8, START_AFTER: 14, ENTRY: 17, DEFINITION: 137 } as const;
const ENSURE = 32;

export interface OpenOptions {
  /** Make directory and database if they are missing; default true. */
  create?: boolean | undefined;
  /** Take no lock and write nothing. */
  readOnly?: boolean | undefined;
  /** Of writes that name none; default "sync". */
  durability?: Durability | undefined;
  /** Of durability "interval": 1 to 60,000, default 100. */
  intervalMs?: number | undefined;
  /** Memory for unsorted writes, cache, filters and indexes; default 64 MiB. */
  memoryBudgetBytes?: number | undefined;
  memtableBytes?: number | undefined;
  /** Target size of a sorted file; default 32 MiB. */
  fileBytes?: number | undefined;
  /**
   * How numbers come back. "auto" (default): a number where that loses nothing, else a bigint for an integer, else a
   * NumberValue. "value": always a NumberValue. "number": always a number, the nearest.
   */
  numbers?: NumberMode | undefined;
  /** Leave attributes out whose value is undefined, instead of refusing them. */
  removeUndefined?: boolean | undefined;
}

/** Counters since open. */
export interface Stats {
  tableCount: number;
  /** Sequence numbers of the newest write, the newest visible one, and the newest known to survive power loss. */
  appliedSequence: number;
  publishedSequence: number;
  durableSequence: number;
  memtableBytes: number;
  memtableEntries: number;
  logSegments: number;
  logBytes: number;
  cacheBytes: number;
  cacheHits: number;
  cacheMisses: number;
  writtenBytesLog: number;
  writtenBytesFlush: number;
  writtenBytesCompaction: number;
  flushes: number;
  compactions: number;
  syncs: number;
  stallUs: number;
  memoryUsedBytes: number;
  memoryBudgetBytes: number;
  recoveredFrames: number;
  recoveredTornBytes: number;
  levels: { files: number; bytes: number; entries: number }[];
}

/** In the order in which native/addon.cc fills them in. */
const STATS = [
  "tableCount", "appliedSequence", "publishedSequence", "durableSequence", "memtableBytes", "memtableEntries", "logSegments",
  "logBytes", "cacheBytes", "cacheHits", "cacheMisses", "writtenBytesLog", "writtenBytesFlush", "writtenBytesCompaction",
  "flushes", "compactions", "syncs", "stallUs", "memoryUsedBytes", "memoryBudgetBytes", "recoveredFrames",
  "recoveredTornBytes",
] as const satisfies readonly (keyof Stats)[];
const STATS_LEVELS = 7;

const NUMBER_MODES: readonly unknown[] = ["auto", "value", "number"];

function numberOption(name: string, value: number | undefined, most: number): number {
  if (value === undefined) return NaN;
  if (!Number.isSafeInteger(value) || value < 0 || value > most) throw invalid(`${name} must be a whole number, not ${value}`);
  return value;
}

function optionValues(options: OpenOptions): Float64Array {
  if (options.numbers !== undefined && !NUMBER_MODES.includes(options.numbers)) {
    throw invalid(`numbers must be "auto", "value" or "number", not ${String(options.numbers)}`);
  }
  const flag = (value: boolean | undefined) => (value === undefined ? NaN : Number(Boolean(value)));
  return Float64Array.of(
    flag(options.create),
    flag(options.readOnly),
    options.durability === undefined ? NaN : durabilityNumber(options.durability),
    numberOption("intervalMs", options.intervalMs, 2 ** 32 - 1),
    NaN,
    numberOption("memoryBudgetBytes", options.memoryBudgetBytes, Number.MAX_SAFE_INTEGER),
    numberOption("memtableBytes", options.memtableBytes, Number.MAX_SAFE_INTEGER),
    numberOption("fileBytes", options.fileBytes, Number.MAX_SAFE_INTEGER),
  );
}

function pathBytes(path: string): Buffer {
  if (typeof path !== "string") throw invalid("the path must be a string");
  return Buffer.from(path, "utf8");
}

/** Opens the database in a directory, or a private one without files for ":memory:". */
export async function open(path: string, options: OpenOptions = {}): Promise<Database> {
  const bytes = pathBytes(path);
  const values = optionValues(options);
  const binary = native();
  const handle = checked(binary, binary.reserve());
  try {
    await wait(binary, binary.submitOpen(handle, bytes, bytes.length, values), values);
  } catch (error) {
    binary.release(handle);
    throw error;
  }
  return new Database(new Core(binary, handle, options.numbers ?? "auto", options.removeUndefined ?? false), path);
}

/** As open(), on this thread. */
export function openSync(path: string, options: OpenOptions = {}): Database {
  const bytes = pathBytes(path);
  const values = optionValues(options);
  const binary = native();
  const handle = checked(binary, binary.open(bytes, bytes.length, values));
  return new Database(new Core(binary, handle, options.numbers ?? "auto", options.removeUndefined ?? false), path);
}

function encodeName(writer: Writer, operation: number, name: string): void {
  if (typeof name !== "string") throw invalid("the name of a table must be a string");
  writer.request(operation);
  writer.fieldText(FIELD.TABLE_NAME, name);
}

function encodeCreate(writer: Writer, name: string, schema: Schema, definition: Definition, flags: number): void {
  encodeName(writer, CREATE_TABLE, name);
  encodeDefinition(writer, FIELD.DEFINITION, schema, definition);
  if (flags !== 0) writer.fieldFlags(flags);
}

/** An open database. Close it, or `await using db = await open(...)` where the language has it. */
export class Database {
  readonly path: string;
  /** @internal */
  readonly core: Core;

  /** @internal */
  constructor(core: Core, path: string) {
    this.core = core;
    this.path = path;
  }

  get isClosed(): boolean {
    return this.core.isClosed;
  }

  private made<T>(result: Result, name?: string, wanted?: Definition): Table<T> {
    const has = result.definition && readDefinition(result.definition);
    const other = wanted && has && difference(wanted, has);
    if (other !== undefined) throw invalid(`table ${name} exists with other ${other} than given`);
    return new Table<T>(this.core, result.table!, has);
  }

  /**
   * Opens a table; with a schema, creates it when it is missing. Other keys than those it has are a ValidationException, and so
   * are other indexes, ttl or stream where the schema has them.
   */
  async table<T = Item>(name: string, schema?: Schema): Promise<Table<T>> {
    if (schema === undefined) return this.openTable<T>(name);
    const wanted = definitionOf(schema);
    const run = (writer: Writer) => encodeCreate(writer, name, schema, wanted, ENSURE);
    return this.made(await this.core.work(LANE_WRITE, "auto", run), name, wanted);
  }

  tableSync<T = Item>(name: string, schema?: Schema): Table<T> {
    if (schema === undefined) return this.openTableSync<T>(name);
    const wanted = definitionOf(schema);
    return this.made(this.core.runSync("auto", (writer) => encodeCreate(writer, name, schema, wanted, ENSURE)), name, wanted);
  }

  /** Makes a new table; ResourceInUseException when the name is taken. */
  async createTable<T = Item>(name: string, schema: Schema): Promise<Table<T>> {
    const wanted = definitionOf(schema);
    return this.made(await this.core.work(LANE_WRITE, "auto", (writer) => encodeCreate(writer, name, schema, wanted, 0)));
  }

  createTableSync<T = Item>(name: string, schema: Schema): Table<T> {
    const wanted = definitionOf(schema);
    return this.made(this.core.runSync("auto", (writer) => encodeCreate(writer, name, schema, wanted, 0)));
  }

  /** Opens a table; ResourceNotFoundException when there is none. */
  async openTable<T = Item>(name: string): Promise<Table<T>> {
    return this.made(await this.core.work(LANE_READ, "auto", (writer) => encodeName(writer, DESCRIBE_TABLE, name)));
  }

  openTableSync<T = Item>(name: string): Table<T> {
    return this.made(this.core.runSync("auto", (writer) => encodeName(writer, DESCRIBE_TABLE, name)));
  }

  /** Deletes a table with all its items. */
  async deleteTable(name: string): Promise<void> {
    await this.core.work(LANE_WRITE, "auto", (writer) => encodeName(writer, DELETE_TABLE, name));
  }

  deleteTableSync(name: string): void {
    this.core.runSync("auto", (writer) => encodeName(writer, DELETE_TABLE, name));
  }

  private encodeList(writer: Writer, startAfter: Uint8Array | undefined): void {
    writer.request(LIST_TABLES);
    if (startAfter !== undefined) writer.fieldRaw(FIELD.START_AFTER, startAfter);
  }

  /** The names of all tables, ascending. */
  async tables(): Promise<string[]> {
    const names: string[] = [];
    let result: Result = {};
    do {
      const { lastKey } = result;
      result = await this.core.work(LANE_READ, "auto", (writer) => this.encodeList(writer, lastKey));
      names.push(...(result.names ?? []));
    } while (result.lastKey !== undefined);
    return names;
  }

  tablesSync(): string[] {
    const names: string[] = [];
    let result: Result = {};
    do {
      const { lastKey } = result;
      result = this.core.runSync("auto", (writer) => this.encodeList(writer, lastKey));
      names.push(...(result.names ?? []));
    } while (result.lastKey !== undefined);
    return names;
  }

  /** Collects puts and deletes over any tables of this database, to be applied together. */
  batch(options: { durability?: Durability | undefined } = {}): Batch {
    this.core.check();
    return new Batch(this.core, options.durability === undefined ? 0 : durabilityNumber(options.durability));
  }

  /**
   * Applies all of the entries, or none: then the error is a TransactionCanceledException whose reasons tell of each why.
   * An entry: { table, put: item }, { table, update: key, expression }, { table, delete: key } or { table, check: key, condition },
   * each with condition, names, values, returnOnFailure.
   */
  async transactWrite(entries: readonly TransactItem[], options: TransactWriteOptions = {}): Promise<void> {
    return transactWrite(this.core, entries, options);
  }

  transactWriteSync(entries: readonly TransactItem[], options: TransactWriteOptions = {}): void {
    transactWriteSync(this.core, entries, options);
  }

  /** Items of one moment, over any tables: one element for each { table, key, projection, names }, undefined where there is none. */
  async transactGet(reads: readonly TransactRead[], options: TransactGetOptions = {}): Promise<(Item | undefined)[]> {
    return transactGet(this.core, reads, options);
  }

  transactGetSync(reads: readonly TransactRead[], options: TransactGetOptions = {}): (Item | undefined)[] {
    return transactGetSync(this.core, reads, options);
  }

  /**
   * Answers one request of the DynamoDB JSON protocol as the service does. operation: as in the header X-Amz-Target
   * ("DynamoDB_20120810.PutItem"), or alone; body: JSON. The service's errors are answers, too.
   */
  async dispatch(operation: string, body: string | Uint8Array, options: DispatchOptions & AsyncOptions = {}): Promise<DispatchAnswer> {
    const [status, answer] = await dispatch(this.core, operation, body, options);
    return { status, body: answer.toString() };
  }

  dispatchSync(operation: string, body: string | Uint8Array, options: DispatchOptions = {}): DispatchAnswer {
    const [status, answer] = dispatchSync(this.core, operation, body, options);
    return { status, body: answer.toString() };
  }

  /**
   * For tests: sets the clock that expiry, retention of streams, tokens and times of creation obey so far from the system's;
   * 0 is where it begins. Items that have expired by then are gone afterwards.
   */
  async moveClock(offsetMs: number): Promise<void> {
    return moveClock(this.core, offsetMs);
  }

  moveClockSync(offsetMs: number): void {
    moveClockSync(this.core, offsetMs);
  }

  /** Writes what is in memory to sorted files. */
  async flush(): Promise<void> {
    await this.core.upkeep(KIND_FLUSH);
  }

  flushSync(): void {
    this.core.upkeepSync(KIND_FLUSH);
  }

  /** Flushes, then merges everything into one level, the deepest in use. */
  async compact(): Promise<void> {
    await this.core.upkeep(KIND_COMPACT);
  }

  compactSync(): void {
    this.core.upkeepSync(KIND_COMPACT);
  }

  /** Reads and checks every byte of every file; gives the report. Damage rejects with an error that has the report as `report`. */
  async verify(): Promise<string> {
    return this.core.upkeep(KIND_VERIFY);
  }

  verifySync(): string {
    return this.core.upkeepSync(KIND_VERIFY);
  }

  /** Counters since open. */
  async stats(): Promise<Stats> {
    return this.statsSync();
  }

  statsSync(): Stats {
    this.core.check();
    const values = new Float64Array(STATS.length + 3 * STATS_LEVELS);
    checked(this.core.binary, this.core.binary.stats(this.core.handle, values));
    const stats: Record<string, unknown> = {};
    STATS.forEach((name, i) => (stats[name] = values[i]));
    stats["levels"] = Array.from({ length: STATS_LEVELS }, (_, i) => {
      const [files, bytes, entries] = values.subarray(STATS.length + 3 * i);
      return { files, bytes, entries };
    });
    return stats as unknown as Stats;
  }

  /** Finishes what was called before, syncs and closes. Closing twice is fine. */
  async close(): Promise<void> {
    return this.core.close();
  }

  closeSync(): void {
    this.core.closeSync();
  }
}

export interface Database extends AsyncDisposable, Disposable {}

// Runtimes without these symbols have no `using` either.
if (Symbol.asyncDispose) Object.defineProperty(Database.prototype, Symbol.asyncDispose, { value: Database.prototype.close });
if (Symbol.dispose) Object.defineProperty(Database.prototype, Symbol.dispose, { value: Database.prototype.closeSync });

/** Puts and deletes that are applied together: after a crash all of them are there, or none. */
export class Batch {
  private readonly core: Core;
  private readonly durability: number;
  private entries: Uint8Array[] = [];

  /** @internal */
  constructor(core: Core, durability: number) {
    this.core = core;
    this.durability = durability;
  }

  get size(): number {
    return this.entries.length;
  }

  private add(table: Table<unknown>, encode: (writer: Writer) => void): this {
    if (!(table instanceof Table) || table.core !== this.core) {
      throw invalid("the table belongs to another database than the batch");
    }
    this.entries.push(withWriter((writer) => {
      writer.removeUndefined = this.core.removeUndefined;
      encode(writer);
      return copyBytes(writer.bytes, 0, writer.at);
    }));
    return this;
  }

  /** Adds an item, as it is now. */
  put<T>(table: Table<T>, item: object): this {
    return this.add(table as Table<unknown>, (writer) => table.encodePut(writer, item));
  }

  /** Adds a deletion. */
  delete<T>(table: Table<T>, key: Key): this {
    return this.add(table as Table<unknown>, (writer) => table.encodeDelete(writer, key));
  }

  private encode(writer: Writer, entries: readonly Uint8Array[]): void {
    writer.request(BATCH_WRITE);
    if (this.durability !== 0) writer.fieldByte(FIELD.DURABILITY, this.durability);
    for (const entry of entries) writer.fieldRaw(FIELD.ENTRY, entry);
  }

  private take(): Uint8Array[] {
    const entries = this.entries;
    this.entries = [];
    return entries;
  }

  /** Applies the batch and empties it. */
  async write(options: AsyncOptions = {}): Promise<void> {
    if (this.entries.length === 0) return this.core.check();
    const entries = this.take();
    return abandonable(options.signal, true, async () => this.core.write(false, (writer) => this.encode(writer, entries)));
  }

  writeSync(): void {
    if (this.entries.length === 0) return this.core.check();
    const entries = this.take();
    this.core.runSync("auto", (writer) => this.encode(writer, entries));
  }
}
