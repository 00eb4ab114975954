/**
 * One channel of the protocol (§5), as either side keeps it: credit for what it sends, the window for what it receives,
 * heartbeats. No I/O and no clock: time is handed in, and answers say what to send.
 */

/** Granted credit is not counted beyond this; a peer may grant what it likes. */
const MOST_CREDIT = 2 ** 31;
/** Silence for so many intervals makes a channel suspect that heard heartbeats before. */
const SUSPECT_INTERVALS = 3;

/** What a channel keeps to. */
export interface ChannelRules {
  /** Events that the peer may send ahead of the reader. */
  readonly window: number;
  /** Milliseconds without a heartbeat after which one is begun; 0: none is ever begun (servers). */
  readonly heartbeat: number;
  /** Milliseconds of silence after which the channel is lost; Infinity: never. */
  readonly lostAfter: number;
}

/** What `tick` found to be due. */
export type Due = "nothing" | "heartbeat" | "lost";

export class Channel {
  readonly #rules: ChannelRules;
  /** Events that we may send; each side begins with one (§5.1). */
  #credit = 1;
  /** Events that the peer may send or has sent, and the reader has not taken. It begins with one. */
  #outstanding = 1;
  /** Events that have arrived and were not taken. */
  #unread = 0;
  #answered = false;
  /** When anything was heard. */
  #heard: number;
  /** When a heartbeat was heard or begun. */
  #beat: number;
  /** A heartbeat that we began is not answered yet. */
  #begun = false;
  /** The longest time between two heartbeats of the peer; the first comes an interval after the beginning (§5.2). */
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

  /** An event that costs credit is sent: anything but a grant or a heartbeat (§5.1). */
  spend(): void {
    this.#credit--;
  }

  /** A grant came. They add up; a malformed one is ignored (T14). False for such. */
  grant(args: unknown, now: number): boolean {
    this.#heard = now;
    const count: unknown = Array.isArray(args) ? args[0] : undefined;
    if (typeof count !== "number" || !Number.isInteger(count) || count < 0) return false;
    this.#credit = Math.min(MOST_CREDIT, this.#credit + count);
    return true;
  }

  // Receiving

  /** An event came that costs credit. False when the peer has sent more than it may and the reader keeps up with. */
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
   * What to grant before the reader waits for the next event; 0 for nothing. Nothing before the first answer, because
   * Python would lose it (T15), and nothing while more than half of the window is out: surplus grants at the end of a
   * stream can stop a Python server for good (§8, T16).
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
   * A heartbeat came; true if it is to be answered. Every one is (§5.2, the echo rule), but for those that answer one
   * that we began: two peers with this rule would never stop.
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

  /** We send one of our own, and its answer is not to be answered. */
  begin(now: number): void {
    this.#beat = now;
    this.#begun = true;
  }

  /** Something else came. */
  touched(now: number): void {
    this.#heard = now;
  }

  /** We were busy for so long and asked for nothing: that nothing was heard meanwhile is no silence of the peer's. */
  away(milliseconds: number, now: number): void {
    this.#heard = Math.min(now, this.#heard + milliseconds);
  }

  /** What is due now. After "heartbeat" one must be sent. */
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

  /** When anything was heard. */
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

  /** Whether a peer that used to send heartbeats has stopped. It may be busy, or may have forgotten the channel. */
  suspect(now: number): boolean {
    const interval = Math.max(this.#rules.heartbeat, this.#peerInterval);
    return this.beats && interval > 0 && now - this.#heard >= SUSPECT_INTERVALS * interval;
  }
}
