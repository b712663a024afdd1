import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { DescribeTableCommand, DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { DescribeStreamCommand, DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import { DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import { open } from "stator";
import { clientConfig } from "stator/aws";
import { database } from "./support.js";

const missing = ["ResourceNotFoundException", "UnknownOperationException"];

test("an answer has the service's headers", async (t) => {
  const { requestHandler } = clientConfig(await database(t));
  const ids = new Set();
  for (const headers of [{ "x-amz-target": "DynamoDB_20120810.Fly" }, { "X-Amz-Target": "Fly" }]) {
    const { response } = await requestHandler.handle({ headers, body: Buffer.from("{}") });
    assert.equal(response.statusCode, 400);
    assert.match(Buffer.from(response.body).toString(), /UnknownOperationException/);
    assert.equal(response.headers["content-length"], String(response.body.length));
    if (zlib.crc32) assert.equal(response.headers["x-amz-crc32"], String(zlib.crc32(response.body)));
    assert.match(response.headers["x-amzn-requestid"], /^[A-Z2-7]{52}$/);
    ids.add(response.headers["x-amzn-requestid"]);
  }
  assert.equal(ids.size, 2);
});

test("the clients of the SDK reach the database, and outlive none", async (t) => {
  const db = await database(t);
  const client = new DynamoDBClient(clientConfig(db));
  const streams = new DynamoDBStreamsClient(clientConfig(db));
  const arn = "arn:aws:dynamodb:us-east-1:000000000000:table/none/stream/2026-01-01T00:00:00.000";
  const isMissing = (error) => missing.includes(error.name) && error.$metadata.httpStatusCode === 400 && /^[A-Z2-7]{52}$/.test(error.$metadata.requestId);
  await assert.rejects(client.send(new DescribeTableCommand({ TableName: "none" })), isMissing);
  await assert.rejects(streams.send(new DescribeStreamCommand({ StreamArn: arn })), isMissing);
  await assert.rejects(DynamoDBDocumentClient.from(client).send(new GetCommand({ TableName: "none", Key: { id: "a" } })), isMissing);
  client.destroy();
  assert.equal(db.isClosed, false);
});

test("a closed database is no answer and is not tried again", async () => {
  const db = await open(":memory:");
  const config = clientConfig(db);
  const { requestHandler } = config;
  let attempts = 0;
  const handle = requestHandler.handle.bind(requestHandler);
  requestHandler.handle = (...words) => (attempts++, handle(...words));
  const client = new DynamoDBClient(config);
  await db.close();
  await assert.rejects(client.send(new ListTablesCommand({})), { name: "ClosedError" });
  assert.equal(attempts, 1);
});

test("an abort ends the call", async (t) => {
  const client = new DynamoDBClient(clientConfig(await database(t)));
  await assert.rejects(client.send(new ListTablesCommand({}), { abortSignal: AbortSignal.abort() }), { name: "AbortError" });
});

test("require() gives the same function", () => {
  assert.equal(createRequire(import.meta.url)("stator/aws").clientConfig, clientConfig);
});

test("the types are those that the SDK takes", async () => {
  const folder = new URL("../", import.meta.url);
  const words = ["--noEmit", "--strict", "--skipLibCheck", "--module", "node16", "--target", "es2022", "--types", "node", "test/types/aws.mts"];
  const compiler = fileURLToPath(new URL("node_modules/typescript/bin/tsc", folder));
  try {
    // The compiler ends itself in the middle of its own work: nothing to look for leaks in.
    const env = { ...process.env, LD_PRELOAD: "" };
    await promisify(execFile)(process.execPath, [compiler, ...words], { cwd: fileURLToPath(folder), env });
  } catch (error) {
    assert.fail(error.stdout || error.message);
  }
});
