/**
 * The old msgpack of zerorpc before 0.6, which has one type, "raw", for text and bytes. Converts encoded bytes to it and
 * back (§4), token by token: nesting does not matter, because the tokens of a value follow one another.
 */
import { Buffer, isUtf8 } from "../../base/platform.js";

/** The head of a str or bin, whose length takes 1, 2 or 4 bytes; null for other tokens. */
function head(lead: number): { size: number; string: boolean } | null {
  if (lead >= 0xd9 && lead <= 0xdb) return { size: 1 << (lead - 0xd9), string: true };
  if (lead >= 0xc4 && lead <= 0xc6) return { size: 1 << (lead - 0xc4), string: false };
  return null;
}

/** Bytes of a token that is neither str nor bin. Of arrays and maps only the head. */
function plainSize(bytes: Buffer, at: number): number {
  const lead = bytes[at];
  if (lead < 0xc0 || lead >= 0xe0 || lead <= 0xc3) return 1;
  if (lead >= 0xc7 && lead <= 0xc9) {
    const size = 1 << (lead - 0xc7);
    return 2 + size + bytes.readUIntBE(at + 1, size);
  }
  if (lead === 0xca) return 5;
  if (lead === 0xcb) return 9;
  if (lead >= 0xcc && lead <= 0xcf) return 1 + (1 << (lead - 0xcc));
  if (lead >= 0xd0 && lead <= 0xd3) return 1 + (1 << (lead - 0xd0));
  if (lead >= 0xd4 && lead <= 0xd8) return 2 + (1 << (lead - 0xd4));
  return 1 + (2 << (lead & 1)); // dc to df
}

function rawHead(length: number): Buffer {
  if (length < 32) return Buffer.of(0xa0 | length);
  if (length < 65536) return Buffer.of(0xda, length >> 8, length & 0xff);
  const long = Buffer.alloc(5, 0xdb);
  long.writeUInt32BE(length, 1);
  return long;
}

function binHead(length: number): Buffer {
  const long = Buffer.alloc(5, 0xc6);
  long.writeUInt32BE(length, 1);
  return long;
}

/** Gives each str and bin the head that `newHead` returns; null leaves it as it is. */
function rewrite(
  bytes: Buffer,
  newHead: (data: Buffer, lead: number, string: boolean) => Buffer | null,
): Buffer {
  const pieces: Buffer[] = [];
  let kept = 0;
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at];
    const short = lead >= 0xa0 && lead < 0xc0;
    const long = short ? null : head(lead);
    if (!short && long === null) {
      at += plainSize(bytes, at);
      continue;
    }
    const start = at + 1 + (long?.size ?? 0);
    const length = long === null ? lead & 0x1f : bytes.readUIntBE(at + 1, long.size);
    const data = bytes.subarray(start, start + length);
    const other = newHead(data, lead, short || (long?.string ?? false));
    if (other !== null) {
      pieces.push(bytes.subarray(kept, at), other);
      kept = start;
    }
    at = start + length;
  }
  if (pieces.length === 0) return bytes;
  pieces.push(bytes.subarray(kept));
  return Buffer.concat(pieces);
}

/** For an old peer: neither str8 nor bin. */
export function toRaw(bytes: Buffer): Buffer {
  return rewrite(bytes, (data, lead, string) => (string && lead !== 0xd9 ? null : rawHead(data.length)));
}

/** From an old peer, after a scan: raw that is not UTF-8 becomes bin. */
export function fromRaw(bytes: Buffer): Buffer {
  return rewrite(bytes, (data, _lead, string) => (string && !isUtf8(data) ? binHead(data.length) : null));
}
