/**
 * Writes prepared values (codec.ts) as msgpack: the fast way of encoding. It writes what Python writes: the shortest head,
 * integers as integers.
 */
import { Buffer } from "../../base/platform.js";

/** Bytes of a slab that small payloads share. A payload that is kept, such as that of a call for a retry, keeps its slab. */
const SLAB = 16 * 1024;
/** A payload starts a new slab if fewer bytes than this are left: most events are smaller. */
const LEAST = 512;
const HEX = Buffer.from("0123456789abcdef", "latin1");
/** Text of up to this many characters is written by a loop here. For longer text a call into C++ is cheaper. */
const BY_HAND = 24;

/** Encodes values that neither JSON has nor are bytes: a Date. */
export type EncodeOther = (value: object) => Uint8Array;

export class Writer {
  readonly #other: EncodeOther;
  #slab = Buffer.allocUnsafeSlow(SLAB);
  #start = 0;
  #at = 0;

  constructor(other: EncodeOther) {
    this.#other = other;
  }

  /** Begins a payload. One that was begun and not finished is dropped. */
  begin(): void {
    if (this.#slab.length - this.#start < LEAST) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB);
      this.#start = 0;
    }
    this.#at = this.#start;
  }

  /** The payload. Its bytes are not written to again. */
  finish(): Buffer {
    const payload = this.#slab.subarray(this.#start, this.#at);
    this.#start = this.#at;
    return payload;
  }

  /** A slab with room for so many more bytes. */
  #room(count: number): Buffer {
    const slab = this.#slab;
    if (this.#at + count <= slab.length) return slab;
    const written = this.#at - this.#start;
    const larger = Buffer.allocUnsafeSlow(Math.max(SLAB, (written + count) * 2));
    slab.copy(larger, 0, this.#start, this.#at);
    this.#slab = larger;
    this.#start = 0;
    this.#at = written;
    return larger;
  }

  /** Writes the heads of an array and of the map that is its first element. */
  arrayOfMap(elements: number, fields: number): void {
    this.#head(elements, 0x90, 0xdc);
    this.#head(fields, 0x80, 0xde);
  }

  /** Writes bytes as they are: parts of events that never change. */
  raw(bytes: Uint8Array): void {
    const slab = this.#room(bytes.length);
    const at = this.#at;
    if (bytes.length > 64) slab.set(bytes, at);
    else for (let i = 0; i < bytes.length; i++) slab[at + i] = bytes[i];
    this.#at = at + bytes.length;
  }

  /** Writes 32 bytes as bin: eight hexadecimal digits of a number, then a suffix of 24 bytes. */
  id(counter: number, suffix: Uint8Array): void {
    const slab = this.#room(34);
    let at = this.#at;
    slab[at++] = 0xc4;
    slab[at++] = 32;
    for (let shift = 28; shift >= 0; shift -= 4) slab[at++] = HEX[(counter >>> shift) & 15];
    for (let i = 0; i < 24; i++) slab[at++] = suffix[i];
    this.#at = at;
  }

  /** Writes as bin the bytes whose latin1 text follows the first character of a string. */
  bytesOf(text: string): void {
    const length = text.length - 1;
    this.#binHead(length);
    const slab = this.#room(length);
    let at = this.#at;
    if (length <= 64) for (let i = 1; i <= length; i++) slab[at++] = text.charCodeAt(i);
    else at += slab.write(text.slice(1), at, "latin1");
    this.#at = at;
  }

  /** Writes any prepared value. */
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

  /** Writes the head of an array or map. */
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

  /** Writes short ASCII text. Returns false, with nothing written, for any other. */
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

  /** Writes 64 bits. The preparation has made bigints of the integers that need them, and refused larger ones. */
  #bigint(value: bigint): void {
    const slab = this.#room(9);
    const unsigned = value > 0x7fffffffffffffffn;
    slab[this.#at] = unsigned ? 0xcf : 0xd3;
    this.#at = unsigned
      ? slab.writeBigUInt64BE(value, this.#at + 1)
      : slab.writeBigInt64BE(value, this.#at + 1);
  }
}
