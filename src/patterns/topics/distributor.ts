/**
 * Sends published messages to every pipe with a matching subscription (RFC 29; items J1 to J5, J19, J22, J24). Sends never
 * wait, unless an option says so.
 */

import type { OutMessage } from "../../base/message.js";
import { SharedBatch, type SharedLimits } from "../../engine/outgoing/shared-batch.js";
import type { Pipe, PipeOwner } from "../../engine/pipe.js";
import { FanOut } from "../fan-out.js";
import type { Overflow, OverflowOptions } from "../overflow.js";
import type { Subscriptions } from "./subscriptions.js";

/** Options of the publisher, read at each use. */
export interface DistributorOptions extends SharedLimits, OverflowOptions {
  /** Sends to the peers whose subscriptions do not match, instead of those that match (J24). */
  readonly invertMatching: boolean;
}

export class Distributor {
  readonly #subscriptions: Subscriptions;
  readonly #shared: SharedBatch;
  readonly #fanOut: FanOut;
  readonly #overflow: Overflow;
  readonly #options: DistributorOptions;

  /** @param owner the socket, for the budgets of its pipes */
  constructor(
    subscriptions: Subscriptions,
    options: DistributorOptions,
    owner: Pick<PipeOwner, "unsent">,
    overflow: Overflow,
  ) {
    this.#subscriptions = subscriptions;
    this.#options = options;
    this.#overflow = overflow;
    this.#shared = new SharedBatch(options, owner.unsent);
    this.#fanOut = new FanOut(owner.unsent, overflow);
  }

  /** A peer has left: the set of peers for which messages are gathered is outdated. */
  left(): void {
    this.#shared.reset();
  }

  /**
   * Sends one copy to each matching peer; false only with noDrop, when one has no room.
   * @param only if set, send to no other peer, and to this one only if it matches (J22)
   */
  send(message: OutMessage, only?: Pipe): boolean {
    return this.deliver(message, this.match(Array.isArray(message) ? message[0] : message, only));
  }

  /** Sends one copy to each of these peers; false only with noDrop, when one has no room. */
  deliver(message: OutMessage, matched: readonly Pipe[]): boolean {
    const shared = this.#shared;
    if (shared.members !== null) {
      if (shared.members === matched && shared.append(message)) return true;
      shared.settle();
    }
    if (matched.length === 0 || shared.begin(matched, message)) return true;
    if (!this.#fanOut.send(message, matched)) return false;
    shared.passed(matched);
    this.#overflow.settle();
    return true;
  }

  /** False if sends wait for full peers and any peer is full, because the next message might match it. */
  get hasRoom(): boolean {
    return !this.#overflow.waits || [...this.#subscriptions.pipes].every((pipe) => pipe.hasRoom());
  }

  /** The peers that get a message with this first part. */
  match(topic: Uint8Array, only?: Pipe): readonly Pipe[] {
    let matched = this.#subscriptions.match(topic);
    if (only !== undefined) matched = matched.includes(only) ? [only] : [];
    if (!this.#options.invertMatching) return matched;
    const excluded = new Set(matched);
    return [...this.#subscriptions.pipes].filter((pipe) => !excluded.has(pipe));
  }
}
