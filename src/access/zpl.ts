/**
 * The text of certificates: ZPL (RFC 4), as CZMQ's zcert and pyzmq's zmq.auth write it. Sections at the margin, `name = value`
 * indented by four spaces, comments behind `#`. Of the sections, `curve` is read by the letter. CZMQ and pyzmq both
 * write into `metadata` what they cannot read again, so that values there are taken as they were meant.
 */
import { Buffer } from "../base/platform.js";
import { fileFault } from "./files.js";

/** One `name = value`. */
export interface ZplItem {
  readonly name: string;
  readonly value: string;
  /** Its line, from 1. */
  readonly line: number;
}

const INDENT = 4;
const NAME = /^[A-Za-z0-9$_@.&+-]+$/;
/** CZMQ reads this many bytes of a line. */
const LINE_MAX = 1024;
/** A terminal would obey them. A tab is none, and neither is the end of a line of Windows. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is about them
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/;

/**
 * The items of each section. What is indented further is left out.
 * @param path names the file in errors
 * @throws ZmqError EINVAL with the line
 */
export function parseZpl(path: string, text: string): Map<string, ZplItem[]> {
  const sections = new Map<string, ZplItem[]>();
  let current: ZplItem[] | undefined;
  let lenient = false;
  for (const [at, raw] of text.split("\n").entries()) {
    const line = at + 1;
    const bare = raw.trimStart();
    if (bare === "" || bare.startsWith("#")) continue;
    if (CONTROLS.test(bare.trimEnd())) throw fileFault(path, line, "has a control character");
    const indent = raw.length - bare.length;
    if (indent % INDENT !== 0 || raw.slice(0, indent).trim() !== "" || raw.slice(0, indent).includes("\t"))
      throw fileFault(path, line, `must be indented by ${INDENT} spaces or a multiple of them`);
    if (indent > INDENT) continue;
    if (indent === 0) {
      const name = sectionName(path, line, bare);
      lenient = name === "metadata";
      current = sections.get(name) ?? [];
      sections.set(name, current);
    } else if (current === undefined) throw fileFault(path, line, "is indented, but in no section");
    else current.push(item(path, line, bare.trimEnd(), lenient));
  }
  return sections;
}

/** A section may have a value of its own, which certificates do not use. */
function sectionName(path: string, line: number, bare: string): string {
  const name = /^[^\s=#]*/.exec(bare)?.[0] ?? "";
  if (!NAME.test(name)) throw fileFault(path, line, "is not the name of a section");
  return name;
}

function item(path: string, line: number, bare: string, lenient: boolean): ZplItem {
  const equals = bare.indexOf("=");
  const name = (equals < 0 ? bare.replace(/#.*$/, "") : bare.slice(0, equals)).trim();
  if (name === "" || (!lenient && !NAME.test(name))) throw fileFault(path, line, "must be: name = value");
  if (equals < 0) return { name, value: "", line };
  const value = valueOf(bare.slice(equals + 1).trim(), lenient);
  if (value === undefined) throw fileFault(path, line, `the value of ${name} must end with its quote`);
  return { name, value, line };
}

/** undefined if a quote is missing. */
function valueOf(text: string, lenient: boolean): string | undefined {
  const quote = text[0];
  if (quote !== '"' && quote !== "'") return text.replace(/\s*#.*$/, "");
  const end = text.indexOf(quote, 1);
  if (end > 0 && /^\s*(#|$)/.test(text.slice(end + 1))) return text.slice(1, end);
  if (!lenient) return undefined;
  return end > 0 && text.endsWith(quote) ? text.slice(1, -1) : text;
}

/**
 * One line, as both CZMQ and pyzmq read it.
 * @throws TypeError, RangeError for what one of them would read as something else
 */
export function zplLine(name: string, value: unknown): string {
  if (typeof value !== "string")
    throw new TypeError(`metadata.${name} must be a string; got ${value === null ? "null" : typeof value}`);
  if (!NAME.test(name) || /^(public|secret)-key/.test(name))
    throw new RangeError(
      `metadata: "${name}" cannot be a name: letters, digits and $ - _ @ . & + can, and nothing that begins with public-key or secret-key`,
    );
  const quote = value.includes('"') ? "'" : '"';
  if (CONTROLS.test(value) || /[\t\n]/.test(value) || value.includes(quote))
    throw new RangeError(`metadata.${name} must be one line, and not have both kinds of quotes`);
  const line = `${" ".repeat(INDENT)}${name} = ${quote}${value}${quote}`;
  const bytes = Buffer.byteLength(line);
  if (bytes > LINE_MAX)
    throw new RangeError(`metadata.${name} must have a line of at most ${LINE_MAX} bytes; got ${bytes}`);
  return `${line}\n`;
}
