import assert from "node:assert/strict";
import { test } from "node:test";
import codes from "../dist/codes.js";
import errors from "../dist/errors.js";
import * as stator from "stator";

test("every status has an error class of its exception's name, exported", () => {
  for (const [number, row] of Object.entries(codes.statuses)) {
    if (row.name === "OK") continue;
    const error = errors.makeError(Number(number), row.flags, -1, 0, "what happened");
    assert.equal(error.name, row.exception);
    assert.equal(error.constructor, stator[row.exception]);
    assert.ok(error instanceof stator.StatorError && error instanceof Error);
    assert.equal(error.code, row.name);
    assert.equal(error.message, "what happened");
    assert.equal(error.retryable, (row.flags & 1) !== 0);
    assert.equal(error.maybeApplied, (row.flags & 2) !== 0);
    assert.equal(error.position, undefined);
    assert.match(String(error), new RegExp(`^${row.exception}: what happened`));
  }
});

test("unknown statuses, positions and errno come through", () => {
  const error = errors.makeError(9999, 3, 17, 28, "");
  assert.equal(error.constructor, stator.StatorError);
  assert.deepEqual([error.code, error.retryable, error.maybeApplied, error.position, error.osError], ["UNKNOWN", true, true, 17, 28]);
  assert.equal(error.message, "status 9999");
  assert.equal(errors.makeError(8, 0, -1, 0, "").message, codes.statuses[8].text);
});
