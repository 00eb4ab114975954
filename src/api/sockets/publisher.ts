/**
 * PUB (RFC 29 §The PUB Socket Type): each message to every subscriber whose topics it starts with; never blocks,
 * and drops the copy of a subscriber that is full (J1 to J6).
 */

import { Condition } from "../../base/condition.js";
import type { ZmqError } from "../../base/errors.js";
import type { Message, OutMessage } from "../../base/message.js";
import type { Buffer } from "../../base/platform.js";
import { type CallOptions, checkCallOptions } from "../../base/turns.js";
import { defineOptions, type Socket, type SocketStats } from "../../core/socket.js";
import type { Pipe } from "../../engine/pipe.js";
import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { optionsOf } from "../../options/table.js";
import { Distributor } from "../../patterns/topics/distributor.js";
import { hasSubscriptions, subscriptionIn } from "../../patterns/topics/subscription-message.js";
import { type OnTopicLimit, Subscriptions } from "../../patterns/topics/subscriptions.js";
import { ProtocolError } from "../../wire/zmtp/protocol-error.js";
import { WritableSocket } from "../directions.js";
import { overflowOf } from "./full-peer.js";

const OPTIONS = optionsOf("PUB");

/** Options of Publisher. */
export interface PublisherOptions extends OptionsOf<"PUB"> {}

export interface Publisher extends PropertiesOf<"PUB"> {}

/** Publishes messages by topic to Subscriber sockets. */
export class Publisher extends WritableSocket {
  protected override readonly singleConnection = true;
  readonly #overflow = overflowOf(this);
  readonly #subscriptions = new Subscriptions(this.options, this.turns, tellTopicLimit(this));
  readonly #distributor = new Distributor(this.#subscriptions, this.options, this, this.#overflow);
  readonly #subscribers = new Condition(this.turns);
  readonly #intercept = (pipe: Pipe, message: Message): boolean => {
    this.#upstream(pipe, message);
    return true;
  };

  constructor(options?: PublisherOptions) {
    super(1, "PUB");
    this.applyOptions(options, OPTIONS);
    this.sender.queue.waitForLate(() => this.attached);
    if (new.target === Publisher) Object.seal(this);
  }

  /** Resolves when at least `count` peers have a subscription. Rejects with EAGAIN on timeout. */
  waitForSubscribers(count: number, options?: CallOptions): Promise<void> {
    if (!Number.isInteger(count) || count < 0) {
      throw new RangeError(`count must be an integer of at least 0; got ${count}`);
    }
    checkCallOptions(options);
    return this.#subscribers.until(() => this.#subscriptions.subscribers >= count, options);
  }

  /** Different topics that peers are subscribed to. */
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
    return this.#distributor.send(message);
  }

  override attachPipe(pipe: Pipe): void {
    super.attachPipe(pipe);
    pipe.intercept = this.#intercept;
    this.#subscriptions.add(pipe);
  }

  override detachPipe(pipe: Pipe): void {
    super.detachPipe(pipe);
    this.#distributor.left();
    this.#subscriptions.remove(pipe);
    this.sender.queue.drain(); // with noDrop a send may have waited for this one
  }

  override pipeDisconnected(pipe: Pipe): void {
    super.pipeDisconnected(pipe);
    this.#distributor.left();
    this.#subscriptions.clear(pipe);
    this.sender.queue.drain();
  }

  override pipeReadable(): void {
    // Never: everything is taken on arrival.
  }

  override pipeSubscription(pipe: Pipe, topic: Buffer, subscribe: boolean): void {
    if (!subscribe) this.#subscriptions.cancel(pipe, topic);
    else if (this.#subscriptions.subscribe(pipe, topic) !== "refused") this.#subscribers.notify();
  }

  /** Subscriptions in message form (F3, A7); anything else from a subscriber is discarded (J6). */
  #upstream(pipe: Pipe, message: Message): void {
    if (message.length > 1 && !hasSubscriptions(message, this.options.onlyFirstSubscribe)) return;
    for (const part of message) {
      const subscription = subscriptionIn(part);
      if (subscription !== undefined) this.pipeSubscription(pipe, subscription.topic, subscription.subscribe);
    }
  }

  protected override closeQueues(error: ZmqError): void {
    super.closeQueues(error);
    this.#subscribers.close(error);
    this.#subscriptions.close();
  }
}

defineOptions(Publisher, OPTIONS);

/** @internal Tells that a subscription of a peer is ignored. */
export function tellTopicLimit(socket: Socket): OnTopicLimit {
  return (pipe, limit, value) => {
    const { peer } = pipe;
    const address = peer?.address ?? "";
    socket.emitEvent("limit", {
      address,
      endpoint: peer?.endpoint ?? address,
      peer,
      limit,
      action: "ignored",
      value,
    });
  };
}

/** Closes the connection of a peer that would fill our memory. */
export function tooManySubscriptions(): ProtocolError {
  const text = "a peer subscribed to more than we can remember";
  return new ProtocolError("too-many-subscriptions", text, { rule: "J26", kind: "protocol" });
}
