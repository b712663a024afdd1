import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "stator";

/** A folder that goes when the test ends. */
export function folder(t) {
  const path = mkdtempSync(join(tmpdir(), "stator-node-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** An open database; closed when the test ends. */
export async function database(t, path = ":memory:", options = {}) {
  const db = await open(path, options);
  t.after(() => db.close());
  return db;
}

export async function movies(t, options = {}) {
  const db = await database(t, ":memory:", options);
  return { db, table: await db.table("movies", { partition: "title:S", sort: "year:N" }) };
}
