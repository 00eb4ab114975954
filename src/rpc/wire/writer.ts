/**
 * Writes msgpack for values that were prepared (codec.ts): the hot half of encoding an event. What it writes is what
 * Python writes: the shortest head, integers as integers. Knows no events but the form of their ids.
 */
import { Buffer } from "../../base/platform.js";

/** Octets of a slab that small payloads share. One that is kept, as a call's is for a retry, keeps its slab. */
const SLAB = 16 * 1024;
/** A slab with less left is not begun on: most events are smaller. */
const LEAST = 512;
const HEX = Buffer.from("0123456789abcdef", "latin1");
/** Text up to so many characters is written by hand; beyond, a call into C++ is cheaper. */
const BY_HAND = 24;

/** Encodes what is neither of JSON nor bytes: a Date. */
export type EncodeOther = (value: object) => Uint8Array;

export class Writer {
  readonly #other: EncodeOther;
  #slab = Buffer.allocUnsafeSlow(SLAB);
  #start = 0;
  #at = 0;

  constructor(other: EncodeOther) {
    this.#other = other;
  }

  /** Begin a payload. One that was begun and not finished is forgotten. */
  begin(): void {
    if (this.#slab.length - this.#start < LEAST) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB);
      this.#start = 0;
    }
    this.#at = this.#start;
  }

  /** The payload; its octets are not written to again. */
  finish(): Buffer {
    const payload = this.#slab.subarray(this.#start, this.#at);
    this.#start = this.#at;
    return payload;
  }

  /** Room for so many octets more. */
  #room(octets: number): Buffer {
    const slab = this.#slab;
    if (this.#at + octets <= slab.length) return slab;
    const written = this.#at - this.#start;
    const larger = Buffer.allocUnsafeSlow(Math.max(SLAB, (written + octets) * 2));
    slab.copy(larger, 0, this.#start, this.#at);
    this.#slab = larger;
    this.#start = 0;
    this.#at = written;
    return larger;
  }

  /** Heads of an array and of the map that is its first element. */
  arrayOfMap(elements: number, fields: number): void {
    this.#head(elements, 0x90, 0xdc);
    this.#head(fields, 0x80, 0xde);
  }

  /** Octets as they are: parts of an event that never change. */
  raw(octets: Uint8Array): void {
    const slab = this.#room(octets.length);
    const at = this.#at;
    if (octets.length > 64) slab.set(octets, at);
    else for (let i = 0; i < octets.length; i++) slab[at + i] = octets[i];
    this.#at = at + octets.length;
  }

  /** 32 octets of bin: eight hexadecimal digits of a number, and 24 octets of a suffix. */
  id(counter: number, suffix: Uint8Array): void {
    const slab = this.#room(34);
    let at = this.#at;
    slab[at++] = 0xc4;
    slab[at++] = 32;
    for (let shift = 28; shift >= 0; shift -= 4) slab[at++] = HEX[(counter >>> shift) & 15];
    for (let i = 0; i < 24; i++) slab[at++] = suffix[i];
    this.#at = at;
  }

  /** The bytes whose latin1 text follows the first character of a string. */
  bytesOf(text: string): void {
    const length = text.length - 1;
    this.#binHead(length);
    const slab = this.#room(length);
    let at = this.#at;
    if (length <= 64) for (let i = 1; i <= length; i++) slab[at++] = text.charCodeAt(i);
    else at += slab.write(text.slice(1), at, "latin1");
    this.#at = at;
  }

  /** Any prepared value. */
  value(value: unknown): void {
    switch (typeof value) {
      case "string":
        this.#text(value);
        return;
      case "number":
        this.#number(value);
        return;
      case "boolean":
        this.#room(1)[this.#at++] = value ? 0xc3 : 0xc2;
        return;
      case "bigint":
        this.#bigint(value);
        return;
      case "object":
        if (value !== null) {
          this.#object(value);
          return;
        }
    }
    this.#room(1)[this.#at++] = 0xc0;
  }

  #object(value: object): void {
    if (Array.isArray(value)) {
      this.#head(value.length, 0x90, 0xdc);
      for (let i = 0; i < value.length; i++) this.value(value[i]);
    } else if (value instanceof Uint8Array) {
      this.#binHead(value.length);
      if (value.length <= BY_HAND) {
        this.raw(value);
        return;
      }
      this.#room(value.length).set(value, this.#at);
      this.#at += value.length;
    } else if (value instanceof Map) {
      this.#head(value.size, 0x80, 0xde);
      for (const [key, inner] of value) {
        this.value(key);
        this.value(inner);
      }
    } else if (value instanceof Date) {
      this.raw(this.#other(value));
    } else {
      const keys = Object.keys(value);
      this.#head(keys.length, 0x80, 0xde);
      for (let i = 0; i < keys.length; i++) {
        this.#text(keys[i]);
        this.value((value as Record<string, unknown>)[keys[i]]);
      }
    }
  }

  /** Head of an array or map. */
  #head(count: number, short: number, long: number): void {
    const slab = this.#room(5);
    if (count < 16) slab[this.#at++] = short | count;
    else if (count < 65536) {
      slab[this.#at] = long;
      this.#at = slab.writeUInt16BE(count, this.#at + 1);
    } else {
      slab[this.#at] = long + 1;
      this.#at = slab.writeUInt32BE(count, this.#at + 1);
    }
  }

  #binHead(length: number): void {
    const slab = this.#room(5);
    if (length < 256) {
      slab[this.#at++] = 0xc4;
      slab[this.#at++] = length;
    } else this.#longHead(slab, 0xc5, length);
  }

  #longHead(slab: Buffer, lead: number, length: number): void {
    if (length < 65536) {
      slab[this.#at] = lead;
      this.#at = slab.writeUInt16BE(length, this.#at + 1);
    } else {
      slab[this.#at] = lead + 1;
      this.#at = slab.writeUInt32BE(length, this.#at + 1);
    }
  }

  #text(text: string): void {
    if (text.length <= BY_HAND && this.#ascii(text)) return;
    const length = Buffer.byteLength(text);
    const slab = this.#room(5 + length);
    if (length < 32) slab[this.#at++] = 0xa0 | length;
    else if (length < 256) {
      slab[this.#at++] = 0xd9;
      slab[this.#at++] = length;
    } else this.#longHead(slab, 0xda, length);
    this.#at += slab.write(text, this.#at);
  }

  /** Short text of plain characters; false, with nothing written, for other. */
  #ascii(text: string): boolean {
    const { length } = text;
    const slab = this.#room(1 + length);
    let at = this.#at;
    slab[at++] = 0xa0 | length;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) return false;
      slab[at++] = code;
    }
    this.#at = at;
    return true;
  }

  #number(value: number): void {
    const slab = this.#room(9);
    if (
      value >= 0
        ? value <= 0xffffffff && value >>> 0 === value
        : value >= -0x80000000 && (value | 0) === value
    ) {
      if (value >= 0) this.#positive(slab, value);
      else this.#negative(slab, value);
      return;
    }
    slab[this.#at] = 0xcb;
    this.#at = slab.writeDoubleBE(value, this.#at + 1);
  }

  #positive(slab: Buffer, value: number): void {
    if (value < 128) slab[this.#at++] = value;
    else if (value < 256) {
      slab[this.#at++] = 0xcc;
      slab[this.#at++] = value;
    } else if (value < 65536) {
      slab[this.#at] = 0xcd;
      this.#at = slab.writeUInt16BE(value, this.#at + 1);
    } else {
      slab[this.#at] = 0xce;
      this.#at = slab.writeUInt32BE(value, this.#at + 1);
    }
  }

  #negative(slab: Buffer, value: number): void {
    if (value >= -32) slab[this.#at++] = value & 0xff;
    else if (value >= -128) {
      slab[this.#at++] = 0xd0;
      slab[this.#at++] = value & 0xff;
    } else if (value >= -32768) {
      slab[this.#at] = 0xd1;
      this.#at = slab.writeInt16BE(value, this.#at + 1);
    } else {
      slab[this.#at] = 0xd2;
      this.#at = slab.writeInt32BE(value, this.#at + 1);
    }
  }

  /** 64 bits; the preparation has made bigints of integers that need them, and refused larger ones. */
  #bigint(value: bigint): void {
    const slab = this.#room(9);
    const unsigned = value > 0x7fffffffffffffffn;
    slab[this.#at] = unsigned ? 0xcf : 0xd3;
    this.#at = unsigned
      ? slab.writeBigUInt64BE(value, this.#at + 1)
      : slab.writeBigInt64BE(value, this.#at + 1);
  }
}
