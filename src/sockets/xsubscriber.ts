/**
 * XSUB (RFC 29 §The XSUB Socket Type): as SUB without the filter (J11), and subscriptions are messages: 01 and the
 * topic, or 00 and the topic. Any other message goes to all publishers (J16, J17).
 */
import { DuplexSocket } from "../directions.js";
import type { Pipe } from "../engine/pipe.js";
import type { Peer } from "../events.js";
import type { OutMessage } from "../message.js";
import {
  OPTION_GROUPS,
  type OptionName,
  type OptionProperties,
  type ReadableOptions,
  type SocketOptions,
  type WritableOptions,
} from "../options.js";
import { FanOut } from "../patterns/fan-out.js";
import { subscriptionOf } from "../patterns/subscription-message.js";
import { TopicSet } from "../patterns/topic-set.js";
import { defineOptions, type SocketStats } from "../socket.js";
import { overflowOf } from "./full-peer.js";

const OPTIONS: readonly OptionName[] = [
  ...OPTION_GROUPS.socket,
  ...OPTION_GROUPS.writable,
  ...OPTION_GROUPS.readable,
];

/** Options of XSubscriber. */
export interface XSubscriberOptions extends SocketOptions, WritableOptions, ReadableOptions {}

export interface XSubscriber extends OptionProperties<XSubscriberOptions> {}

/** Receives what publishers send, and passes on the subscriptions of others. */
export class XSubscriber extends DuplexSocket {
  readonly #topics = new TopicSet();
  readonly #connected = new Set<Pipe>();
  readonly #overflow = overflowOf(this);
  readonly #fanOut = new FanOut(this.unsent, this.#overflow);

  constructor(options?: XSubscriberOptions) {
    super(10, "XSUB", { linger: 0 }); // J25
    this.applyOptions(options, OPTIONS);
    if (new.target === XSubscriber) Object.seal(this);
  }

  protected override canSend(): boolean {
    return true; // never waits for all peers
  }

  protected override route(message: OutMessage): boolean {
    const subscription = subscriptionOf(message);
    if (subscription !== undefined) this.#subscription(subscription.topic, subscription.subscribe);
    else this.#fanOut.send(message, [...this.pipes]);
    return true;
  }

  /**
   * Upstream goes every subscription, as with libzmq: an XPUB there may be verbose and wait for each (J14). An end goes
   * only when it is the last one's, because it ends the topic for all of ours (J7, J9, J12).
   */
  #subscription(topic: Buffer, subscribe: boolean): void {
    const changed = subscribe ? this.#topics.add(topic) : this.#topics.remove(topic);
    if (subscribe || changed) for (const pipe of this.#connected) pipe.sendSubscription(topic, subscribe);
  }

  override get stats(): SocketStats {
    return { ...super.stats, dropped: this.#overflow.dropped };
  }

  override pipeConnected(pipe: Pipe, peer: Peer): void {
    this.#connected.add(pipe);
    for (const topic of this.#topics) pipe.sendSubscription(topic, true); // J10
    super.pipeConnected(pipe, peer);
  }

  override pipeDisconnected(pipe: Pipe): void {
    super.pipeDisconnected(pipe);
    this.#connected.delete(pipe);
  }
}

defineOptions(XSubscriber, OPTIONS);
