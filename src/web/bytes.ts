/**
 * Bytes in a page: a Uint8Array with those methods of Node's Buffer that the shared sources use. Texts are UTF-8, or "latin1"
 * or "hex" where a caller says so.
 */

type Encoding = "utf8" | "latin1" | "hex";

const encoder = new TextEncoder();
/** As Buffer, it keeps a byte order mark. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** Bytes that String.fromCharCode takes at once. */
const LATIN1_RUN = 8192;

/** What a page has for Buffer. */
export class Bytes extends Uint8Array {
  static alloc(length: number, byte = 0): Bytes {
    return new Bytes(length).fill(byte);
  }

  static allocUnsafe(length: number): Bytes {
    return new Bytes(length);
  }

  static allocUnsafeSlow(length: number): Bytes {
    return new Bytes(length);
  }

  /** Copies text, an array or bytes; of an ArrayBuffer it is a view. */
  static override from(
    value: string | ArrayLike<number> | Iterable<number> | ArrayBufferLike,
    second?: Encoding | number | ((value: number, index: number) => number),
    length?: number,
  ): Bytes {
    if (typeof value === "string") return fromText(value, second as Encoding | undefined);
    if (value instanceof ArrayBuffer) return new Bytes(value, second as number | undefined, length);
    if (typeof second === "function") return new Bytes(Array.from(value as ArrayLike<number>, second));
    return new Bytes(value as ArrayLike<number>);
  }

  static byteLength(text: string): number {
    return encoder.encode(text).length;
  }

  static isBuffer(value: unknown): value is Bytes {
    return value instanceof Bytes;
  }

  static concat(list: readonly Uint8Array[]): Bytes {
    const all = new Bytes(list.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const one of list) {
      all.set(one, at);
      at += one.length;
    }
    return all;
  }

  /** The text of these bytes. */
  override toString(encoding: Encoding = "utf8", start = 0, end = this.length): string {
    const part = start === 0 && end === this.length ? this : super.subarray(start, end);
    if (encoding === "utf8") return decoder.decode(part);
    if (encoding === "hex") return Array.from(part, (byte) => byte.toString(16).padStart(2, "0")).join("");
    let text = "";
    for (let at = 0; at < part.length; at += LATIN1_RUN)
      text += String.fromCharCode(...part.subarray(at, at + LATIN1_RUN));
    return text;
  }

  latin1Slice(start: number, end: number): string {
    return this.toString("latin1", start, end);
  }

  utf8Slice(start: number, end: number): string {
    return this.toString("utf8", start, end);
  }

  equals(other: Uint8Array): boolean {
    return this.length === other.length && this.every((byte, at) => byte === other[at]);
  }

  /** As Buffer's: below 0 if these bytes come before the others. */
  compare(other: Uint8Array): number {
    const common = Math.min(this.length, other.length);
    for (let at = 0; at < common; at++) if (this[at] !== other[at]) return this[at] - other[at];
    return this.length - other.length;
  }

  copy(target: Uint8Array, to = 0, start = 0, end = this.length): number {
    const part = this.subarray(start, Math.min(end, start + target.length - to));
    target.set(part, to);
    return part.length;
  }

  /** Writes text where there is room for it. @returns the number of bytes */
  write(text: string, at = 0, encoding: Encoding = "utf8"): number {
    if (encoding === "utf8") return encoder.encodeInto(text, this.subarray(at)).written;
    return fromText(text, encoding).copy(this, at);
  }

  get #view(): DataView {
    return new DataView(this.buffer, this.byteOffset, this.length);
  }

  readUInt16BE(at = 0): number {
    return this.#view.getUint16(at);
  }

  readUInt32BE(at = 0): number {
    return this.#view.getUint32(at);
  }

  readUInt32LE(at = 0): number {
    return this.#view.getUint32(at, true);
  }

  readBigUInt64BE(at = 0): bigint {
    return this.#view.getBigUint64(at);
  }

  readBigInt64BE(at = 0): bigint {
    return this.#view.getBigInt64(at);
  }

  readInt8(at = 0): number {
    return this.#view.getInt8(at);
  }

  readInt16BE(at = 0): number {
    return this.#view.getInt16(at);
  }

  readInt32BE(at = 0): number {
    return this.#view.getInt32(at);
  }

  readFloatBE(at = 0): number {
    return this.#view.getFloat32(at);
  }

  readDoubleBE(at = 0): number {
    return this.#view.getFloat64(at);
  }

  readUIntBE(at: number, length: number): number {
    let value = 0;
    for (let i = 0; i < length; i++) value = value * 256 + this[at + i];
    return value;
  }

  writeUInt16BE(value: number, at = 0): number {
    this.#view.setUint16(at, value);
    return at + 2;
  }

  writeUInt32BE(value: number, at = 0): number {
    this.#view.setUint32(at, value);
    return at + 4;
  }

  writeInt16BE(value: number, at = 0): number {
    this.#view.setInt16(at, value);
    return at + 2;
  }

  writeInt32BE(value: number, at = 0): number {
    this.#view.setInt32(at, value);
    return at + 4;
  }

  writeDoubleBE(value: number, at = 0): number {
    this.#view.setFloat64(at, value);
    return at + 8;
  }

  writeBigInt64BE(value: bigint, at = 0): number {
    this.#view.setBigInt64(at, value);
    return at + 8;
  }

  writeUInt32LE(value: number, at = 0): number {
    this.#view.setUint32(at, value, true);
    return at + 4;
  }

  writeBigUInt64BE(value: bigint, at = 0): number {
    this.#view.setBigUint64(at, value);
    return at + 8;
  }

  writeUIntBE(value: number, at: number, length: number): number {
    let left = value;
    for (let i = length - 1; i >= 0; i--) {
      this[at + i] = left % 256;
      left = Math.floor(left / 256);
    }
    return at + length;
  }
}

function fromText(text: string, encoding: Encoding = "utf8"): Bytes {
  if (encoding === "latin1")
    return new Bytes(Array.from({ length: text.length }, (_, at) => text.charCodeAt(at)));
  if (encoding === "hex")
    return new Bytes(Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)));
  const bytes = encoder.encode(text);
  return new Bytes(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
}
