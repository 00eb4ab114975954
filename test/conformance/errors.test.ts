/**
 * Section U, with R27: misuse, closed sockets, options, and arbitrary bytes as endpoints and as input. Each of the
 * types passes the same checklist.
 */
import { describe, expect, it } from "vitest";
import { engine, type Publisher, Pull, type Request, ZmqError } from "../../src/index.js";
import { managed, rawConnected, rawDial, record, texts } from "../support/helpers.js";
import { randomFrom } from "../support/random.js";
import { greeting, message, ready } from "../support/raw-peer.js";
import { ALL_TYPES, OWN_METHODS, TYPE_NAMES } from "../support/types.js";

it("the engine under test is the one that this project asks for", async () => {
  const pull = managed(new Pull());
  await pull.bind("tcp://127.0.0.1:*");
  expect(pull.engine).toBe(process.env.ZWIRE_ENGINE);
  expect(typeof engine === "function" ? (engine as () => string)() : engine).toBe(process.env.ZWIRE_ENGINE);
});

describe.each(TYPE_NAMES)("checklist of %s", (type) => {
  const { make, number, sends, receives, to, foreign, own, endpoint } = ALL_TYPES[type];

  it("has its libzmq number, and says which way it goes", () => {
    const socket = managed(make());
    expect([socket.type, socket.getInt32Option(16)]).toEqual([number, number]);
    expect(["writable" in socket, "readable" in socket]).toEqual([sends, receives]);
    expect(socket.readable ?? false).toBe(false); // nothing has come yet
  });

  it("has the methods of its directions and no others (U1)", () => {
    const socket = managed(make());
    for (const name of ["send", "trySend", "sendMany"]) expect(name in socket, name).toBe(sends);
    for (const name of ["receive", "tryReceive", "receiveMany"]) expect(name in socket, name).toBe(receives);
    for (const name of OWN_METHODS) expect(name in socket, name).toBe(own.includes(name));
  });

  it('U1 a "message" listener is for types that receive', () => {
    const socket = managed(make());
    const listen = () => socket.on("message" as "bind", () => {});
    if (receives) listen();
    else expect(listen).toThrow(TypeError);
  });

  it("an option that the type does not own is refused: as a field, as a property and by number (U2)", () => {
    expect(() => make({ [foreign]: 1 })).toThrow(TypeError);
    expect(() => make({ nonsense: 1 })).toThrow(TypeError);
    const socket = managed(make());
    expect(foreign in socket).toBe(false);
    expect(() => (socket.nonsense = 1)).toThrow(TypeError);
    const numbers: [number: number, owner: RegExp][] = [
      [6, /^(SUB|XPUB)$/],
      [33, /^ROUTER$/],
      [52, /^REQ$/],
      [71, /^XPUB$/],
      [73, /^STREAM$/],
    ];
    for (const [id, owner] of numbers) {
      if (owner.test(type)) continue;
      const set = () => (id === 6 ? socket.setStringOption(id, "x") : socket.setInt32Option(id, 1));
      expect(set, `${id}`).toThrow(expect.objectContaining({ name: "ZmqError", code: "EINVAL" }));
    }
  });

  it("a wrong value throws and the old one stays (U2)", () => {
    const socket = managed(make({ linger: 5 }));
    expect(() => (socket.linger = "7" as unknown as number)).toThrow(TypeError);
    expect(() => (socket.linger = -2)).toThrow(RangeError);
    expect(() => (socket.linger = 1.5)).toThrow(RangeError);
    expect(() => (socket.ipv6 = 1 as unknown as boolean)).toThrow(TypeError);
    expect(() => (socket.backlog = Number.NaN)).toThrow(RangeError);
    expect(() => socket.setInt32Option(17, -2)).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect([socket.linger, socket.ipv6, socket.backlog]).toEqual([5, false, 100]);
    socket.linger = 6;
    expect([socket.linger, socket.getInt32Option(17)]).toEqual([6, 6]);
    const marks = [sends && "sendHighWaterMark", receives && "receiveHighWaterMark"].filter((name) => name);
    for (const name of marks as string[]) {
      expect(() => (socket[name] = -1)).toThrow(RangeError);
      expect(() => (socket[name] = "1")).toThrow(TypeError);
      expect(socket[name]).toBe(1000);
    }
  });

  it("heartbeatTimeToLive is at most 6553599, here and by number (U3)", () => {
    const socket = managed(make({ heartbeatTimeToLive: 6_553_599 }));
    expect(() => (socket.heartbeatTimeToLive = 6_553_600)).toThrow(RangeError);
    expect(() => socket.setInt32Option(76, 6_553_600)).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => make({ heartbeatTimeToLive: -1 })).toThrow(RangeError);
    expect(socket.heartbeatTimeToLive).toBe(6_553_599);
  });

  it("any operation on a closed socket is a clean error (U4)", async () => {
    const socket = make();
    await socket.close();
    await socket.close();
    expect(socket.closed).toBe(true);
    const closed = { name: "ZmqError", code: "EBADF" };
    const throwsClosed = expect.objectContaining(closed);
    await expect(socket.bind("tcp://127.0.0.1:*")).rejects.toMatchObject(closed);
    await expect(socket.unbind("tcp://127.0.0.1:1")).rejects.toMatchObject(closed);
    expect(() => socket.connect("tcp://127.0.0.1:1")).toThrow(throwsClosed);
    expect(() => socket.disconnect("tcp://127.0.0.1:1")).toThrow(throwsClosed);
    expect(() => socket.getInt32Option(17)).toThrow(throwsClosed);
    await expect(socket.connected()).rejects.toMatchObject(closed);
    if (sends) {
      await expect(socket.send("x", to)).rejects.toMatchObject(closed);
      await expect(socket.sendMany([to ? ["x", to] : "x"])).rejects.toMatchObject(closed);
      expect(() => socket.trySend("x", to)).toThrow(throwsClosed);
    }
    if (receives) {
      await expect(socket.receive()).rejects.toMatchObject(closed);
      await expect(socket.receiveMany()).rejects.toMatchObject(closed);
      expect(() => socket.tryReceive()).toThrow(throwsClosed);
      for await (const _ of socket) expect.fail("a closed socket gave a message");
    }
    for (const name of own) {
      const call = socket[name] as (argument: unknown) => unknown;
      const argument = name === "waitForSubscribers" ? 1 : "tcp://127.0.0.1:1";
      const outcome = (async () => call.call(socket, argument))();
      if (type === "SUB")
        await outcome; // nothing to send, nothing to wait for
      else await expect(outcome, name).rejects.toMatchObject(closed);
    }
    expect([socket.peers, socket.writable ?? false, socket.readable ?? false]).toEqual([[], false, false]);
  });

  it("close rejects what waits (U4)", async () => {
    const socket = managed(make());
    await socket.bind(endpoint);
    const waiting: Promise<unknown>[] = [socket.connected()];
    if (ALL_TYPES[type].waits && type !== "REQ") waiting.push(socket.send("x"));
    if (receives && type !== "REQ") waiting.push(socket.receive(), socket.receiveMany(3));
    if (type === "REQ") waiting.push((socket as unknown as Request).request("x"));
    if (type === "PUB") waiting.push((socket as unknown as Publisher).waitForSubscribers(1));
    const outcomes = waiting.map((promise) => expect(promise).rejects.toMatchObject({ code: "EBADF" }));
    await socket.close();
    await Promise.all(outcomes);
  });

  it("timeouts and abort signals, of receives and of sends that wait (G13)", async () => {
    const socket = managed(make());
    await socket.bind(endpoint);
    const calls: ((options: object) => Promise<unknown>)[] = [];
    if (receives && type !== "REQ") calls.push((options) => socket.receive(options));
    if (receives && type !== "REQ") calls.push((options) => socket.receiveMany(1, options));
    if (ALL_TYPES[type].waits) calls.push((options) => socket.send("x", options));
    for (const call of calls) {
      await expect(call({ timeout: 0 })).rejects.toMatchObject({ name: "ZmqError", code: "EAGAIN" });
      await expect(call({ timeout: 5 })).rejects.toMatchObject({ code: "EAGAIN" });
      const aborter = new AbortController();
      const waiting = call({ signal: aborter.signal });
      const outcome = expect(waiting).rejects.toThrow("enough");
      aborter.abort(new Error("enough"));
      await outcome;
      await expect(call({ signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow("before");
    }
    expect([socket.stats.sendQueue, socket.stats.waitingReceives]).toEqual([0, 0]);
  });

  it("bind, connect and bad arguments", async () => {
    const socket = managed(make());
    expect(() => socket.connect(1 as unknown as string)).toThrow(TypeError);
    await expect((async () => socket.bind(null as unknown as string))()).rejects.toThrow(TypeError);
    expect(() => make(1 as unknown as object)).toThrow(TypeError);
    if (sends) {
      for (const bad of [undefined, Symbol("x"), {}, [], [undefined], [{}], [["nested"]]]) {
        expect(() => socket.send(bad, to), String(bad)).toThrow(TypeError);
        expect(() => socket.trySend(bad, to), String(bad)).toThrow(TypeError);
      }
      expect(() => socket.send("x", { ...to, timeout: "1" })).toThrow(TypeError);
    }
    if (receives) expect(() => socket.receive({ timeout: -2 })).toThrow(RangeError);
  });
});

describe("endpoints", () => {
  it.each(["pgm://x", "http://localhost", "TCP://127.0.0.1:1", "x://y"])(
    "the unknown scheme of %s gives EPROTONOSUPPORT (R27)",
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
  ])("the malformed endpoint %j gives EINVAL (R27)", async (endpoint) => {
    const pull = managed(new Pull());
    await expect(pull.bind(endpoint)).rejects.toMatchObject({ code: "EINVAL" });
    expect(() => pull.connect(endpoint)).toThrow(expect.objectContaining({ code: "EINVAL" }));
  });

  it("arbitrary strings as endpoints give an error or success, never a crash (U5)", async () => {
    const random = randomFrom(5);
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
      for (let n = random(7); n >= 0; n--) endpoint += pieces[random(pieces.length)];
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
  it("arbitrary octets on a connection end or idle it, and a good peer beside it works (U6)", async () => {
    const pull = managed(new Pull({ handshakeInterval: 10_000 }));
    const events = record(pull);
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    const good = await rawConnected(endpoint, { type: "PUSH" });
    const random = randomFrom(6);
    for (let i = 0; i < 150; i++) {
      const octets = Buffer.alloc(1 + random(200));
      for (let j = 0; j < octets.length; j++) octets[j] = random(256);
      // A third as they are, a third behind a greeting, a third behind a whole handshake.
      const head = [Buffer.alloc(0), greeting(), Buffer.concat([greeting(), ready("PUSH")])][i % 3];
      const bad = await rawDial(endpoint);
      bad.write(head, octets);
      good.write(message(`good ${i}`));
      for (;;) {
        const [text] = texts(await pull.receive({ timeout: 20_000 }));
        if (text === `good ${i}`) break; // junk may by chance be a message of its own
      }
      bad.socket.end();
      await bad.closed();
    }
    expect(events.of("handshake:error:").length).toBeGreaterThan(50);
    expect(good.ended).toBe(false);
  });

  it("a valid stream with one octet changed ends or idles that connection only (U6)", async () => {
    const pull = managed(new Pull({ handshakeInterval: 10_000 }));
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    const good = await rawConnected(endpoint, { type: "PUSH" });
    const random = randomFrom(7);
    const valid = Buffer.concat([
      greeting(),
      ready("PUSH", [["X-A", "b"]]),
      message("bad", "x".repeat(300), ""),
    ]);
    for (let i = 0; i < 150; i++) {
      const octets = Buffer.from(valid);
      octets[random(octets.length)] ^= 1 << random(8);
      const bad = await rawDial(endpoint);
      bad.write(octets);
      bad.socket.end();
      await bad.closed();
      good.write(message(`good ${i}`));
      for (;;) if (texts(await pull.receive({ timeout: 20_000 }))[0] === `good ${i}`) break;
    }
  });
});
