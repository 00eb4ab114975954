/**
 * What PUB and XPUB have in common: subscriptions, the copies of each message for those who want it, and the last values that
 * newcomers get.
 */
import type { Buffer } from "../../base/platform.js";
import type { Pipe } from "../../engine/pipe.js";
import { overflowOf } from "../full-peer.js";
import { type LastValuesKept, Strategy, type StrategyHost } from "../strategy.js";
import { Distributor } from "../topics/distributor.js";
import { Newcomers } from "../topics/newcomers.js";
import { Subscriptions } from "../topics/subscriptions.js";

/** The subscriptions of a socket's peers. One that exceeds a limit is ignored, and the application is told. */
export function subscriptionsOf(host: StrategyHost): Subscriptions {
  return new Subscriptions(host.options, host.turns, (pipe, limit, value) => {
    host.tellLimit(pipe.peer, limit, "ignored", value);
  });
}

export abstract class Publishing extends Strategy {
  /** The subscriptions in effect. */
  protected readonly subscriptions = subscriptionsOf(this.host);
  readonly #overflow = overflowOf(this.host);
  protected readonly distributor = new Distributor(
    this.subscriptions,
    this.host.options,
    this.host,
    this.#overflow,
  );
  protected readonly newcomers = new Newcomers(
    this.host,
    this.subscriptions,
    this.distributor,
    this.#overflow,
  );

  /** Number of different topics to which peers are subscribed. */
  get topics(): number {
    return this.subscriptions.topics;
  }

  get canSend(): boolean {
    return this.distributor.hasRoom;
  }

  /** Forgets the last values of these topics, or all. */
  forget(topics: readonly Buffer[]): void {
    this.newcomers.forget(topics);
  }

  override writable(pipe: Pipe): void {
    this.newcomers.writable(pipe);
  }

  override optionChanged(): void {
    this.newcomers.optionChanged();
  }

  override close(_error: Error): void {
    this.newcomers.close();
    this.subscriptions.close();
  }

  override get catchingUp(): boolean {
    return this.newcomers.catchingUp;
  }

  override get lastValues(): LastValuesKept {
    return this.newcomers.kept;
  }

  override get dropped(): number {
    return this.#overflow.dropped;
  }
}
