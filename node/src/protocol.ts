/** The DynamoDB JSON protocol without a socket: what Database.dispatch and the configuration of an SDK's client do. */
import { abandonable, type Core } from "./core";
import { invalid, StatorError } from "./errors";
import { checked, LANE_READ, LANE_WRITE, wait } from "./native";
import type { AsyncOptions } from "./types";

export interface DispatchOptions {
  /** Which ARNs name; default "us-east-1". */
  region?: string | undefined;
  /** Which ARNs name; default "000000000000". */
  account?: string | undefined;
}

export interface DispatchAnswer {
  /** 200, 400 or 500. */
  readonly status: number;
  /** JSON. */
  readonly body: string;
}

/** What only reads needs no turn among the writes. */
const READS = /(?:^|\.)(?:Get|BatchGet|TransactGet|Describe|List|Query$|Scan$)\w*$/;

/** Region, account, operation and body, one behind the other. */
interface Texts {
  readonly bytes: Buffer;
  readonly region: number;
  readonly account: number;
  readonly operation: number;
  readonly isRead: boolean;
}

function textOf(name: string, value: unknown): Buffer {
  if (typeof value !== "string" || !value.isWellFormed()) throw invalid(`${name} must be a string without lone surrogates`);
  return Buffer.from(value, "utf8");
}

function textsOf(operation: string, body: string | Uint8Array, options: DispatchOptions): Texts {
  const parts = [textOf("region", options.region ?? ""), textOf("account", options.account ?? ""), textOf("operation", operation)];
  const [region, account, target] = parts.map((part) => part.length);
  const last = body instanceof Uint8Array ? body : textOf("the body", body);
  return { bytes: Buffer.concat([...parts, last]), region, account, operation: target, isRead: READS.test(operation) };
}

/** @internal The status and the bytes of the answer. */
export type RawAnswer = [status: number, body: Buffer];

/** @internal */
export async function dispatch(
  core: Core, operation: string, body: string | Uint8Array, options: DispatchOptions & AsyncOptions,
): Promise<RawAnswer> {
  core.check();
  const { bytes, region, account, operation: target, isRead } = textsOf(operation, body, options);
  return abandonable(options.signal, !isRead, async () => {
    const lane = isRead ? LANE_READ : LANE_WRITE;
    const id = core.binary.submitDispatch(core.handle, bytes, bytes.length, region, account, target, lane);
    return (await wait(core.binary, id, core)) as unknown as RawAnswer;
  });
}

/** @internal */
export function dispatchSync(core: Core, operation: string, body: string | Uint8Array, options: DispatchOptions): RawAnswer {
  core.check();
  const { bytes, region, account, operation: target } = textsOf(operation, body, options);
  const status = checked(core.binary, core.binary.dispatch(core.handle, bytes, bytes.length, region, account, target));
  const answer = core.binary.takeLarge();
  if (answer === undefined) throw new StatorError("the answer was lost", { code: "INTERNAL" });
  return [status, answer];
}

function offset(offsetMs: number): number {
  const us = Math.round(offsetMs * 1000);
  if (!Number.isSafeInteger(us)) throw invalid(`a clock is moved by milliseconds, not ${String(offsetMs)}`);
  return us;
}

/** @internal */
export async function moveClock(core: Core, offsetMs: number): Promise<void> {
  core.check();
  await wait(core.binary, core.binary.submitClock(core.handle, offset(offsetMs)), core);
}

/** @internal */
export function moveClockSync(core: Core, offsetMs: number): void {
  core.check();
  checked(core.binary, core.binary.moveClock(core.handle, offset(offsetMs)));
}
