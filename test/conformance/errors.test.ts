/**
 * Section U, with R27: misuse, closed sockets, options, and arbitrary octets as endpoints and as input. Each of the six
 * types passes the same checklist.
 */
import { describe, expect, it } from "vitest";
import { engine, Publisher, Pull, Push, Reply, Request, Subscriber, ZmqError } from "../../src/index.js";
import { managed, rawConnected, rawDial, record, texts } from "../support/helpers.js";
import { greeting, message, ready } from "../support/raw-peer.js";

const TYPES = { REQ: Request, REP: Reply, PUB: Publisher, SUB: Subscriber, PUSH: Push, PULL: Pull };
const NUMBERS = { REQ: 3, REP: 4, PUB: 1, SUB: 2, PUSH: 8, PULL: 7 };
const SENDS = new Set(["REQ", "REP", "PUB", "PUSH"]);
const RECEIVES = new Set(["REQ", "REP", "SUB", "PULL"]);

/** A random number generator with a seed, so that a failure can be repeated. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

it("the engine under test is the one that this project asks for", async () => {
  const pull = managed(new Pull());
  await pull.bind("tcp://127.0.0.1:*");
  expect(pull.engine).toBe(process.env.ZWIRE_ENGINE);
  expect(typeof engine === "function" ? (engine as () => string)() : engine).toBe(process.env.ZWIRE_ENGINE);
});

describe.each(Object.keys(TYPES) as (keyof typeof TYPES)[])("checklist of %s", (type) => {
  const Type = TYPES[type];

  it("has its libzmq number", () => {
    expect(managed(new Type()).type).toBe(NUMBERS[type]);
  });

  it("U1 has the methods of its directions and no others", () => {
    const socket = managed(new Type());
    for (const name of ["send", "trySend", "sendMany"]) expect(name in socket, name).toBe(SENDS.has(type));
    for (const name of ["receive", "tryReceive", "receiveMany"])
      expect(name in socket, name).toBe(RECEIVES.has(type));
    expect("subscribe" in socket).toBe(type === "SUB");
  });

  it("U2 an option that the type does not own is a TypeError, as a field and as a property", () => {
    const foreign = {
      REQ: "conflate",
      REP: "routingId",
      PUB: "correlate",
      SUB: "noDrop",
      PUSH: "relaxed",
      PULL: "sendTimeout",
    }[type];
    expect(() => new Type({ [foreign]: 1 } as object)).toThrow(TypeError);
    expect(() => new Type({ nonsense: 1 } as object)).toThrow(TypeError);
    const socket = managed(new Type());
    expect(() => ((socket as unknown as Record<string, unknown>).nonsense = 1)).toThrow(TypeError);
  });

  it("U2 a wrong value throws and the old one stays", () => {
    const socket = managed(new Type({ linger: 5 }));
    expect(() => (socket.linger = "7" as unknown as number)).toThrow(TypeError);
    expect(() => (socket.linger = -2)).toThrow(RangeError);
    expect(() => (socket.linger = 1.5)).toThrow(RangeError);
    expect(() => (socket.ipv6 = 1 as unknown as boolean)).toThrow(TypeError);
    expect(() => (socket.backlog = Number.NaN)).toThrow(RangeError);
    expect([socket.linger, socket.ipv6, socket.backlog]).toEqual([5, false, 100]);
    socket.linger = 6;
    expect(socket.linger).toBe(6);
  });

  it("U4 any operation on a closed socket is a clean error", async () => {
    const socket = new Type();
    await socket.close();
    await socket.close();
    expect(socket.closed).toBe(true);
    const closed = { name: "ZmqError", code: "EBADF" };
    await expect(socket.bind("tcp://127.0.0.1:*")).rejects.toMatchObject(closed);
    await expect(socket.unbind("tcp://127.0.0.1:1")).rejects.toMatchObject(closed);
    expect(() => socket.connect("tcp://127.0.0.1:1")).toThrow(expect.objectContaining(closed));
    expect(() => socket.disconnect("tcp://127.0.0.1:1")).toThrow(expect.objectContaining(closed));
    await expect(socket.connected()).rejects.toMatchObject(closed);
    if ("send" in socket) {
      await expect(socket.send("x")).rejects.toMatchObject(closed);
      await expect(socket.sendMany(["x"])).rejects.toMatchObject(closed);
      expect(() => socket.trySend("x")).toThrow(expect.objectContaining(closed));
    }
    if ("receive" in socket) {
      await expect(socket.receive()).rejects.toMatchObject(closed);
      await expect(socket.receiveMany()).rejects.toMatchObject(closed);
      expect(() => socket.tryReceive()).toThrow(expect.objectContaining(closed));
      for await (const _ of socket) expect.fail("a closed socket gave a message");
    }
    expect(socket.peers).toEqual([]);
  });

  it("U4 close rejects what waits", async () => {
    const socket = managed(new Type());
    await socket.bind("tcp://127.0.0.1:*");
    const waiting: Promise<unknown>[] = [socket.connected()];
    if (type === "PUSH") waiting.push((socket as Push).send("x"));
    if (type === "PULL" || type === "SUB" || type === "REP") waiting.push((socket as Pull).receive());
    if (type === "REQ") waiting.push((socket as Request).request("x"));
    if (type === "PUB") waiting.push((socket as Publisher).waitForSubscribers(1));
    const outcomes = waiting.map((promise) => expect(promise).rejects.toMatchObject({ code: "EBADF" }));
    await socket.close();
    await Promise.all(outcomes);
  });

  it("bind, connect and bad arguments", async () => {
    const socket = managed(new Type());
    expect(() => socket.connect(1 as unknown as string)).toThrow(TypeError);
    await expect((async () => socket.bind(null as unknown as string))()).rejects.toThrow(TypeError);
    if ("send" in socket) {
      for (const bad of [undefined, Symbol("x"), {}, [], [undefined], [{}], [["nested"]]]) {
        expect(() => socket.send(bad as never), String(bad)).toThrow(TypeError);
      }
    }
  });
});

describe("endpoints", () => {
  it.each(["udp://127.0.0.1:1", "pgm://x", "http://localhost", "TCP://127.0.0.1:1", "x://y"])(
    "R27 the unknown scheme of %s gives EPROTONOSUPPORT",
    async (endpoint) => {
      const pull = managed(new Pull());
      await expect(pull.bind(endpoint)).rejects.toMatchObject({
        name: "ZmqError",
        code: "EPROTONOSUPPORT",
        address: endpoint,
      });
      expect(() => pull.connect(endpoint)).toThrow(expect.objectContaining({ code: "EPROTONOSUPPORT" }));
    },
  );

  it.each([
    "",
    "tcp",
    "tcp:",
    "tcp://",
    "://x",
    "127.0.0.1:5555",
    "tcp://127.0.0.1",
    "tcp://:5555",
    "ipc://",
    "inproc://",
    "ipc://a\0b",
  ])("R27 the malformed endpoint %j gives EINVAL", async (endpoint) => {
    const pull = managed(new Pull());
    await expect(pull.bind(endpoint)).rejects.toMatchObject({ code: "EINVAL" });
    expect(() => pull.connect(endpoint)).toThrow(expect.objectContaining({ code: "EINVAL" }));
  });

  it("U5 arbitrary strings as endpoints give an error or success, never a crash", async () => {
    const random = generator(5);
    const pieces = [
      "tcp",
      "ipc",
      "inproc",
      "://",
      ":",
      "*",
      "[",
      "]",
      ";",
      "@",
      "/",
      "\0",
      "\u{1f600}",
      "127.0.0.1",
      "::1",
      "0",
      "99999",
      "%",
      " ",
      "-",
    ];
    const pull = managed(new Pull({ linger: 0, reconnectInterval: -1 }));
    for (let i = 0; i < 500; i++) {
      let endpoint = "";
      for (let n = Math.floor(random() * 7); n >= 0; n--)
        endpoint += pieces[Math.floor(random() * pieces.length)];
      if (endpoint.includes("ipc://") && !endpoint.includes("\0")) continue; // would leave files about
      try {
        pull.connect(endpoint);
        pull.disconnect(endpoint);
      } catch (error) {
        if (!(error instanceof ZmqError)) throw error;
        expect(error.code).toMatch(/^E[A-Z]+$/);
      }
      await pull.bind(endpoint).then(
        (actual) => pull.unbind(actual),
        (error) => {
          if (!(error instanceof ZmqError)) throw error;
        },
      );
    }
  });

  it("a ZmqError has name, code, errno, address and zeromq.js's text", async () => {
    const pull = managed(new Pull());
    const error = await pull.unbind("tcp://127.0.0.1:1").catch((reason) => reason);
    expect(error).toBeInstanceOf(ZmqError);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: "ZmqError", code: "ENOENT", errno: 2, address: "tcp://127.0.0.1:1" });
    expect(error.message).toMatch(/^No such endpoint/);
    const timeout = await pull.receive({ timeout: 0 }).catch((reason) => reason);
    expect(timeout.message).toMatch(/^Operation was not possible or timed out/);
  });

  it("an option set after bind warns that it takes effect with the next one", async () => {
    const pull = managed(new Pull());
    await pull.bind("tcp://127.0.0.1:*");
    const warning = new Promise<Error>((resolve) => process.once("warning", resolve));
    pull.ipv6 = true;
    expect((await warning).message).toBe("Socket option will not take effect until next connect/bind.");
  });
});

describe("bad input", () => {
  it("U6 arbitrary octets on a connection end or idle it, and a good peer beside it works", async () => {
    const pull = managed(new Pull({ handshakeInterval: 500 }));
    const events = record(pull);
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    const good = await rawConnected(endpoint, { type: "PUSH" });
    const random = generator(6);
    for (let i = 0; i < 150; i++) {
      const octets = Buffer.alloc(1 + Math.floor(random() * 200));
      for (let j = 0; j < octets.length; j++) octets[j] = Math.floor(random() * 256);
      // A third as they are, a third behind a greeting, a third behind a whole handshake.
      const head = [Buffer.alloc(0), greeting(), Buffer.concat([greeting(), ready("PUSH")])][i % 3];
      const bad = await rawDial(endpoint);
      bad.write(head, octets);
      good.write(message(`good ${i}`));
      for (;;) {
        const [text] = texts(await pull.receive({ timeout: 5000 }));
        if (text === `good ${i}`) break; // junk may by chance be a message of its own
      }
      bad.socket.end();
      await bad.closed();
    }
    expect(events.of("handshake:error:").length).toBeGreaterThan(50);
    expect(good.ended).toBe(false);
  });

  it("U6 a valid stream with one octet changed ends or idles that connection only", async () => {
    const pull = managed(new Pull({ handshakeInterval: 500 }));
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    const good = await rawConnected(endpoint, { type: "PUSH" });
    const random = generator(7);
    const valid = Buffer.concat([
      greeting(),
      ready("PUSH", [["X-A", "b"]]),
      message("bad", "x".repeat(300), ""),
    ]);
    for (let i = 0; i < 150; i++) {
      const octets = Buffer.from(valid);
      octets[Math.floor(random() * octets.length)] ^= 1 << Math.floor(random() * 8);
      const bad = await rawDial(endpoint);
      bad.write(octets);
      bad.socket.end();
      await bad.closed();
      good.write(message(`good ${i}`));
      for (;;) if (texts(await pull.receive({ timeout: 5000 }))[0] === `good ${i}`) break;
    }
  });
});
