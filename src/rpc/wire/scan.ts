/**
 * Checks msgpack bytes before they are decoded: whether they are one whole value within the limits, where it ends, where
 * its first elements begin, and whether it contains something that the decoder must treat with care. Its own memory
 * depends on the limits, not on lengths that a peer claims.
 */

/** Bounds of a scan; see EventLimits. */
export interface ScanLimits {
  readonly depth: number;
  readonly items: number;
}

/** Number of elements of the outermost array whose positions are noted. */
const NOTED = 3;

/** Bytes after the first byte that belong to the head (lengths and fixed values), by first byte from 0xc0. */
const FIXED: readonly number[] = (() => {
  const sizes: number[] = new Array(64).fill(0);
  const set = (lead: number, size: number): void => {
    sizes[lead - 0xc0] = size;
  };
  set(0xca, 4);
  set(0xcb, 8);
  for (let i = 0; i < 4; i++) {
    set(0xcc + i, 1 << i);
    set(0xd0 + i, 1 << i);
  }
  for (let i = 0; i < 5; i++) set(0xd4 + i, 1 + (1 << i)); // fixext: type and data
  return sizes;
})();

export class Scanner {
  readonly #limits: ScanLimits;
  /** Elements left in each open array or map. A map counts its keys, too. */
  readonly #left: number[] = [];
  readonly #isMap: boolean[] = [];
  /** Where the value ends. */
  end = 0;
  /** Number of elements of the outermost value if it is an array, else -1. */
  elements = -1;
  /** Values in it, keys included. */
  items = 0;
  /** Where the first three elements begin. */
  readonly starts: number[] = [0, 0, 0];
  /** A map has a key that is not a string, or is `__proto__`. */
  oddKeys = false;
  /** An extension type other than the timestamp, or null. */
  extension: number | null = null;
  #bytes: Uint8Array = new Uint8Array(0);
  #position = 0;

  constructor(limits: ScanLimits) {
    this.#limits = limits;
  }

  /** Null, or why the bytes are not one value within the limits. */
  scan(bytes: Uint8Array): string | null {
    this.#bytes = bytes;
    this.#position = 0;
    this.elements = -1;
    this.oddKeys = false;
    this.extension = null;
    this.#left.length = 0;
    this.#isMap.length = 0;
    const fault = this.#walk();
    this.end = this.#position;
    this.#bytes = new Uint8Array(0);
    return fault;
  }

  #walk(): string | null {
    const left = this.#left;
    const isMap = this.#isMap;
    for (let count = 1; ; count++) {
      if (count > this.#limits.items) return `more than ${this.#limits.items} values`;
      const depth = left.length;
      if (depth === 1 && !isMap[0]) {
        const index = this.elements - left[0];
        if (index < NOTED) this.starts[index] = this.#position;
      }
      const fault = this.#item(depth > 0 && isMap[depth - 1] && left[depth - 1] % 2 === 0, depth);
      if (fault !== null) return fault;
      if (left.length > depth) {
        // An array or map was opened; its elements follow.
        if (left[depth] > 0) continue;
        left.pop();
        isMap.pop();
      }
      while (left.length > 0 && --left[left.length - 1] === 0) {
        left.pop();
        isMap.pop();
      }
      if (left.length > 0) continue;
      this.items = count;
      return null;
    }
  }

  /** One value, or the head of one that holds others. */
  #item(asKey: boolean, depth: number): string | null {
    const bytes = this.#bytes;
    const at = this.#position;
    if (at >= bytes.length) return "it ends too early";
    const lead = bytes[at];
    if (asKey && !isString(lead)) this.oddKeys = true;
    if (lead < 0x80 || lead >= 0xe0) return this.#skip(1);
    if (lead < 0x90) return this.#open(lead & 0x0f, true, 1, depth);
    if (lead < 0xa0) return this.#open(lead & 0x0f, false, 1, depth);
    if (lead < 0xc0) return this.#string(lead & 0x1f, 1, asKey);
    switch (lead) {
      case 0xc1:
        return "it contains the byte c1, which has no meaning in msgpack";
      case 0xc4:
      case 0xc5:
      case 0xc6: {
        const size = 1 << (lead - 0xc4);
        return this.#skip(1 + size + this.#number(at + 1, size));
      }
      case 0xc7:
      case 0xc8:
      case 0xc9: {
        const size = 1 << (lead - 0xc7);
        this.#extension(at + 1 + size);
        return this.#skip(2 + size + this.#number(at + 1, size));
      }
      case 0xd9:
      case 0xda:
      case 0xdb: {
        const size = 1 << (lead - 0xd9);
        return this.#string(this.#number(at + 1, size), 1 + size, asKey);
      }
      case 0xdc:
      case 0xdd: {
        const size = 2 << (lead - 0xdc);
        return this.#open(this.#number(at + 1, size), false, 1 + size, depth);
      }
      case 0xde:
      case 0xdf: {
        const size = 2 << (lead - 0xde);
        return this.#open(this.#number(at + 1, size), true, 1 + size, depth);
      }
      default:
        if (lead >= 0xd4 && lead <= 0xd8) this.#extension(at + 1);
        return this.#skip(1 + FIXED[lead - 0xc0]);
    }
  }

  #string(length: number, head: number, asKey: boolean): string | null {
    const start = this.#position + head;
    if (asKey && length === 9 && this.#bytes[start] === 0x5f && this.#bytes[start + 8] === 0x5f) {
      this.oddKeys = true; // __proto__, or something like it: the decoder looks again
    }
    return this.#skip(head + length);
  }

  #open(count: number, map: boolean, head: number, depth: number): string | null {
    const fault = this.#skip(head);
    if (fault !== null) return fault;
    const values = map ? count * 2 : count;
    // Each takes at least one byte.
    if (values > this.#bytes.length - this.#position) return "it ends too early";
    if (depth >= this.#limits.depth)
      return `more than ${this.#limits.depth} arrays or maps inside one another`;
    if (depth === 0 && !map) this.elements = count;
    this.#left.push(values);
    this.#isMap.push(map);
    return null;
  }

  #extension(at: number): void {
    const type = (this.#bytes[at] << 24) >> 24;
    if (type !== -1) this.extension = type;
  }

  #number(at: number, size: number): number {
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + (this.#bytes[at + i] ?? 0);
    return value;
  }

  #skip(count: number): string | null {
    this.#position += count;
    return this.#position > this.#bytes.length ? "it ends too early" : null;
  }
}

function isString(lead: number): boolean {
  return (lead >= 0xa0 && lead < 0xc0) || (lead >= 0xd9 && lead <= 0xdb);
}
