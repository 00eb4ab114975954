/**
 * The client's side of a WebSocket handshake (RFC 6455 §4.1, items X2 and X3).
 */
import { randomBytes } from "node:crypto";
import { ZmqError } from "../../base/errors.js";
import { exchange, type Outcome } from "../contract/exchange.js";
import type { Stream, StreamHandler, TransportOptions } from "../contract/transport.js";
import { type Compression, compresses, DEFLATE, readAnswer } from "../deflate/extension.js";
import { HeadError, HeadReader, lists, openingRequest } from "./http.js";
import { offered, simplest, type ZwsProtocol } from "./protocols.js";
import { Relay } from "./relay.js";
import { WebSocketStream } from "./stream.js";
import { acceptFor } from "./upgrade.js";

/** The server answered that something is wrong with the request: it may be a name in the list of sub-protocols. */
export class BadRequest extends ZmqError {}

/** What is asked for. */
export interface Wanted {
  /** Offers only a name that every HTTP server can read. */
  readonly simply: boolean;
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  /** The whole endpoint, for error texts. */
  readonly endpoint: string;
}

/**
 * Asks the server at the other end of a new stream for a WebSocket. Closes the stream and rejects if the server refuses,
 * breaks the protocol, closes, or takes longer than `handshakeInterval`.
 * @param signal aborts the attempt; its reason becomes the rejection
 */
export function openWebSocket(
  stream: Stream,
  wanted: Wanted,
  options: TransportOptions,
  signal: AbortSignal,
): Promise<Stream> {
  const limit = options.handshakeInterval;
  const late = (): ZmqError =>
    new ZmqError("ETIMEDOUT", {
      address: wanted.endpoint,
      detail: `no answer to the request for a WebSocket within ${limit} ms (handshakeInterval)`,
    });
  return exchange(stream, limit, signal, late, (outcome) => {
    new Asking(stream, wanted, options, outcome).start();
  });
}

class Asking implements StreamHandler {
  readonly #stream: Stream;
  readonly #wanted: Wanted;
  readonly #options: TransportOptions;
  readonly #protocols: readonly ZwsProtocol[];
  readonly #outcome: Outcome<Stream>;
  readonly #relay = new Relay(this);
  readonly #head = new HeadReader();
  readonly #key = randomBytes(16).toString("base64");
  #over = false;
  /** The request has not left yet, and what is to be done when it has. */
  #writing = false;
  #left: (() => void) | null = null;

  constructor(stream: Stream, wanted: Wanted, options: TransportOptions, outcome: Outcome<Stream>) {
    const { mechanism } = options.security;
    this.#options = options;
    this.#stream = stream;
    this.#wanted = wanted;
    this.#protocols = wanted.simply ? [simplest(mechanism)] : offered(mechanism);
    this.#outcome = outcome;
  }

  start(): void {
    const { host, path } = this.#wanted;
    const names = this.#protocols.map((one) => one.name).join(", ");
    this.#stream.start(this.#relay);
    const extension = compresses(this.#options) ? DEFLATE : null;
    this.#writing = this.#stream.write([openingRequest(host, path, this.#key, names, extension)]) > 0;
  }

  onBytes(chunk: Buffer): void {
    if (this.#over) return;
    try {
      const read = this.#head.push(chunk);
      if (read === undefined) return;
      this.#over = true;
      this.#stream.pause();
      const { headers } = read.head;
      const protocol = this.#accepted(read.head.start, headers);
      const opening = {
        scheme: this.#wanted.scheme,
        protocol,
        compression: this.#compression(headers["sec-websocket-extensions"]),
        response: null,
        leftover: read.rest,
        socketType: null,
        refusal: null,
        request: null,
      };
      const open = (): void => this.#outcome.done(new WebSocketStream(this.#stream, this.#relay, opening));
      if (this.#writing) this.#left = open;
      else open();
    } catch (error) {
      this.#over = true;
      this.#outcome.fail(error instanceof HeadError ? this.#failure("EPROTO", error.message) : error);
    }
  }

  /** What the server agreed to. @throws ZmqError if that is nothing */
  #accepted(start: string, headers: Readonly<Record<string, string>>): ZwsProtocol {
    const line = /^HTTP\/1\.1 (\d{3})(?: (.*))?$/.exec(start);
    if (line === null) throw this.#failure("EPROTO", "the server does not speak HTTP/1.1");
    if (line[1] !== "101") {
      const words = `${line[1]} ${line[2] ?? ""}`.trim().replace(/[^\x20-\x7e]/g, "?");
      const details = { address: this.#wanted.endpoint, detail: `the server answered ${words}` };
      throw line[1] === "400"
        ? new BadRequest("ECONNREFUSED", details)
        : new ZmqError("ECONNREFUSED", details);
    }
    if (!lists(headers.upgrade, "websocket") || !lists(headers.connection, "upgrade"))
      throw this.#failure("EPROTO", "the server's answer is not that of a WebSocket");
    if (headers["sec-websocket-accept"] !== acceptFor(this.#key))
      throw this.#failure("EPROTO", "the server's answer belongs to another request");
    const name = headers["sec-websocket-protocol"] ?? "";
    const protocol = this.#protocols.find((one) => one.name === name);
    if (protocol === undefined) {
      const shown = name === "" ? "none" : name.slice(0, 100).replace(/[^\x20-\x7e]/g, "?");
      throw this.#failure("EPROTO", `the server chose a sub-protocol that was not offered: ${shown}`);
    }
    return protocol;
  }

  #compression(answer: string | undefined): Compression | null {
    if (answer === undefined) return null;
    const agreed = readAnswer(answer, this.#options);
    if (typeof agreed === "string") throw this.#failure("EPROTO", agreed);
    return agreed;
  }

  #failure(code: string, detail: string): ZmqError {
    return new ZmqError(code, { address: this.#wanted.endpoint, detail });
  }

  onFrames(): void {}
  onLargeFrame(): void {}

  onDrain(): void {
    this.#writing = false;
    this.#left?.();
  }

  onClose(error: NodeJS.ErrnoException | undefined): void {
    if (this.#over && this.#left === null) return;
    this.#over = true;
    this.#left = null;
    const detail = "the server closed the connection and gave no answer to the request for a WebSocket";
    this.#outcome.fail(error ?? this.#failure("ECONNRESET", detail));
  }
}
