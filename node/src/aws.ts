/**
 * Clients of the AWS SDK for JavaScript (version 3) on a database in this process: they marshal, sign and retry as ever, and no
 * socket is opened. The package itself does not need the SDK.
 *
 *     import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
 *     import { clientConfig } from "stator/aws";
 *     const client = new DynamoDBClient(clientConfig(db));
 *
 * DynamoDBStreamsClient and DynamoDBDocumentClient work the same way.
 */
import { randomBytes } from "node:crypto";
import * as zlib from "node:zlib";
import { type Core } from "./core";
import { type Database } from "./database";
import { StatorError } from "./errors";
import { dispatch } from "./protocol";

export type ClientOptions = {
  /** Default "us-east-1". ARNs name it. */
  region?: string | undefined;
  /** Which ARNs name; default "000000000000". */
  account?: string | undefined;
};

/** What the handler reads of a request of the SDK, and what it gives back. */
export type HandlerRequest = { headers: Record<string, string>; body?: unknown };
export type HandlerResponse = { statusCode: number; headers: Record<string, string>; body: Uint8Array };
export type HandlerOptions = { abortSignal?: unknown };

export type ClientConfig = {
  region: string;
  endpoint: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  requestHandler: Handler;
};

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const crc32 = (zlib as { crc32?: (data: Uint8Array) => number }).crc32; // since Node 20.15

/** Of the service's form: 52 capital letters and digits. */
function requestId(): string {
  let id = "";
  for (const byte of randomBytes(52)) id += ALPHABET[byte & 31];
  return id;
}

function headerOf(headers: Record<string, string>, wanted: string): string {
  if (headers[wanted] !== undefined) return headers[wanted];
  for (const [name, value] of Object.entries(headers)) if (name.toLowerCase() === wanted) return value;
  return "";
}

/** The region in the signature's scope: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/dynamodb/aws4_request, ... */
function regionOf(headers: Record<string, string>): string | undefined {
  return /Credential=[^/,]*\/\d+\/([^/,]*)\//.exec(headerOf(headers, "authorization"))?.[1];
}

function bodyOf(body: unknown): string | Uint8Array {
  if (body === undefined || body === null) return "";
  if (typeof body === "string" || body instanceof Uint8Array) return body;
  throw new StatorError("the body of a request must be text or bytes", { code: "UNSUPPORTED" });
}

/** The SDK tries again what carries $retryable: only where that can help. */
function marked(error: unknown): unknown {
  if (error instanceof StatorError && error.retryable && !error.maybeApplied) {
    Object.defineProperty(error, "$retryable", { value: {}, configurable: true });
  }
  return error;
}

/** A request handler of the SDK that answers out of a database. */
export class Handler {
  readonly metadata = { handlerProtocol: "http/1.1" };
  private readonly core: Core;
  private readonly account: string | undefined;

  /** @internal */
  constructor(core: Core, account: string | undefined) {
    this.core = core;
    this.account = account;
  }

  async handle(request: HandlerRequest, options: HandlerOptions = {}): Promise<{ response: HandlerResponse }> {
    const { headers } = request;
    const signal = options.abortSignal as AbortSignal | undefined;
    const where = { region: regionOf(headers), account: this.account, signal };
    try {
      const [statusCode, body] = await dispatch(this.core, headerOf(headers, "x-amz-target"), bodyOf(request.body), where);
      return { response: { statusCode, headers: this.headers(body), body } };
    } catch (error) {
      throw marked(error);
    }
  }

  private headers(body: Uint8Array): Record<string, string> {
    return {
      "content-type": "application/x-amz-json-1.0",
      "content-length": String(body.length),
      "x-amzn-requestid": requestId(),
      ...(crc32 && { "x-amz-crc32": String(crc32(body)) }),
    };
  }

  /** Nothing of HTTP can be set. */
  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  /** The database stays open: it is closed by who opened it. */
  destroy(): void {}
}

/** What `new DynamoDBClient(...)` and `new DynamoDBStreamsClient(...)` take; change what you like. */
export function clientConfig(db: Database, options: ClientOptions = {}): ClientConfig {
  return {
    region: options.region ?? "us-east-1",
    endpoint: "http://stator.invalid", // never looked up
    credentials: { accessKeyId: "stator", secretAccessKey: "stator" },
    requestHandler: new Handler(db.core, options.account),
  };
}
