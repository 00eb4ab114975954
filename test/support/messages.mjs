/**
 * Deterministic messages for interop and life-cycle tests. The same seed gives the same messages here and in
 * peers/messages.py, so a receiver knows every octet it must see, and its place in the order, without asking the
 * sender. Knows nothing of sockets.
 */

/** Period of the pool: a prime, so that a part that slipped by a power of two does not look right. */
const PERIOD = 65521;
const MIB16 = 16 * 1024 * 1024;

/** One step of Marsaglia's xorshift on 32 bits. */
function xorshift(x) {
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  return x >>> 0;
}

function buildPool() {
  const pool = Buffer.allocUnsafeSlow(MIB16 + PERIOD);
  let x = 2463534242;
  for (let i = 0; i < PERIOD; i++) {
    x = xorshift(x);
    pool[i] = x & 0xff;
  }
  for (let filled = PERIOD; filled < pool.length; filled *= 2) pool.copy(pool, filled, 0, filled);
  return pool;
}

let pool;

/** The message that a publisher repeats until its subscriber is known to listen. */
export const SYNC = Buffer.from("\x00sync");

/** Whether a message is the SYNC message. */
export function isSync(parts) {
  return parts.length === 1 && SYNC.equals(parts[0]);
}

/** A sequence of `count` messages: mostly small, 1 to 20 parts, empty ones among them, two with 16 MiB. */
export class MessageSource {
  /**
   * @param {number} seed
   * @param {number} count
   * @param {{ big?: boolean }} [options] big: false leaves the 16 MiB parts out
   */
  constructor(seed, count, options = {}) {
    pool ??= buildPool();
    this.state = (seed * 2654435761 + 1) >>> 0 || 1;
    this.count = count;
    this.index = 0;
    this.big = options.big ?? true;
  }

  #random() {
    this.state = xorshift(this.state);
    return this.state;
  }

  #part(size) {
    const offset = this.#random() % PERIOD;
    return pool.subarray(offset, offset + size);
  }

  #size() {
    const r = this.#random() % 1000;
    if (r < 4) return 65536;
    if (r < 24) return 8192;
    if (r < 220) return 256;
    if (r < 420) return 255;
    if (r < 620) return 1;
    if (r < 770) return 0;
    return this.#random() % 64;
  }

  #partCount() {
    const r = this.#random() % 16;
    if (r < 10) return 1;
    if (r < 15) return 2 + (this.#random() % 4);
    return 1 + (this.#random() % 20);
  }

  /** @returns {Buffer[]} the next message; its parts are views and must not be changed */
  next() {
    const index = this.index++;
    const third = Math.floor(this.count / 3);
    if (this.big && third > 0 && index === third) return [this.#part(MIB16)];
    if (this.big && third > 0 && index === 2 * third)
      return [this.#part(0), this.#part(MIB16), this.#part(1)];
    const parts = new Array(this.#partCount());
    for (let i = 0; i < parts.length; i++) parts[i] = this.#part(this.#size());
    return parts;
  }
}

/** Compares what arrives with what must arrive. */
export class MessageCheck {
  /**
   * @param {number} seed
   * @param {number} count
   * @param {{ big?: boolean }} [options]
   */
  constructor(seed, count, options = {}) {
    this.source = new MessageSource(seed, count, options);
    this.count = count;
    this.received = 0;
    /** @type {string | null} */
    this.mismatch = null;
  }

  /** Whether as many messages as wanted have been taken. */
  get complete() {
    return this.received >= this.count;
  }

  /** @param {readonly Uint8Array[]} parts */
  take(parts) {
    const index = this.received++;
    if (index >= this.count) {
      this.mismatch ??= `message ${index} is one too many`;
      return;
    }
    const expected = this.source.next();
    if (this.mismatch === null) this.mismatch = difference(index, expected, parts);
  }
}

function difference(index, expected, parts) {
  const lengths = (list) => JSON.stringify(list.map((part) => part.length));
  if (expected.length !== parts.length || expected.some((part, i) => part.length !== parts[i].length)) {
    return `message ${index}: parts of ${lengths(parts)} octets instead of ${lengths(expected)}`;
  }
  const at = expected.findIndex((part, i) => !part.equals(parts[i]));
  return at < 0 ? null : `message ${index}: part ${at} of ${expected[at].length} octets has other contents`;
}
