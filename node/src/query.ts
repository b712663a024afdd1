/**
 * Queries and scans. Items are fetched page by page; a page is one request that begins behind the last key of the page before
 * it, and with `snapshot` a cursor that holds one moment. Nothing is open between two pages otherwise, so that an iteration
 * may be left at any time.
 */
import { abandonable, CACHED_ONLY, type Core } from "./core";
import { copyBytes, decodeResult, type Result } from "./decode";
import { withWriter, type Writer } from "./encode";
import { invalid } from "./errors";
import { encodeExpressions, type ExpressionOptions } from "./expression";
import { checked, native, resultOf, wait } from "./native";
import type { AsyncOptions, Item, NumberMode } from "./types";

const FLAG = { CONSISTENT: 2, REVERSE: 8, SNAPSHOT: 16 } as const;
const FIELD = { TABLE_ID: 2, PARTITION: 9, LIMIT: 10, SORT: 11, PAGE_ITEMS: 12, START_AFTER: 14, SEGMENT: 15 } as const;
const QUERY = 10;
const SCAN = 11;

/** A condition on the sort key; made by eq, lt, le, gt, ge, between and beginsWith. */
export class SortCondition {
  private readonly operator: number;
  private readonly values: readonly unknown[];

  /** @internal */
  constructor(operator: number, values: readonly unknown[]) {
    this.operator = operator;
    this.values = values;
  }

  /** @internal */
  encode(writer: Writer): void {
    writer.byte(this.operator);
    for (const value of this.values) writer.value(value);
  }
}

/** Sort key = value. */
export const eq = (value: unknown): SortCondition => new SortCondition(1, [value]);
/** Sort key < value. */
export const lt = (value: unknown): SortCondition => new SortCondition(2, [value]);
/** Sort key <= value. */
export const le = (value: unknown): SortCondition => new SortCondition(3, [value]);
/** Sort key > value. */
export const gt = (value: unknown): SortCondition => new SortCondition(4, [value]);
/** Sort key >= value. */
export const ge = (value: unknown): SortCondition => new SortCondition(5, [value]);
/** low <= sort key <= high. */
export const between = (low: unknown, high: unknown): SortCondition => new SortCondition(6, [low, high]);
/** Sort keys of type S or B that begin with value. */
export const beginsWith = (value: unknown): SortCondition => new SortCondition(7, [value]);

export interface PageOptions extends AsyncOptions, ExpressionOptions {
  /** Reads the index of this name. */
  index?: string | undefined;
  /** Leaves out what does not meet it, behind pageSize and before limit. */
  filter?: string | undefined;
  /** The parts of the items to read: "title, crew[0], #n". */
  projection?: string | undefined;
  /** Items over all pages. */
  limit?: number | undefined;
  /** Items fetched at once; a page also ends at 1 MiB. */
  pageSize?: number | undefined;
  /** A lastKey to resume behind. */
  startAfter?: Uint8Array | undefined;
  /** The whole iteration sees one moment. */
  snapshot?: boolean | undefined;
  consistent?: boolean | undefined;
  numbers?: NumberMode | undefined;
}

export interface QueryOptions extends PageOptions {
  /** Says which keys are read, instead of partition and sort: "title = :t AND #y BETWEEN :a AND :b". */
  keyCondition?: string | undefined;
  /** A condition on the sort key, as ge(1970). */
  sort?: SortCondition | undefined;
  /** Descending. */
  reverse?: boolean | undefined;
}

export interface ScanOptions extends PageOptions {
  /** One of `segments` disjoint parts, for scanning in parallel: 0 to segments - 1. */
  segment?: number | undefined;
  segments?: number | undefined;
}

function count(name: string, value: number | undefined, most: number): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 1 && value <= most)) return value;
  throw invalid(`${name} must be a whole number of at least 1, not ${String(value)}`);
}

function segmentField(writer: Writer, options: ScanOptions): void {
  const { segment, segments } = options;
  if (segment === undefined && segments === undefined) return;
  const isNumber = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;
  if (!isNumber(segment) || !isNumber(segments) || segment >= segments || segments > 1_000_000) {
    throw invalid(`segment and segments go together, 0 <= segment < segments <= 1,000,000: not ${segment} of ${segments}`);
  }
  const start = writer.fieldBegin(FIELD.SEGMENT);
  writer.u32(segment);
  writer.u32(segments);
  writer.fieldEnd(start);
}

/** What stays the same from page to page, encoded once. */
interface Plan {
  readonly core: Core;
  readonly operation: number;
  readonly fields: Uint8Array;
  readonly flags: number;
  readonly limit: number | undefined;
  readonly pageSize: number | undefined;
  readonly startAfter: Uint8Array | undefined;
  readonly mode: NumberMode;
  readonly signal: AbortSignal | undefined;
}

const forgottenCursors = new FinalizationRegistry<number>((cursor) => native().cursorFree(cursor));

/** One iteration of a plan. */
class Pages {
  lastKey: Uint8Array | undefined;
  isDone = false;
  private left: number;
  private cursor: number | undefined;
  private isFetching = false;

  constructor(private readonly plan: Plan) {
    this.lastKey = plan.startAfter;
    this.left = plan.limit ?? Infinity;
  }

  private encode(writer: Writer, flags: number, limit: number): void {
    const { plan } = this;
    writer.request(plan.operation);
    writer.raw(plan.fields);
    if (flags !== 0) writer.fieldFlags(flags);
    if (limit !== Infinity) writer.fieldU64(FIELD.LIMIT, limit);
    if (plan.pageSize !== undefined) writer.fieldU32(FIELD.PAGE_ITEMS, plan.pageSize);
    if (this.lastKey !== undefined) writer.fieldRaw(FIELD.START_AFTER, this.lastKey);
  }

  private open(): number {
    const { core, flags } = this.plan;
    if (this.cursor === undefined) {
      this.cursor = core.encoded(
        (writer) => this.encode(writer, flags, this.left),
        (writer) => checked(core.binary, core.binary.cursorOpen(core.handle, writer.bytes, writer.at)));
      forgottenCursors.register(this, this.cursor, this);
    }
    core.check();
    return this.cursor;
  }

  private take(result: Result): Item[] {
    const items = (result.items ?? []) as Item[];
    this.lastKey = result.lastKey;
    this.left -= items.length;
    if (this.lastKey === undefined || this.left <= 0) this.end();
    return items;
  }

  private get isSnapshot(): boolean {
    return (this.plan.flags & FLAG.SNAPSHOT) !== 0;
  }

  nextSync(): Item[] {
    const { core, flags, mode } = this.plan;
    try {
      if (!this.isSnapshot) return this.take(core.runSync(mode, (writer) => this.encode(writer, flags, this.left)));
      const cursor = this.open();
      return this.take(resultOf(core.binary, core.binary.cursorPage(cursor), mode));
    } catch (error) {
      this.end();
      throw error;
    }
  }

  private async fetch(): Promise<Item[]> {
    const { core, flags, mode } = this.plan;
    this.isFetching = true;
    try {
      if (!this.isSnapshot) {
        return this.take(await core.read(mode, (writer) => this.encode(writer, flags | CACHED_ONLY, this.left)));
      }
      const cursor = this.open();
      const bytes = await wait(core.binary, core.binary.submitPage(core.handle, cursor), this);
      return this.take(bytes === undefined ? {} : decodeResult(bytes, bytes.length, mode));
    } catch (error) {
      this.isDone = true;
      throw error;
    } finally {
      this.isFetching = false;
      if (this.isDone) this.end();
    }
  }

  next(): Promise<Item[]> {
    const { signal } = this.plan;
    if (signal === undefined) return this.fetch();
    return abandonable(signal, false, () => this.fetch()).catch((error) => {
      this.end();
      throw error;
    });
  }

  /** Ends the iteration and lets go of the moment it saw, once no page of it is being fetched. */
  end(): void {
    this.isDone = true;
    if (this.cursor === undefined || this.isFetching) return;
    const cursor = this.cursor;
    this.cursor = undefined;
    forgottenCursors.unregister(this);
    this.plan.core.binary.cursorFree(cursor);
  }
}

/** The items of a query or scan: `for await (const item of items)`, `items.iterateSync()` or `await items.toArray()`. */
export class Items<T = Item> implements AsyncIterable<T> {
  private readonly plan: Plan;
  private current: Pages | undefined;

  /** @internal */
  constructor(plan: Plan) {
    this.plan = plan;
  }

  /**
   * Resumes a later query or scan, as startAfter, exactly behind the last item of the pages fetched so far: after an iteration
   * that ended because of `limit`, behind the last item it gave. undefined when nothing is left.
   */
  get lastKey(): Uint8Array | undefined {
    return this.current === undefined ? this.plan.startAfter : this.current.lastKey;
  }

  private begin(): Pages {
    this.current = new Pages(this.plan);
    return this.current;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    const pages = this.begin();
    let page: Item[] = [];
    let at = 0;
    let isReturned = false;
    let turn: Promise<unknown> | undefined;
    const finish = (): IteratorResult<T> => ({ done: true, value: undefined });
    const fetch = async (): Promise<IteratorResult<T>> => {
      while (at === page.length && !isReturned) {
        if (pages.isDone) return finish();
        const next = await pages.next();
        page = isReturned ? [] : next;
        at = 0;
      }
      return isReturned ? finish() : { done: false, value: page[at++] as T };
    };
    const iterator: AsyncIterableIterator<T> = {
      next() {
        if (turn === undefined && at < page.length) return Promise.resolve({ done: false, value: page[at++] as T });
        // A call that comes while a page is on its way waits for its turn.
        const mine: Promise<IteratorResult<T>> = turn === undefined ? fetch() : turn.then(fetch, fetch);
        turn = mine;
        const done = () => {
          if (turn === mine) turn = undefined;
        };
        mine.then(done, done);
        return mine;
      },
      return() {
        isReturned = true;
        page = [];
        at = 0;
        pages.end();
        return Promise.resolve(finish());
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /** Iterates on this thread; reading from files blocks it. */
  *iterateSync(): Generator<T, void, undefined> {
    const pages = this.begin();
    try {
      while (!pages.isDone) yield* pages.nextSync() as T[];
    } finally {
      pages.end();
    }
  }

  /** All items at once. */
  async toArray(): Promise<T[]> {
    const pages = this.begin();
    const items: T[] = [];
    while (!pages.isDone) for (const item of await pages.next()) items.push(item as T);
    return items;
  }

  toArraySync(): T[] {
    return [...this.iterateSync()];
  }
}

function plan(core: Core, operation: number, flags: number, options: PageOptions, fields: (writer: Writer) => void): Plan {
  core.check();
  if (options.startAfter !== undefined && !(options.startAfter instanceof Uint8Array)) {
    throw invalid("startAfter must be a lastKey of a query or scan");
  }
  return {
    core,
    operation,
    flags: flags | (options.consistent ? FLAG.CONSISTENT : 0) | (options.snapshot ? FLAG.SNAPSHOT : 0),
    fields: withWriter((writer) => {
      fields(writer);
      const { index, filter, projection, names, values } = options;
      encodeExpressions(writer, { index, filter, projection, names, values });
      return copyBytes(writer.bytes, 0, writer.at);
    }),
    limit: count("limit", options.limit, Number.MAX_SAFE_INTEGER),
    pageSize: count("pageSize", options.pageSize, 2 ** 31 - 1),
    startAfter: options.startAfter,
    mode: options.numbers ?? core.numbers,
    signal: options.signal,
  };
}

/** @internal */
export function query<T>(core: Core, tableId: number, partition: unknown, options: QueryOptions): Items<T> {
  return new Items<T>(plan(core, QUERY, options.reverse ? FLAG.REVERSE : 0, options, (writer) => {
    writer.fieldU32(FIELD.TABLE_ID, tableId);
    const { keyCondition } = options;
    if (keyCondition !== undefined) {
      if (partition !== undefined || options.sort !== undefined) {
        throw invalid("a query has a keyCondition, or a partition and sort; not both");
      }
      return encodeExpressions(writer, { keyCondition });
    }
    const start = writer.fieldBegin(FIELD.PARTITION);
    writer.value(partition);
    writer.fieldEnd(start);
    if (options.sort === undefined) return;
    if (!(options.sort instanceof SortCondition)) throw invalid("sort must be a condition, as ge(1970)");
    const sort = writer.fieldBegin(FIELD.SORT);
    options.sort.encode(writer);
    writer.fieldEnd(sort);
  }));
}

/** @internal */
export function scan<T>(core: Core, tableId: number, options: ScanOptions): Items<T> {
  return new Items<T>(plan(core, SCAN, 0, options, (writer) => {
    writer.fieldU32(FIELD.TABLE_ID, tableId);
    segmentField(writer, options);
  }));
}
