/**
 * Reads an event of the usual form in one pass: the hot half of decoding. Whatever is unusual about it (extension types,
 * keys that are no text, octets that are no value, bounds exceeded, an octet too few) it leaves to the general way, by
 * giving up. Knows nothing of channels.
 */
import { Buffer } from "../../base/platform.js";
import { idOf } from "./id.js";
import type { ScanLimits } from "./scan.js";

/** What was read. Ids are keys: a letter for the type, and the id as text (event.ts). */
export class ReadEvent {
  id: string | null = null;
  responseTo: string | null = null;
  /** It answers something whose id cannot be one: it belongs to nobody. */
  astray = false;
  version = 1;
  /** The header's other keys; null for none. */
  others: Record<string, unknown> | null = null;
  extension: unknown = undefined;
  name: unknown = undefined;
  args: unknown = undefined;
}

/** Methods of every Buffer that take no encoding's name and so need not look it up; missing in the declarations. */
interface Slices {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
}

/** Says that the general way has to do it. */
const GIVE_UP = Symbol("give up");
const NIL = 0xc0;
/** Keys of maps and names of events come again and again: those of up to so many octets are remembered. */
const REMEMBERED = 24;
const MEMORY = 256;

export class Reader {
  readonly #limits: ScanLimits;
  #bytes: Buffer & Slices = Buffer.alloc(0) as Buffer & Slices;
  #at = 0;
  #items = 0;
  /** Text by a simple sum over its octets; what comes later takes a place over. */
  readonly #memory: ({ octets: Buffer; text: string } | undefined)[] = new Array(MEMORY).fill(undefined);

  constructor(limits: ScanLimits) {
    this.#limits = limits;
  }

  /** Values in the event that was read last, keys included. */
  get items(): number {
    return this.#items;
  }

  /** The event, or null if the general way has to look at it. */
  read(payload: Buffer): ReadEvent | null {
    this.#bytes = payload as Buffer & Slices;
    this.#at = 1;
    this.#items = 1;
    try {
      return payload[0] === 0x93 ? this.#event() : null;
    } catch (error) {
      // Deep inside a value; a return code would have to be passed on by each level.
      if (error !== GIVE_UP) throw error;
      return null;
    }
  }

  #event(): ReadEvent {
    const event = new ReadEvent();
    const lead = this.#octet();
    if (lead < 0x80 || lead > 0x8f) throw GIVE_UP;
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
    this.#items += 2;
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

  /** An id as its key, or null for what cannot be one. */
  #id(): string | null {
    const bytes = this.#bytes;
    if (bytes[this.#at] === 0xc4) {
      const length = bytes[this.#at + 1];
      const start = this.#at + 2;
      this.#take(2 + length);
      return `b${bytes.latin1Slice(start, start + length)}`;
    }
    return idOf(this.#value(2));
  }

  #octet(): number {
    if (this.#at >= this.#bytes.length) throw GIVE_UP;
    return this.#bytes[this.#at++];
  }

  /** Where so many octets begin that are there. */
  #take(octets: number): number {
    const start = this.#at;
    this.#at += octets;
    if (this.#at > this.#bytes.length) throw GIVE_UP;
    return start;
  }

  /** A key of a map: text. */
  #key(): string {
    const lead = this.#octet();
    const key =
      lead >= 0xa0 && lead <= 0xbf
        ? this.#known(lead & 31)
        : lead === 0xd9
          ? this.#text(this.#octet())
          : null;
    if (key === null || key === "__proto__") throw GIVE_UP;
    return key;
  }

  #value(depth: number): unknown {
    if (++this.#items > this.#limits.items) throw GIVE_UP;
    const lead = this.#octet();
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
        return this.#view(this.#octet());
      case 0xc5:
        return this.#view(bytes.readUInt16BE(this.#take(2)));
      case 0xc6:
        return this.#view(bytes.readUInt32BE(this.#take(4)));
      case 0xca:
        return bytes.readFloatBE(this.#take(4));
      case 0xcb:
        return bytes.readDoubleBE(this.#take(8));
      case 0xcc:
        return this.#octet();
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
        return this.#text(this.#octet());
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

  /** Text that has probably been read before: then nothing is made. */
  #known(length: number): string {
    if (length === 0 || length > REMEMBERED) return this.#text(length);
    const start = this.#take(length);
    const bytes = this.#bytes;
    const place = (length * 37 + bytes[start] * 5 + bytes[start + length - 1]) & (MEMORY - 1);
    const entry = this.#memory[place];
    if (entry !== undefined && entry.octets.length === length) {
      const { octets } = entry;
      let i = 0;
      while (i < length && octets[i] === bytes[start + i]) i++;
      if (i === length) return entry.text;
    }
    const text = bytes.utf8Slice(start, start + length);
    this.#memory[place] = { octets: Buffer.from(bytes.subarray(start, start + length)), text };
    return text;
  }

  /** Each element takes an octet at least: no memory is taken for what was not received. */
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

/** A number where it is exact; codec.ts counts 2^53 as such. */
function integer(value: bigint): number | bigint {
  return value >= -9007199254740992n && value <= 9007199254740992n ? Number(value) : value;
}
