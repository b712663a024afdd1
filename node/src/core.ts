/**
 * One open database as the classes of the package see it: it runs requests, on this thread or by a worker of the addon.
 *
 * Reads are first tried on the calling thread with CACHED_ONLY: a read from memory costs less than any hop to another thread.
 * Only what would have to wait for a file goes to a worker. Writes always go there, in the order of their calls.
 */
import { decodeResult, type Result } from "./decode";
import { withWriter, type Writer } from "./encode";
import { ClosedError, StatorError } from "./errors";
import {
  checked, KIND_CLOSE, LANE_READ, LANE_WRITE, native, reportOf, resultOf, wait, type Native,
} from "./native";
import type { NumberMode } from "./types";

export const CACHED_ONLY = 1;
const WOULD_BLOCK = -22;

export type Encode = (writer: Writer) => void;

/** The signal's own reason; for a write it also says maybeApplied, where the reason can carry it. */
function abandoned(signal: AbortSignal, isWrite: boolean): unknown {
  const reason: unknown = signal.reason;
  if (!isWrite) return reason;
  if (typeof reason === "object" && reason !== null && Object.isExtensible(reason)) {
    Object.defineProperty(reason, "maybeApplied", { value: true, configurable: true, enumerable: true });
    return reason;
  }
  const error = new StatorError(`abandoned: ${String(reason)}`, { code: "CANCELLED", maybeApplied: true });
  error.cause = reason;
  return error;
}

export function abandonable<T>(signal: AbortSignal | undefined, isWrite: boolean, start: () => Promise<T>): Promise<T> {
  if (signal === undefined) return start();
  if (signal.aborted) return Promise.reject(signal.reason);
  const work = start();
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(abandoned(signal, isWrite));
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** Closes what was forgotten. Not to be relied on: it is at the mercy of the garbage collector. */
const forgotten = new FinalizationRegistry<number>((handle) => {
  const binary = native();
  wait(binary, binary.submitKind(handle, KIND_CLOSE), forgotten).catch(() => undefined).finally(() => binary.release(handle));
});

export class Core {
  readonly binary: Native;
  readonly handle: number;
  readonly numbers: NumberMode;
  readonly removeUndefined: boolean;
  private closing: Promise<void> | undefined;

  constructor(binary: Native, handle: number, numbers: NumberMode, removeUndefined: boolean) {
    this.binary = binary;
    this.handle = handle;
    this.numbers = numbers;
    this.removeUndefined = removeUndefined;
    forgotten.register(this, handle, this);
  }

  get isClosed(): boolean {
    return this.closing !== undefined;
  }

  check(): void {
    if (this.closing !== undefined) throw new ClosedError("the database is closed", { code: "CLOSED" });
  }

  /** Encodes, then runs use() with the request. Getters in items may have closed the database meanwhile. */
  encoded<T>(encode: Encode, use: (writer: Writer) => T): T {
    this.check();
    return withWriter((writer) => {
      writer.removeUndefined = this.removeUndefined;
      encode(writer);
      this.check();
      return use(writer);
    });
  }

  runSync(mode: NumberMode, encode: Encode): Result {
    return this.encoded(encode, (writer) =>
      resultOf(this.binary, this.binary.execute(this.handle, writer.bytes, writer.at), mode));
  }

  /** encode() must write flags with CACHED_ONLY. */
  read(mode: NumberMode, encode: Encode): Promise<Result> | Result {
    return this.encoded(encode, (writer) => {
      const size = this.binary.execute(this.handle, writer.bytes, writer.at);
      if (size !== WOULD_BLOCK) return resultOf(this.binary, size, mode);
      writer.clearFlag(CACHED_ONLY);
      return this.submit(writer, LANE_READ, mode);
    });
  }

  /** What may wait for a sync or a file, with a result that is wanted. */
  work(lane: typeof LANE_READ | typeof LANE_WRITE, mode: NumberMode, encode: Encode): Promise<Result> {
    return this.encoded(encode, (writer) => this.submit(writer, lane, mode));
  }

  /** A write without a result; mayMerge: it has no options, so that it may share a commit with its neighbours. */
  write(mayMerge: boolean, encode: Encode, mode: NumberMode = this.numbers): Promise<void> {
    return this.encoded(encode, (writer) => {
      const id = this.binary.submit(this.handle, writer.bytes, writer.at, LANE_WRITE, mayMerge ? 1 : 0, 0);
      return wait(this.binary, id, this, mode) as Promise<unknown> as Promise<void>;
    });
  }

  private submit(writer: Writer, lane: number, mode: NumberMode): Promise<Result> {
    const id = this.binary.submit(this.handle, writer.bytes, writer.at, lane, 0, 1);
    return wait(this.binary, id, this, mode).then((bytes) => (bytes === undefined ? {} : decodeResult(bytes, bytes.length, mode)));
  }

  upkeep(kind: number): Promise<string> {
    this.check();
    const id = this.binary.submitKind(this.handle, kind);
    return wait(this.binary, id, this).then((report) => report?.toString() ?? "");
  }

  upkeepSync(kind: number): string {
    this.check();
    return reportOf(this.binary, this.binary.runKind(this.handle, kind));
  }

  /** What was called before is finished first. */
  close(): Promise<void> {
    if (this.closing === undefined) {
      forgotten.unregister(this);
      const id = this.binary.submitKind(this.handle, KIND_CLOSE);
      this.closing = wait(this.binary, id, this).then(() => undefined).finally(() => this.binary.release(this.handle));
    }
    return this.closing;
  }

  closeSync(): void {
    if (this.closing !== undefined) return;
    forgotten.unregister(this);
    this.closing = Promise.resolve();
    checked(this.binary, this.binary.close(this.handle));
  }
}
