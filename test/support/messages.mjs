/**
 * Deterministic messages for interop and life-cycle tests. The same seed gives the same messages here and in
 * peers/messages.py, so a receiver knows every byte it must see, and its place in the order, without asking the
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
   * @param {{ big?: boolean, single?: boolean }} [options] big: false leaves the 16 MiB parts out; single: each
   * message has one part
   */
  constructor(seed, count, options = {}) {
    pool ??= buildPool();
    this.state = (seed * 2654435761 + 1) >>> 0 || 1;
    this.count = count;
    this.index = 0;
    this.big = options.big ?? true;
    this.single = options.single ?? false;
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
    if (this.single) return 1;
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
   * @param {{ big?: boolean, single?: boolean }} [options] as MessageSource
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

/** The same for bytes without borders: what the parts of `count` messages are, one behind the other. */
export class OctetCheck {
  #source;
  #left;
  /** What is left of the part that is being compared. */
  #part = Buffer.alloc(0);
  /** Bytes taken. */
  received = 0;
  /** Chunks of octetChunks() that are complete. */
  chunks = 0;
  /** @type {string | null} */
  mismatch = null;

  /**
   * @param {number} seed
   * @param {number} count
   */
  constructor(seed, count) {
    this.#source = octetChunks(seed, count);
    this.#left = true;
    this.#advance();
  }

  /** Whether all bytes have been taken. */
  get complete() {
    return !this.#left;
  }

  #advance() {
    const { value, done } = this.#source.next();
    if (done) this.#left = false;
    else this.#part = value;
  }

  /** @param {Uint8Array} chunk */
  take(chunk) {
    let at = 0;
    while (at < chunk.length && this.mismatch === null) {
      if (!this.#left) {
        this.mismatch = `${chunk.length - at} octets too many`;
        return;
      }
      const size = Math.min(this.#part.length, chunk.length - at);
      if (!this.#part.subarray(0, size).equals(chunk.subarray(at, at + size))) {
        this.mismatch = `other contents at octet ${this.received + at} to ${this.received + at + size}`;
      }
      this.#part = this.#part.subarray(size);
      at += size;
      if (this.#part.length > 0) continue;
      this.chunks++;
      this.#advance();
    }
    this.received += chunk.length;
  }
}

/**
 * The messages of a MessageSource as chunks of bytes, none of them empty.
 * @param {number} seed
 * @param {number} count
 */
export function* octetChunks(seed, count) {
  const source = new MessageSource(seed, count, { big: false });
  for (let i = 0; i < count; i++) {
    const chunk = Buffer.concat(source.next());
    if (chunk.length > 0) yield chunk;
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
