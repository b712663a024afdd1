/** Texts in DynamoDB's language, and what the names and values in them stand for. */
import type { Writer } from "./encode";
import { invalid } from "./errors";

const FIELD = {
  CONDITION: 128, UPDATE: 129, FILTER: 130, PROJECTION: 131, KEY_CONDITION: 132, NAMES: 133, VALUES: 134, INDEX: 135,
} as const;

/** Goes with every call that takes expressions. */
export interface ExpressionOptions {
  /** What each #name stands for: `{ "#y": "year" }`. All must be used. */
  names?: Readonly<Record<string, string>> | undefined;
  /** What each :value stands for: `{ ":low": 1970 }`. All must be used. */
  values?: object | undefined;
}

/** @internal */
export interface Expressions extends ExpressionOptions {
  condition?: string | undefined;
  update?: string | undefined;
  filter?: string | undefined;
  projection?: string | undefined;
  keyCondition?: string | undefined;
  index?: string | undefined;
}

const TEXTS = [
  ["condition", FIELD.CONDITION], ["update", FIELD.UPDATE], ["filter", FIELD.FILTER], ["projection", FIELD.PROJECTION],
  ["keyCondition", FIELD.KEY_CONDITION], ["index", FIELD.INDEX],
] as const;

/** @internal Whether there is anything to encode. */
export function hasExpressions(options: Expressions): boolean {
  return options.names !== undefined || options.values !== undefined || TEXTS.some(([name]) => options[name] !== undefined);
}

/** @internal */
export function encodeExpressions(writer: Writer, options: Expressions): void {
  for (const [name, field] of TEXTS) {
    const text = options[name];
    if (text === undefined) continue;
    if (typeof text !== "string") throw invalid(`${name} must be a string`);
    writer.fieldText(field, text);
  }
  const { names, values } = options;
  if (names !== undefined && Object.keys(names).length > 0) {
    if (!Object.values(names).every((name) => typeof name === "string")) throw invalid("names must be strings");
    writer.fieldItem(FIELD.NAMES, names);
  }
  if (values !== undefined && (values instanceof Map ? values.size : Object.keys(values).length) > 0) {
    writer.fieldItem(FIELD.VALUES, values);
  }
}
