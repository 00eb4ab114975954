/**
 * One connection to a port until it is a WebSocket: reads its request, answers, and gives the WebSocket to the endpoint that
 * was asked for.
 */
import type { Deadline } from "../../base/deadline.js";
import { ZmqError } from "../../base/errors.js";
import { systemRuntime } from "../../base/runtime.js";
import { TlsError } from "../../base/tls.js";
import { ProtocolError } from "../../wire/zmtp/protocol-error.js";
import type { Stream, StreamHandler } from "../contract/transport.js";
import { HeadError, HeadReader, openingResponse, refusalResponse } from "./http.js";
import { REFUSAL_MS, Relay, sayFarewell } from "./relay.js";
import { WebSocketStream } from "./stream.js";
import { type Bound, judge, type Refusal, requestOf, type UpgradeRequest } from "./upgrade.js";

/** What a guest needs of its port. */
export interface Host {
  readonly scheme: string;
  /** The endpoint that a request is for. */
  find(target: string): Bound | undefined;
  /** The endpoint that is told what concerns none of them. */
  readonly first: Bound | undefined;
  /** The guest has its answer, or is gone. */
  left(guest: Guest): void;
}

/** Opens a WebSocket, or refuses to. @param leftover bytes behind the request */
export function answer(
  scheme: string,
  stream: Stream,
  relay: Relay,
  request: UpgradeRequest,
  bound: Bound,
  leftover: Buffer,
): void {
  const verdict = judge(request, bound);
  if ("status" in verdict) {
    refuse(stream, relay, verdict, bound);
    return;
  }
  const { protocol, extension, accept, socketType } = verdict;
  const response = openingResponse(accept, protocol.name, extension?.answer ?? null);
  const compression = extension?.compression ?? null;
  const refusal = refusalResponse(503, "no more connections");
  const opening = { scheme, protocol, compression, response, leftover, socketType, refusal, request };
  bound.handler.onStream(new WebSocketStream(stream, relay, opening));
}

/** Refuses a request, and tells the endpoint. */
export function refuse(
  stream: Stream,
  relay: Relay,
  { status, text }: Refusal,
  bound: Bound | undefined,
): void {
  const address = stream.remoteAddress;
  stream.write([refusalResponse(status, text)]);
  sayFarewell(stream, relay, REFUSAL_MS);
  const detail = `a request for a WebSocket was answered with ${status}: ${text}`;
  bound?.handler.onError(new ZmqError(status === 403 ? "EACCES" : "EPROTO", { address, detail }));
}

export class Guest implements StreamHandler {
  readonly stream: Stream;
  readonly since: number;
  readonly #host: Host;
  readonly #relay: Relay;
  readonly #head = new HeadReader();
  readonly #deadline: Deadline | undefined;

  /** @param limitMs milliseconds for the request; 0 for no limit */
  constructor(stream: Stream, host: Host, now: number, limitMs: number) {
    this.stream = stream;
    this.since = now;
    this.#host = host;
    this.#relay = new Relay(this);
    if (limitMs > 0) this.#deadline = systemRuntime.loop.deadline(limitMs, () => this.#late(limitMs)).unref();
  }

  start(): void {
    this.stream.start(this.#relay);
  }

  #late(limitMs: number): void {
    const text = `no request for a WebSocket within ${limitMs} ms (handshakeInterval)`;
    this.drop(new ProtocolError("handshake-timeout", text, { rule: "X14", kind: "other" }));
  }

  onBytes(chunk: Buffer): void {
    try {
      const read = this.#head.push(chunk);
      if (read === undefined) return;
      this.#leave();
      this.stream.pause();
      const request = requestOf(read.head);
      if ("status" in request) this.#refuse(request);
      else this.#asked(request, read.rest);
    } catch (error) {
      if (!(error instanceof HeadError)) throw error;
      this.#leave();
      this.#refuse({ status: 431, text: error.message });
    }
  }

  #asked(request: UpgradeRequest, leftover: Buffer): void {
    const bound = this.#host.find(request.target);
    if (bound === undefined) this.#refuse({ status: 404, text: "no socket is bound to this path" });
    else {
      this.stream.ref();
      answer(this.#host.scheme, this.stream, this.#relay, request, bound, leftover);
    }
  }

  #refuse(refusal: Refusal): void {
    refuse(this.stream, this.#relay, refusal, this.#host.first);
  }

  #leave(): void {
    this.#deadline?.cancel();
    this.#host.left(this);
  }

  /** Ends the connection. @param error what the port's first endpoint is told */
  drop(error: NodeJS.ErrnoException | undefined): void {
    this.#leave();
    this.stream.close();
    if (error !== undefined) this.#host.first?.handler.onError(error);
  }

  onFrames(): void {}
  onLargeFrame(): void {}
  onDrain(): void {}

  onClose(error: NodeJS.ErrnoException | undefined): void {
    const address = this.stream.remoteAddress;
    const detail = "the connection ended before it asked for a WebSocket";
    if (error instanceof TlsError) this.drop(error);
    else this.drop(new ZmqError(error?.code ?? "ECONNRESET", { address, cause: error, detail }));
  }
}
