/**
 * The classes of published vulnerabilities of libzmq and its neighbours that need no key to try: each test does to
 * zwire what did harm there. Those about security mechanisms are in downgrade, replay and curve-commands beside this
 * file. Raw peers play the attacker.
 */
import { describe, expect, it } from "vitest";
import * as zwire from "../../src/index.js";
import { Publisher, Pull, Push, Subscriber, XPublisher } from "../../src/index.js";
import { besideGoodPeer, reason } from "../support/good-peer.js";
import {
  managed,
  rawConnected,
  rawDial,
  rawListen,
  record,
  texts,
  turns,
  until,
} from "../support/helpers.js";
import { command, frame, greeting, message, metadata, RawPeer, ready } from "../support/raw-peer.js";
import { settledRss } from "../support/settled-memory.js";

const MIB = 1024 ** 2;
/** Bytes of the receive slab; frames are laid across its end. */
const SLAB = 80 * 1024;

/** Growth of the resident set by something, garbage left out. */
async function growth(work: () => Promise<void>): Promise<number> {
  const before = await settledRss();
  await work();
  return (await settledRss()) - before;
}

/** A size field and nothing behind it but a few bytes. */
function announced(flags: number, size: bigint): Buffer {
  const head = Buffer.alloc(9);
  head[0] = flags;
  head.writeBigUInt64BE(size, 1);
  return Buffer.concat([head, Buffer.alloc(64, 0x41)]);
}

describe("CVE-2019-6250: arithmetic on the size of a frame", () => {
  const sizes = [31n, 32n, 53n, 63n].flatMap((bits) => [2n ** bits - 1n, 2n ** bits, 2n ** bits + 1n]);
  // Sizes that wrap when the header's or a pointer's few bytes are added.
  for (let below = 1n; below <= 65n; below += below < 10n ? 1n : 11n) sizes.push(2n ** 64n - below);

  it("every size near a power of two is refused, and no octet behind it is taken for a message", async () => {
    const rig = await besideGoodPeer({ handshakeInterval: 20_000 });
    let failures = 0;
    for (const size of sizes) {
      // 2^31 - 1 bytes are allowed for a part, and for nothing else.
      for (const flags of size === 2n ** 31n - 1n ? [6, 7] : [2, 3, 6, 7]) {
        const bad = await rawDial(rig.endpoint);
        bad.write(greeting(), ready("PUSH"), announced(flags, size));
        await bad.closed();
        const { error } = await reason(rig.events, ++failures);
        expect(error!.code).toBe((flags & 4) === 0 ? "frame-too-large" : "command-too-large");
      }
    }
    expect(rig.state.foreign).toBe(0);
    await rig.unharmed();
  });

  it("the same during the handshake, where no more than 64 KiB are taken", async () => {
    const rig = await besideGoodPeer({ handshakeInterval: 20_000 });
    let failures = 0;
    for (const size of [...sizes, 65537n]) {
      const bad = await rawDial(rig.endpoint);
      bad.write(greeting(), announced(6, size));
      await bad.closed();
      expect((await reason(rig.events, ++failures)).error!.code).toBe("handshake-too-large");
    }
    await rig.unharmed();
  });
});

describe("CVE-2020-15166: a silent raw connection blocks the others", () => {
  const silences: Array<[what: string, octets: Buffer]> = [
    ["says nothing", Buffer.alloc(0)],
    ["says half a greeting", greeting().subarray(0, 11)],
    ["says a greeting", greeting()],
    ["says a greeting and half of READY", Buffer.concat([greeting(), ready("PULL").subarray(0, 10)])],
  ];

  it.each(silences)("messages all go to the good peer beside one that %s", async (_, octets) => {
    for (const [Type, partner] of [
      [zwire.Push, "PULL"],
      [zwire.Dealer, "DEALER"],
      [zwire.Pair, "PAIR"],
      [zwire.Request, "REP"],
    ] as const) {
      const socket = managed(new Type({ sendTimeout: 5000 }));
      const endpoint = await socket.bind("tcp://127.0.0.1:*");
      const silent = await rawDial(endpoint);
      silent.write(octets);
      const good = await rawConnected(endpoint, { type: partner });
      for (let i = 0; i < (Type === zwire.Request ? 1 : 50); i++) {
        await socket.send(`message ${i}`);
        const parts = await good.readMessage();
        expect(parts.at(-1)!.toString()).toBe(`message ${i}`);
      }
      expect(silent.ended).toBe(false);
    }
  });

  it("500 of them keep nobody from coming later", async () => {
    const pull = managed(new Pull());
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    for (let i = 0; i < 500; i++) await rawDial(endpoint);
    const push = managed(new Push());
    push.connect(endpoint);
    await push.send("here");
    expect(texts(await pull.receive({ timeout: 5000 }))).toEqual(["here"]);
  });
});

describe("CVE-2021-20234: unfinished multipart messages leak", () => {
  const ROUNDS = 100;
  /** 1 MiB and more of a message that never ends, in parts of several sizes. */
  const unfinished = Buffer.concat([
    ...Array.from({ length: 1000 }, () => frame(Buffer.alloc(200, 1), { more: true })),
    ...Array.from({ length: 13 }, () => frame(Buffer.alloc(64 * 1024, 2), { more: true })),
    frame(Buffer.alloc(100_000)).subarray(0, 50_000),
  ]);

  it(`a server that ${ROUNDS} peers leave in the middle keeps and delivers nothing of it`, async () => {
    const rig = await besideGoodPeer({ handshakeInterval: 400 });
    const grown = await growth(async () => {
      for (let i = 1; i <= ROUNDS; i++) {
        const bad = await RawPeer.dial(rig.endpoint);
        bad.write(greeting(), ready("PUSH"), unfinished);
        bad.socket.end();
        await rig.events.next("disconnect", i);
      }
    });
    expect(grown).toBeLessThan(48 * MIB); // of more than 100
    expect(rig.state.foreign).toBe(0);
    await rig.unharmed();
  });

  it(`a client that its server leaves ${ROUNDS} times in the middle keeps and delivers nothing of it`, async () => {
    const listener = await rawListen();
    const pull = managed(new Pull({ reconnectInterval: 1 }));
    const events = record(pull);
    pull.connect(listener.endpoint);
    const grown = await growth(async () => {
      for (let i = 1; i <= ROUNDS; i++) {
        const bad = await listener.accept();
        bad.write(greeting(), ready("PUSH"), unfinished);
        bad.socket.end();
        await events.next("disconnect", i);
      }
    });
    expect(grown).toBeLessThan(48 * MIB);
    const good = await listener.accept();
    await good.handshake({ type: "PUSH" });
    good.write(message("whole"));
    expect(texts(await pull.receive({ timeout: 5000 }))).toEqual(["whole"]);
  });
});

describe("CVE-2021-20235: two large messages of ZMTP 1.0", () => {
  const large = Buffer.concat([
    Buffer.from("ff000000000000200100", "hex"), // a body of 8192 octets, its length counts the flags
    Buffer.alloc(8192, 0x41),
  ]);

  it.each([
    ["an identity in short form", Buffer.from("0100", "hex"), "not-zmtp"],
    ["an identity in long form", Buffer.from("ff000000000000000100", "hex"), "version-too-old"],
    ["a signature of revision 0", Buffer.from("ff00000000000000017f00", "hex"), "version-too-old"],
    [
      "an endless identity of ZMTP 2.0",
      Buffer.from("ff00000000000000017f0108027fffffff", "hex"),
      "invalid-routing-id",
    ],
  ])("behind %s: refused before a frame is read", async (_, opening, code) => {
    const rig = await besideGoodPeer({ handshakeInterval: 20_000 });
    for (let i = 1; i <= 5; i++) {
      const bad = await rawDial(rig.endpoint);
      bad.write(opening, large, large);
      await bad.closed();
      expect((await reason(rig.events, i)).error!.code).toBe(code);
    }
    expect(rig.state.foreign).toBe(0);
    await rig.unharmed();
  });
});

describe("CVE-2021-20236: long topics and the depth of the tree", () => {
  it("topics of up to 16 MiB come and go in both forms, and a good subscriber notices nothing", async () => {
    // Topics count once more for each 256 bytes.
    const xpub = managed(new XPublisher({ maxTopicLength: 16 * MIB, maxTopicsPerPeer: 200_000 }));
    const endpoint = await xpub.bind("tcp://127.0.0.1:*");
    const good = managed(new Subscriber());
    good.connect(endpoint);
    good.subscribe("good");
    expect(texts(await xpub.receive())).toEqual(["\x01good"]);
    const bad = await rawConnected(endpoint, { type: "SUB" });
    const topic = Buffer.alloc(16 * MIB, 0x74);
    for (const length of [255, 256, 65_535, 1_000_000]) {
      bad.write(command("SUBSCRIBE", topic.subarray(0, length)));
      expect((await xpub.receive())[0].length).toBe(1 + length);
    }
    bad.write(frame(Buffer.concat([Buffer.of(1), topic])));
    expect((await xpub.receive())[0].length).toBe(1 + topic.length);
    await xpub.send(topic); // walks all the way down
    expect((await bad.readMessage())[0].length).toBe(topic.length);
    bad.write(frame(Buffer.concat([Buffer.of(0), topic])), command("CANCEL", topic.subarray(0, 65_535)));
    expect((await xpub.receive())[0].length).toBe(1 + topic.length);
    expect((await xpub.receive())[0].length).toBe(1 + 65_535);
    bad.close(); // the rest goes with the peer
    for (let left = 3; left > 0; left--) expect((await xpub.receive())[0][0]).toBe(0);
    await xpub.send("good news");
    expect(texts(await good.receive())).toEqual(["good news"]);
  });

  it("a peer with 3000 topics, each the beginning of the next, is served, and forgotten when it leaves", async () => {
    const pub = managed(new Publisher());
    const events = record(pub);
    const endpoint = await pub.bind("tcp://127.0.0.1:*");
    const bad = await rawConnected(endpoint, { type: "SUB" });
    const topic = Buffer.alloc(3000, 0x74);
    for (let length = topic.length; length > 0; length--) {
      bad.write(command("SUBSCRIBE", topic.subarray(0, length)));
    }
    await bad.barrier();
    await pub.send(topic);
    expect((await bad.readMessage())[0].length).toBe(topic.length);
    bad.close();
    await events.next("disconnect");
    await pub.send(topic);
    const good = await rawConnected(endpoint, { type: "SUB" });
    good.write(command("SUBSCRIBE", "t"));
    await pub.waitForSubscribers(1, { timeout: 5000 });
    await pub.send("t");
    expect(texts(await good.readMessage())).toEqual(["t"]);
  });

  it("more topics than a peer may have are ignored, before they take 256 MiB, and the peer stays", async () => {
    const pub = managed(new Publisher({ maxTopicLength: MIB }));
    const events = record(pub);
    const endpoint = await pub.bind("tcp://127.0.0.1:*");
    const bad = await rawConnected(endpoint, { type: "SUB" });
    const topic = Buffer.alloc(1_000_000);
    const grown = await growth(async () => {
      for (let i = 0; i < 100; i++) {
        topic.writeUInt32BE(i);
        bad.write(command("SUBSCRIBE", topic));
        await bad.barrier();
      }
    });
    expect(grown).toBeLessThan(48 * MIB); // of 100
    expect(await events.next("limit")).toMatchObject({ limit: "maxTopicsPerPeer", action: "ignored" });
    topic.writeUInt32BE(0);
    await pub.send(topic);
    expect((await bad.readMessage())[0].length).toBe(topic.length);
  });
});

describe("CVE-2021-20237: what a publisher is sent, and its metadata, leaks", () => {
  it("messages that are no subscriptions leave nothing behind in a PUB", async () => {
    const pub = managed(new Publisher());
    const endpoint = await pub.bind("tcp://127.0.0.1:*");
    const bad = await rawConnected(endpoint, {
      type: "XSUB",
      properties: [["X-Big", Buffer.alloc(50_000, 1)]],
    });
    const block = Buffer.concat(Array.from({ length: 1000 }, () => frame(Buffer.alloc(1024, 5))));
    const grown = await growth(async () => {
      for (let i = 0; i < 150; i++) {
        await new Promise((sent) => bad.socket.write(block, sent));
        if (i % 10 === 9) await bad.barrier();
      }
    });
    expect(grown).toBeLessThan(48 * MIB); // of 150
  });

  it("metadata goes with its peer: 1500 of them with 60 KB each", async () => {
    const pub = managed(new Publisher());
    const events = record(pub);
    const endpoint = await pub.bind("tcp://127.0.0.1:*");
    const octets = Buffer.concat([greeting(), ready("SUB", [["X-Big", Buffer.alloc(60_000, 7)]])]);
    const AT_ONCE = 50;
    const come = async (times: number) => {
      for (let i = 0; i < times; i += AT_ONCE) {
        const peers = await Promise.all(Array.from({ length: AT_ONCE }, () => RawPeer.dial(endpoint)));
        for (const peer of peers) peer.write(octets);
        await events.next("handshake", AT_ONCE);
        for (const peer of peers) peer.close();
        await events.next("disconnect", AT_ONCE);
        events.events.length = 0; // each event holds its peer
      }
    };
    await come(200);
    expect(await growth(() => come(1500))).toBeLessThan(48 * MIB); // of 90
  });
});

describe("CVE-2020-36400: a read past the end of the receive buffer", () => {
  it("frames laid across the end of the buffer at every octet come whole", async () => {
    const pull = managed(new Pull({ receiveHighWaterMark: 0 }));
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    const peer = await rawConnected(endpoint, { type: "PUSH" });
    const bodies: Buffer[] = [];
    for (let off = -24; off <= 24; off++) {
      // One that ends near the end of the buffer, one in long form behind it, and one in short form.
      for (const size of [SLAB - 9 + off, 300, 100]) bodies.push(Buffer.alloc(size, bodies.length % 251));
    }
    for (const size of [SLAB * 3, 65_536, 65_535, 8192, 8191, 8193]) {
      bodies.push(Buffer.alloc(size, bodies.length % 251), Buffer.alloc(1, bodies.length % 251));
    }
    for (const body of bodies) await new Promise((sent) => peer.socket.write(frame(body), sent));
    for (const [i, body] of bodies.entries()) {
      const [part] = await pull.receive({ timeout: 5000 });
      expect(part.length).toBe(body.length);
      expect(part.equals(body), `message ${i}`).toBe(true);
    }
  });
});

describe("CVE-2024-37890 (ws): more headers than a limit", () => {
  it("more than 64 properties are refused as such, 64 are not", async () => {
    const rig = await besideGoodPeer({ handshakeInterval: 20_000 });
    for (const [nth, count] of [65, 66, 2000, 5000].entries()) {
      const properties = Array.from({ length: count - 1 }, (_, i) => [`X-${i}`, "v"] as const);
      const bad = await rawDial(rig.endpoint);
      bad.write(greeting(), command("READY", metadata([["Socket-Type", "PUSH"], ...properties])));
      await bad.closed();
      const { error } = await reason(rig.events, nth + 1);
      expect(error!.code).toBe("invalid-metadata");
      expect(error!.message).toMatch(/64 properties/);
    }
    const properties = Array.from({ length: 63 }, (_, i) => [`X-${i}`, "v"] as const);
    await rawConnected(rig.endpoint, { type: "PUSH", properties });
    await rig.unharmed();
  });
});

describe("CVE-2026-48779 (ws): many tiny pieces below a limit in octets", () => {
  it("a message has at most maxMessageParts parts, however small and however they come", async () => {
    const rig = await besideGoodPeer({ maxMessageParts: 1000 });
    const bad = await rawDial(rig.endpoint);
    bad.write(greeting(), ready("PUSH"), Buffer.alloc(2 * 999, Buffer.of(1, 0)), frame(""));
    await until(() => rig.state.foreign === 1, "a message of 1000 empty parts comes");
    await bad.trickle(Buffer.alloc(2 * 20, Buffer.of(1, 0)));
    bad.write(Buffer.alloc(2 * 980, Buffer.of(1, 0)), frame(""));
    await bad.closed();
    expect((await reason(rig.events)).error!.code).toBe("too-many-parts");
    expect(rig.state.foreign).toBe(1);
    await rig.unharmed();
  });

  it("receiveHighWaterMarkBytes counts parts too: tiny ones do not pass below it", async () => {
    const pull = managed(new Pull({ receiveHighWaterMark: 0, receiveHighWaterMarkBytes: MIB }));
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    const bad = await rawConnected(endpoint, { type: "PUSH" });
    // 200 messages of 10,000 empty parts: no byte of a body, and two million objects.
    const octets = Buffer.concat([Buffer.alloc(2 * 9999, Buffer.of(1, 0)), frame("")]);
    const grown = await growth(async () => {
      for (let i = 0; i < 200; i++) bad.socket.write(octets);
      await until(() => pull.stats.receiveQueue >= 1, "the mark in octets");
      await turns(500); // enough to read all of it, many times over
      expect(pull.stats.receiveQueue).toBeLessThan(20);
    });
    expect(grown).toBeLessThan(48 * MIB);
    for (let i = 0; i < 200; i++) expect((await pull.receive({ timeout: 5000 })).length).toBe(10_000);
  });
});
