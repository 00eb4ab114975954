/**
 * Reads an event of the usual form in one pass: the fast way of decoding. For anything unusual (extension types, keys that
 * are not text, bytes that are not msgpack, exceeded limits, a missing byte) it gives up, and the caller takes the general
 * way.
 */
import { Buffer } from "../../base/platform.js";
import { idOf } from "./id.js";
import type { ScanLimits } from "./scan.js";

/** What was read. Ids have the form that id.ts describes. */
export class ReadEvent {
  id: string | null = null;
  responseTo: string | null = null;
  /** It answers something whose id cannot be an id, so it belongs to no channel. */
  astray = false;
  version = 1;
  /** The other keys of the header; null if there are none. */
  others: Record<string, unknown> | null = null;
  extension: unknown = undefined;
  name: unknown = undefined;
  args: unknown = undefined;
}

/** Methods of every Buffer that need not look up an encoding by name. The declarations lack them. */
interface Slices {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
}

/** Thrown when the general way has to read the event. */
const GIVE_UP = Symbol("give up");
const NIL = 0xc0;
/** Keys of maps and names of events are often the same: those of up to this many bytes are remembered. */
const REMEMBERED = 24;
const MEMORY = 256;

export class Reader {
  readonly #limits: ScanLimits;
  #bytes: Buffer & Slices = Buffer.alloc(0) as Buffer & Slices;
  #at = 0;
  #items = 0;
  /** Text by a simple sum over its bytes. A later text takes the place of an earlier one with the same sum. */
  readonly #memory: ({ stored: Buffer; text: string } | undefined)[] = new Array(MEMORY).fill(undefined);

  constructor(limits: ScanLimits) {
    this.#limits = limits;
  }

  /** Values in the event that was read last, keys included. */
  get items(): number {
    return this.#items;
  }

  /** The event, or null if the general way has to read it. */
  read(payload: Buffer): ReadEvent | null {
    this.#bytes = payload as Buffer & Slices;
    this.#at = 1;
    this.#items = 1;
    try {
      return payload[0] === 0x93 ? this.#event() : null;
    } catch (error) {
      // Thrown deep inside a value, where each level would have to pass on a return code.
      if (error !== GIVE_UP) throw error;
      return null;
    }
  }

  #event(): ReadEvent {
    const event = new ReadEvent();
    const lead = this.#byte();
    if (lead < 0x80 || lead > 0x8f) throw GIVE_UP;
    this.#items++;
    for (let count = lead & 15; count > 0; count--) this.#headerField(event);
    const name = this.#bytes[this.#at] ?? 0;
    if (name > 0xa0 && name <= 0xa0 + REMEMBERED) {
      this.#at++;
      this.#items++;
      event.name = this.#known(name & 31);
    } else event.name = this.#value(1);
    event.args = this.#value(1);
    return event;
  }

  #headerField(event: ReadEvent): void {
    this.#items++;
    const key = this.#key();
    if (key === "message_id") event.id = this.#id();
    else if (key === "response_to") {
      const absent = this.#bytes[this.#at] === NIL;
      event.responseTo = this.#id();
      event.astray = event.responseTo === null && !absent;
    } else if (key === "v") {
      const version = this.#value(2);
      event.version = typeof version === "number" && Number.isInteger(version) ? version : 1;
    } else if (key === "zwire") event.extension = this.#value(2);
    else {
      event.others ??= {};
      event.others[key] = this.#value(2);
    }
  }

  /** An id, or null for a value that cannot be one. */
  #id(): string | null {
    const bytes = this.#bytes;
    if (bytes[this.#at] === 0xc4) {
      const length = bytes[this.#at + 1];
      const start = this.#at + 2;
      this.#items++;
      this.#take(2 + length);
      return `b${bytes.latin1Slice(start, start + length)}`;
    }
    return idOf(this.#value(2));
  }

  #byte(): number {
    if (this.#at >= this.#bytes.length) throw GIVE_UP;
    return this.#bytes[this.#at++];
  }

  /** Takes so many bytes, if they are there. Returns where they begin. */
  #take(count: number): number {
    const start = this.#at;
    this.#at += count;
    if (this.#at > this.#bytes.length) throw GIVE_UP;
    return start;
  }

  /** A key of a map: text. */
  #key(): string {
    const lead = this.#byte();
    const key =
      lead >= 0xa0 && lead <= 0xbf ? this.#known(lead & 31) : lead === 0xd9 ? this.#text(this.#byte()) : null;
    if (key === null || key === "__proto__") throw GIVE_UP;
    return key;
  }

  #value(depth: number): unknown {
    if (++this.#items > this.#limits.items) throw GIVE_UP;
    const lead = this.#byte();
    if (lead < 0x80) return lead;
    if (lead >= 0xe0) return lead - 256;
    if (lead < 0x90) return this.#map(lead & 15, depth);
    if (lead < 0xa0) return this.#array(lead & 15, depth);
    if (lead < 0xc0) return this.#text(lead & 31);
    return this.#long(lead, depth);
  }

  #long(lead: number, depth: number): unknown {
    const bytes = this.#bytes;
    switch (lead) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.#view(this.#byte());
      case 0xc5:
        return this.#view(bytes.readUInt16BE(this.#take(2)));
      case 0xc6:
        return this.#view(bytes.readUInt32BE(this.#take(4)));
      case 0xca:
        return bytes.readFloatBE(this.#take(4));
      case 0xcb:
        return bytes.readDoubleBE(this.#take(8));
      case 0xcc:
        return this.#byte();
      case 0xcd:
        return bytes.readUInt16BE(this.#take(2));
      case 0xce:
        return bytes.readUInt32BE(this.#take(4));
      case 0xcf:
        return integer(bytes.readBigUInt64BE(this.#take(8)));
      case 0xd0:
        return bytes.readInt8(this.#take(1));
      case 0xd1:
        return bytes.readInt16BE(this.#take(2));
      case 0xd2:
        return bytes.readInt32BE(this.#take(4));
      case 0xd3:
        return integer(bytes.readBigInt64BE(this.#take(8)));
      case 0xd9:
        return this.#text(this.#byte());
      case 0xda:
        return this.#text(bytes.readUInt16BE(this.#take(2)));
      case 0xdb:
        return this.#text(bytes.readUInt32BE(this.#take(4)));
      case 0xdc:
        return this.#array(bytes.readUInt16BE(this.#take(2)), depth);
      case 0xdd:
        return this.#array(bytes.readUInt32BE(this.#take(4)), depth);
      case 0xde:
        return this.#map(bytes.readUInt16BE(this.#take(2)), depth);
      case 0xdf:
        return this.#map(bytes.readUInt32BE(this.#take(4)), depth);
      default:
        throw GIVE_UP;
    }
  }

  #view(length: number): Buffer {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  #text(length: number): string {
    const start = this.#take(length);
    return this.#bytes.utf8Slice(start, start + length);
  }

  /** Text that was probably read before. Then no new string is made. */
  #known(length: number): string {
    if (length === 0 || length > REMEMBERED) return this.#text(length);
    const start = this.#take(length);
    const bytes = this.#bytes;
    const place = (length * 37 + bytes[start] * 5 + bytes[start + length - 1]) & (MEMORY - 1);
    const entry = this.#memory[place];
    if (entry !== undefined && entry.stored.length === length) {
      const { stored } = entry;
      let i = 0;
      while (i < length && stored[i] === bytes[start + i]) i++;
      if (i === length) return entry.text;
    }
    const text = bytes.utf8Slice(start, start + length);
    this.#memory[place] = { stored: Buffer.from(bytes.subarray(start, start + length)), text };
    return text;
  }

  /** The number of elements. Each takes at least one byte, so no memory is allocated for what was not received. */
  #inside(elements: number, depth: number): void {
    if (depth >= this.#limits.depth || elements > this.#bytes.length - this.#at) throw GIVE_UP;
  }

  #array(count: number, depth: number): unknown[] {
    this.#inside(count, depth);
    const array: unknown[] = [];
    for (let i = 0; i < count; i++) array.push(this.#value(depth + 1));
    return array;
  }

  #map(count: number, depth: number): Record<string, unknown> {
    this.#inside(count * 2, depth);
    const map: Record<string, unknown> = {};
    for (let i = 0; i < count; i++) {
      this.#items++;
      const key = this.#key();
      map[key] = this.#value(depth + 1);
    }
    return map;
  }
}

/** A number if it is exact, else a bigint. 2^53 counts as exact, as in codec.ts. */
function integer(value: bigint): number | bigint {
  return value >= -9007199254740992n && value <= 9007199254740992n ? Number(value) : value;
}
