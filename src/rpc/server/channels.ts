/**
 * The open channels of a server, and those that are silent for too long: channels without a call, and streams whose
 * client accepts nothing.
 */
import type { Environment } from "../clock.js";
import type { PeerState } from "./peers.js";
import type { ServedCall } from "./served-call.js";

/** How often channels are looked at. */
const TICK_MS = 5000;
/** A client may open channels by heartbeats that no call follows: this many, and each for this long. */
const MOST_IDLE = 1000;
const IDLE_MS = 60_000;

export class Channels {
  readonly #environment: Environment;
  readonly #abandonAfter: number;
  readonly #giveUp: (stream: ServedCall) => void;
  readonly #idle = new Set<ServedCall>();
  readonly #streams = new Set<ServedCall>();
  #count = 0;
  #stopTicking: (() => void) | null = null;

  /**
   * @param abandonAfter milliseconds of silence after which a stream that waits for its client is given up
   * @param giveUp called with such a stream
   */
  constructor(environment: Environment, abandonAfter: number, giveUp: (stream: ServedCall) => void) {
    this.#environment = environment;
    this.#abandonAfter = abandonAfter;
    this.#giveUp = giveUp;
  }

  /** Channels that are open. */
  get count(): number {
    return this.#count;
  }

  /** Streams under way. */
  get streams(): number {
    return this.#streams.size;
  }

  /** A channel opens. Most are answered at once, and only counted. */
  opened(): void {
    this.#count++;
  }

  /** A channel stays open. If two have the same id, later events belong to the second; both are answered (T33). */
  kept(peer: PeerState, call: ServedCall): void {
    peer.open(call);
    this.#keepTicking();
  }

  /** A heartbeat opened the channel, and its call has not come yet. */
  idle(call: ServedCall): void {
    this.#idle.add(call);
    if (this.#idle.size <= MOST_IDLE) return;
    const [oldest] = this.#idle;
    oldest.abandon(null);
  }

  /** The call has come. */
  busy(call: ServedCall): void {
    this.#idle.delete(call);
  }

  /** The call streams. */
  streaming(call: ServedCall): void {
    this.#streams.add(call);
  }

  closed(call: ServedCall): void {
    call.from.closed(call);
    this.#count--;
    this.#idle.delete(call);
    this.#streams.delete(call);
  }

  #keepTicking(): void {
    if (this.#stopTicking !== null || this.#count === 0) return;
    this.#stopTicking = this.#environment.after(TICK_MS, () => {
      this.#stopTicking = null;
      this.#tick();
      this.#keepTicking();
    });
  }

  #tick(): void {
    const now = this.#environment.now();
    for (const call of [...this.#idle]) if (call.channel.silence(now) >= IDLE_MS) call.abandon(null);
    for (const call of [...this.#streams]) {
      if (call.state === "starved" && call.channel.silence(now) >= call.from.patience(this.#abandonAfter))
        this.#giveUp(call);
    }
  }

  /** No channel is looked at any more. */
  stop(): void {
    this.#stopTicking?.();
  }
}
