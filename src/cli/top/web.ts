/**
 * The table as a page with live charts. It is for this machine: it listens on the loopback interface, its address has a
 * random token, and a request whose Host is another name is refused, so that no page of elsewhere can read it by a name that
 * it lets point here (DNS rebinding).
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { script as chartScript, style as chartStyle } from "../../../vendor/uplot.js";
import { PAGE, SCRIPT, STYLE } from "./page.js";
import type { SocketRow } from "./rows.js";

/** What the page is told. */
export type Shown =
  | { readonly heading: string; readonly time: number; readonly sockets: readonly SocketRow[] }
  | { readonly note: string };

const HOST = "127.0.0.1";
const TOKEN_BYTES = 18;
/** Pages that may be open at once. */
const MAX_PAGES = 16;
/** A page that does not read is told nothing more until it has read this much. */
const MAX_UNREAD = 1024 * 1024;

const FILES: Readonly<Record<string, readonly [type: string, text: string]>> = {
  "": ["text/html; charset=utf-8", PAGE],
  "top.js": ["text/javascript; charset=utf-8", SCRIPT],
  "top.css": ["text/css; charset=utf-8", STYLE],
  "uplot.js": ["text/javascript; charset=utf-8", chartScript],
  "uplot.css": ["text/css; charset=utf-8", chartStyle],
};

const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

const digest = (text: string) => createHash("sha256").update(text).digest();

export class TopPage {
  readonly #server: Server;
  readonly #token = randomBytes(TOKEN_BYTES).toString("base64url");
  readonly #readers = new Set<ServerResponse>();
  #last = "";

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  /** @throws as `listen` of an HTTP server does */
  static async open(port: number): Promise<TopPage> {
    const page = new TopPage();
    page.#server.listen(port, HOST);
    await once(page.#server, "listening");
    return page;
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What to open in a browser. */
  get address(): string {
    return `http://${HOST}:${this.#port}/${this.#token}/`;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const refused = this.#refusalOf(request);
    const name = (request.url ?? "").split("/")[2];
    if (refused !== null) response.writeHead(refused, HEADERS).end();
    else if (name === "events") this.#follow(response);
    else {
      const [type, text] = FILES[name];
      response.writeHead(200, { ...HEADERS, "content-type": type }).end(text);
    }
  }

  /** The status with which a request is refused; null if it is not. */
  #refusalOf({ method, url = "", headers: { host } }: IncomingMessage): number | null {
    if (host !== `${HOST}:${this.#port}` && host !== `localhost:${this.#port}`) return 421;
    if (method !== "GET") return 405;
    const [, token = "", name, ...rest] = url.split("/");
    // Takes as long whatever of the token is right.
    if (!timingSafeEqual(digest(token), digest(this.#token)) || name === undefined || rest.length > 0) {
      return 404;
    }
    if (name === "events") return this.#readers.size >= MAX_PAGES ? 503 : null;
    return Object.hasOwn(FILES, name) ? null : 404;
  }

  #follow(response: ServerResponse): void {
    response.writeHead(200, { ...HEADERS, "content-type": "text/event-stream" });
    response.write(this.#last || ":\n\n");
    this.#readers.add(response);
    response.on("close", () => this.#readers.delete(response));
  }

  /** Tells all pages. */
  show(shown: Shown): void {
    this.#last = `data: ${JSON.stringify(shown)}\n\n`;
    for (const reader of this.#readers) if (reader.writableLength < MAX_UNREAD) reader.write(this.#last);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
