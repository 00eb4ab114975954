/**
 * A pipe whose connection is a session's: what it asks of the session, and what the session tells it. Does no I/O and uses
 * no clock.
 */

import type { Buffer } from "../base/platform.js";
import { InboundPipe } from "./inbound-pipe.js";
import type { Lending, Tally } from "./pipe.js";

/** What a pipe needs from its session. */
export interface PipeLink {
  sendSubscription(topic: Buffer, subscribe: boolean): void;
  pauseReading(): void;
  resumeReading(): void;
  fail(error: Error): void;
  /** What has arrived. */
  readonly tally?: Tally;
  /** What the peer has of us, and what the program has of the peer. */
  readonly lent?: Iterable<Lending>;
  readonly borrowed?: Iterable<Lending>;
  /** Whether the peer takes, and sends, contexts of traces. */
  readonly carries?: boolean;
}

/** The way out to the stream. */
export interface PipeOutlet {
  /** Writes what the pipe has, unless a write is pending. */
  flush(): void;
}

export abstract class LinkedPipe extends InboundPipe {
  #link: PipeLink | null = null;

  /** The session is ready. */
  protected connectionMade(link: PipeLink): void {
    this.#link = link;
    this.takenMessages = 0;
    this.takenBytes = 0;
    if (this.throttled) link.pauseReading();
  }

  protected override connectionLost(): void {
    this.#link = null;
    super.connectionLost();
  }

  override get linked(): boolean {
    return this.#link !== null;
  }

  /** Whether the peer takes contexts of traces. */
  protected get peerCarries(): boolean {
    return this.#link?.carries === true;
  }

  override get tally(): Tally | undefined {
    return this.#link?.tally;
  }

  override get lent(): Iterable<Lending> {
    return this.#link?.lent ?? [];
  }

  override get borrowed(): Iterable<Lending> {
    return this.#link?.borrowed ?? [];
  }

  /** The peer subscribed to or cancelled a topic. */
  subscription(topic: Buffer, subscribe: boolean): void {
    this.owner.pipeSubscription(this, topic, subscribe);
  }

  override sendSubscription(topic: Buffer, subscribe: boolean): void {
    this.#link?.sendSubscription(topic, subscribe);
  }

  override fail(error: Error): void {
    this.#link?.fail(error);
  }

  protected override pauseReading(): void {
    this.#link?.pauseReading();
  }

  protected override resumeReading(): void {
    this.#link?.resumeReading();
  }
}
