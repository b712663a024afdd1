import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "stator";

const stacks = new WeakMap();

/** Undoes at the end of the test, last first: a database is closed before its folder goes. */
function undo(t, step) {
  if (!stacks.has(t)) {
    const steps = [];
    stacks.set(t, steps);
    t.after(async () => {
      for (const last of steps.reverse()) await last();
    });
  }
  stacks.get(t).push(step);
}

/** A folder that goes when the test ends. */
export function folder(t) {
  const path = mkdtempSync(join(tmpdir(), "stator-node-"));
  undo(t, () => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** An open database; closed when the test ends. */
export async function database(t, path = ":memory:", options = {}) {
  const db = await open(path, options);
  undo(t, () => db.close());
  return db;
}

export async function movies(t, options = {}) {
  const db = await database(t, ":memory:", options);
  return { db, table: await db.table("movies", { partition: "title:S", sort: "year:N" }) };
}
