/**
 * Random events for zwire/rpc: right in some places and wrong in others, the same for the same seed.
 */
import { arr, bin, hex, int, map, nil, str } from "./msgpack.js";
import { newId } from "./rpc-peers.js";

/** Mulberry32: the same numbers for the same seed. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Makes msgpack values and events. */
export class Fuzzer {
  readonly next: () => number;
  constructor(seed: number) {
    this.next = random(seed);
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  bytes(most: number): Buffer {
    return Buffer.from(Array.from({ length: this.below(most) }, () => this.below(256)));
  }

  /** A number in any of the wire's forms: floats that are whole and huge, integers at the ends of each form. */
  number(): Buffer {
    const double = (value: number): Buffer => {
      const bytes = Buffer.alloc(9, 0xcb);
      bytes.writeDoubleBE(value, 1);
      return bytes;
    };
    switch (this.below(6)) {
      case 0:
        return int(this.below(2 ** 31) - this.below(2 ** 31));
      case 1:
        return Buffer.concat([
          Buffer.of(0xcb),
          Buffer.from(Array.from({ length: 8 }, () => this.below(256))),
        ]);
      case 2:
        // Whole numbers of every size, and halves.
        return double(
          (this.below(2) === 0 ? 1 : -1) * Math.floor(this.next() * 2 ** 53) * 2 ** (this.below(1000) - 1),
        );
      case 3:
        return double(
          this.pick([
            0,
            -0,
            1,
            1e21,
            -1e21,
            2 ** 53,
            2 ** 63,
            -(2 ** 63),
            2 ** 64,
            -1e20,
            1e308,
            NaN,
            Infinity,
            -Infinity,
          ]),
        );
      case 4:
        return hex(this.pick(["ca 7f7fffff", "ca ff800000", "ca 5f800000", "ca 60ad78ec", "ca 80000000"]));
      default: {
        const lead = 0xcc + this.below(8);
        const edge = this.pick([0x00, 0x7f, 0x80, 0xff]);
        return Buffer.concat([
          Buffer.of(lead, edge),
          Buffer.alloc((1 << ((lead - 0xcc) & 3)) - 1, this.pick([0, 0xff])),
        ]);
      }
    }
  }

  /** What may or may not be an id: often a number, of which most are none. */
  id(): Buffer {
    return this.pick([() => this.number(), () => this.value(), () => bin(this.bytes(40))])();
  }

  /** Any msgpack value, or nearly one. */
  value(depth = 0): Buffer {
    const kind = this.below(depth > 4 ? 9 : 13);
    switch (kind) {
      case 0:
        return nil;
      case 1:
        return this.number();
      case 2:
        return str(
          this.pick(["", "a", "__proto__", "constructor", "toString", "then", "zwire", "x".repeat(200)]),
        );
      case 3:
        return bin(this.bytes(40));
      case 4:
        return hex(
          this.pick([
            "c2",
            "c3",
            "cb 7ff8000000000000",
            "ca 3f800000",
            "cf ffffffffffffffff",
            "d3 8000000000000000",
          ]),
        );
      case 5:
        return hex(
          this.pick([
            "d4 72 40",
            "d4 05 00",
            "c7 00 62",
            "d6 ff 00000000",
            "c7 04 78 92a1 61a0",
            "d4 65 93",
            "d5 72 40 41",
            "c7 03 ff 000000",
          ]),
        );
      case 6:
        return Buffer.concat([Buffer.of(0xa3), Buffer.from([0xff, 0xfe, 0x41])]);
      case 7:
        return hex(
          this.pick([
            "c1",
            "dd ffffffff",
            "df 7fffffff",
            "db ffffffff",
            "c6 ffffffff",
            "c9 ffffffff 00",
            "dc ffff",
            "81",
            "92",
          ]),
        );
      case 8:
        return this.bytes(20);
      case 9:
      case 10:
        return arr(...Array.from({ length: this.below(6) }, () => this.value(depth + 1)));
      default: {
        const count = this.below(5);
        const entries = Array.from({ length: count * 2 }, () => this.value(depth + 1));
        return Buffer.concat([Buffer.of(0x80 | count), ...entries]);
      }
    }
  }

  /** An event, right in some places and wrong in others. */
  event(ids: Buffer[], names: readonly string[]): Buffer {
    const id = this.below(4) === 0 ? this.id() : bin(newId());
    if (ids.length < 200) ids.push(id);
    const fields: Record<string, Buffer> = {
      message_id: id,
      v: this.pick([int(3), int(3), int(1), this.value()]),
    };
    if (this.below(2) === 0 && ids.length > 0)
      fields.response_to = this.below(6) === 0 ? this.id() : this.pick(ids);
    if (this.below(3) === 0)
      fields.zwire = this.pick([map({}), map({ timeout: this.value() }), this.value()]);
    if (this.below(10) === 0) fields[this.pick(["v", "__proto__", "message_id"])] = this.value();
    const header = this.below(20) === 0 ? this.value() : map(fields);
    const name = this.below(8) === 0 ? this.value() : str(this.pick(names));
    const args =
      this.below(2) === 0 ? this.value() : arr(...Array.from({ length: this.below(4) }, () => this.value()));
    const whole = this.below(12) === 0 ? arr(header, name) : arr(header, name, args);
    if (this.below(12) === 0) return whole.subarray(0, this.below(whole.length));
    if (this.below(12) === 0) {
      const bent = Buffer.from(whole);
      bent[this.below(bent.length)] = this.below(256);
      return bent;
    }
    return whole;
  }
}
