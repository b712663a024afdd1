/** What a table is besides its name: keys, indexes, expiry, stream (docs/formats/catalog.md). */
import { malformedResult, invalid } from "./errors";
import type { Writer } from "./encode";
import type { KeyType } from "./types";

const VERSION = 1;
const FIELD = { SCHEMA: 1, INDEX: 2, EXPIRY: 3, STREAM: 4 } as const;
const INDEX = { NAME: 1, KIND: 2, SCHEMA: 3, PROJECTION: 4, INCLUDE: 5 } as const;
const KIND = { LOCAL: 1, GLOBAL: 2 } as const;
const PROJECT = { ALL: 1, KEYS_ONLY: 2, INCLUDE: 3 } as const;
const VIEWS = ["", "KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"] as const;
const TYPES = "SNB";

/** A key attribute: "name:S", "name:N" or "name:B". */
export type KeySpec = `${string}:${KeyType}`;

export type StreamView = "KEYS_ONLY" | "NEW_IMAGE" | "OLD_IMAGE" | "NEW_AND_OLD_IMAGES";

/** What an index keeps: all attributes, the keys alone, or the keys and these. */
export type IndexProjection = "ALL" | "KEYS_ONLY" | readonly string[];

/** An index under a partition key of its own, of up to four attributes. */
export interface GlobalIndex {
  partition: KeySpec | readonly KeySpec[];
  sort?: KeySpec | readonly KeySpec[] | undefined;
  projection?: IndexProjection | undefined;
}

/** An index within each partition of the table. */
export interface LocalIndex {
  sort: KeySpec;
  projection?: IndexProjection | undefined;
}

export interface Schema {
  partition: KeySpec;
  sort?: KeySpec | undefined;
  /** By name, "year:N" for { sort: "year:N" }. */
  local?: { readonly [name: string]: KeySpec | LocalIndex } | undefined;
  /** By name, "genre:S" for { partition: "genre:S" }. */
  globals?: { readonly [name: string]: KeySpec | GlobalIndex } | undefined;
  /** The attribute with the time of expiry, in seconds since 1970. */
  ttl?: string | undefined;
  /** Keeps a record of each change for a day: which images it holds. */
  stream?: StreamView | undefined;
}

/** An index as a table has it. */
export interface IndexDescription {
  readonly name: string;
  readonly isLocal: boolean;
  readonly partition: readonly KeySpec[];
  readonly sort: readonly KeySpec[];
  readonly projection: IndexProjection;
}

/** @internal */
export interface Definition {
  readonly indexes: readonly IndexDescription[];
  readonly ttl: string | undefined;
  readonly stream: StreamView | undefined;
}

function checkKey(spec: unknown): KeySpec {
  if (typeof spec === "string" && /^.+:[SNB]$/s.test(spec)) return spec as KeySpec;
  throw invalid(`the key ${JSON.stringify(spec)} is not "name:S", "name:N" or "name:B"`);
}

function keyList(keys: KeySpec | readonly KeySpec[] | undefined): KeySpec[] {
  if (keys === undefined) return [];
  return Array.isArray(keys) ? keys.map(checkKey) : [checkKey(keys)];
}

function projectionOf(name: string, projection: IndexProjection | undefined): IndexProjection {
  if (projection === undefined) return "ALL";
  if (projection === "ALL" || projection === "KEYS_ONLY") return projection;
  if (Array.isArray(projection) && projection.every((each) => typeof each === "string")) return projection;
  throw invalid(`the projection of index ${name} must be "ALL", "KEYS_ONLY" or a list of attributes`);
}

/** @internal What a schema asks for, in one form. */
export function definitionOf(schema: Schema): Definition {
  const indexes: IndexDescription[] = [];
  const partition = [checkKey(schema.partition)];
  for (const [name, index] of Object.entries(schema.local ?? {})) {
    const each = typeof index === "string" ? { sort: index } : index;
    indexes.push({ name, isLocal: true, partition, sort: keyList(each.sort), projection: projectionOf(name, each.projection) });
  }
  for (const [name, index] of Object.entries(schema.globals ?? {})) {
    const each = typeof index === "string" ? { partition: index } : index;
    const projection = projectionOf(name, each.projection);
    indexes.push({ name, isLocal: false, partition: keyList(each.partition), sort: keyList(each.sort), projection });
  }
  if (schema.ttl !== undefined && typeof schema.ttl !== "string") throw invalid("ttl must be the name of an attribute");
  if (schema.stream !== undefined && !VIEWS.includes(schema.stream)) {
    throw invalid(`stream must be one of ${VIEWS.slice(1).join(", ")}, not ${String(schema.stream)}`);
  }
  return { indexes, ttl: schema.ttl, stream: schema.stream };
}

/** The parts that were asked for and that the table has otherwise. @internal */
export function difference(wanted: Definition, has: Definition): string | undefined {
  const sorted = (indexes: readonly IndexDescription[]) => JSON.stringify([...indexes].sort((a, b) => (a.name < b.name ? -1 : 1)));
  if (wanted.indexes.length > 0 && sorted(wanted.indexes) !== sorted(has.indexes)) return "indexes";
  if (wanted.ttl !== undefined && wanted.ttl !== has.ttl) return "ttl";
  return wanted.stream !== undefined && wanted.stream !== has.stream ? "stream" : undefined;
}

/** @internal Partition and sort parts, as field 8 of a request and in a definition. */
export function encodeSchema(writer: Writer, field: number, partition: readonly KeySpec[], sort: readonly KeySpec[]): void {
  const start = writer.fieldBegin(field);
  writer.byte(partition.length);
  writer.byte(sort.length);
  for (const spec of [...partition, ...sort]) {
    writer.byte(TYPES.indexOf(spec.at(-1)!) + 1);
    writer.text(spec.slice(0, -2));
  }
  writer.fieldEnd(start);
}

function encodeIndex(writer: Writer, index: IndexDescription): void {
  const start = writer.fieldBegin(FIELD.INDEX);
  const { projection } = index;
  writer.fieldText(INDEX.NAME, index.name);
  writer.fieldByte(INDEX.KIND, index.isLocal ? KIND.LOCAL : KIND.GLOBAL);
  encodeSchema(writer, INDEX.SCHEMA, index.partition, index.sort);
  writer.fieldByte(INDEX.PROJECTION, typeof projection === "string" ? PROJECT[projection] : PROJECT.INCLUDE);
  if (typeof projection !== "string") for (const name of projection) writer.fieldText(INDEX.INCLUDE, name);
  writer.fieldEnd(start);
}

/** @internal */
export function encodeDefinition(writer: Writer, field: number, schema: Schema, definition: Definition): void {
  const start = writer.fieldBegin(field);
  writer.byte(VERSION);
  encodeSchema(writer, FIELD.SCHEMA, keyList(schema.partition), keyList(schema.sort));
  for (const index of definition.indexes) encodeIndex(writer, index);
  if (definition.ttl !== undefined) writer.fieldRaw(FIELD.EXPIRY, Buffer.concat([Buffer.alloc(4), Buffer.from(definition.ttl)]));
  if (definition.stream !== undefined) {
    const stream = Buffer.alloc(13);
    stream[4] = VIEWS.indexOf(definition.stream);
    writer.fieldRaw(FIELD.STREAM, stream);
  }
  writer.fieldEnd(start);
}

/** The fields of bytes: number, payload. */
function* fieldsOf(bytes: Buffer): Generator<[number, Buffer]> {
  for (let at = 0; at < bytes.length; ) {
    if (at + 5 > bytes.length) throw malformedResult();
    const end = at + 5 + bytes.readUInt32LE(at + 1);
    if (end > bytes.length) throw malformedResult();
    yield [bytes[at], bytes.subarray(at + 5, end)];
    at = end;
  }
}

function readSchema(bytes: Buffer): [KeySpec[], KeySpec[]] {
  const keys: KeySpec[] = [];
  let at = 2;
  for (let i = 0; i < bytes[0] + bytes[1]; i++) {
    const type = TYPES[bytes[at] - 1];
    // Names have at most 255 bytes: a varint of one or two.
    const isLong = bytes[at + 1] > 127;
    const size = isLong ? (bytes[at + 1] & 127) | (bytes[at + 2] << 7) : bytes[at + 1];
    const begin = at + (isLong ? 3 : 2);
    if (type === undefined || begin + size > bytes.length) throw malformedResult();
    keys.push(`${bytes.toString("utf8", begin, begin + size)}:${type as KeyType}`);
    at = begin + size;
  }
  return [keys.slice(0, bytes[0]), keys.slice(bytes[0])];
}

function readIndex(bytes: Buffer): IndexDescription {
  let name = "";
  let isLocal = false;
  let keys: [KeySpec[], KeySpec[]] = [[], []];
  let projection: number = PROJECT.ALL;
  const include: string[] = [];
  for (const [field, payload] of fieldsOf(bytes)) {
    if (field === INDEX.NAME) name = payload.toString();
    else if (field === INDEX.KIND) isLocal = payload[0] === KIND.LOCAL;
    else if (field === INDEX.SCHEMA) keys = readSchema(payload);
    else if (field === INDEX.PROJECTION) projection = payload[0];
    else if (field === INDEX.INCLUDE) include.push(payload.toString());
  }
  const kept = projection === PROJECT.ALL ? "ALL" : projection === PROJECT.KEYS_ONLY ? "KEYS_ONLY" : include;
  return { name, isLocal, partition: keys[0], sort: keys[1], projection: kept };
}

/** @internal */
export function readDefinition(bytes: Buffer): Definition {
  if (bytes[0] !== VERSION) throw malformedResult();
  const indexes: IndexDescription[] = [];
  let ttl: string | undefined;
  let stream: StreamView | undefined;
  for (const [field, payload] of fieldsOf(bytes.subarray(1))) {
    if (field === FIELD.INDEX) indexes.push(readIndex(payload));
    else if (field === FIELD.EXPIRY) ttl = payload.toString("utf8", 4);
    else if (field === FIELD.STREAM) stream = VIEWS[payload[4]] || undefined;
  }
  return { indexes, ttl, stream };
}
