/**
 * Detects lost calls on an open connection (§5.2): after more silence than the program allows, or when a server answers
 * other calls but has forgotten this one.
 */
import type { Channel } from "../channel.js";
import type { Clock } from "../clock.js";
import type { Call } from "./call.js";
import type { Link } from "./link.js";
import type { OpenCalls } from "./open-calls.js";

/** What the client has to do. */
export interface Attendant {
  /** Begins a heartbeat on a channel. */
  heartbeat(call: Call): void;
  /** The call is lost. */
  lost(call: Call, why: string): void;
  /** Asks the server for a ping, and notes in `link.probe` when it was sent and answered. */
  probe(link: Link): void;
}

/** Silence is noticed with a precision of one second, or better if heartbeats are closer than that. */
const LONGEST_TICK_MS = 1000;
const SHORTEST_TICK_MS = 5;
/** A tick that is this late shows that this process's event loop was busy. */
const BUSY_MS = 20;
/** Intervals that a server has, after it has answered a ping, to say something on a channel that it knows. */
const PATIENCE_INTERVALS = 1.5;

/** Checks the open calls of a client periodically, while there are any. */
export class Watch {
  readonly #clock: Clock;
  /** Milliseconds between our own heartbeats. */
  readonly #interval: number;
  readonly #period: number;
  readonly #open: OpenCalls<Call>;
  readonly #to: Attendant;
  #stopTicking: (() => void) | null = null;

  constructor(
    clock: Clock,
    rules: { readonly heartbeat: number; readonly lostAfter: number },
    open: OpenCalls<Call>,
    to: Attendant,
  ) {
    const { heartbeat, lostAfter } = rules;
    const shortest = Math.min(heartbeat > 0 ? heartbeat : Infinity, lostAfter);
    this.#clock = clock;
    this.#interval = heartbeat;
    this.#period = Math.min(LONGEST_TICK_MS, Math.max(SHORTEST_TICK_MS, shortest / 4));
    this.#open = open;
    this.#to = to;
  }

  /** Starts, or goes on, if there is an open call. */
  start(): void {
    if (this.#stopTicking !== null || this.#open.size === 0) return;
    const expected = this.#clock.now() + this.#period;
    this.#stopTicking = this.#clock.after(this.#period, () => {
      this.#stopTicking = null;
      const now = this.#clock.now();
      const late = now - expected;
      for (const call of this.#open.all()) {
        // Time in which this process read nothing does not count as silence of the server.
        if (late > BUSY_MS) call.channel?.away(late, now);
        attend(call, now, this.#interval, this.#to);
      }
      this.start();
    });
  }

  stop(): void {
    this.#stopTicking?.();
  }
}

/** Checks one call. @param interval milliseconds between this client's heartbeats */
function attend(call: Call, now: number, interval: number, to: Attendant): void {
  const channel = call.channel as Channel;
  const due = channel.tick(now);
  if (due === "heartbeat") to.heartbeat(call);
  if (due === "lost") to.lost(call, `nothing was heard for ${Math.round(channel.silence(now))} ms`);
  else if (channel.suspect(now)) doubt(call, channel, now, interval, to);
}

/**
 * The server used to send heartbeats on this channel and has stopped. A busy server answers nobody; one that has
 * forgotten the call answers others, so it is asked for a ping.
 */
function doubt(call: Call, channel: Channel, now: number, interval: number, to: Attendant): void {
  const link = call.link as Link;
  const { probe } = link;
  if (probe === null || (probe.answered !== null && probe.sent <= channel.lastHeard)) to.probe(link);
  else if (probe.answered !== null) {
    const patience = PATIENCE_INTERVALS * Math.max(interval, channel.peerInterval);
    if (now - probe.answered >= patience) to.lost(call, "the server answers, but has forgotten the call");
  }
}
