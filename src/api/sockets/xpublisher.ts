/**
 * XPUB (RFC 29 §The XPUB Socket Type): as PUB, and subscriptions can be read: 01 and the topic, or 00 and the topic
 * (J13 to J16, J20, J21, J23).
 */

import { ZmqError } from "../../base/errors.js";
import type { Peer } from "../../base/events.js";
import { type Message, type MessageLike, normaliseMessage, type OutMessage } from "../../base/message.js";
import { Buffer } from "../../base/platform.js";
import { defineOptions, type SocketStats } from "../../core/socket.js";
import type { Pipe } from "../../engine/pipe.js";
import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { optionsOf } from "../../options/table.js";
import { Distributor } from "../../patterns/topics/distributor.js";
import {
  hasSubscriptions,
  subscriptionIn,
  subscriptionMessage,
  subscriptionOf,
} from "../../patterns/topics/subscription-message.js";
import { Subscriptions } from "../../patterns/topics/subscriptions.js";
import { DuplexSocket } from "../directions.js";
import { overflowOf } from "./full-peer.js";
import { tellTopicLimit } from "./publisher.js";

const OPTIONS = optionsOf("XPUB");

/** Options of XPublisher. */
export interface XPublisherOptions extends OptionsOf<"XPUB"> {}

export interface XPublisher extends PropertiesOf<"XPUB"> {}

/**
 * Publishes messages by topic, and receives the subscriptions to them. One that is not read is kept: over tcp and ipc
 * up to `receiveHighWaterMark`, then reading stops; over inproc subscriptions do not count.
 */
export class XPublisher extends DuplexSocket {
  /** What takes effect. */
  readonly #subscriptions = new Subscriptions(this.options, this.turns, tellTopicLimit(this));
  /** With `manual`: what was asked for. */
  readonly #asked = new Subscriptions(this.options, this.turns, tellTopicLimit(this));
  readonly #overflow = overflowOf(this);
  readonly #distributor = new Distributor(this.#subscriptions, this.options, this, this.#overflow);
  /** Pipes with a peer at the other end now. */
  readonly #connected = new Set<Pipe>();
  /** With `manual`: whose subscription was read last; with `manualLastValue` nobody's once something was sent. */
  #newest: Pipe | undefined = undefined;
  /** True for what is dealt with; a message of the subscriber, and a subscription to tell of, are queued. */
  readonly #intercept = (pipe: Pipe, message: Message): boolean => {
    if (message.length > 1) return this.#takeParts(pipe, message);
    const subscription = subscriptionIn(message[0]);
    return subscription !== undefined && !this.#apply(pipe, subscription.topic, subscription.subscribe);
  };

  constructor(options?: XPublisherOptions) {
    super(9, "XPUB");
    this.applyOptions(options, OPTIONS);
    // With `manual` a message is for whose subscription was read last: another may be by then.
    this.sender.queue.waitForLate(() => this.attached && !this.options.manual);
    if (new.target === XPublisher) Object.seal(this);
  }

  /**
   * With `manual`: subscribe the peer of the subscription read last to topics, which may differ from the one that it
   * asked for. A peer that has left gets nothing (J21).
   * @throws ZmqError EINVAL without `manual`, RangeError for a topic above maxTopicLength
   */
  subscribe(...topics: MessageLike[]): void {
    const { maxTopicLength } = this.options;
    this.#manually(topics, (pipe, topic) => void this.#subscriptions.subscribe(pipe, topic), maxTopicLength);
  }

  /** With `manual`: undo subscribe() for the peer of the subscription read last. As subscribe(). */
  unsubscribe(...topics: MessageLike[]): void {
    this.#manually(topics, (pipe, topic) => void this.#subscriptions.cancel(pipe, topic));
  }

  #manually(
    topics: MessageLike[],
    act: (pipe: Pipe, topic: Buffer) => void,
    longest = Number.POSITIVE_INFINITY,
  ): void {
    this.requireOpen();
    const octets = topics.map((topic) => Buffer.from(normaliseMessage([topic]) as Uint8Array));
    for (const { length } of octets) {
      if (length > longest)
        throw new RangeError(`topic must have at most ${longest} bytes (maxTopicLength); got ${length}`);
    }
    if (!this.options.manual) throw new ZmqError("EINVAL", { detail: "subscribe() needs manual: true" });
    // What was sent since has answered the subscription, where that is for its subscriber alone.
    const pipe = this.options.manualLastValue ? this.#newest : this.inbound.last;
    if (pipe !== undefined && this.#connected.has(pipe)) for (const topic of octets) act(pipe, topic);
  }

  /** Different topics in effect. */
  get topicsCount(): number {
    return this.#subscriptions.topics;
  }

  override get stats(): SocketStats {
    return { ...super.stats, dropped: this.givenUp + this.#overflow.dropped };
  }

  protected override canSend(): boolean {
    return this.#distributor.hasRoom;
  }

  protected override route(message: OutMessage): boolean {
    const { manual, manualLastValue } = this.options;
    const newest = this.#newest;
    if (newest === undefined || !manual || !manualLastValue || !this.#connected.has(newest)) {
      return this.#distributor.send(message);
    }
    if (!this.#distributor.send(message, newest)) return false;
    this.#newest = undefined;
    return true;
  }

  protected override next(): Message | undefined {
    const message = super.next();
    if (message !== undefined && this.options.manual) this.#newest = this.inbound.last;
    return message;
  }

  override attachPipe(pipe: Pipe): void {
    super.attachPipe(pipe);
    pipe.intercept = this.#intercept;
    this.#subscriptions.add(pipe);
    this.#asked.add(pipe);
  }

  override pipeConnected(pipe: Pipe, peer: Peer): void {
    for (const subscriptions of [this.#asked, this.#subscriptions]) subscriptions.settle(pipe);
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
    this.#subscriptions.remove(pipe);
    this.#asked.remove(pipe);
    this.sender.queue.drain(); // with noDrop a send may have waited for this one
  }

  /** J15: the end of the subscriptions of a peer that left is told as if it had cancelled them. */
  #left(pipe: Pipe): void {
    this.#connected.delete(pipe);
    if (this.#newest === pipe) this.#newest = undefined;
    this.#distributor.left();
    const { manual } = this.options;
    const { peer } = pipe;
    let here = true;
    const ended = {
      topic: (topic: Buffer, last: boolean) => {
        if (!last && !manual && this.options.verbosity !== "allSubsUnsubs") return;
        pipe.enqueue([subscriptionMessage(topic, false)]);
      },
      told: () => {
        if (this.closed || pipe.inboundLength === 0) return;
        if (!here) this.inbound.parted(pipe, peer); // later than pipeDisconnected: said by this peer all the same
        this.pipeReadable(pipe);
      },
    };
    this.#subscriptions.clear(pipe, manual ? undefined : ended);
    this.#asked.clear(pipe, manual ? ended : undefined);
    here = false;
  }

  override pipeSubscription(pipe: Pipe, topic: Buffer, subscribe: boolean): void {
    if (!this.#apply(pipe, topic, subscribe)) return;
    pipe.enqueue([subscriptionMessage(topic, subscribe)]); // F4
    this.pipeReadable(pipe);
  }

  /** A message of several parts: each subscription among them is told by itself, or as the last part of what it follows (J17). */
  #takeParts(pipe: Pipe, message: Message): boolean {
    if (!hasSubscriptions(message, this.options.onlyFirstSubscribe)) return false;
    let told: Message = [];
    for (const part of message) {
      const subscription = subscriptionIn(part);
      if (subscription !== undefined && !this.#apply(pipe, subscription.topic, subscription.subscribe))
        continue;
      told.push(part);
      if (subscription === undefined) continue;
      pipe.enqueue(told);
      told = [];
    }
    if (told.length > 0) pipe.enqueue(told);
    return true;
  }

  /** Registers a subscription or its end; answers whether the application is told (J13, J14). */
  #apply(pipe: Pipe, topic: Buffer, subscribe: boolean): boolean {
    const { manual, verbosity, maxTopicLength } = this.options;
    const ledger = manual ? this.#asked : this.#subscriptions;
    if (subscribe) {
      const registered = ledger.subscribe(pipe, topic);
      return registered !== "refused" && (manual || registered === "first" || verbosity !== null);
    }
    // One that nobody can have is not told either.
    if (topic.length > maxTopicLength) return false;
    return ledger.cancel(pipe, topic) || manual || verbosity === "allSubsUnsubs";
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
