/** Types that users meet. Their declarations stand alone: nothing of the runtime is needed to read them. */
import type { NumberValue } from "./number";

/** How numbers are read; see OpenOptions.numbers. */
export type NumberMode = "auto" | "value" | "number";

/** A value of an attribute as it is read. */
export type AttributeValue =
  | string | number | bigint | NumberValue | boolean | null | Uint8Array
  | Set<string> | Set<number | bigint | NumberValue> | Set<Uint8Array> | AttributeValue[] | { [name: string]: AttributeValue };

/** An item as it is read. */
export type Item = { [name: string]: AttributeValue };

export type KeyType = "S" | "N" | "B";

export interface KeyAttribute {
  readonly name: string;
  readonly type: KeyType;
}

export interface AsyncOptions {
  /** Abandons the wait; a write that was under way may be applied all the same. */
  signal?: AbortSignal | undefined;
}
