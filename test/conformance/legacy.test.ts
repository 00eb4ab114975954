/**
 * Peers of ZMTP 2.0 to the byte, against a raw peer (A10, A17 to A20). With the real JeroMQ: test/interop.
 */
import { describe, expect, it } from "vitest";
import { curveKeyPair, Dealer, Publisher, Pull, Push, Router, Subscriber } from "../../src/index.js";
import { managed, rawConnected, rawDial, rawListen, record, texts, turns } from "../support/helpers.js";
import { command, greeting, message, type RawPeer } from "../support/raw-peer.js";

/** RFC 15's octets of the types that these tests are. */
const CODES = { PUB: 1, SUB: 2, DEALER: 5, PULL: 7, PUSH: 8 } as const;
const OPENING = Buffer.from("ff00000000000000017f01", "hex");

/** Type and identity, as they follow a revision of 1. */
function hello(type: keyof typeof CODES, identity = ""): Buffer {
  return Buffer.concat([Buffer.from([CODES[type], 0, identity.length]), Buffer.from(identity, "latin1")]);
}

/** As an old library greets: the revision when it has read a signature, the rest when it has read a revision. */
async function staged(peer: RawPeer, type: keyof typeof CODES, identity = ""): Promise<Buffer> {
  peer.write(OPENING.subarray(0, 10));
  expect((await peer.read(11)).toString("hex")).toMatch(/^ff.{16}7f03$/);
  peer.write(OPENING.subarray(10), hello(type, identity));
  const said = Buffer.from(await peer.read(3));
  return Buffer.concat([said, await peer.read(said[2])]);
}

describe("a peer of ZMTP 2.0", () => {
  it("gets signature, revision, our type and an empty identity, and its messages arrive (A10)", async () => {
    const pull = managed(new Pull());
    const peer = await rawDial(await pull.bind("tcp://127.0.0.1:*"));
    expect(await staged(peer, "PUSH")).toEqual(Buffer.from([7, 0, 0]));
    peer.write(message("one", "", "x".repeat(300)));
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["one", "", "x".repeat(300)]);
    expect(pull.peers[0]).toMatchObject({ socketType: "PUSH", metadata: new Map() });
  });

  it("may say all at once, or octet by octet, with messages behind it (A10, A23)", async () => {
    const pull = managed(new Pull());
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    const octets = Buffer.concat([OPENING, hello("PUSH", "ignored"), message("a", "b"), message("c")]);
    for (const trickled of [false, true]) {
      const peer = await rawDial(endpoint);
      if (trickled) await peer.trickle(octets);
      else peer.write(octets);
      expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["a", "b"]);
      expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["c"]);
    }
  });

  it("is dialled, again after a loss, and finds what was queued (A10, G3)", async () => {
    const listener = await rawListen();
    const push = managed(new Push({ reconnectInterval: 10 }));
    const events = record(push);
    push.connect(listener.endpoint);
    for (const [i, text] of ["first", "second"].entries()) {
      await push.send(text);
      const peer = await listener.accept();
      expect(await staged(peer, "PULL")).toEqual(Buffer.from([8, 0, 0]));
      expect(texts(await peer.readMessage())).toEqual([text]);
      peer.close();
      await events.next("disconnect", i + 1);
    }
  });

  it("is known by its identity, and told ours (A10, I3)", async () => {
    const router = managed(new Router({ mandatory: true, routingId: "us" }));
    const peer = await rawDial(await router.bind("tcp://127.0.0.1:*"));
    expect(await staged(peer, "DEALER", "\0old")).toEqual(Buffer.from("\x06\0\x02us", "latin1"));
    peer.write(message("x"));
    expect(texts(await router.receive({ timeout: 20_000 }))).toEqual(["\0old", "x"]);
    await router.send(["\0old", "back"]);
    expect(texts(await peer.readMessage())).toEqual(["back"]);
  });

  it("subscribes by messages, and is subscribed to by messages (A7, F3)", async () => {
    const publisher = managed(new Publisher());
    const sub = await rawDial(await publisher.bind("tcp://127.0.0.1:*"));
    await staged(sub, "SUB");
    sub.write(message("\x01t"));
    await publisher.waitForSubscribers(1, { timeout: 20_000 });
    await publisher.send("other");
    await publisher.send("topic");
    expect(texts(await sub.readMessage())).toEqual(["topic"]);

    const subscriber = managed(new Subscriber());
    subscriber.subscribe("t");
    const pub = await rawDial(await subscriber.bind("tcp://127.0.0.1:*"));
    await staged(pub, "PUB");
    expect(texts(await pub.readMessage())).toEqual(["\x01t"]);
    pub.write(message("topic"));
    expect(texts(await subscriber.receive({ timeout: 20_000 }))).toEqual(["topic"]);
  });

  it("gets no command: no PING, and no PONG for what looks like a PING (A20)", async () => {
    const dealer = managed(new Dealer({ heartbeatInterval: 5, heartbeatTimeout: 5 }));
    const peer = await rawDial(await dealer.bind("tcp://127.0.0.1:*"));
    await staged(peer, "DEALER");
    peer.write(command("PING", "\0\0context"), message("question"));
    expect(texts(await dealer.receive({ timeout: 20_000 }))).toEqual(["question"]);
    // Nothing is sent of itself, while a peer of ZMTP 3.1 gets several PINGs at the same interval.
    const other = managed(new Dealer({ heartbeatInterval: 5, heartbeatTimeout: 20_000 }));
    const today = await rawConnected(await other.bind("tcp://127.0.0.1:*"), { type: "DEALER" });
    for (let pings = 0; pings < 3; pings++) {
      expect((await today.readCommand()).name).toBe("PING");
      today.write(command("PONG"));
    }
    await dealer.send("answer");
    expect(texts(await peer.readMessage())).toEqual(["answer"]);
    expect(peer.ended).toBe(false);
  });

  it.each([
    ["an unknown type", Buffer.from([11]), "incompatible-socket-type"],
    ["a type that does not fit", Buffer.from([2, 0, 0]), "incompatible-socket-type"],
    ["no identity behind the type", Buffer.from([8, 1, 5]), "invalid-routing-id"],
  ])("with %s is closed with an event, and gets no ERROR (A18)", async (_, octets, code) => {
    const pull = managed(new Pull());
    const events = record(pull);
    const peer = await rawDial(await pull.bind("tcp://127.0.0.1:*"));
    peer.write(OPENING, octets);
    expect((await peer.readToEnd()).length).toBeLessThanOrEqual(11 + 3);
    expect((await events.next("handshake:error:protocol")).error).toMatchObject({ code });
  });

  it.each([
    ["PLAIN", { mechanism: "plain", server: true }],
    ["CURVE", { mechanism: "curve", server: true, secretKey: curveKeyPair().secretKey }],
  ] as const)(
    "is refused under %s with version-too-old, told nothing, and dialled slowly (A17, D8)",
    async (_, security) => {
      const pull = managed(new Pull({ security, authenticate: () => true, reconnectInterval: 1 }));
      const events = record(pull);
      const listener = await rawListen();
      pull.connect(listener.endpoint);
      const peer = await listener.accept();
      peer.write(OPENING, hello("PUSH"), message("secret"));
      expect(await peer.readToEnd()).toHaveLength(11);
      expect((await events.next("handshake:error:protocol")).error).toMatchObject({
        code: "version-too-old",
      });
      expect((await events.next("connect:retry")).interval).toBeGreaterThanOrEqual(1000);
      expect(events.of("handshake:error:")).toHaveLength(1);
      await turns(3);
      expect(pull.tryReceive()).toBeUndefined();
    },
  );

  it("is refused where an authenticator decides (A17)", async () => {
    const pull = managed(new Pull({ authenticate: () => true }));
    const events = record(pull);
    const peer = await rawDial(await pull.bind("tcp://127.0.0.1:*"));
    peer.write(OPENING, hello("PUSH"), message("x"));
    await peer.closed();
    expect((await events.next("handshake:error:protocol")).error).toMatchObject({ code: "version-too-old" });
  });
});

describe("our greeting", () => {
  it("goes on only when the peer's revision is known (A4)", async () => {
    const pull = managed(new Pull());
    const peer = await rawDial(await pull.bind("tcp://127.0.0.1:*"));
    peer.write(greeting().subarray(0, 10));
    await peer.read(11);
    await turns(5);
    expect(peer.buffered).toBe(0);
    peer.write(greeting().subarray(10, 11));
    expect((await peer.read(53))[0]).toBe(1);
  });
});
