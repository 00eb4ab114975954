/**
 * Values on the command line and in the output: JSON, with {"$base64": "…"} for bytes and all digits of large integers.
 */
import { UsageError } from "./errors.js";

function revive(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const keys = Object.keys(value);
  const { $base64 } = value as { $base64?: unknown };
  return keys.length === 1 && typeof $base64 === "string" ? Buffer.from($base64, "base64") : value;
}

const SHOWN = 60;

/** A value from JSON. @throws Error that shows the text, or its beginning */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text, revive);
  } catch {
    throw new Error(`not JSON: ${text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text}`);
  }
}

/** @throws UsageError */
export function parseArgument(text: string): unknown {
  try {
    return JSON.parse(text, revive);
  } catch {
    const hint = `for text write '"${text}"' with both kinds of quotes, or use --strings`;
    throw new UsageError(`${text}: not JSON (${hint})`);
  }
}

/** What JSON leaves as it is, though a terminal or a reader of lines obeys it: C1 controls, ends of lines, directions. */
const HARMFUL = /[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Stands only in texts, where JSON has this form of it. */
function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** A value as JSON. What JSON lacks becomes null. */
export function toJson(value: unknown, pretty: boolean): string {
  // JSON.stringify cannot write the digits of a bigint, so it writes a mark that is replaced afterwards.
  const big = new Map<string, string>();
  const plain = (_key: string, one: unknown): unknown => {
    if (typeof one === "bigint") {
      const mark = `\u0000${big.size}\u0000`;
      big.set(JSON.stringify(mark), one.toString());
      return mark;
    }
    if (one instanceof Map) return Object.fromEntries(one);
    return one;
  };
  const text = JSON.stringify(bytesAsText(value), plain, pretty ? 2 : undefined) ?? "null";
  return text.replace(/"\\u0000\d+\\u0000"/g, (mark) => big.get(mark) ?? mark).replace(HARMFUL, escaped);
}

/** A replacer comes too late for Buffers: their toJSON runs before it. */
function bytesAsText(value: unknown): unknown {
  if (value instanceof Uint8Array) return { $base64: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(bytesAsText);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, bytesAsText(one)]));
}
