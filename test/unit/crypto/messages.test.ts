/**
 * Sealing and opening MESSAGE (P8 to P14), with the native build of libsodium and without, against boxes composed with
 * crypto_box.
 */
import { describe, expect, it } from "vitest";
import { FrameDecoder } from "../../../src/engine/incoming/decoder.js";
import { Batch } from "../../../src/engine/outgoing/batch.js";
import { Crypto, newCrypto } from "../../../src/security/crypto/crypto.js";
import { Heap } from "../../../src/security/crypto/heap.js";
import { OpenFault } from "../../../src/security/crypto/message-opener.js";
import { plainTaken, plainUnread } from "../../../src/security/crypto/sealed-frames.js";
import { loadSodium } from "../../../src/security/crypto/sodium.js";
import type { FrameLimits } from "../../../src/wire/frame-limits.js";
import * as curve from "../../vectors/curve.js";
import { frame, longFrame } from "../../vectors/frames.js";
import { octets, text, zeros } from "../../vectors/octets.js";

const ANY: FrameLimits = {
  maxFrameBytes: 2 ** 31 - 1,
  maxCommandBytes: 1024 * 1024,
  maxParts: 65536,
  maxMessageBytes: 2 ** 31 - 1,
};
const SLAB = 256 * 1024;
/** Lengths at which a size or a way of sealing changes. */
const LENGTHS = [0, 1, 16, 221, 222, 223, 255, 256, 999, 1000, 1001, 16384, 16385, 65536, 131072, 300_000];

const libraries: [string, Crypto][] = [
  ["native", await newCrypto(false)],
  ["portable", await newCrypto(true)],
];
const key = Buffer.from(
  libraries[1][1].curve.sharedKey(curve.SERVER_TRANSIENT.publicKey, curve.CLIENT_TRANSIENT.secretKey)!,
);

const body = (length: number): Buffer => Buffer.alloc(length, `${length} `);

function sealer(crypto: Crypto, asServer = false, sent = { high: 0, low: 2 }) {
  return crypto.sealer({ key, asServer, sent, received: { high: 0, low: 0 } });
}

function opener(crypto: Crypto, asServer = true, limits = ANY, received = { high: 0, low: 2 }) {
  return crypto.opener({ key, asServer, received, sent: { high: 0, low: 0 } }, limits);
}

/** Everything that comes of sealing these segments. */
function sealAll(
  sealing: ReturnType<typeof sealer>,
  segments: readonly Uint8Array[],
  slabBytes = SLAB,
): Buffer {
  const pieces: Buffer[] = [];
  const slab = Buffer.alloc(slabBytes);
  sealing.begin(segments);
  while (sealing.remaining && !sealing.exhausted) {
    const filled = sealing.fill(slab);
    pieces.push(filled > 0 ? Buffer.from(slab.subarray(0, filled)) : sealing.sealAlone());
  }
  return Buffer.concat(pieces);
}

/** Frames that an opener gives for bytes, as [flags, body], until it fails. */
function openAll(opening: ReturnType<typeof opener>, stream: Buffer): [number, Buffer][] {
  const frames: [number, Buffer][] = [];
  const limits = { maxFrameBytes: 1e9, maxCommandBytes: 1e9, maxParts: 1e9, maxMessageBytes: 1e9 };
  const decoder = new FrameDecoder(limits, {
    onFrames(chunk, table, count) {
      const good = opening.open(chunk, table, count);
      for (let i = 0; i < good; i++) {
        const [at, length, flags] = table.subarray(i * 3, i * 3 + 3);
        frames.push([flags, Buffer.from(chunk.subarray(at, at + length))]);
      }
    },
    onLargeFrame(large) {
      if (opening.fault !== OpenFault.none) return;
      const flags = opening.openAlone(large);
      if (flags >= 0) frames.push([flags, Buffer.from(large.subarray(33))]);
    },
  });
  decoder.push(Buffer.from(stream)); // a copy: opening is in place
  return frames;
}

describe.each(libraries)("%s library", (name, crypto) => {
  it("is the one that it says", () => {
    expect(crypto.native).toBe(name === "native");
  });

  it("seals what crypto_box seals: outer flags 00 or 02, inner bits 01 and 02 (P8, P9, P10, P12)", () => {
    const batch = new Batch();
    const expected: Buffer[] = [];
    let nonce = 3n;
    for (const length of LENGTHS) {
      batch.append([body(length), body(7)]);
      expected.push(frame(0, curve.message(false, nonce++, 1, body(length))));
      expected.push(frame(0, curve.message(false, nonce++, 0, body(7))));
    }
    const ping = frame(4, "04", text("PING"), "0000");
    const segments = [ping, ...batch.seal(), longFrame(4, octets("09", text("SUBSCRIBE"), body(70_000)))];
    expected.unshift(frame(0, curve.message(false, 3n, 2, ping.subarray(2))));
    const renumbered = expected.slice(1).map((_, i) => {
      const [flags, data] = [i % 2 === 0 ? 1 : 0, i % 2 === 0 ? body(LENGTHS[i / 2]) : body(7)];
      return frame(0, curve.message(false, BigInt(4 + i), flags, data));
    });
    const subscribe = curve.message(false, nonce + 1n, 2, octets("09", text("SUBSCRIBE"), body(70_000)));
    const sealed = sealAll(sealer(crypto), segments);
    expect(sealed.equals(octets(expected[0], ...renumbered, frame(0, subscribe)))).toBe(true);
  });

  it("as a server it uses the other prefix (P8)", () => {
    const sealed = sealAll(sealer(crypto, true), [frame(0, text("hello")), frame(0, body(5000))]);
    const expected = [curve.message(true, 3n, 0, text("hello")), curve.message(true, 4n, 0, body(5000))];
    expect(sealed.equals(octets(...expected.map((message) => frame(0, message))))).toBe(true);
  });

  it("leaves the plain octets as they were, to be sent again", () => {
    const batch = new Batch();
    for (const length of LENGTHS) batch.append([body(length), body(3)]);
    const before = Buffer.concat(batch.seal());
    sealAll(sealer(crypto), batch.seal());
    expect(Buffer.concat(batch.seal()).equals(before)).toBe(true);
  });

  it("opens what it sealed, and what crypto_box sealed, in any chunks", () => {
    const batch = new Batch();
    for (let i = 0; i < 200; i++)
      for (const length of LENGTHS.slice(0, 11)) batch.append([body(length), body(3)]);
    for (const length of LENGTHS) batch.append(body(length));
    const frames = openAll(opener(crypto), sealAll(sealer(crypto), batch.seal()));
    expect(frames.length).toBe(200 * 22 + LENGTHS.length);
    frames.forEach(([flags, data], i) => {
      const tail = i - 200 * 22;
      const length = tail >= 0 ? LENGTHS[tail] : i % 2 === 1 ? 3 : LENGTHS[(i % 22) / 2];
      if (flags !== (tail < 0 && i % 2 === 0 ? 1 : 0) || !data.equals(body(length))) {
        throw new Error(`frame ${i}: flags ${flags}, ${data.length} octets`);
      }
    });
    const [foreign] = openAll(opener(crypto), frame(4, curve.message(false, 5n, 6, text("PING"))));
    expect(foreign).toEqual([4, text("PING")]); // P9: outer COMMAND; P10: bit 02 decides, other bits are ignored
  });

  it.each([40, 300, 1100])("a slab of %i octets gets as many frames as it holds", (slabBytes) => {
    const batch = new Batch();
    for (let i = 0; i < 50; i++) for (const length of [0, 5, 250, 1000]) batch.append(body(length));
    const whole = sealAll(sealer(crypto), batch.seal());
    expect(sealAll(sealer(crypto), batch.seal(), slabBytes).equals(whole)).toBe(true);
  });

  it("a broken write is mapped back to whole plain frames", () => {
    const batch = new Batch();
    for (const length of [3, 300, 20_000, 0, 1000]) batch.append(body(length));
    const segments = [...batch.seal()];
    const plain = [2 + 3, 9 + 300, 9 + 20_000, 2, 9 + 1000];
    const boxes = [3, 300, 20_000, 0, 1000].map((length) => frame(0, zeros(length + 33)).length);
    let taken = 0;
    let octetsTaken = 0;
    const [whole, all] = [boxes, plain].map((sizes) => sizes.reduce((sum, size) => sum + size));
    for (let i = 0; i <= plain.length; i++) {
      expect(plainTaken(segments, taken)).toBe(octetsTaken);
      expect(plainUnread(segments, whole - taken)).toBe(all - octetsTaken);
      if (i === plain.length) break;
      const most = octetsTaken + plain[i] - 1; // of a box in part never all
      expect(plainTaken(segments, taken + 1)).toBe(octetsTaken + 1);
      expect(plainTaken(segments, taken + boxes[i] - 1)).toBe(most);
      expect(plainUnread(segments, whole - taken - boxes[i] + 1)).toBe(all - most);
      taken += boxes[i];
      octetsTaken += plain[i];
    }
    // Of memory, also what came before and behind may be unread.
    expect([plainUnread(segments, whole + 50), plainUnread(segments, -50)]).toEqual([all, 0]);
    // The program may have transferred the body's memory meanwhile.
    const large = segments.findIndex((segment) => segment.length === 20_000);
    segments[large] = new Uint8Array(0);
    expect(plainTaken(segments, boxes[0] + boxes[1] + boxes[2])).toBe(plain[0] + plain[1] + plain[2]);
    expect(plainUnread(segments, boxes[4])).toBe(plain[4]);
  });

  describe("refusals", () => {
    const three = (second: Buffer): Buffer =>
      octets(
        frame(0, curve.message(false, 3n, 0, text("first"))),
        frame(0, second),
        frame(0, curve.message(false, 1000n, 0, text("third"))),
      );
    const good = curve.message(false, 4n, 0, text("second"));
    const large = curve.message(false, 4n, 0, body(2000));
    const flipped = (message: Buffer, at: number): Buffer => {
      const copy = Buffer.from(message);
      copy[at < 0 ? copy.length + at : at] ^= 0x80;
      return copy;
    };

    it.each([
      ["P14 cut short", OpenFault.malformed, good.subarray(0, 32)],
      ["P14 empty", OpenFault.malformed, zeros(0)],
      ["P14 of another name", OpenFault.malformed, flipped(good, 1)],
      ["P14 with a changed authenticator", OpenFault.box, flipped(good, 16)],
      ["P14 with a changed end", OpenFault.box, flipped(good, -1)],
      ["P14 with a changed nonce", OpenFault.box, flipped(good, 14)],
      ["P14 from the other side", OpenFault.box, curve.message(true, 4n, 0, text("second"))],
      ["P14 large, with a changed authenticator", OpenFault.box, flipped(large, 20)],
      ["P14 large, with a changed end", OpenFault.box, flipped(large, -1)],
      ["P13 with the last nonce", OpenFault.sequence, curve.message(false, 3n, 0, text("again"))],
      ["P13 with an older nonce", OpenFault.sequence, curve.message(false, 2n, 0, text("older"))],
      ["P13 large, with an older nonce", OpenFault.sequence, curve.message(false, 1n, 0, body(2000))],
    ])("%s: the frames before it, and nothing more", (_, fault, message) => {
      const opening = opener(crypto);
      expect(openAll(opening, three(message))).toEqual([[0, text("first")]]);
      expect(opening.fault).toBe(fault);
    });

    it("gaps are allowed, up to the last of 2^64 nonces (P13)", () => {
      const last = 2n ** 64n - 1n;
      const nonces = [3n, 10n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 53n + 2n, last];
      const stream = octets(...nonces.map((n) => frame(0, curve.message(false, n, 0, text("x")))));
      expect(openAll(opener(crypto), stream).length).toBe(nonces.length);
      const opening = opener(crypto);
      const behind = frame(0, curve.message(false, 0n, 0, text("wrapped")));
      expect(openAll(opening, octets(stream, behind)).length).toBe(nonces.length);
      expect(opening.fault).toBe(OpenFault.sequence);
    });

    it.each([16, 5000])(
      "no nonce is used twice: after the last one nothing is sealed (%i octets) (P12)",
      (length) => {
        const sealing = sealer(crypto, false, { high: 0xffffffff, low: 0xfffffffd });
        const sealed = sealAll(sealing, [
          frame(0, body(length)),
          frame(0, body(length)),
          frame(0, body(length)),
        ]);
        const nonces = [2n ** 64n - 2n, 2n ** 64n - 1n];
        const expected = nonces.map((n) => frame(0, curve.message(false, n, 0, body(length))));
        expect(sealed.equals(octets(...expected))).toBe(true);
        expect(sealing.exhausted).toBe(true);
        expect(sealing.sealAlone().length).toBe(0);
      },
    );

    it("the counter's halves (P12)", () => {
      const sealed = sealAll(sealer(crypto, false, { high: 0, low: 0xffffffff }), [frame(0, text("x"))]);
      expect(sealed.equals(frame(0, curve.message(false, 2n ** 32n, 0, text("x"))))).toBe(true);
    });
  });

  describe("limits on the frames inside", () => {
    const messages = (...inner: [flags: number, length: number][]): Buffer =>
      octets(
        ...inner.map(([flags, length], i) =>
          frame(0, curve.message(false, BigInt(3 + i), flags, body(length))),
        ),
      );

    it.each([
      ["E15 a part", { maxFrameBytes: 10 }, messages([0, 10], [0, 11]), OpenFault.frameTooLarge, 11],
      ["E4 a command", { maxCommandBytes: 10 }, messages([2, 10], [2, 11]), OpenFault.commandTooLarge, 11],
      ["E4 parts", { maxParts: 3 }, messages([1, 0], [1, 0], [1, 0], [0, 0]), OpenFault.tooManyParts, 4],
      [
        "E4 a message",
        { maxMessageBytes: 9 },
        messages([1, 5], [2, 50], [0, 5]),
        OpenFault.messageTooLarge,
        10,
      ],
      ["E4 a large part", { maxMessageBytes: 4999 }, messages([0, 5000]), OpenFault.messageTooLarge, 5000],
    ])("%s above its limit", (_, limits, stream, fault, count) => {
      const opening = opener(crypto, true, { ...ANY, ...limits });
      const frames = openAll(opening, stream);
      expect(opening).toMatchObject({ fault, faultSize: count });
      expect(openAll(opener(crypto), stream).length).toBe(frames.length + 1);
    });

    it("counting begins anew with each message, and commands between parts do not count (E4)", () => {
      const opening = opener(crypto, true, { ...ANY, maxParts: 2, maxMessageBytes: 10 });
      const stream = messages([1, 5], [2, 99], [0, 5], [1, 1], [0, 9], [0, 10]);
      expect(openAll(opening, stream).length).toBe(6);
    });
  });
});

it("the work areas keep no key", async () => {
  const crypto = await newCrypto(true);
  sealAll(sealer(crypto), [frame(0, text("secret")), frame(0, body(20_000))]);
  openAll(opener(crypto), frame(0, curve.message(false, 3n, 0, text("x"))));
  const heap = (crypto as unknown as { memory: Uint8Array }).memory;
  expect(Buffer.from(heap.buffer).includes(key)).toBe(false);
});

it("what does not fit into WebAssembly's memory is refused, and nothing is thrown (P8)", async () => {
  const { wasm } = await loadSodium(true);
  const crypto = new Crypto(new Heap(wasm), null);
  const large = Buffer.alloc(300_000, "x");
  const box = frame(0, curve.message(false, 3n, 0, large));
  Object.assign(wasm, { _malloc: () => 0 });
  const opening = opener(crypto);
  expect(openAll(opening, box)).toEqual([]);
  expect(opening).toMatchObject({ fault: OpenFault.frameTooLarge, faultSize: 300_000 });
  const sealing = sealer(crypto);
  sealing.begin([longFrame(0, large)]);
  expect(sealing.sealAlone().length).toBe(0);
  expect(sealing).toMatchObject({ tooLarge: true, exhausted: false });
});
