/**
 * XPUB (RFC 29 §The XPUB Socket Type): as PUB, and subscriptions can be read: 01 and the topic, or 00 and the topic
 * (J13 to J16, J20, J21, J23).
 */
import { DuplexSocket } from "../directions.js";
import type { Pipe } from "../engine/pipe.js";
import { ZmqError } from "../errors.js";
import type { Peer } from "../events.js";
import { type Message, type MessageLike, normaliseMessage, type OutMessage } from "../message.js";
import {
  OPTION_GROUPS,
  type OptionName,
  type OptionProperties,
  type PublisherOnlyOptions,
  type ReadableOptions,
  type SocketOptions,
  type WritableOptions,
  type XPublisherOnlyOptions,
} from "../options.js";
import { Distributor } from "../patterns/distributor.js";
import { subscriptionMessage, subscriptionOf } from "../patterns/subscription-message.js";
import { defineOptions, type SocketStats } from "../socket.js";
import { overflowOf, PUBLISHER_DEFAULTS } from "./full-peer.js";
import { tooManySubscriptions } from "./publisher.js";

const OPTIONS: readonly OptionName[] = [
  ...OPTION_GROUPS.socket,
  ...OPTION_GROUPS.writable,
  ...OPTION_GROUPS.readable,
  "onFull",
  "noDrop",
  "invertMatching",
  "manual",
  "verbosity",
  "welcomeMessage",
];

/** Options of XPublisher. */
export interface XPublisherOptions
  extends SocketOptions,
    WritableOptions,
    ReadableOptions,
    PublisherOnlyOptions,
    XPublisherOnlyOptions {}

export interface XPublisher extends OptionProperties<XPublisherOptions> {}

/**
 * Publishes messages by topic, and receives the subscriptions to them. One that is not read is kept: over tcp and ipc
 * up to `receiveHighWaterMark`, then reading stops; over inproc subscriptions do not count.
 */
export class XPublisher extends DuplexSocket {
  readonly #overflow = overflowOf(this);
  readonly #distributor = new Distributor(this.options, this, this.#overflow);
  /** With `manual`: what was asked for. What takes effect is in the distributor. */
  readonly #asked = new Distributor(this.options, this, this.#overflow);
  /** Pipes with a peer at the other end now. */
  readonly #connected = new Set<Pipe>();
  /** True for what is dealt with; a message of the subscriber, and a subscription to tell of, are queued. */
  readonly #intercept = (pipe: Pipe, message: Message): boolean => {
    const subscription = subscriptionOf(message);
    return subscription !== undefined && !this.#apply(pipe, subscription.topic, subscription.subscribe);
  };

  constructor(options?: XPublisherOptions) {
    super(9, "XPUB", PUBLISHER_DEFAULTS);
    this.applyOptions(options, OPTIONS);
    if (new.target === XPublisher) Object.seal(this);
  }

  /**
   * With `manual`: subscribe the peer of the subscription read last to topics, which may differ from the one that it
   * asked for. A peer that has left gets nothing (J21).
   * @throws ZmqError EINVAL without `manual`
   */
  subscribe(...topics: MessageLike[]): void {
    this.#manually(topics, (pipe, topic) => {
      if (this.#distributor.subscribe(pipe, topic) === "refused") pipe.fail(tooManySubscriptions());
    });
  }

  /** With `manual`: undo subscribe() for the peer of the subscription read last. As subscribe(). */
  unsubscribe(...topics: MessageLike[]): void {
    this.#manually(topics, (pipe, topic) => this.#distributor.cancel(pipe, topic));
  }

  #manually(topics: MessageLike[], act: (pipe: Pipe, topic: Buffer) => void): void {
    this.requireOpen();
    const octets = topics.map((topic) => Buffer.from(normaliseMessage([topic]) as Uint8Array));
    if (!this.options.manual) throw new ZmqError("EINVAL", { detail: "subscribe() needs manual: true" });
    const pipe = this.inbound.last;
    if (pipe !== undefined && this.#connected.has(pipe)) for (const topic of octets) act(pipe, topic);
  }

  override get stats(): SocketStats {
    return { ...super.stats, dropped: this.#overflow.dropped };
  }

  protected override canSend(): boolean {
    return this.#distributor.hasRoom;
  }

  protected override route(message: OutMessage): boolean {
    return this.#distributor.send(message);
  }

  override attachPipe(pipe: Pipe): void {
    super.attachPipe(pipe);
    pipe.intercept = this.#intercept;
    this.#distributor.add(pipe);
    this.#asked.add(pipe);
  }

  override pipeConnected(pipe: Pipe, peer: Peer): void {
    this.#connected.add(pipe);
    const { welcomeMessage } = this.options;
    if (welcomeMessage !== null && welcomeMessage.length > 0) pipe.trySend(welcomeMessage); // J23
    super.pipeConnected(pipe, peer);
  }

  override pipeDisconnected(pipe: Pipe): void {
    this.#left(pipe); // first: what it tells was said by this peer, and not by the next one
    super.pipeDisconnected(pipe);
    this.sender.queue.drain();
  }

  override detachPipe(pipe: Pipe): void {
    this.#left(pipe); // also when it is we who let go of it: what was told as begun is told as ended
    super.detachPipe(pipe);
    this.#distributor.remove(pipe);
    this.#asked.remove(pipe);
    this.sender.queue.drain(); // with noDrop a send may have waited for this one
  }

  /** J15: the end of the subscriptions of a peer that left is told as if it had cancelled them. */
  #left(pipe: Pipe): void {
    this.#connected.delete(pipe);
    const { manual, verbosity } = this.options;
    const ledger = manual ? this.#asked : this.#distributor;
    ledger.clear(pipe, (topic, last) => {
      if (last || verbosity === "allSubsUnsubs") pipe.enqueue([subscriptionMessage(topic, false)]);
    });
    this.#distributor.clear(pipe);
    this.#asked.clear(pipe);
    if (!this.closed && pipe.inboundLength > 0) this.pipeReadable(pipe);
  }

  override pipeSubscription(pipe: Pipe, topic: Buffer, subscribe: boolean): void {
    if (!this.#apply(pipe, topic, subscribe)) return;
    pipe.enqueue([subscriptionMessage(topic, subscribe)]); // F4
    this.pipeReadable(pipe);
  }

  /** Registers a subscription or its end; answers whether the application is told (J13, J14). */
  #apply(pipe: Pipe, topic: Buffer, subscribe: boolean): boolean {
    const { manual, verbosity } = this.options;
    const ledger = manual ? this.#asked : this.#distributor;
    if (!subscribe) return ledger.cancel(pipe, topic) || verbosity === "allSubsUnsubs";
    const registered = ledger.subscribe(pipe, topic);
    if (registered === "refused") {
      pipe.fail(tooManySubscriptions());
      return false;
    }
    return registered === "first" || verbosity !== null;
  }

  /** S13: messages of the peer are lost, what is told about its subscriptions is not. */
  protected override forgetInbound(pipe: Pipe): void {
    const kept: Message[] = [];
    for (let message = pipe.read(); message !== undefined; message = pipe.read()) {
      if (subscriptionOf(message) !== undefined) kept.push(message);
    }
    super.forgetInbound(pipe);
    for (const message of kept) pipe.enqueue(message);
    if (kept.length > 0) this.pipeReadable(pipe);
  }
}

defineOptions(XPublisher, OPTIONS);
