/**
 * SUB (RFC 29 §The SUB Socket Type): messages that start with a subscribed topic, from all publishers in turn.
 */

import type { Peer } from "../../base/events.js";
import { type Message, type MessageLike, normaliseMessage } from "../../base/message.js";
import { Buffer } from "../../base/platform.js";
import { defineOptions } from "../../core/socket.js";
import type { Pipe } from "../../engine/pipe.js";
import type { OptionsOf, PropertiesOf } from "../../options/options.js";
import { optionsOf } from "../../options/table.js";
import { TopicSet } from "../../patterns/topics/topic-set.js";
import { ReadableSocket } from "../directions.js";

const OPTIONS = optionsOf("SUB");

/** Options of Subscriber. */
export interface SubscriberOptions extends OptionsOf<"SUB"> {}

export interface Subscriber extends PropertiesOf<"SUB"> {}

/** Receives what Publisher sockets send on the topics it subscribed to. */
export class Subscriber extends ReadableSocket {
  protected override readonly singleConnection = true;
  readonly #topics = new TopicSet();
  /** What is queued was wanted when it came, and some of it may not be any more. */
  #stale = false;
  readonly #connected = new Set<Pipe>();
  /** J11: what does not match is filtered here too; a publisher may be late with a CANCEL. */
  readonly #intercept = (_pipe: Pipe, message: Message): boolean =>
    this.#topics.matches(message[0]) === this.options.invertMatching;
  readonly #filter = (octets: Uint8Array, at: number, length: number): boolean =>
    this.#topics.matches(octets, at, length) !== this.options.invertMatching;

  constructor(options?: SubscriberOptions) {
    super(2, "SUB"); // J25
    this.applyOptions(options, OPTIONS);
    if (new.target === Subscriber) Object.seal(this);
  }

  /**
   * Receive messages that start with one of the prefixes, octet for octet; no argument means everything. May be
   * called several times for one prefix: then it takes as many calls of `unsubscribe` to end it.
   * @throws TypeError for what is no prefix; RangeError for one above maxTopicLength
   */
  subscribe(...prefixes: MessageLike[]): void {
    const topics = topicsOf(prefixes);
    const { maxTopicLength } = this.options;
    for (const { length } of topics) {
      if (length <= maxTopicLength) continue;
      throw new RangeError(
        `prefix must have at most ${maxTopicLength} bytes (maxTopicLength); got ${length}`,
      );
    }
    for (const octets of topics) {
      // Told each time, as libzmq does: a verbose XPUB wants to know (J14). A CANCEL goes only with the last (J7).
      this.#topics.add(octets);
      for (const pipe of this.#connected) pipe.sendSubscription(octets, true);
    }
    if (this.options.invertMatching) this.#stale = true;
  }

  /**
   * End subscriptions; a prefix that was not subscribed to is ignored (J12). What has arrived and was not yet read is lost
   * when no other subscription matches it.
   */
  unsubscribe(...prefixes: MessageLike[]): void {
    for (const octets of topicsOf(prefixes)) {
      if (!this.#topics.remove(octets)) continue;
      this.#stale = true;
      for (const pipe of this.#connected) pipe.sendSubscription(octets, false);
    }
  }

  /** Subscriptions in effect; one to the same prefix again counts again, as it takes an unsubscribe() of its own. */
  get topicsCount(): number {
    return this.#topics.size;
  }

  /** J11: a message is matched when it arrives, and when it is read after the subscriptions have changed. */
  protected override next(): Message | undefined {
    if (!this.#stale) return super.next();
    for (let message = super.next(); message !== undefined; message = super.next()) {
      if (this.wants(message)) return message;
    }
    this.#stale = !this.drained;
    return undefined;
  }

  protected override wants(message: Message): boolean {
    return this.#topics.matches(message[0]) !== this.options.invertMatching;
  }

  protected override get mayHoldUnwanted(): boolean {
    return this.#stale;
  }

  override optionChanged(): void {
    super.optionChanged();
    this.#stale = true; // invertMatching may have turned
  }

  override attachPipe(pipe: Pipe): void {
    super.attachPipe(pipe);
    pipe.intercept = this.#intercept;
    pipe.filter = this.#filter;
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

defineOptions(Subscriber, OPTIONS);

function topicsOf(prefixes: MessageLike[]): Buffer[] {
  if (prefixes.length === 0) return [Buffer.alloc(0)];
  // Copies: the topic is remembered.
  return prefixes.map((prefix) => Buffer.from(normaliseMessage([prefix]) as Uint8Array));
}
