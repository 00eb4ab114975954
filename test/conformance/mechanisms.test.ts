/**
 * PLAIN, CURVE and authenticators over real connections, zwire on both sides or a raw peer on one (sections O, P, Q; A17,
 * F19). What the handshakes say is in test/unit/zmtp, what the boxes are in test/unit/crypto.
 */
import { describe, expect, it } from "vitest";
import { coreOf } from "../../src/api/socket.js";
import { Dealer, Pull, Push, Router, Subscriber, XPublisher } from "../../src/index.js";
import { managed, rawDial, record, TRANSPORTS, texts, until, within } from "../support/helpers.js";
import { frame, greeting, message, ping } from "../support/raw-peer.js";
import {
  CLIENT,
  CURVE_CLIENT,
  CURVE_SERVER,
  CurvePeer,
  Judge,
  PLAIN_SERVER,
  plainClient,
  SERVER,
  secure,
  verdict,
} from "../support/secured.js";
import { keyPair } from "../vectors/curve.js";

const TCP = "tcp://127.0.0.1:*";
const ASKING = { ...CURVE_SERVER, ask: true } as typeof CURVE_SERVER;

const SIZES = [0, 1, 100, 221, 222, 223, 999, 1000, 16384, 16385, 70_000, 300_000];

describe.each(TRANSPORTS.filter(({ name }) => name !== "inproc"))("CURVE over $name", ({ endpoint }) => {
  it.each(["server binds", "client binds"])(
    "messages of all sizes arrive whole and in order: %s (P8, B5)",
    async (who) => {
      const push = secure(managed(new Push()), CURVE_CLIENT);
      const pull = secure(managed(new Pull()), CURVE_SERVER);
      const [first, second] = who === "server binds" ? [pull, push] : [push, pull];
      second.connect(await first.bind(endpoint()));
      const rounds = 60;
      const sent = (async () => {
        for (let i = 0; i < rounds; i++) {
          for (const size of SIZES) await push.send([`${i}`, Buffer.alloc(size, `${i} ${size} `)]);
        }
      })();
      for (let i = 0; i < rounds; i++) {
        for (const size of SIZES) {
          const [number, body] = await pull.receive();
          expect(number.toString()).toBe(`${i}`);
          if (!body.equals(Buffer.alloc(size, `${i} ${size} `)))
            throw new Error(`message ${i} of ${size} octets`);
        }
      }
      await sent;
    },
  );

  it("a part of 16 MiB (P8)", async () => {
    const dealer = secure(managed(new Dealer()), CURVE_CLIENT);
    const other = secure(managed(new Dealer()), CURVE_SERVER);
    dealer.connect(await other.bind(endpoint()));
    const large = Buffer.alloc(16 * 1024 * 1024, "sixteen mebi");
    await dealer.send(large);
    const [there] = await within(other.receive(), "the part", 20_000);
    expect(there.equals(large)).toBe(true);
    await other.send(there);
    const [back] = await within(dealer.receive(), "the part back", 20_000);
    expect(back.equals(large)).toBe(true);
  });

  it("subscriptions and cancellations go in boxes (P11, F19)", async () => {
    const publisher = secure(managed(new XPublisher()), CURVE_SERVER);
    const subscriber = secure(managed(new Subscriber()), CURVE_CLIENT);
    subscriber.connect(await publisher.bind(endpoint()));
    subscriber.subscribe("a", "b");
    expect(texts(await publisher.receive())).toEqual(["\x01a"]);
    expect(texts(await publisher.receive())).toEqual(["\x01b"]);
    subscriber.unsubscribe("a");
    expect(texts(await publisher.receive())).toEqual(["\x00a"]);
    await publisher.send("a1");
    await publisher.send("b1");
    expect(texts(await subscriber.receive())).toEqual(["b1"]);
  });

  it("an authenticator is told where the peer is (Q6, Q4)", async () => {
    const judge = new Judge(() => verdict(200));
    const router = secure(managed(new Router({ routingId: "us" })), ASKING, judge);
    Object.assign(coreOf(router).options, { zapDomain: "global" });
    const dealer = secure(managed(new Dealer({ metadata: { "X-service": "prices" } })), CURVE_CLIENT);
    const bound = await router.bind(endpoint());
    dealer.connect(bound);
    await dealer.connected({ timeout: 20_000 });
    const [request] = judge.requests;
    expect(String(request.metadata.get("X-service"))).toBe("prices");
    expect(String(request.metadata.get("Socket-Type"))).toBe("DEALER");
    expect(request).toMatchObject({ mechanism: "CURVE", domain: "global", endpoint: bound });
    expect((request as { publicKey: Buffer }).publicKey).toEqual(CLIENT.publicKey);
    expect(Buffer.from(request.routingId).toString()).toBe("us");
    const native = process.env.ZWIRE_ENGINE === "native";
    if (bound.startsWith("tcp")) expect(request.address).toBe("127.0.0.1");
    else if (native)
      expect(request.address).toBe(`localhost:${process.getuid!()}:${process.getgid!()}:${process.pid}`);
    else expect(request.address).toBe("localhost");
  });
});

describe("CURVE", () => {
  it("heartbeats keep a quiet connection, in boxes with the inner command bit (F19)", async () => {
    const pull = secure(managed(new Pull({ heartbeatInterval: 100, heartbeatTimeout: 3000 })), CURVE_SERVER);
    const peer = await CurvePeer.dial(await pull.bind(TCP), "PUSH");
    const { outer, flags, body } = await peer.readFrame();
    expect({ outer, flags, name: body.toString("latin1", 1, 5) }).toEqual({
      outer: 0,
      flags: 4,
      name: "PING",
    });
    peer.raw.write(peer.seal(ping(0, "our own")));
    for (;;) {
      const answer = await peer.readFrame();
      if (answer.body.toString("latin1", 1, 5) === "PING") continue;
      expect(answer.body.toString("latin1")).toBe("\x04PONGour own");
      break;
    }
  });

  it("a message outside of a box ends the connection, with an event (P14)", async () => {
    const pull = secure(managed(new Pull()), CURVE_SERVER);
    const events = record(pull);
    const peer = await CurvePeer.dial(await pull.bind(TCP), "PUSH");
    peer.raw.write(peer.seal(message("good")), message("bare"), peer.seal(message("later")));
    expect(texts(await pull.receive())).toEqual(["good"]);
    const { error } = await events.next("handshake:error:protocol");
    expect(error).toMatchObject({ code: "malformed-message", zmqCode: 0x10000012 });
    await peer.raw.closed();
    expect(pull.tryReceive()).toBeUndefined();
  });

  it("what was sent once does not count twice (P13, P19)", async () => {
    const pull = secure(managed(new Pull()), CURVE_SERVER);
    const events = record(pull);
    const peer = await CurvePeer.dial(await pull.bind(TCP), "PUSH");
    const sealed = peer.seal(message("once"));
    peer.raw.write(sealed, sealed);
    expect(texts(await pull.receive())).toEqual(["once"]);
    const { error } = await events.next("handshake:error:protocol");
    expect(error).toMatchObject({ code: "invalid-sequence", zmqCode: 0x10000002 });
    expect(pull.tryReceive()).toBeUndefined();
  });

  it.each([
    ["E15 a part", { maxMessageSize: 5000 }, [message("x".repeat(5001))], "frame-too-large"],
    ["E15 a part of 1 GiB, before it comes", { maxMessageSize: 5000 }, null, "frame-too-large"],
    ["E4 parts", { maxMessageParts: 3 }, [message("", "", "", "")], "too-many-parts"],
    [
      "E4 a message",
      { maxMultipartSize: 5000 },
      [message("x".repeat(3000), "x".repeat(3000))],
      "message-too-large",
    ],
    [
      "E4 a command",
      { maxMessageSize: 5000 },
      [frame(Buffer.alloc(5001), { command: true })],
      "frame-too-large",
    ],
  ])("%s above its limit ends the connection; at the limit all is well", async (_, options, frames, code) => {
    const pull = secure(managed(new Pull(options)), CURVE_SERVER);
    const events = record(pull);
    const peer = await CurvePeer.dial(await pull.bind(TCP), "PUSH");
    peer.raw.write(peer.seal(message("x".repeat(5000 - 33)), message("", "", "")));
    expect((await pull.receive())[0].length).toBe(4967);
    expect((await pull.receive()).length).toBe(3);
    if (frames === null) peer.raw.write(Buffer.from("020000000040000000", "hex"));
    else for (const each of frames) peer.raw.write(peer.seal(each));
    const { error } = await events.next("handshake:error:protocol");
    expect(error?.code).toBe(code);
    expect(pull.tryReceive()).toBeUndefined();
  });

  it("peers with another mechanism, or older than 3.0, get nothing through (B8, A17)", async () => {
    const pull = secure(managed(new Pull()), CURVE_SERVER);
    const events = record(pull);
    const endpoint = await pull.bind(TCP);
    const attempts = [
      Buffer.concat([greeting(), message("null")]),
      Buffer.concat([greeting({ mechanism: "PLAIN" }), message("plain")]),
      Buffer.from("ff00000000000000017f0108000568656c6c6f", "hex"), // ZMTP 2.0
      Buffer.from("06 0068656c6c6f".replace(" ", ""), "hex"), // ZMTP 1.0
    ];
    for (const [i, attempt] of attempts.entries()) {
      const peer = await rawDial(endpoint);
      peer.write(attempt);
      const { error } = await events.next("handshake:error:protocol", i + 1);
      expect(error?.code).toBe(
        ["mechanism-mismatch", "mechanism-mismatch", "version-too-old", "not-zmtp"][i],
      );
      await peer.closed();
    }
    expect(pull.tryReceive()).toBeUndefined();
  });

  it("a client that has another server's key is cut off, and goes on trying; others are served (P2)", async () => {
    const pull = secure(managed(new Pull()), CURVE_SERVER);
    const events = record(pull);
    const endpoint = await pull.bind(TCP);
    const wrong = { ...CURVE_CLIENT, serverKey: keyPair(0x43).publicKey } as typeof CURVE_CLIENT;
    const lost = secure(managed(new Push({ reconnectInterval: 10 })), wrong);
    lost.connect(endpoint);
    await events.next("handshake:error:protocol", 2);
    expect(events.of("handshake:error:protocol")[0].error).toMatchObject({ code: "cryptographic" });
    const push = secure(managed(new Push()), CURVE_CLIENT);
    push.connect(endpoint);
    await push.send("hello");
    expect(texts(await pull.receive())).toEqual(["hello"]);
  });

  it("what was queued or half written survives a reconnection: in order, nothing twice (G3, E14)", async () => {
    const push = secure(managed(new Push({ reconnectInterval: 10, sendHighWaterMark: 0 })), CURVE_CLIENT);
    const first = secure(managed(new Pull({ receiveHighWaterMark: 10 })), CURVE_SERVER);
    const endpoint = await first.bind(TCP);
    push.connect(endpoint);
    const total = 3000;
    const body = (i: number): Buffer => Buffer.alloc(i % 3 === 0 ? 20_000 : 900, `${i} `);
    for (let i = 0; i < total; i++) await push.send([`${i}`, body(i)]);
    for (let i = 0; i < 20; i++) expect((await first.receive())[0].toString()).toBe(`${i}`);
    await first.close({ linger: 0 });
    const second = secure(managed(new Pull()), CURVE_SERVER);
    await second.bind(endpoint);
    let next = -1;
    for (;;) {
      const [number, octets] = await second.receive();
      const i = Number(number.toString());
      expect(i).toBeGreaterThanOrEqual(20);
      if (next >= 0 && i !== next) throw new Error(`message ${i} instead of ${next}`);
      if (!octets.equals(body(i))) throw new Error(`message ${i} is changed`);
      next = i + 1;
      if (next === total) break;
    }
  });

  it("each connection has keys of its own, gone with it (P17)", async () => {
    const pull = secure(managed(new Pull()), CURVE_SERVER);
    const endpoint = await pull.bind(TCP);
    const [a, b] = [await CurvePeer.dial(endpoint, "PUSH"), await CurvePeer.dial(endpoint, "PUSH")];
    const events = record(pull);
    b.raw.write(a.seal(message("for another connection")));
    expect((await events.next("handshake:error:protocol")).error).toMatchObject({ code: "cryptographic" });
    a.raw.write(a.seal(message("still here")));
    // Its first nonce was used for the other connection, and gaps are allowed.
    expect(texts(await pull.receive())).toEqual(["still here"]);
  });
});

describe("authenticators", () => {
  it("PLAIN: who knows the password is let in, with a User-Id (O1, O2, Q7)", async () => {
    const judge = new Judge((request) =>
      request.mechanism === "PLAIN" && request.password === "right"
        ? verdict(200, { userId: request.username, metadata: new Map([["X-Level", Buffer.from("7")]]) })
        : verdict(400),
    );
    const pull = secure(managed(new Pull()), PLAIN_SERVER, judge);
    const events = record(pull);
    const endpoint = await pull.bind(TCP);
    const push = secure(managed(new Push()), plainClient("ann", "right"));
    push.connect(endpoint);
    await push.send("hello");
    expect(texts(await pull.receive())).toEqual(["hello"]);
    const { peer } = await events.next("handshake");
    expect(peer!.metadata.get("User-Id")?.toString()).toBe("ann");
    expect(peer!.metadata.get("X-Level")?.toString()).toBe("7");
    expect(judge.signals[0].aborted).toBe(false);
  });

  it.each([400, 500] as const)(
    "%i: an ERROR, an event on both sides, and no second attempt (O6, Q9, D2, D3)",
    async (status) => {
      const pull = secure(managed(new Pull()), PLAIN_SERVER, new Judge(() => verdict(status)));
      const events = record(pull);
      const push = secure(managed(new Push({ reconnectInterval: 10 })), plainClient("ann", "wrong"));
      const theirs = record(push);
      push.connect(await pull.bind(TCP));
      const ours = await events.next("handshake:error:auth");
      expect(ours.error).toMatchObject({ code: "authentication-denied", zmqCode: status });
      expect((await theirs.next("handshake:error:auth")).error).toMatchObject({
        code: "authentication-refused",
        zmqCode: status,
      });
      await theirs.next("close");
      expect(theirs.of("connect").length).toBe(1);
    },
  );

  it("300: no ERROR, an event, and the client tries again (Q8)", async () => {
    let asked = 0;
    const judge = new Judge(() => verdict(asked++ === 0 ? 300 : 200));
    const pull = secure(managed(new Pull()), ASKING, judge);
    const events = record(pull);
    const push = secure(managed(new Push({ reconnectInterval: 10 })), CURVE_CLIENT);
    push.connect(await pull.bind(TCP));
    await push.send("hello");
    expect(texts(await pull.receive())).toEqual(["hello"]);
    expect(
      events.of("handshake:error:auth").map(({ error }) => (error as { zmqCode?: number }).zmqCode),
    ).toEqual([300]);
  });

  it.each([
    ["O9 PLAIN", PLAIN_SERVER, plainClient("ann", "right")],
    ["CURVE that asks", ASKING, CURVE_CLIENT],
    [
      "Q11 NULL with a domain",
      { mechanism: "NULL", ask: true } as const,
      { mechanism: "NULL", ask: false } as const,
    ],
  ])("%s without an authenticator lets nobody in", async (_, server, client) => {
    const pull = secure(managed(new Pull()), server);
    const events = record(pull);
    const push = secure(managed(new Push({ reconnectInterval: 10 })), client);
    push.connect(await pull.bind(TCP));
    const { error } = await events.next("handshake:error:other");
    expect(error).toMatchObject({ code: "authentication-failed" });
    expect(events.of("handshake").length).toBe(0);
  });

  it.each([
    ["rejects", () => Promise.reject(new Error("no database")), "no database"],
    [
      "throws",
      () => {
        throw new Error("no idea");
      },
      "no idea",
    ],
    ["answers nonsense", () => ({ status: 200.5 }) as never, "one of the statuses"],
    ["answers nothing", () => undefined as never, "one of the statuses"],
  ])("an authenticator that %s lets nobody in, and its error is shown (Q12)", async (_, decide, text) => {
    const pull = secure(managed(new Pull()), PLAIN_SERVER, new Judge(decide));
    const events = record(pull);
    const push = secure(managed(new Push({ reconnectInterval: 10 })), plainClient("a", "b"));
    push.connect(await pull.bind(TCP));
    const { error } = await events.next("handshake:error:other");
    expect(error).toMatchObject({ code: "authentication-failed", message: expect.stringContaining(text) });
    expect(error?.cause).toBeInstanceOf(Error);
  });

  it("one that never answers: the handshake timer closes, and the question is withdrawn (Q12)", async () => {
    const judge = new Judge(() => new Promise(() => {}));
    const pull = secure(managed(new Pull({ handshakeInterval: 150 })), ASKING, judge);
    const events = record(pull);
    const push = secure(managed(new Push({ reconnectInterval: 10_000 })), CURVE_CLIENT);
    push.connect(await pull.bind(TCP));
    expect((await events.next("handshake:error:other")).error).toMatchObject({ code: "handshake-timeout" });
    expect(judge.signals[0].aborted).toBe(true);
  });

  it("an answer after the peer has gone, or the socket, is not heard", async () => {
    const answers: ((answer: ReturnType<typeof verdict>) => void)[] = [];
    const judge = new Judge(() => new Promise((resolve) => answers.push(resolve)));
    const pull = secure(managed(new Pull()), ASKING, judge);
    const events = record(pull);
    const push = secure(managed(new Push({ reconnectInterval: 10_000 })), CURVE_CLIENT);
    push.connect(await pull.bind(TCP));
    await until(() => answers.length === 1, "the question");
    await pull.close({ linger: 0 });
    expect(judge.signals[0].aborted).toBe(true);
    answers[0](verdict(200));
    await new Promise((resolve) => setImmediate(resolve));
    expect(events.of("handshake").length).toBe(0);
  });

  it("NULL without a domain asks nobody; with one, whom it lets in (Q10)", async () => {
    const judge = new Judge(() => verdict(200, { userId: "anonymous" }));
    for (const ask of [false, true]) {
      const pull = secure(managed(new Pull()), { mechanism: "NULL", ask }, judge);
      const events = record(pull);
      const push = managed(new Push());
      push.connect(await pull.bind(TCP));
      await push.send("hello");
      expect(texts(await pull.receive())).toEqual(["hello"]);
      const { peer } = await events.next("handshake");
      expect(peer!.metadata.get("User-Id")?.toString()).toBe(ask ? "anonymous" : undefined);
      expect(judge.requests.length).toBe(ask ? 1 : 0);
    }
  });

  it("inproc has no security: nobody is asked", async () => {
    const pull = secure(managed(new Pull()), PLAIN_SERVER);
    const push = managed(new Push());
    push.connect(await pull.bind(TRANSPORTS[2].endpoint()));
    await push.send("hello");
    expect(texts(await pull.receive())).toEqual(["hello"]);
  });

  it("two servers do not come together (B6)", async () => {
    const a = secure(managed(new Dealer()), CURVE_SERVER);
    const b = secure(managed(new Dealer({ handshakeInterval: 200 })), {
      ...CURVE_SERVER,
      ...keyPair(0x44),
    } as never);
    const events = record(b);
    b.connect(await a.bind(TCP));
    expect((await events.next("handshake:error:other")).error).toMatchObject({ code: "handshake-timeout" });
    expect(SERVER.publicKey.length).toBe(32);
  });
});
