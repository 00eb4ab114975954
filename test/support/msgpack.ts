/**
 * A msgpack of the tests' own, byte by byte, so that what zwire/rpc sends and receives is not checked with what it
 * uses itself. Decoded values keep their wire type.
 */

/** Bytes of a text, at most 255 of them. */
export function str(text: string): Buffer {
  const data = Buffer.from(text);
  return Buffer.concat([
    data.length < 32 ? Buffer.of(0xa0 | data.length) : Buffer.of(0xd9, data.length),
    data,
  ]);
}

/** Bytes as bin8. */
export function bin(data: string | Uint8Array): Buffer {
  const bytes = Buffer.from(data as string);
  return Buffer.concat([Buffer.of(0xc4, bytes.length), bytes]);
}

/** A small integer. */
export function int(value: number): Buffer {
  if (value >= 0 && value < 128) return Buffer.of(value);
  if (value < 0 && value >= -32) return Buffer.of(value & 0xff);
  const bytes = Buffer.alloc(5, 0xd2);
  bytes.writeInt32BE(value, 1);
  return bytes;
}

export const nil = Buffer.of(0xc0);

/** An array of encoded values. */
export function arr(...items: Buffer[]): Buffer {
  const head =
    items.length < 16 ? Buffer.of(0x90 | items.length) : Buffer.of(0xdc, items.length >> 8, items.length);
  return Buffer.concat([head, ...items]);
}

/** A map of encoded values; keys are text. */
export function map(fields: Record<string, Buffer>): Buffer {
  const entries = Object.entries(fields);
  return Buffer.concat([
    Buffer.of(0x80 | entries.length),
    ...entries.flatMap(([key, value]) => [str(key), value]),
  ]);
}

/** Bytes written as hexadecimal digits; spaces are ignored. */
export function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(" ", ""), "hex");
}

/** A decoded value with its wire type. */
export type Wire =
  | { readonly type: "nil" }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "int"; readonly value: bigint }
  | { readonly type: "float"; readonly value: number }
  | { readonly type: "str"; readonly value: string }
  | { readonly type: "bin"; readonly value: Buffer }
  | { readonly type: "ext"; readonly code: number; readonly value: Buffer }
  | { readonly type: "array"; readonly items: Wire[] }
  | { readonly type: "map"; readonly entries: [Wire, Wire][] };

/** Decodes one value, which must be all there is. */
export function decode(bytes: Buffer): Wire {
  const reader = new Reader(bytes);
  const value = reader.value();
  if (reader.at !== bytes.length) throw new Error(`${bytes.length - reader.at} octets are left over`);
  return value;
}

class Reader {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  value(): Wire {
    const lead = this.bytes[this.at++];
    if (lead < 0x80) return { type: "int", value: BigInt(lead) };
    if (lead < 0x90) return this.map(lead & 15);
    if (lead < 0xa0) return this.array(lead & 15);
    if (lead < 0xc0) return this.text(lead & 31);
    if (lead >= 0xe0) return { type: "int", value: BigInt(lead - 256) };
    switch (lead) {
      case 0xc0:
        return { type: "nil" };
      case 0xc2:
      case 0xc3:
        return { type: "bool", value: lead === 0xc3 };
      case 0xca:
        return { type: "float", value: this.take(4).readFloatBE() };
      case 0xcb:
        return { type: "float", value: this.take(8).readDoubleBE() };
      case 0xcf:
        return { type: "int", value: this.take(8).readBigUInt64BE() };
      case 0xd3:
        return { type: "int", value: this.take(8).readBigInt64BE() };
    }
    if (lead >= 0xc4 && lead <= 0xc6) return { type: "bin", value: this.take(this.uint(1 << (lead - 0xc4))) };
    if (lead >= 0xcc && lead <= 0xce) return { type: "int", value: BigInt(this.uint(1 << (lead - 0xcc))) };
    if (lead >= 0xd0 && lead <= 0xd2) {
      const size = 1 << (lead - 0xd0);
      return { type: "int", value: BigInt(this.take(size).readIntBE(0, size)) };
    }
    if (lead >= 0xd4 && lead <= 0xd8) return this.extension(1 << (lead - 0xd4));
    if (lead >= 0xc7 && lead <= 0xc9) return this.extension(this.uint(1 << (lead - 0xc7)));
    if (lead >= 0xd9 && lead <= 0xdb) return this.text(this.uint(1 << (lead - 0xd9)));
    if (lead === 0xdc || lead === 0xdd) return this.array(this.uint(2 << (lead - 0xdc)));
    if (lead === 0xde || lead === 0xdf) return this.map(this.uint(2 << (lead - 0xde)));
    throw new Error(`octet ${lead.toString(16)} stands for nothing`);
  }

  take(size: number): Buffer {
    if (this.at + size > this.bytes.length) throw new Error("too short");
    return this.bytes.subarray(this.at, (this.at += size));
  }

  uint(size: number): number {
    return this.take(size).readUIntBE(0, size);
  }

  text(size: number): Wire {
    const data = this.take(size);
    return { type: "str", value: new TextDecoder("utf-8", { fatal: true }).decode(data) };
  }

  extension(size: number): Wire {
    const code = this.take(1).readInt8();
    return { type: "ext", code, value: this.take(size) };
  }

  array(count: number): Wire {
    return { type: "array", items: Array.from({ length: count }, () => this.value()) };
  }

  map(count: number): Wire {
    return {
      type: "map",
      entries: Array.from({ length: count }, () => [this.value(), this.value()] as [Wire, Wire]),
    };
  }
}

/** A decoded value as plain data: bytes as Buffers, integers as numbers where they are exact. */
export function plain(value: Wire): unknown {
  switch (value.type) {
    case "nil":
      return null;
    case "int":
      return Number.isSafeInteger(Number(value.value)) ? Number(value.value) : value.value;
    case "array":
      return value.items.map(plain);
    case "map":
      return Object.fromEntries(value.entries.map(([key, inner]) => [plain(key), plain(inner)]));
    case "ext":
      return { code: value.code, data: value.value };
    default:
      return value.value;
  }
}
