// The quickstart's query in Node. The package's folder is given, because it is not installed beside this file.
import { createRequire } from "node:module";

const { open, beginsWith } = createRequire(import.meta.url)(process.argv[3]);
const db = await open(process.argv[2], { readOnly: true, create: false });
try {
  const languages = await db.openTable("languages");
  for await (const language of languages.query("I", { sort: beginsWith("Old") })) {
    console.log(language.alpha_3, language.name);
  }
} finally {
  await db.close();
}
