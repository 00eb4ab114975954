/**
 * What a WebSocket's frames are made of and taken from, without I/O: whatever the pieces in which bytes come, the result is
 * the same, and what a broken connection has not taken is told to the byte.
 */
import { describe, expect, it } from "vitest";
import type { FrameFault } from "../../../src/transport/contract/transport.js";
import { applyMask, maskAt } from "../../../src/transport/ws/frame.js";
import { cookiesOf, HeadReader } from "../../../src/transport/ws/http.js";
import { Incoming, type IncomingSink } from "../../../src/transport/ws/incoming.js";
import { Outgoing } from "../../../src/transport/ws/outgoing.js";
import { encodeCommand } from "../../../src/wire/zmtp/command.js";
import { encodeGreeting } from "../../../src/wire/zmtp/greeting.js";
import { randomFrom } from "../../support/random.js";

const LIMITS = { maxFrameBytes: 1e9, maxCommandBytes: 1e9, maxParts: 1e9, maxMessageBytes: 1e9 };
const SIZES = [
  0, 1, 2, 3, 4, 5, 16, 47, 48, 49, 63, 64, 65, 123, 124, 125, 126, 127, 255, 256, 1000, 8191, 8192, 20_000,
  65_533, 65_536, 70_000,
];

interface Frame {
  readonly flags: number;
  readonly body: Buffer;
}

function zmtp({ flags, body }: Frame): Buffer {
  if (body.length < 256) return Buffer.concat([Buffer.from([flags, body.length]), body]);
  const header = Buffer.alloc(9);
  header[0] = flags | 2;
  header.writeBigUInt64BE(BigInt(body.length), 1);
  return Buffer.concat([header, body]);
}

function someFrames(random: (below: number) => number, count: number): Frame[] {
  return Array.from({ length: count }, () => {
    const body = Buffer.alloc(SIZES[random(SIZES.length)]);
    for (let i = 0; i < body.length; i++) body[i] = random(256);
    return { flags: [0, 0, 0, 1, 4][random(5)], body };
  });
}

/** Cuts bytes into pieces, some of them tiny. */
function cut(random: (below: number) => number, bytes: Buffer, most: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = random(3) === 0 ? 1 + random(3) : 1 + random(most);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/** One that has said its greeting. */
function outgoing(masking: boolean): Outgoing {
  const one = new Outgoing(masking, false);
  one.begin([encodeGreeting("NULL", false)]);
  expect(one.fill(Buffer.alloc(4096))).toEqual([]);
  expect(one.remaining).toBe(false);
  return one;
}

/** All bytes of one write. */
function written(one: Outgoing, segments: Buffer[], slabBytes: number): Buffer {
  const chunks: Buffer[] = [];
  one.begin(segments);
  while (one.remaining) chunks.push(Buffer.concat(one.fill(Buffer.alloc(slabBytes))));
  return Buffer.concat(chunks);
}

class Sink implements IncomingSink {
  readonly frames: Frame[] = [];
  readonly told: string[] = [];

  zmtp(bytes: Buffer): void {
    this.told.push(`bytes ${bytes.length}`);
  }

  onFrames(chunk: Buffer, table: Uint32Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const [at, length, flags] = table.subarray(3 * i, 3 * i + 3);
      this.frames.push({ flags, body: Buffer.from(chunk.subarray(at, at + length)) });
    }
  }

  onLargeFrame(body: Buffer, flags: number): void {
    this.frames.push({ flags, body: Buffer.from(body) });
  }

  identity(payload: Buffer): void {
    this.told.push(`identity ${payload}`);
  }

  fault(fault: FrameFault, size: number): void {
    this.told.push(`fault ${fault} ${size}`);
  }

  readOn(): void {
    this.told.push("reads on");
  }

  ping(payload: Buffer): void {
    this.told.push(`ping ${payload}`);
  }

  pong(): void {
    this.told.push("pong");
  }

  closed(payload: Buffer): void {
    this.told.push(`close ${payload.length}`);
  }

  broken(code: number, text: string): void {
    this.told.push(`broken ${code} ${text}`);
  }
}

function reader(masked: boolean): { sink: Sink; incoming: Incoming } {
  const sink = new Sink();
  const incoming = new Incoming(masked, false, sink);
  incoming.startFrames(LIMITS, Buffer.alloc(0));
  return { sink, incoming };
}

describe("a mask", () => {
  it("is the same wherever the bytes lie, whatever came before, and undoes itself", () => {
    const mask = Buffer.from([0x9a, 0x01, 0xf7, 0x42]);
    for (const length of [0, 1, 3, 4, 7, 63, 64, 65, 66, 67, 200]) {
      for (let offset = 0; offset < 5; offset++) {
        for (let phase = 0; phase < 5; phase++) {
          const bytes = Buffer.alloc(length + 12, 0x5a);
          applyMask(bytes, offset, offset + length, maskAt(mask, 0), phase);
          const expected = Buffer.alloc(length + 12, 0x5a);
          for (let i = 0; i < length; i++) expected[offset + i] ^= mask[(i + phase) & 3];
          expect(bytes.equals(expected), `${length} from ${offset}, after ${phase}`).toBe(true);
          applyMask(bytes, offset, offset + length, maskAt(mask, 0), phase);
          expect(bytes.equals(Buffer.alloc(length + 12, 0x5a))).toBe(true);
        }
      }
    }
  });
});

describe("frames", () => {
  it.each([true, false])("come out as they went in, however they are cut (masked: %s; E11, X6)", (masked) => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = randomFrom(seed);
      const frames = someFrames(random, 40);
      const bytes = Buffer.concat(frames.map(zmtp));
      const one = outgoing(masked);
      const wire: Buffer[] = [];
      // Several writes, which may end inside a frame, as the paced writer does it.
      for (const write of cut(random, bytes, 40_000)) {
        wire.push(written(one, cut(random, write, 9000), [400, 4096, 65_536][seed % 3]));
      }
      const { sink, incoming } = reader(masked);
      for (const chunk of cut(random, Buffer.concat(wire), 30_000)) incoming.push(Buffer.from(chunk));
      expect(sink.told).toEqual([]);
      expect(sink.frames.length, `seed ${seed}`).toBe(frames.length);
      frames.forEach(({ flags, body }, i) => {
        expect(sink.frames[i].flags).toBe(flags);
        expect(sink.frames[i].body.equals(body), `seed ${seed}, frame ${i}`).toBe(true);
      });
      expect(incoming.partial).toBe(false);
    }
  });

  it("no mask is used twice in a row", () => {
    const wire = written(
      outgoing(true),
      [Buffer.concat(Array.from({ length: 5000 }, () => zmtp({ flags: 0, body: Buffer.alloc(1) })))],
      65_536,
    );
    const seen = new Set<string>();
    for (let at = 0; at < wire.length; at += 8) seen.add(wire.toString("hex", at + 2, at + 6));
    expect(seen.size).toBeGreaterThan(4990);
  });

  it.each([true, false])(
    "what the kernel has not taken is told by whole frames (masked: %s; E14)",
    (masked) => {
      for (let seed = 1; seed <= 40; seed++) {
        const random = randomFrom(seed);
        const frames = someFrames(random, 12);
        const bytes = Buffer.concat(frames.map(zmtp));
        const ends: number[] = [];
        for (const one of frames) ends.push((ends.at(-1) ?? 0) + zmtp(one).length);
        const one = outgoing(masked);
        one.begin(cut(random, bytes, 9000));
        let sent = Buffer.alloc(0);
        while (one.remaining) {
          const chunk = Buffer.concat(one.fill(Buffer.alloc(4096)));
          for (let round = 0; round < 8; round++) {
            const pending = random(chunk.length + 1);
            const taken = one.taken(pending);
            const { sink, incoming } = reader(masked);
            incoming.push(Buffer.from(Buffer.concat([sent, chunk.subarray(0, chunk.length - pending)])));
            const whole = sink.frames.length;
            // All frames that went out whole count, and the next does not.
            expect(taken, `seed ${seed}`).toBeGreaterThanOrEqual(whole === 0 ? 0 : ends[whole - 1]);
            if (whole < ends.length) expect(taken, `seed ${seed}`).toBeLessThan(ends[whole]);
          }
          expect(one.taken(0)).toBe(one.position);
          sent = Buffer.concat([sent, chunk]);
        }
      }
    },
  );

  it("without commands READY is an identity, PING the WebSocket's, and a handshake's others nothing (X4)", () => {
    const one = new Outgoing(false, true);
    const ready = encodeCommand("READY", Buffer.from("\x08Identity\x00\x00\x00\x02me", "latin1"));
    const ping = encodeCommand("PING", Buffer.from("\x00\x00context"));
    const bytes = [
      encodeGreeting("NULL", false),
      ready,
      ping,
      encodeCommand("ERROR", Buffer.from("\x01x")),
      zmtp({ flags: 0, body: Buffer.from("x") }),
    ];
    for (const most of [1, 7, 1000]) {
      const fresh = new Outgoing(false, true);
      const wire = written(fresh, cut(randomFrom(most), Buffer.concat(bytes), most), 4096);
      expect(wire.toString("latin1")).toBe("\x82\x03\x00me\x89\x07context\x82\x02\x00x");
      expect(fresh.whole).toBe(true);
    }
    expect(one.whole).toBe(true);
  });
});

describe("the head of a request", () => {
  it("is read in any pieces, and what is behind it stays", () => {
    const text = "GET /x HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\nX: \t y  \r\nCookie: b=2\r\nx: z\r\n\r\nrest";
    for (let size = 1; size <= text.length; size++) {
      const head = new HeadReader();
      let rest = "";
      for (let at = 0; at < text.length; at += size) {
        const read = head.push(Buffer.from(text.slice(at, at + size)));
        if (read === undefined) continue;
        expect(read.head.start).toBe("GET /x HTTP/1.1");
        expect({ ...read.head.headers }).toEqual({ host: "a", cookie: "a=1; b=2", x: "y, z" });
        rest = `${read.rest}${text.slice(at + size)}`;
        break;
      }
      expect(rest).toBe("rest");
    }
  });

  it.each(["no colon", " folded: x", "na me: x", "a: b\x00c", ": x"])("%j is not a header", (line) => {
    expect(() => new HeadReader().push(Buffer.from(`GET / HTTP/1.1\r\n${line}\r\n\r\n`, "latin1"))).toThrow(
      "not a header",
    );
  });

  it("cookies are decoded, the first of a name counts, and a name of an object's own is only a name", () => {
    const cookies = cookiesOf('a=1; b="two words"; c=%C3%A4; d=%zz; a=3; lonely; __proto__=x; e=');
    expect(Object.entries(cookies)).toEqual([
      ["a", "1"],
      ["b", "two words"],
      ["c", "ä"],
      ["d", "%zz"],
      ["__proto__", "x"],
      ["e", ""],
    ]);
    expect(Object.keys(cookiesOf())).toEqual([]);
  });
});
