/**
 * How messages are written and read: `--format`.
 */
import { Buffer, isUtf8 } from "node:buffer";
import { loadMessagePack } from "../../values/msgpack.js";
import { UsageError } from "../errors.js";
import { parseJson, toJson } from "../json.js";
import { byFrame, byLine, framesOf, partsOf, type Splitter, whole } from "./splitters.js";

export const FORMATS = ["text", "json", "hex", "raw", "frames", "msgpack"] as const;
export type FormatName = (typeof FORMATS)[number];

/** A message on the command line, whatever the socket's type: where it has an address, that is the first part. */
export type Parts = Buffer[];

/** Reads and writes messages. */
export interface Format {
  /** A new splitter for a file: what it gives is for `read`. */
  readonly splitter: () => Splitter;
  /** @throws Error that says what is wrong with the record */
  read(record: Buffer): Parts;
  /** The message of some arguments: each is a part. @throws UsageError */
  readArguments(args: readonly string[]): Parts;
  /** What is printed for a message. */
  write(parts: readonly Buffer[]): Buffer | string;
  /** What a program gets for a message. Absent: what is printed, from which the message can be read again. */
  bytes?(parts: readonly Buffer[]): Buffer;
}

/** What else says how messages look. */
export interface Look {
  /** text: what stands between parts. Undefined: a tab, which what is read has only in front of an address. */
  readonly separator: string | undefined;
  /** Whether messages begin with the name of a peer, which may be any bytes. */
  readonly named: boolean;
  /** Whether messages begin with an address. */
  readonly addressed: boolean;
}

const CONTROL = /\p{Cc}/gu;
/** What a terminal obeys. A tab stays. */
const HARMFUL = /[^\P{Cc}\t]/u;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\t" };

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  return SHORT[character] ?? `\\x${code.toString(16).padStart(2, "0")}`;
}

/** Bytes as text for people. What a terminal would obey, and what is no UTF-8, is shown as `\x1b`. */
function shownText(part: Buffer): string {
  if (!isUtf8(part)) return part.toString("latin1").replace(/[^\x20-\x7e]/g, escaped);
  const text = part.toString();
  return HARMFUL.test(text) ? text.replace(CONTROL, escaped) : text;
}

/** A peer's name: as it is if it can be read and typed, otherwise in hexadecimal digits. */
function shownName(name: Buffer): string {
  const text = name.toString("latin1");
  return /^[\x21-\x7e]+$/.test(text) && !text.startsWith("0x") ? text : `0x${name.toString("hex")}`;
}

function readName(part: Buffer): Buffer {
  const text = part.toString("latin1");
  return /^0x(?:[0-9a-f]{2})+$/i.test(text) ? Buffer.from(text.slice(2), "hex") : part;
}

function splitBy(separator: Buffer, line: Buffer): Parts {
  const parts: Parts = [];
  let from = 0;
  for (let to = line.indexOf(separator); to >= 0; to = line.indexOf(separator, from)) {
    parts.push(line.subarray(from, to));
    from = to + separator.length;
  }
  parts.push(line.subarray(from));
  return parts;
}

function textFormat({ separator, named, addressed }: Look): Format {
  const between = separator ?? "\t";
  const splitting = separator !== undefined || addressed ? Buffer.from(between) : undefined;
  const withName = (parts: Parts) => (named ? [readName(parts[0]), ...parts.slice(1)] : parts);
  return {
    splitter: byLine,
    read: (line) => withName(splitting === undefined ? [line] : splitBy(splitting, line)),
    readArguments: (args) => withName(args.map((arg) => Buffer.from(arg))),
    write(parts) {
      const texts = parts.map((part, at) => (named && at === 0 ? shownName(part) : shownText(part)));
      return `${texts.join(between)}\n`;
    },
    bytes: (parts) => {
      const separating = Buffer.from(between);
      return Buffer.concat(parts.flatMap((part, at) => (at === 0 ? [part] : [separating, part])));
    },
  };
}

/** The part of a JSON value: a text is its characters, anything else is itself as JSON. */
function partOf(value: unknown): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value);
  return Buffer.from(typeof value === "string" ? value : toJson(value, false));
}

function valueOf(part: Buffer): unknown {
  return isUtf8(part) ? part.toString() : part;
}

function nonEmpty(values: readonly unknown[]): readonly unknown[] {
  if (values.length === 0) throw new Error("a message must have a part: the array is empty");
  return values;
}

const jsonFormat: Format = {
  splitter: byLine,
  read(line) {
    const value = parseJson(line.toString());
    return nonEmpty(Array.isArray(value) ? value : [value]).map(partOf);
  },
  readArguments: (args) => args.map((arg) => partOf(usable(() => parseJson(arg)))),
  write: (parts) => `${toJson(parts.map(valueOf), false)}\n`,
};

/** What is wrong with an argument is wrong with the command line. */
function usable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** An empty part, which has no digits. */
const EMPTY = "-";

function hexPart(text: string): Buffer {
  if (text === EMPTY) return Buffer.alloc(0);
  if (/^(?:[0-9a-f]{2})+$/i.test(text)) return Buffer.from(text, "hex");
  throw new Error(`not pairs of hexadecimal digits, or ${EMPTY} for an empty part: ${text.slice(0, 40)}`);
}

const hexFormat: Format = {
  splitter: byLine,
  read: (line) => line.toString("latin1").trim().split(/\s+/).map(hexPart),
  readArguments: (args) => args.map((arg) => usable(() => hexPart(arg))),
  write: (parts) => `${parts.map((part) => (part.length === 0 ? EMPTY : part.toString("hex"))).join(" ")}\n`,
};

const bytes = (args: readonly string[]): Parts => args.map((arg) => Buffer.from(arg));

const rawFormat: Format = {
  splitter: whole,
  read: (record) => [record],
  readArguments: bytes,
  write: (parts) => Buffer.concat(parts),
};

const framesFormat: Format = {
  splitter: byFrame,
  read: partsOf,
  readArguments: bytes,
  write: framesOf,
};

/** The last part is a value in msgpack, which is shown as JSON; what stands before it is text, or bytes. */
async function msgpackFormat(): Promise<Format> {
  const codec = await loadMessagePack();
  const encoded = (values: readonly unknown[]): Parts => [
    ...values.slice(0, -1).map(partOf),
    Buffer.from(codec.encode(values.at(-1))),
  ];
  return {
    splitter: byLine,
    read(line) {
      const value = parseJson(line.toString());
      return encoded(nonEmpty(Array.isArray(value) ? value : [value]));
    },
    readArguments: (args) =>
      usable(() => encoded([...args.slice(0, -1), ...args.slice(-1).map((arg) => parseJson(arg))])),
    write(parts) {
      const last = parts[parts.length - 1];
      try {
        return `${toJson([...parts.slice(0, -1).map(valueOf), codec.decode(last)], false)}\n`;
      } catch (error) {
        throw new Error(`the last part of a message is no msgpack: ${(error as Error).message}`);
      }
    },
  };
}

/** The format of that name. */
export async function formatOf(name: FormatName, look: Look): Promise<Format> {
  switch (name) {
    case "text":
      return textFormat(look);
    case "json":
      return jsonFormat;
    case "hex":
      return hexFormat;
    case "raw":
      return rawFormat;
    case "frames":
      return framesFormat;
    case "msgpack":
      return msgpackFormat();
  }
}
