/**
 * Names and plain defaults of a function's parameters, read from its source. They are only for introspection: a parameter
 * that cannot be read gets a name by its place.
 */

/** One parameter. */
export interface Parameter {
  readonly name: string;
  readonly default?: unknown;
}

/** The parameters of a function; as many as its `length` if its source cannot be read. */
export function parametersOf(handler: (...args: never[]) => unknown): Parameter[] {
  const list = parameterList(Function.prototype.toString.call(handler));
  if (list === null) return Array.from({ length: handler.length }, (_, i) => ({ name: `arg${i}` }));
  return split(list).map((text, i) => parameter(text, i));
}

/** The text between the brackets of the parameters, or the name of the only one if there are no brackets. */
function parameterList(source: string): string | null {
  const bare = /^(?:async\s+)?([A-Za-z_$][\w$]*)\s*=>/.exec(source);
  if (bare !== null) return bare[1];
  const start = source.indexOf("(");
  if (start < 0 || source.endsWith("{ [native code] }")) return null;
  const end = closing(source, start);
  return end < 0 ? null : source.slice(start + 1, end);
}

const OPEN = "([{";
const CLOSE = ")]}";

/** Calls `each` for every character outside strings and comments, with the number of brackets around it, until it returns true. */
function walk(text: string, from: number, each: (char: string, at: number, depth: number) => boolean): void {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === '"' || char === "'" || char === "`") {
      at = endOfString(text, at);
      continue;
    }
    if (char === "/" && (text[at + 1] === "*" || text[at + 1] === "/")) {
      const end = text.indexOf(text[at + 1] === "*" ? "*/" : "\n", at + 2);
      at = end < 0 ? text.length : end + (text[at + 1] === "*" ? 1 : 0);
      continue;
    }
    if (CLOSE.includes(char)) depth--;
    if (each(char, at, depth)) return;
    if (OPEN.includes(char)) depth++;
  }
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === text[start]) return at;
  }
  return text.length;
}

function closing(text: string, start: number): number {
  let found = -1;
  walk(text, start, (char, at, depth) => {
    if (depth !== 0 || !CLOSE.includes(char)) return false;
    found = at;
    return true;
  });
  return found;
}

function split(list: string): string[] {
  const parts: string[] = [];
  let current = "";
  let last = 0;
  walk(list, 0, (char, at, depth) => {
    if (char === "," && depth === 0) {
      parts.push(list.slice(last, at));
      last = at + 1;
    }
    return false;
  });
  current = list.slice(last);
  if (current.trim() !== "") parts.push(current);
  return parts.map((part) => part.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "").trim());
}

function parameter(text: string, index: number): Parameter {
  const match = /^(\.\.\.)?([A-Za-z_$][\w$]*)\s*(?:=([\s\S]*))?$/.exec(text);
  if (match === null) return { name: `arg${index}` };
  const [, rest, name, value] = match;
  if (value === undefined) return { name: (rest ?? "") + name };
  const plain = plainValue(value.trim());
  return plain === undefined ? { name } : { name, default: plain.value };
}

/** The value of a default that is written as JSON or as a simple string. */
function plainValue(text: string): { value: unknown } | undefined {
  const quoted = /^'([^'\\]*)'$/.exec(text);
  if (quoted !== null) return { value: quoted[1] };
  if (text === "undefined") return { value: null };
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined; // an expression, whose value is not known before a call
  }
}
