/**
 * One channel of the protocol (§5), for clients and servers: the credit for sending, the window for receiving, and
 * heartbeats. It does no I/O and has no clock: callers pass the time, and send what it asks for.
 */

/** Credit is capped at this number, because a peer may grant any number. */
const MOST_CREDIT = 2 ** 31;
/** A channel that has heard heartbeats becomes suspect after this many intervals of silence. */
const SUSPECT_INTERVALS = 3;

/** Limits of a channel. */
export interface ChannelRules {
  /** Events that the peer may send ahead of the reader. */
  readonly window: number;
  /** Milliseconds without a heartbeat after which this side sends one; 0: never (servers). */
  readonly heartbeat: number;
  /** Milliseconds of silence after which the channel is lost; Infinity: never. */
  readonly lostAfter: number;
}

/** What `tick` says is due. */
export type Due = "nothing" | "heartbeat" | "lost";

export class Channel {
  readonly #rules: ChannelRules;
  /** Events that we may send. Each side starts with one (§5.1). */
  #credit = 1;
  /** Events that the peer may send, or has sent and the reader has not taken. Starts with one. */
  #outstanding = 1;
  /** Events that have arrived and were not taken by the reader. */
  #unread = 0;
  #answered = false;
  /** When anything was last heard. */
  #heard: number;
  /** When a heartbeat was last heard or begun. */
  #beat: number;
  /** We began a heartbeat that is not answered yet. */
  #begun = false;
  /** The longest time between two heartbeats of the peer. The first comes one interval after the start (§5.2). */
  #peerInterval = 0;
  #lastPeerBeat: number;
  #beats = false;

  constructor(rules: ChannelRules, now: number) {
    this.#rules = rules;
    this.#heard = now;
    this.#beat = now;
    this.#lastPeerBeat = now;
  }

  // Sending

  /** Whether an event that costs credit may be sent. */
  get maySend(): boolean {
    return this.#credit > 0;
  }

  /** An event that costs credit was sent: anything but a grant or a heartbeat (§5.1). */
  spend(): void {
    this.#credit--;
  }

  /** A grant came. Grants add up. Returns false for a malformed one, which is ignored (T14). */
  grant(args: unknown, now: number): boolean {
    this.#heard = now;
    const count: unknown = Array.isArray(args) ? args[0] : undefined;
    if (typeof count !== "number" || !Number.isInteger(count) || count < 0) return false;
    this.#credit = Math.min(MOST_CREDIT, this.#credit + count);
    return true;
  }

  // Receiving

  /** An event that costs credit came. Returns false if more are unread than the window allows. */
  arrived(now: number): boolean {
    this.#heard = now;
    this.#answered = true;
    this.#unread++;
    return this.#unread <= this.#rules.window;
  }

  /** The reader has taken an event. */
  taken(): void {
    this.#unread--;
    if (this.#outstanding > 0) this.#outstanding--;
  }

  /**
   * How much to grant before the reader waits for the next event; 0 for no grant. No grant before the first answer,
   * because Python would lose it (T15), nor while more than half of the window is outstanding: surplus grants at the end
   * of a stream can stop a Python server for good (§8, T16).
   */
  wanted(): number {
    const { window } = this.#rules;
    if (!this.#answered || this.#outstanding * 2 >= window) return 0;
    const count = window - this.#outstanding;
    this.#outstanding = window;
    return count;
  }

  // Heartbeats

  /**
   * A heartbeat came. Returns whether to answer it. Each one is answered (§5.2, the echo rule), except the answer to one
   * that we began: otherwise two peers with this rule would never stop.
   */
  heartbeat(now: number): boolean {
    this.#heard = now;
    this.#beat = now;
    this.#peerInterval = Math.max(this.#peerInterval, now - this.#lastPeerBeat);
    this.#lastPeerBeat = now;
    this.#beats = true;
    if (!this.#begun) return true;
    this.#begun = false;
    return false;
  }

  /** We send a heartbeat of our own. Its answer will not be answered. */
  begin(now: number): void {
    this.#beat = now;
    this.#begun = true;
  }

  /** Another event came. */
  touched(now: number): void {
    this.#heard = now;
  }

  /** Our own event loop was busy for so long and read nothing: this time does not count as silence of the peer. */
  away(milliseconds: number, now: number): void {
    this.#heard = Math.min(now, this.#heard + milliseconds);
  }

  /** What is due now. After "heartbeat" the caller must send one. */
  tick(now: number): Due {
    const { heartbeat, lostAfter } = this.#rules;
    if (now - this.#heard >= lostAfter) return "lost";
    if (heartbeat === 0 || now - this.#beat < heartbeat) return "nothing";
    this.begin(now);
    return "heartbeat";
  }

  /** Milliseconds since anything was heard. */
  silence(now: number): number {
    return now - this.#heard;
  }

  /** When anything was last heard. */
  get lastHeard(): number {
    return this.#heard;
  }

  /** Whether the peer has sent a heartbeat. */
  get beats(): boolean {
    return this.#beats;
  }

  /** The longest time between two heartbeats of the peer; 0 before the first. */
  get peerInterval(): number {
    return this.#peerInterval;
  }

  /** Whether a peer that used to send heartbeats has stopped: it may be busy, or may have forgotten the channel. */
  suspect(now: number): boolean {
    const interval = Math.max(this.#rules.heartbeat, this.#peerInterval);
    return this.beats && interval > 0 && now - this.#heard >= SUSPECT_INTERVALS * interval;
  }
}
