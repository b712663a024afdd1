/** Transactions: many writes that are applied together or not at all, or many reads of one moment. */
import { abandonable, type Core } from "./core";
import type { Writer } from "./encode";
import { invalid } from "./errors";
import type { ExpressionOptions } from "./expression";
import { LANE_READ, LANE_WRITE } from "./native";
import { durabilityNumber, Table, type Durability, type Key } from "./table";
import type { AsyncOptions, Item, NumberMode } from "./types";

const TRANSACT_WRITE = 14;
const TRANSACT_GET = 15;
const FIELD = { DURABILITY: 5, ENTRY: 17, TOKEN: 139 } as const;

interface Entry extends ExpressionOptions {
  table: Table<any>;
}

interface Conditional extends Entry {
  condition?: string | undefined;
  /** The reason of a failed condition has the item that it saw. */
  returnOnFailure?: boolean | undefined;
}

/** One write of a transaction; check holds the transaction up when its condition does not hold for the item with that key. */
export type TransactItem =
  | (Conditional & { put: object })
  | (Conditional & { update: Key; expression: string })
  | (Conditional & { delete: Key })
  | (Conditional & { check: Key; condition: string });

/** One read of a transaction. */
export interface TransactRead {
  table: Table<any>;
  key: Key;
  projection?: string | undefined;
  names?: ExpressionOptions["names"];
}

export interface TransactWriteOptions extends AsyncOptions {
  durability?: Durability | undefined;
  /**
   * 1 to 36 bytes that make the call safe to repeat: within ten minutes the same transaction with the same token changes nothing
   * more, and another one with it is an IdempotentParameterMismatchException.
   */
  token?: string | undefined;
  /** How numbers in the items of reasons come back. */
  numbers?: NumberMode | undefined;
}

export interface TransactGetOptions extends AsyncOptions {
  numbers?: NumberMode | undefined;
}

function tableOf(core: Core, entry: { table: Table<unknown> }): Table<unknown> {
  if (!(entry?.table instanceof Table)) throw invalid("each entry of a transaction names its table");
  if (entry.table.core !== core) throw invalid(`table ${entry.table.name} belongs to another database than the transaction`);
  return entry.table;
}

function encodeEntry(writer: Writer, core: Core, entry: TransactItem): void {
  const table = tableOf(core, entry);
  const start = writer.fieldBegin(FIELD.ENTRY);
  if ("put" in entry) table.encodePut(writer, entry.put);
  else if ("update" in entry) table.encodeUpdateKey(writer, entry.update);
  else if ("delete" in entry) table.encodeDelete(writer, entry.delete);
  else if ("check" in entry) table.encodeCheckKey(writer, entry.check);
  else throw invalid("each entry of a transaction has put, update, delete or check");
  const update = "update" in entry ? entry.expression : undefined;
  if ("update" in entry && typeof update !== "string") throw invalid("an update has an expression");
  const { condition, names, values, returnOnFailure } = entry;
  table.encodeWrite(writer, { condition, names, values, returnOnFailure }, update);
  writer.fieldEnd(start);
}

function encodeWrites(writer: Writer, core: Core, entries: readonly TransactItem[], options: TransactWriteOptions): void {
  writer.request(TRANSACT_WRITE);
  if (options.durability !== undefined) writer.fieldByte(FIELD.DURABILITY, durabilityNumber(options.durability));
  if (options.token !== undefined) {
    const bytes = typeof options.token === "string" ? Buffer.byteLength(options.token) : 0;
    if (bytes < 1 || bytes > 36) throw invalid("token must be a string of 1 to 36 bytes");
    writer.fieldText(FIELD.TOKEN, options.token);
  }
  for (const entry of entries) encodeEntry(writer, core, entry);
}

function encodeReads(writer: Writer, core: Core, entries: readonly TransactRead[]): void {
  writer.request(TRANSACT_GET);
  for (const entry of entries) {
    const start = writer.fieldBegin(FIELD.ENTRY);
    tableOf(core, entry).encodeGet(writer, entry.key, 0, { projection: entry.projection, names: entry.names });
    writer.fieldEnd(start);
  }
}

/** @internal */
export async function transactWrite(core: Core, entries: readonly TransactItem[], options: TransactWriteOptions): Promise<void> {
  await abandonable(options.signal, true, async () =>
    core.work(LANE_WRITE, options.numbers ?? core.numbers, (writer) => encodeWrites(writer, core, entries, options)));
}

/** @internal */
export function transactWriteSync(core: Core, entries: readonly TransactItem[], options: TransactWriteOptions): void {
  core.runSync(options.numbers ?? core.numbers, (writer) => encodeWrites(writer, core, entries, options));
}

/** @internal */
export async function transactGet(
  core: Core, entries: readonly TransactRead[], options: TransactGetOptions,
): Promise<(Item | undefined)[]> {
  const result = await abandonable(options.signal, false, async () =>
    core.work(LANE_READ, options.numbers ?? core.numbers, (writer) => encodeReads(writer, core, entries)));
  return result.items ?? [];
}

/** @internal */
export function transactGetSync(core: Core, entries: readonly TransactRead[], options: TransactGetOptions): (Item | undefined)[] {
  return core.runSync(options.numbers ?? core.numbers, (writer) => encodeReads(writer, core, entries)).items ?? [];
}
