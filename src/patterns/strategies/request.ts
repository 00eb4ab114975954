/**
 * REQ (RFC 28 §The REQ Socket Type): sends a request to the next peer in turn, then receives its reply (H1 to H12).
 * request() does both in one call, and may be called many times at once.
 */

import { passOn } from "../../base/carried.js";
import { ZmqError } from "../../base/errors.js";
import type { Peer } from "../../base/events.js";
import { holdOf, letGoOf } from "../../base/lent.js";
import type { Message, OutMessage } from "../../base/message.js";
import { Buffer } from "../../base/platform.js";
import type { RequestCallOptions } from "../../base/waiting.js";
import type { Pipe } from "../../engine/pipe.js";
import { ProtocolError } from "../../wire/zmtp/protocol-error.js";
import { wrap } from "../envelope.js";
import { sendProbe } from "../probe.js";
import { RequestLine } from "../request-line.js";
import type { Receiving, SocketType } from "../strategy.js";
import { TurnTaking } from "../turn-taking.js";

/**
 * idle → waiting (sent) → replied (reply arrived) → idle (reply read)
 * waiting → idle (abandoned), waiting → waiting (relaxed)
 */
type State = "idle" | "waiting" | "replied";

const REQUEST_ID_BYTES = 4;

export class RequestStrategy extends TurnTaking implements Receiving {
  readonly #line = new RequestLine({
    send: (message, call) => this.host.send(message, call),
    receive: (call) => this.host.receive(call),
    abandon: () => this.#abandon(),
    turns: this.host.turns,
    now: () => this.host.runtime.now(),
  });
  #state: State = "idle";
  #asked: Pipe | undefined = undefined;
  /** Request id of the last request; -1 before the first. */
  #requestId = -1;
  #reply: Message | undefined = undefined;
  #replier: Peer | undefined = undefined;
  readonly #intercept = (pipe: Pipe, message: Message): boolean => {
    this.#arrived(pipe, message);
    return true;
  };

  /** Sends a request, again if `retries` says so, and waits for its reply. */
  request(message: OutMessage, options: RequestCallOptions | undefined): Promise<Message> {
    return this.#line.request(message, options);
  }

  /** Whether no request has been sent (H2). */
  get idle(): boolean {
    return this.#state === "idle";
  }

  override get canSend(): boolean {
    return (this.#state === "idle" || this.host.options.relaxed) && this.balancer.hasRoom; // H17
  }

  override send(message: OutMessage): boolean {
    if (this.#state !== "idle" && !this.host.options.relaxed) {
      const detail = "the last request has no reply yet: receive() it first, use request(), or set relaxed";
      throw new ZmqError("EFSM", { detail }); // H2, H8
    }
    const address: Uint8Array[] = [];
    const id = this.#nextId();
    if (this.host.options.correlate) {
      const bytes = Buffer.allocUnsafe(REQUEST_ID_BYTES);
      bytes.writeUInt32LE(id);
      address.push(bytes); // H9
    }
    if (!this.balancer.send(wrap(address, message))) return false;
    this.#requestId = id;
    this.#asked = this.balancer.last;
    this.#state = "waiting";
    this.#dropReply();
    return true;
  }

  next(): Message | undefined {
    const reply = this.#reply;
    if (reply === undefined) return undefined;
    this.#reply = undefined;
    this.#state = "idle";
    return reply;
  }

  override get awaitsReply(): boolean {
    return this.#state === "waiting";
  }

  override get origin(): Peer | undefined {
    return this.#replier;
  }

  override get unread(): number {
    return this.#reply === undefined ? 0 : 1;
  }

  #nextId(): number {
    if (this.#requestId < 0) return (this.host.runtime.random() * 0x100000000) >>> 0;
    return (this.#requestId + 1) >>> 0;
  }

  #arrived(pipe: Pipe, message: Message): void {
    const correlated =
      message.length > 1 && message[0].length === REQUEST_ID_BYTES && message[1].length === 0;
    const delimiter = correlated ? 1 : 0;
    if (message[delimiter].length !== 0 || message.length <= delimiter + 1) {
      const text = "a reply does not begin with an empty part followed by a body";
      pipe.fail(new ProtocolError("malformed-reply", text, { rule: "H5", kind: "protocol" }));
      return;
    }
    // H3, H6, H10, H12: a reply from another peer, to another request, or to none is dropped.
    if (this.#state !== "waiting" || pipe !== this.#asked) return;
    if (correlated !== this.host.options.correlate) return;
    if (correlated && message[0].readUInt32LE(0) !== this.#requestId) return;
    this.#state = "replied";
    this.#reply = message.slice(delimiter + 1);
    passOn(message, this.#reply);
    holdOf(this.#reply); // the pipe lets go of what it does not queue
    this.#replier = pipe.peer;
    this.host.serveReceives();
  }

  #dropReply(): void {
    letGoOf(this.#reply);
    this.#reply = undefined;
  }

  /** Gives up the pending request. */
  #abandon(): void {
    const asked = this.#asked;
    const wasWaiting = this.#state === "waiting";
    this.#state = "idle";
    this.#dropReply();
    this.#asked = undefined;
    if (!wasWaiting || asked === undefined) return;
    // H19: answers to requests with ids are told apart. But what waits for a connection must not wait any longer.
    if (!this.host.options.correlate || !asked.linked) this.host.resetConnection(asked);
  }

  override attach(pipe: Pipe): void {
    if (this.host.options.probeRouter) sendProbe(pipe);
    pipe.intercept = this.#intercept;
    super.attach(pipe);
  }

  override close(error: Error): void {
    this.#line.close(error);
  }
}

export const REQUEST: SocketType<RequestStrategy> = {
  number: 3,
  name: "REQ",
  strategy: RequestStrategy,
  singleConnection: true,
};
