/** ZMTP to messages of a WebSocket, cut in every way. */
import { describe, expect, it } from "vitest";
import { OutgoingFrames } from "../../../src/web/outgoing-frames.js";
import { encodeCommand } from "../../../src/wire/zmtp/command.js";
import { encodeMetadata } from "../../../src/wire/zmtp/metadata.js";
import { randomFrom } from "../../support/random.js";

const [MORE, LONG, COMMAND] = [1, 2, 4];
const GREETING = Buffer.alloc(64, 0x55);

function frame(flags: number, body: Uint8Array): Buffer {
  const header = Buffer.alloc(body.length > 255 ? 9 : 2);
  header[0] = flags | (body.length > 255 ? LONG : 0);
  if (body.length > 255) header.writeBigUInt64BE(BigInt(body.length), 1);
  else header[1] = body.length;
  return Buffer.concat([header, body]);
}

/** What leaves when the bytes are pushed in these pieces. */
function messages(bytes: Buffer, cuts: readonly number[], plain = false): string[] {
  const sent: string[] = [];
  const outgoing = new OutgoingFrames(plain, (message) => sent.push(Buffer.from(message).toString("hex")));
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    outgoing.push(bytes.subarray(from, cut));
    from = cut;
  }
  return sent;
}

const hex = (flags: number, body: Uint8Array) => Buffer.concat([Buffer.of(flags), body]).toString("hex");

describe("frames for a WebSocket", () => {
  const bodies = [0, 1, 255, 256, 1000].map((length) => Buffer.alloc(length, length));
  const frames = bodies
    .flatMap((body) => [frame(0, body), frame(MORE, body)])
    .concat(frame(COMMAND, bodies[3]));
  const bytes = Buffer.concat([GREETING, ...frames]);
  const expected = bodies.flatMap((body) => [hex(0, body), hex(1, body)]).concat(hex(2, bodies[3]));

  it("are one message each, without our greeting: whole, byte by byte, and cut once at every place", () => {
    expect(messages(bytes, [])).toEqual(expected);
    expect(
      messages(
        bytes,
        Array.from(bytes, (_, at) => at),
      ),
    ).toEqual(expected);
    for (let cut = 0; cut <= 400; cut++) expect(messages(bytes, [cut])).toEqual(expected);
  });

  it("are the same when they are cut at random", () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = randomFrom(seed);
      const cuts = Array.from({ length: random(20) }, () => random(bytes.length + 1)).sort((a, b) => a - b);
      expect(messages(bytes, cuts)).toEqual(expected);
    }
  });

  it("without commands: READY becomes our identity, JOIN and LEAVE stay, and others are left out", () => {
    const ready = (identity?: string) =>
      encodeCommand(
        "READY",
        encodeMetadata([
          ["Socket-Type", Buffer.from("DEALER")],
          ...(identity === undefined ? [] : [["Identity", Buffer.from(identity)] as [string, Buffer]]),
        ]),
      );
    const join = encodeCommand("JOIN", Buffer.from("group"));
    const all = Buffer.concat([
      GREETING,
      ready("me"),
      encodeCommand("PING", Buffer.alloc(2)),
      join,
      encodeCommand("ERROR", Buffer.of(0)),
      frame(MORE, Buffer.from("a")),
      frame(0, Buffer.from("b")),
    ]);
    const said = [
      hex(0, Buffer.from("me")),
      hex(2, join.subarray(2)),
      hex(1, Buffer.from("a")),
      hex(0, Buffer.from("b")),
    ];
    expect(messages(all, [], true)).toEqual(said);
    expect(
      messages(
        all,
        Array.from(all, (_, at) => at),
        true,
      ),
    ).toEqual(said);
    expect(messages(Buffer.concat([GREETING, ready()]), [], true)).toEqual(["00"]);
  });
});

describe("bytes that the browser still has, as bytes of ZMTP", () => {
  // Messages of 1, 4, 8 and 294 bytes, whose frames have 2, 5, 9 and 302.
  it.each([
    [0, 0],
    [1, 302],
    [294, 302],
    [295, 311],
    [302, 311],
    [303, 316],
    [306, 316],
    [307, 318],
    [9999, 318],
  ])("%i of them are %i", (buffered, behind) => {
    const outgoing = new OutgoingFrames(false, () => {});
    outgoing.push(GREETING);
    outgoing.begin();
    outgoing.push(Buffer.concat(["", "abc", "1234567"].map((text) => frame(0, Buffer.from(text)))));
    outgoing.push(frame(0, Buffer.alloc(293)));
    expect(outgoing.behind(buffered)).toBe(behind);
  });
});
