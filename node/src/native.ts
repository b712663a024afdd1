/**
 * The binary beside this package, and the one place that talks to it. A call gives a number that is not negative when it went
 * well; results land in one shared buffer. Asynchronous calls are known by an id, and come back in batches.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { decodeDetail, decodeResult, type Result } from "./decode";
import { detailed, makeError, StatorError } from "./errors";
import type { NumberMode } from "./types";

export type Failure = [
  status: number, flags: number, position: number, osError: number, message: string, detail: Buffer | undefined,
];

export interface Native {
  setup(result: Uint8Array, finished: (list: unknown[]) => void): number;
  error(): Failure;
  takeLarge(): Buffer | undefined;
  open(path: Uint8Array, size: number, options: Float64Array): number;
  reserve(): number;
  submitOpen(db: number, path: Uint8Array, size: number, options: Float64Array): number;
  release(db: number): void;
  close(db: number): number;
  execute(db: number, request: Uint8Array, size: number): number;
  submit(db: number, request: Uint8Array, size: number, lane: number, mayMerge: number, wantsResult: number): number;
  dispatch(db: number, texts: Uint8Array, size: number, region: number, account: number, operation: number): number;
  submitDispatch(db: number, texts: Uint8Array, size: number, region: number, account: number, operation: number, lane: number): number;
  moveClock(db: number, offsetUs: number): number;
  submitClock(db: number, offsetUs: number): number;
  submitKind(db: number, kind: number): number;
  runKind(db: number, kind: number): number;
  stats(db: number, values: Float64Array): number;
  cursorOpen(db: number, request: Uint8Array, size: number): number;
  cursorPage(cursor: number): number;
  submitPage(db: number, cursor: number): number;
  cursorFree(cursor: number): void;
}

export const LANE_WRITE = 0;
export const LANE_READ = 1;
export const KIND_CLOSE = 3;
export const KIND_FLUSH = 4;
export const KIND_COMPACT = 5;
export const KIND_VERIFY = 6;

const RESULT_IS_LARGE = -1000;
/** Holds a page (1 MiB, and the item of up to 400 KB that ends it); memory is used only as far as results reach. */
const RESULT_BYTES = 1536 * 1024;

function libc(): string {
  if (process.platform !== "linux") return "";
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  return report?.header?.glibcVersionRuntime ? "" : "-musl";
}

function load(): Native {
  const root = join(__dirname, "..");
  const target = `${process.platform}-${process.arch}${libc()}`;
  const path = join(root, "prebuilds", target, "stator.node");
  if (!existsSync(path)) {
    throw new StatorError(`stator has no binary for ${target}: ${path} is missing`, { code: "UNSUPPORTED" });
  }
  const module = { exports: {} as Native };
  process.dlopen(module, path);
  return module.exports;
}

interface Waiting {
  readonly resolve: (result: Buffer | undefined) => void;
  readonly reject: (error: Error) => void;
  /** Keeps what the call works on from being collected. */
  readonly owner: object;
  readonly mode: NumberMode;
}

const waiting = new Map<number, Waiting>();
let loaded: Native | undefined;
let shared: Buffer;

function errorOf(failure: Failure, mode: NumberMode = "auto"): StatorError {
  const [status, flags, position, osError, message, detail] = failure;
  if (detail === undefined) return makeError(status, flags, position, osError, message);
  const { text, item, reasons } = decodeDetail(detail, mode);
  return detailed(makeError(status, flags, position, osError, text ?? message), item, reasons);
}

function finished(list: unknown[]): void {
  for (let i = 0; i < list.length; i += 3) {
    const id = list[i] as number;
    const failure = list[i + 1] as Failure | undefined;
    const result = list[i + 2] as Buffer | undefined;
    const call = waiting.get(id);
    if (call === undefined) continue;
    waiting.delete(id);
    if (failure === undefined) {
      call.resolve(result);
    } else {
      call.reject(withReport(errorOf(failure, call.mode), result));
    }
  }
}

export function native(): Native {
  if (loaded === undefined) {
    const binary = load();
    shared = Buffer.allocUnsafeSlow(RESULT_BYTES);
    if (binary.setup(shared, finished) < 0) throw errorOf(binary.error());
    loaded = binary;
  }
  return loaded;
}

/** The number, or the error that it stands for. */
export function checked(binary: Native, number: number): number {
  if (number < 0) throw errorOf(binary.error());
  return number;
}

/** Waits for the call of that id. */
export function wait(binary: Native, id: number, owner: object, mode: NumberMode = "auto"): Promise<Buffer | undefined> {
  if (id < 0) return Promise.reject(errorOf(binary.error()));
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject, owner, mode }));
}

/** The result of a synchronous call, decoded out of the shared buffer. */
export function resultOf(binary: Native, size: number, mode: NumberMode): Result {
  if (size >= 0) return decodeResult(shared, size, mode);
  if (size !== RESULT_IS_LARGE) throw errorOf(binary.error(), mode);
  const large = binary.takeLarge();
  if (large === undefined) throw new StatorError("the result was lost", { code: "INTERNAL" });
  return decodeResult(large, large.length, mode);
}

function withReport(error: StatorError, report: Buffer | undefined): StatorError {
  if (report !== undefined) Object.defineProperty(error, "report", { value: report.toString(), enumerable: true });
  return error;
}

/** The report of verify(), which it leaves behind on failure too. */
export function reportOf(binary: Native, number: number): string {
  if (number >= 0) return "";
  const failure = number === RESULT_IS_LARGE ? undefined : errorOf(binary.error());
  const report = binary.takeLarge();
  if (failure !== undefined) throw withReport(failure, report);
  return report?.toString() ?? "";
}
