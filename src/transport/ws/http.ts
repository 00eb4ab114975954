/**
 * The few things of HTTP/1.1 that a WebSocket handshake consists of, without I/O: the head of a request or of a response.
 */

/** Most bytes of a head. Browsers send cookies in it; Node's own limit is the same. */
export const HEAD_MAX = 16 * 1024;

/** Headers by their names in lower case. Those that came several times are joined by commas, cookies by semicolons. */
export type Headers = Readonly<Record<string, string>>;

/** A head. */
export interface Head {
  /** The first line. */
  readonly start: string;
  readonly headers: Headers;
}

/** A head that is not HTTP. */
export class HeadError extends Error {}

const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*$/;
/** What no line of a head may contain. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROLS = /[\x00-\x08\x0a-\x1f\x7f]/;

/** Collects the bytes of a head as they arrive. */
export class HeadReader {
  #bytes: Buffer = Buffer.alloc(0);

  /**
   * @returns the head and the bytes behind it, or undefined while it is incomplete
   * @throws HeadError if it is too large, or not HTTP
   */
  push(chunk: Buffer): { head: Head; rest: Buffer } | undefined {
    const before = this.#bytes.length;
    this.#bytes = before === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    const end = this.#bytes.indexOf("\r\n\r\n", Math.max(0, before - 3), "latin1");
    if (end > HEAD_MAX || (end < 0 && this.#bytes.length > HEAD_MAX))
      throw new HeadError(`a head of more than ${HEAD_MAX} bytes`);
    if (end < 0) return undefined;
    return { head: parseHead(this.#bytes.toString("latin1", 0, end)), rest: this.#bytes.subarray(end + 4) };
  }
}

function parseHead(text: string): Head {
  const [start, ...lines] = text.split("\r\n");
  if (CONTROLS.test(start)) throw new HeadError("the first line has control characters");
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const field = FIELD.exec(line);
    if (field === null || CONTROLS.test(line)) throw new HeadError("a line is not a header");
    const name = field[1].toLowerCase();
    const before = headers[name];
    if (before === undefined) headers[name] = field[2];
    else headers[name] = `${before}${name === "cookie" ? "; " : ", "}${field[2]}`;
  }
  return { start, headers };
}

/** The cookies of a header (RFC 6265 §4.2). */
export function cookiesOf(header = ""): Headers {
  const cookies: Record<string, string> = Object.create(null);
  for (const pair of header.split(";")) {
    const equals = pair.indexOf("=");
    if (equals < 0) continue;
    const name = pair.slice(0, equals).trim();
    const value = pair
      .slice(equals + 1)
      .trim()
      .replace(/^"(.*)"$/, "$1");
    if (!(name in cookies)) cookies[name] = decoded(value);
  }
  return cookies;
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value; // not encoded that way
  }
}

/** Whether a header that is a list contains a word, in any case. */
export function lists(value: string | undefined, word: string): boolean {
  return value?.split(",").some((one) => one.trim().toLowerCase() === word) === true;
}

const REASONS: Readonly<Record<number, string>> = {
  101: "Switching Protocols",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  426: "Upgrade Required",
  431: "Request Header Fields Too Large",
  503: "Service Unavailable",
};

/** A response with a short text, after which the connection ends. */
export function refusalResponse(status: number, text: string): Buffer {
  const body = `${text}\n`;
  const upgrade = status === 426 ? "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" : "";
  return Buffer.from(
    `HTTP/1.1 ${status} ${REASONS[status]}\r\n${upgrade}Connection: close\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    "latin1",
  );
}

/** The response that opens a WebSocket. libzmq wants these headers, each with one value. */
export function openingResponse(accept: string, protocol: string, extension: string | null): Buffer {
  const extensions = extension === null ? "" : `Sec-WebSocket-Extensions: ${extension}\r\n`;
  return Buffer.from(
    `HTTP/1.1 101 ${REASONS[101]}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${protocol}\r\n${extensions}\r\n`,
    "latin1",
  );
}

/** The request that asks for a WebSocket. */
export function openingRequest(
  host: string,
  path: string,
  key: string,
  protocols: string,
  extension: string | null,
): Buffer {
  const extensions = extension === null ? "" : `Sec-WebSocket-Extensions: ${extension}\r\n`;
  return Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Protocol: ${protocols}\r\nSec-WebSocket-Version: 13\r\n` +
      `${extensions}\r\n`,
    "latin1",
  );
}
