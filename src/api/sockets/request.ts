/**
 * REQ (RFC 28 §The REQ Socket Type): a request to the next peer in turn, then its reply (H1 to H12). `request()`
 * does both in one call and can be called many times at once.
 */

import { ZmqError } from "../../base/errors.js";
import type { Peer } from "../../base/events.js";
import type { Message, OutMessage } from "../../base/message.js";
import { Buffer, monotonicMs, random } from "../../base/platform.js";
import { type CallOptions, checkCallOptions } from "../../base/turns.js";
import { defineOptions } from "../../core/socket.js";
import type { Pipe } from "../../engine/pipe.js";
import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { optionsOf } from "../../options/table.js";
import { wrap } from "../../patterns/envelope.js";
import { LoadBalancer } from "../../patterns/load-balancer.js";
import { sendProbe } from "../../patterns/probe.js";
import { RequestLine } from "../../patterns/request-line.js";
import { ProtocolError } from "../../wire/zmtp/protocol-error.js";
import { DuplexSocket, type Sendable } from "../directions.js";

const OPTIONS = optionsOf("REQ");

/** Options of Request. */
export interface RequestOptions extends OptionsOf<"REQ"> {}

export interface Request extends PropertiesOf<"REQ"> {}

/**
 * idle → waiting (sent) → replied (reply arrived) → idle (reply read)
 * waiting → idle (abandoned), waiting → waiting (relaxed)
 */
type State = "idle" | "waiting" | "replied";

const REQUEST_ID_BYTES = 4;

/** Asks Reply sockets, one request and one reply at a time. */
export class Request extends DuplexSocket {
  protected override readonly singleConnection = true;
  readonly #balancer = new LoadBalancer();
  readonly #line: RequestLine;
  #state: State = "idle";
  #asked: Pipe | undefined;
  #requestId = 0;
  #reply: Message | undefined;
  #replier: Peer | undefined;
  readonly #intercept = (pipe: Pipe, message: Message): boolean => {
    this.#arrived(pipe, message);
    return true;
  };

  constructor(options?: RequestOptions) {
    super(3, "REQ");
    this.applyOptions(options, OPTIONS);
    this.#requestId = (random() * 0x100000000) >>> 0;
    this.#line = new RequestLine({
      send: (message, call) => this.sender.queue.send(message, call),
      receive: (call) => this.receives.receive(call),
      abandon: () => this.#abandon(),
      expire: (timeout, signal, expired) => this.turns.expire(timeout, signal, expired),
      now: monotonicMs,
    });
    if (new.target === Request) Object.seal(this);
  }

  /**
   * Send a request and wait for its reply. Calls made at once go one after the other. `timeout` covers sending and
   * waiting. A request that times out or is aborted is abandoned: unless `correlate` is set, its connection is
   * dropped and made anew, so that a late reply cannot be taken for the answer to another request.
   */
  request(message: Sendable, options?: CallOptions): Promise<Message> {
    checkCallOptions(options);
    return this.#line.request(this.sender.prepare(message), options);
  }

  /** The reply. Rejects with EFSM when no request has been sent (H2). */
  override receive(options?: CallOptions): Promise<Message> {
    if (options !== undefined) checkCallOptions(options);
    const nothingDue = this.#state === "idle" && this.receives.returned === 0;
    if (nothingDue && this.sender.queue.length === 0 && !this.closed)
      return Promise.reject(new ZmqError("EFSM"));
    return super.receive(options);
  }

  protected override canSend(): boolean {
    return (this.#state === "idle" || this.options.relaxed) && this.#balancer.hasRoom; // H17
  }

  protected override route(message: OutMessage): boolean {
    if (this.#state !== "idle" && !this.options.relaxed) throw new ZmqError("EFSM"); // H2, H8
    const address: Uint8Array[] = [];
    const id = (this.#requestId + 1) >>> 0;
    if (this.options.correlate) {
      const octets = Buffer.allocUnsafe(REQUEST_ID_BYTES);
      octets.writeUInt32LE(id);
      address.push(octets); // H9
    }
    if (!this.#balancer.send(wrap(address, message))) return false;
    this.#requestId = id;
    this.#asked = this.#balancer.last;
    this.#state = "waiting";
    this.#reply = undefined;
    return true;
  }

  protected override next(): Message | undefined {
    const reply = this.#reply;
    if (reply === undefined) return undefined;
    this.#reply = undefined;
    this.#state = "idle";
    return reply;
  }

  protected override get origin(): Peer | undefined {
    return this.#replier;
  }

  protected override unread(): number {
    return this.#reply === undefined ? 0 : 1;
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
    if (correlated !== this.options.correlate) return;
    if (correlated && message[0].readUInt32LE(0) !== this.#requestId) return;
    this.#state = "replied";
    this.#reply = message.slice(delimiter + 1);
    this.#replier = pipe.peer;
    this.receives.serve();
  }

  /** Give up the pending request. */
  #abandon(): void {
    const asked = this.#asked;
    const wasWaiting = this.#state === "waiting";
    this.#state = "idle";
    this.#reply = undefined;
    this.#asked = undefined;
    if (wasWaiting && asked !== undefined && !this.options.correlate) this.resetConnection(asked);
  }

  override attachPipe(pipe: Pipe): void {
    if (this.options.probeRouter) sendProbe(pipe);
    super.attachPipe(pipe);
    pipe.intercept = this.#intercept;
    this.#balancer.add(pipe);
    this.sender.queue.drain();
  }

  override detachPipe(pipe: Pipe): void {
    super.detachPipe(pipe);
    this.#balancer.remove(pipe);
  }

  override pipeWritable(pipe: Pipe): void {
    this.#balancer.activate(pipe);
    super.pipeWritable(pipe);
  }

  protected override closeQueues(error: ZmqError): void {
    super.closeQueues(error);
    this.#line.close(error);
  }
}

defineOptions(Request, OPTIONS);
