/**
 * Peers that begin a message and do not end it, beside good ones.
 */
import { describe, expect, it } from "vitest";
import { Dealer, Pull, Push } from "../../src/index.js";
import { managed, rawConnected, rawListen, record, turns, until } from "../support/helpers.js";
import { frame, type RawPeer } from "../support/raw-peer.js";

const ENDPOINTS = [
  ["tcp", "tcp://127.0.0.1:*"],
  ["ipc", "ipc://*"],
];
/** A frame of 16 MiB is announced. */
const ANNOUNCED = Buffer.from("020000000001000000", "hex");

const BEGINNINGS: [string, Buffer][] = [
  ["nine bytes that announce 16 MiB", ANNOUNCED],
  ["the first of a header", ANNOUNCED.subarray(0, 3)],
  ["a small part that is cut off", frame("a part").subarray(0, 4)],
  ["a part that others are to follow", frame("a part", { more: true })],
  ["a command that is cut off", Buffer.of(4, 100, 4)],
];

describe.each(ENDPOINTS)("a message without an end over %s", (_, endpoint) => {
  it.each(BEGINNINGS)("messageTimeout: %s, then nothing: closed, and told", async (_what, octets) => {
    const pull = managed(new Pull({ messageTimeout: 100 }));
    const events = record(pull);
    const where = await pull.bind(endpoint);
    const quiet = await rawConnected(where, { type: "PUSH" });
    const stranger = await rawConnected(where, { type: "PUSH" });
    stranger.write(octets);
    await stranger.closed();
    const told = await events.next("limit");
    expect(told).toMatchObject({ limit: "messageTimeout", action: "closed", endpoint: where });
    expect(told.peer).toBeDefined();
    await until(() => events.of("disconnect").length === 1, "it is told as gone");
    expect(events.of("handshake:error:other")).toHaveLength(0);
    quiet.write(frame("who has begun nothing may stay"));
    expect(String((await pull.receive())[0])).toBe("who has begun nothing may stay");
  });

  it("messageTimeout 0 waits for ever", async () => {
    const pull = managed(new Pull({ messageTimeout: 0 }));
    const timed = managed(new Pull({ messageTimeout: 100 }));
    const peer = await rawConnected(await pull.bind(endpoint), { type: "PUSH" });
    const other = await rawConnected(await timed.bind(endpoint), { type: "PUSH" });
    peer.write(frame("first", { more: true }));
    other.write(frame("first", { more: true }));
    await other.closed();
    peer.write(frame("last"));
    expect(await pull.receive()).toHaveLength(2);
  });
});

describe("strangers that begin messages", () => {
  it("messageTimeout: silent ones and trickles are all closed, and a good peer is served meanwhile", async () => {
    const pull = managed(new Pull({ messageTimeout: 500 }));
    const events = record(pull);
    const where = await pull.bind("tcp://127.0.0.1:*");
    const strangers: RawPeer[] = [];
    for (let i = 0; i < 100; i++) {
      const stranger = await rawConnected(where, { type: "PUSH" });
      stranger.write(ANNOUNCED);
      strangers.push(stranger);
    }
    const trickle = setInterval(() => {
      for (const one of strangers.slice(50)) if (!one.ended) one.write(Buffer.of(0));
    }, 20);
    try {
      const push = managed(new Push());
      push.connect(where);
      let served = 0;
      while (strangers.some((one) => !one.ended)) {
        await push.send("good");
        await pull.receive({ timeout: 5000 });
        served++;
        await turns(5);
      }
      expect(served).toBeGreaterThan(0);
    } finally {
      clearInterval(trickle);
    }
    await until(() => pull.peers.length === 1, "only the good one is left");
    expect(events.of("limit")).toHaveLength(100);
  });

  it("messageTimeout frees the place at maxQueuedBytes of the one message that may go on", async () => {
    const pull = managed(new Pull({ maxQueuedBytes: 1_000_000, messageTimeout: 500 }));
    const where = await pull.bind("tcp://127.0.0.1:*");
    const half = Buffer.concat(Array.from({ length: 1200 }, () => frame(Buffer.alloc(1000), { more: true })));
    const stranger = await rawConnected(where, { type: "PUSH" });
    stranger.write(half);
    await until(() => pull.stats.receivedBytes > 1_000_000, "the limit");
    const good = await rawConnected(where, { type: "PUSH" });
    good.write(half, frame("end"));
    expect(await pull.receive({ timeout: 20_000 })).toHaveLength(1201);
    expect(stranger.ended).toBe(true);
  });

  it("messageTimeout holds where we have dialled, which is done again", async () => {
    const listener = await rawListen();
    const dealer = managed(new Dealer({ messageTimeout: 100, reconnectInterval: 10 }));
    const events = record(dealer);
    dealer.connect(listener.endpoint);
    const first = await listener.accept();
    await first.handshake({ type: "DEALER" });
    first.write(ANNOUNCED);
    await first.closed();
    expect(await events.next("limit")).toMatchObject({
      limit: "messageTimeout",
      endpoint: listener.endpoint,
    });
    await (await listener.accept()).handshake({ type: "DEALER" });
  });
});
