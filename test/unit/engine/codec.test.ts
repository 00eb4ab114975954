/** The portable encoder and decoder: frames to bytes and back, at every split, and every limit. */
import { describe, expect, it } from "vitest";
import { COPY_LIMIT, type OutMessage } from "../../../src/base/message.js";
import { FrameDecoder } from "../../../src/engine/incoming/decoder.js";
import { Batch } from "../../../src/engine/outgoing/batch.js";

interface Decoded {
  frames: { flags: number; body: string; length: number }[];
  fault: number;
}

const WIDE = {
  maxFrameBytes: 2 ** 31 - 1,
  maxCommandBytes: 2 ** 20,
  maxParts: 65536,
  maxMessageBytes: 2 ** 31 - 1,
};

function decode(chunks: Buffer[], limits: Partial<typeof WIDE> = {}): Decoded {
  const frames: Decoded["frames"] = [];
  const add = (body: Buffer, flags: number): void => {
    frames.push({ flags, body: body.toString("latin1"), length: body.length });
  };
  const decoder = new FrameDecoder(
    { ...WIDE, ...limits },
    {
      onFrames: (chunk, table, count) => {
        for (let i = 0; i < count * 3; i += 3)
          add(chunk.subarray(table[i], table[i] + table[i + 1]), table[i + 2]);
      },
      onLargeFrame: add,
    },
  );
  let fault = 0;
  for (const chunk of chunks) fault = decoder.push(Buffer.from(chunk));
  return { frames, fault };
}

function encode(...messages: OutMessage[]): Buffer {
  const batch = new Batch();
  for (const message of messages) batch.append(message);
  const octets = Buffer.concat(batch.seal());
  expect(octets.length).toBe(batch.bytes);
  return octets;
}

function octetByOctet(octets: Buffer): Buffer[] {
  return Array.from(octets, (octet) => Buffer.from([octet]));
}

describe("encoder", () => {
  it("uses the short form up to 255 octets and the long form from 256 (E1, E2)", () => {
    expect(encode(Buffer.from("abc")).toString("hex")).toBe("0003616263");
    expect(encode(Buffer.alloc(255, 1)).subarray(0, 2).toString("hex")).toBe("00ff");
    expect(encode(Buffer.alloc(256, 1)).subarray(0, 9).toString("hex")).toBe("020000000000000100");
  });

  it("sets MORE on all parts but the last and keeps empty ones (E1, E8)", () => {
    expect(encode([Buffer.alloc(0), Buffer.from("a"), Buffer.alloc(0)]).toString("hex")).toBe(
      "010001016100" + "00",
    );
  });

  it("gathers large bodies by reference", () => {
    const body = Buffer.alloc(COPY_LIMIT + 1, 7);
    const batch = new Batch();
    batch.append([Buffer.from("x"), body, Buffer.from("y")]);
    expect(batch.seal()).toContain(body);
  });

  it("spreads over as many slabs as it takes", () => {
    const messages = Array.from({ length: 3000 }, (_, i) => Buffer.alloc(i % 400, i));
    const { frames } = decode([encode(...messages)]);
    expect(frames.map((frame) => frame.length)).toEqual(messages.map((message) => message.length));
  });
});

describe("decoder", () => {
  const messages: OutMessage[] = [
    Buffer.from("hello"),
    [Buffer.alloc(0), Buffer.from("a".repeat(300)), Buffer.alloc(0)],
    Buffer.alloc(0),
    Buffer.alloc(255, 2),
  ];
  const wire = encode(...messages);
  const whole = decode([wire]);

  it("gives back what was encoded", () => {
    expect(whole.frames.map((frame) => frame.length)).toEqual([5, 0, 300, 0, 0, 255]);
    expect(whole.frames.map((frame) => frame.flags)).toEqual([0, 1, 1, 0, 0, 0]);
  });

  it("gives the same octet by octet and at every split (E11)", () => {
    expect(decode(octetByOctet(wire))).toEqual(whole);
    for (let at = 1; at < wire.length; at++)
      expect(decode([wire.subarray(0, at), wire.subarray(at)])).toEqual(whole);
  });

  it("gives the same for large bodies in pieces (E11)", () => {
    const large = encode(
      [Buffer.from("head"), Buffer.alloc(100_000, 3)],
      Buffer.alloc(20_000, 4),
      Buffer.from("tail"),
    );
    const expected = decode([large]);
    expect(expected.frames.map((frame) => frame.length)).toEqual([4, 100_000, 20_000, 4]);
    for (const size of [1, 7, 1000, 16384, 65536]) {
      const chunks: Buffer[] = [];
      for (let at = 0; at < large.length; at += size) chunks.push(large.subarray(at, at + size));
      expect(decode(chunks)).toEqual(expected);
    }
  });

  it("delivers thousands of frames of one chunk", () => {
    const { frames } = decode([Buffer.alloc(40_000)]);
    expect(frames.length).toBe(20_000);
  });

  it("accepts the long form for a small size (E3)", () => {
    expect(decode([Buffer.from("02000000000000000161", "hex")]).frames).toEqual([
      { flags: 0, body: "a", length: 1 },
    ]);
  });

  it("ignores reserved flag bits (E5)", () => {
    expect(decode([Buffer.from("f80161", "hex")]).frames).toEqual([{ flags: 0, body: "a", length: 1 }]);
  });

  it("ignores MORE on a command (E6)", () => {
    expect(decode([Buffer.from("050161", "hex")]).frames).toEqual([{ flags: 4, body: "a", length: 1 }]);
  });

  it.each([
    ["2^31", "0000000080000000"],
    ["2^32", "0000000100000000"],
    ["2^53", "0020000000000000"],
    ["2^63-1", "7fffffffffffffff"],
    ["2^63", "8000000000000000"],
    ["2^64-1", "ffffffffffffffff"],
  ])("refuses a size of %s before taking memory, whole and octet by octet (E4)", (_name, size) => {
    const frame = Buffer.from(`02${size}00`, "hex");
    expect(decode([frame]).fault).toBe(1);
    expect(decode(octetByOctet(frame)).fault).toBe(1);
  });

  it("compares each part with the limit, not the message (E15)", () => {
    const wire = encode([Buffer.alloc(10), Buffer.alloc(10)], Buffer.alloc(11));
    const { frames, fault } = decode([wire], { maxFrameBytes: 10 });
    expect([frames.length, fault]).toEqual([2, 1]);
  });

  it("refuses a message of too many parts after exactly as many", () => {
    const parts = encode(Array.from({ length: 5 }, () => Buffer.alloc(0)));
    for (const chunks of [[parts], octetByOctet(parts)]) {
      expect(decode(chunks, { maxParts: 4 })).toMatchObject({ fault: 3, frames: { length: 4 } });
      expect(decode(chunks, { maxParts: 5 }).fault).toBe(0);
    }
  });

  it("refuses a message of too many octets, and counts each message anew", () => {
    const ten = [Buffer.alloc(5), Buffer.alloc(5)];
    expect(decode([encode(ten, ten, ten)], { maxMessageBytes: 10 }).fault).toBe(0);
    expect(decode([encode(ten, [Buffer.alloc(5), Buffer.alloc(6)])], { maxMessageBytes: 10 }).fault).toBe(4);
    expect(
      decode(octetByOctet(encode([Buffer.alloc(5), Buffer.alloc(6)])), { maxMessageBytes: 10 }).fault,
    ).toBe(4);
  });

  it("refuses a command that is too large", () => {
    expect(
      decode([Buffer.from("0605", "hex"), Buffer.alloc(7), Buffer.alloc(50)], { maxCommandBytes: 9 }).fault,
    ).toBe(2);
  });
});

describe("a batch whose write broke off", () => {
  const messages: OutMessage[] = [
    Buffer.from("one"),
    [Buffer.from("two"), Buffer.alloc(30_000, 2), Buffer.from("end")],
    Buffer.from("three"),
  ];
  const sizes = messages.map((message) => encode(message).length);

  it("keeps the message that was taken in part, whole, for every octet that may have been the last", () => {
    const total = sizes.reduce((sum, size) => sum + size);
    for (let taken = 0; taken <= total; taken += taken < 50 || taken > 30_000 ? 1 : 997) {
      const batch = new Batch();
      for (const message of messages) batch.append(message);
      batch.seal();
      batch.dropTaken(total - taken);
      let gone = 0;
      let octets = 0;
      while (gone < sizes.length && octets + sizes[gone] <= taken) octets += sizes[gone++];
      expect(batch.messages).toBe(3 - gone);
      expect(batch.bytes).toBe(total - octets);
      expect(Buffer.concat(batch.seal()).equals(encode(...messages.slice(gone)))).toBe(true);
    }
  });
});
