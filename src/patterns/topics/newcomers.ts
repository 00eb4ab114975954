/**
 * Last values for newcomers (option `lastValue`): a peer that subscribes gets the last message of every topic that
 * matches, and after them what is published. Until its queue has taken all of them, it is behind: what is published
 * meanwhile is kept as a last value, too, and comes in turn. Work for a peer grows with the values that are kept, and a
 * peer that is behind holds only its place in their list.
 */
import type { OutMessage } from "../../base/message.js";
import type { Buffer } from "../../base/platform.js";
import type { Pipe } from "../../engine/pipe.js";
import { topicKey } from "../../engine/topic-key.js";
import type { Overflow } from "../overflow.js";
import type { LastValuesKept, StrategyHost } from "../strategy.js";
import type { Distributor } from "./distributor.js";
import { copied, type Kept, LastValues, Reader } from "./last-values.js";
import type { Subscriptions } from "./subscriptions.js";
import { agrees, childOf, type TopicNode, TopicTree } from "./topic-tree.js";

/** Values looked at in one turn of the event loop, unless a message that is not kept waits: this takes a millisecond. */
const LOOKED_AT_PER_TURN = 4000;

/** New subscriptions. Each is due what was published before a number. */
class Due extends TopicTree<number> {
  /** Number of subscriptions. */
  size = 0;

  add(topic: Uint8Array, before: number): void {
    const node = this.insert(topic);
    if (node.holders === null) this.size++;
    node.holders = before;
  }

  cancel(topic: Uint8Array): void {
    const node = this.find(topic);
    if (node === undefined || node.holders === null) return;
    node.holders = null;
    this.size--;
    this.release(node);
  }

  /** Whether a message of this subject and number is due to any. */
  covers(subject: Uint8Array, order: number): boolean {
    let node: TopicNode<number, never> | undefined = this.root;
    for (;;) {
      if (node.holders !== null && order < node.holders) return true;
      if (node.end === subject.length) return false;
      const next: TopicNode<number, never> | undefined = childOf(node, subject[node.end]);
      if (next === undefined || !agrees(next.text, subject, node.end, next.end)) return false;
      node = next;
    }
  }
}

/** A peer that has not got everything yet. */
class Newcomer {
  readonly reader: Reader;
  /** Messages published after this number were not sent to it: they are due if it is subscribed. */
  since: number;
  /** Subscriptions that are being served, and those that came meanwhile, for what had been passed by then. */
  due = new Due();
  later = new Due();
  /** Something has been passed since it began. */
  begun = false;
  /** Its queue has no room. */
  full = false;

  constructor(values: LastValues) {
    this.reader = new Reader(values);
    this.since = values.published;
  }

  /** Begins again from the oldest, for the subscriptions that came meanwhile. False if there are none. */
  again(values: LastValues): boolean {
    if (this.later.size === 0) return false;
    this.due = this.later;
    this.later = new Due();
    this.since = values.published;
    this.begun = false;
    this.reader.rewind();
    return true;
  }
}

export class Newcomers {
  readonly #host: StrategyHost;
  readonly #subscriptions: Subscriptions;
  readonly #distributor: Distributor;
  readonly #overflow: Overflow;
  readonly #behind = new Map<Pipe, Newcomer>();
  readonly #values: LastValues;
  #scheduled = false;
  /** Values that may still be looked at in this turn. */
  #budget = LOOKED_AT_PER_TURN;
  /** The limit was told of, and nothing has been forgotten since. */
  #told = false;

  constructor(
    host: StrategyHost,
    subscriptions: Subscriptions,
    distributor: Distributor,
    overflow: Overflow,
  ) {
    this.#host = host;
    this.#subscriptions = subscriptions;
    this.#distributor = distributor;
    this.#overflow = overflow;
    this.#values = new LastValues(host.options, (limit, value) => {
      if (this.#told) return;
      this.#told = true;
      host.tellLimit(undefined, limit, "dropped", value);
    });
  }

  /** Number of topics with a value, and of values that were dropped because of the limits. */
  get kept(): LastValuesKept {
    return { topics: this.#values.topics, evicted: this.#values.evicted };
  }

  /** Sends a message to whom it concerns, and keeps it. False if the send has to wait. */
  send(message: OutMessage): boolean {
    // A message of one part has no value beside its topic, and is not kept.
    const topic = Array.isArray(message) ? topicKey(message) : null;
    const kept = topic !== null && this.#values.takes(message as Uint8Array[]);
    let matched = this.#distributor.match(Array.isArray(message) ? message[0] : message);
    if (this.#behind.size > 0) {
      const live = matched.filter((pipe) => !this.#isBehind(pipe, kept));
      if (live.length < matched.length) {
        if (this.#overflow.waits) return false; // catching up calls roomForSends()
        if (kept) matched = live; // the others get it in turn
      }
    }
    const order = ++this.#values.published;
    if (!this.#distributor.deliver(message, matched)) return false;
    if (topic !== null) this.#values.keep(topic, message as Uint8Array[], order);
    return true;
  }

  /** Whether some peer has not got everything yet. */
  get catchingUp(): boolean {
    return this.#behind.size > 0;
  }

  /**
   * Whether a peer still has to catch up, after what its queue has room for has been sent. A message that is kept can come
   * in turn, so that peers which subscribe all the time cannot make each send go through all values.
   */
  #isBehind(pipe: Pipe, kept: boolean): boolean {
    const newcomer = this.#behind.get(pipe);
    if (newcomer === undefined) return false;
    if (kept) this.#budget = this.#serve(pipe, newcomer, this.#budget);
    else this.#serve(pipe, newcomer, Number.POSITIVE_INFINITY);
    return this.#behind.has(pipe);
  }

  /** A peer has a new subscription. */
  subscribed(pipe: Pipe, topic: Buffer): void {
    if (!this.#host.options.lastValue || this.#values.topics === 0) return;
    const newcomer = this.#behind.get(pipe) ?? new Newcomer(this.#values);
    newcomer.due.add(topic, Number.POSITIVE_INFINITY);
    if (newcomer.begun) newcomer.later.add(topic, newcomer.reader.position);
    this.#behind.set(pipe, newcomer);
    if (!newcomer.full) this.#schedule();
  }

  cancelled(pipe: Pipe, topic: Buffer): void {
    const newcomer = this.#behind.get(pipe);
    newcomer?.due.cancel(topic);
    newcomer?.later.cancel(topic);
  }

  left(pipe: Pipe): void {
    this.#behind.get(pipe)?.reader.end();
    this.#behind.delete(pipe);
  }

  /** A pipe that had refused a message has room again. */
  writable(pipe: Pipe): void {
    const newcomer = this.#behind.get(pipe);
    if (newcomer === undefined) return;
    newcomer.full = false;
    this.#serve(pipe, newcomer, LOOKED_AT_PER_TURN);
    if (this.#behind.has(pipe) && !newcomer.full) this.#schedule();
    // Sends that wait for room are tried after this.
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#host.turns.defer(() => {
      this.#scheduled = false;
      this.#budget = LOOKED_AT_PER_TURN;
      this.#serveAll();
      if (!this.#scheduled) this.#budget = LOOKED_AT_PER_TURN;
      if (this.#overflow.waits) this.#host.roomForSends();
    });
  }

  /** Serves the peers that have room, in turn. */
  #serveAll(): void {
    for (const [pipe, newcomer] of [...this.#behind]) {
      if (newcomer.full) continue;
      if (this.#budget <= 0) {
        this.#schedule();
        return;
      }
      this.#budget = this.#serve(pipe, newcomer, this.#budget);
      if (!this.#behind.has(pipe) || newcomer.full) continue;
      this.#behind.delete(pipe); // the others come first next time
      this.#behind.set(pipe, newcomer);
      this.#schedule();
    }
  }

  /** Sends what is due to a peer, until its queue is full. Returns the rest of the budget. */
  #serve(pipe: Pipe, newcomer: Newcomer, budget: number): number {
    if (newcomer.full) return budget;
    const { reader } = newcomer;
    let left = budget;
    do {
      for (let kept = reader.next; kept !== null; kept = reader.next) {
        if (left-- <= 0) return 0;
        if (this.#isDue(kept, pipe, newcomer)) {
          const given = this.#give(pipe, kept);
          if (this.#behind.get(pipe) !== newcomer) return left; // its connection broke
          newcomer.full = !given;
          if (!given) return left;
        }
        newcomer.begun = true;
        reader.pass();
      }
    } while (newcomer.again(this.#values));
    this.left(pipe);
    return left;
  }

  #isDue({ message, order }: Kept, pipe: Pipe, newcomer: Newcomer): boolean {
    const [topic] = message as Buffer[];
    if (order > newcomer.since) return this.#subscriptions.matches(pipe, topic);
    return newcomer.due.covers(topic, order);
  }

  /** Within one thread, parts belong to who receives them: then it gets a copy. */
  #give(pipe: Pipe, { message }: Kept): boolean {
    const parts = message as Buffer[];
    return pipe.trySend(pipe.shares ? parts : copied(parts));
  }

  /** Forgets the values of these topics, or all. */
  forget(topics: readonly Buffer[]): void {
    this.#told = false;
    if (topics.length === 0) this.#values.clear();
    for (const topic of topics) this.#values.forget(topic.toString("latin1"));
  }

  optionChanged(): void {
    this.#told = false;
    if (this.#host.options.lastValue) this.#values.fit();
    else this.#values.clear();
  }

  /** The socket closes: what has room goes now. */
  close(): void {
    for (const [pipe, newcomer] of [...this.#behind]) this.#serve(pipe, newcomer, Number.POSITIVE_INFINITY);
    for (const pipe of [...this.#behind.keys()]) this.left(pipe);
    this.#values.clear();
  }
}
