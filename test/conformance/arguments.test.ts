/**
 * Arguments are checked at the edge: a wrong one throws at once and names itself, and what an engine cannot do is
 * refused instead of being tried for ever.
 */
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { engine, Publisher, Pull, Push, Request, type Socket, version } from "../../src/index.js";
import { ALL_TYPES, TYPE_NAMES } from "../support/types.js";

const open: Socket[] = [];
afterEach(() => Promise.all(open.splice(0).map((socket) => socket.close({ linger: 0 }))));

function managed<S extends Socket>(socket: S): S {
  open.push(socket);
  return socket;
}

describe("call options", () => {
  const wrong: [string, object, RegExp][] = [
    ["timeout of another type", { timeout: "10" }, /timeout must be a number/],
    ["timeout below -1", { timeout: -2 }, /timeout must be from -1/],
    ["timeout NaN", { timeout: Number.NaN }, /timeout must be from -1/],
    ["signal of another type", { signal: {} }, /signal must be an AbortSignal/],
  ];
  it.each(wrong)("a %s throws at once, everywhere (U2)", (_name, options, message) => {
    const call = options as never;
    const push = managed(new Push());
    const pull = managed(new Pull());
    expect(() => push.send("x", call)).toThrow(message);
    expect(() => push.sendMany(["x"], call)).toThrow(message);
    expect(() => push.connected(call)).toThrow(message);
    expect(() => pull.receive(call)).toThrow(message);
    expect(() => pull.receiveMany(1, call)).toThrow(message);
    expect(() => managed(new Publisher()).waitForSubscribers(1, call)).toThrow(message);
    expect(() => managed(new Request()).request("x", call)).toThrow(message);
  });

  describe.each(TYPE_NAMES)("of %s", (type) => {
    const { make, sends, receives, to } = ALL_TYPES[type];

    it.each(wrong)("a %s throws at once (U2)", (_name, options, message) => {
      const socket = managed(make());
      expect(() => socket.connected(options as never)).toThrow(message);
      if (sends) {
        expect(() => socket.send("x", { ...to, ...options })).toThrow(message);
        expect(() => socket.sendMany([to === undefined ? "x" : ["x", to]], options)).toThrow(message);
      }
      if (receives) {
        expect(() => socket.receive(options)).toThrow(message);
        expect(() => socket.receiveMany(1, options)).toThrow(message);
      }
    });

    it("counts and linger are checked (U2)", () => {
      const socket = managed(make());
      expect(() => socket.connected({ count: -1 })).toThrow(RangeError);
      expect(() => socket.close({ linger: -2 })).toThrow(RangeError);
      expect(socket.closed).toBe(false);
      if (receives) for (const max of [0, -1, 1.5]) expect(() => socket.receiveMany(max)).toThrow(RangeError);
    });
  });

  const values: [type: string, option: string, right: unknown[], wrong: unknown[], range: unknown[]][] = [
    ["ROUTER", "mandatory", [true, false], [1, "true", null], []],
    ["ROUTER", "handover", [true, false], [0, null], []],
    ["ROUTER", "routingId", ["x", Buffer.from([0, 0]), null], [1, {}], ["", "x".repeat(256)]],
    ["DEALER", "routingId", ["x".repeat(255)], [true], ["", "x".repeat(256)]],
    ["DEALER", "probeRouter", [true], [1], []],
    ["DEALER", "conflate", [true], ["no"], []],
    ["XPUB", "manual", [true], [1], []],
    ["XPUB", "verbosity", ["allSubs", "allSubsUnsubs", null], [1, true], ["all"]],
    ["XPUB", "welcomeMessage", ["hello", Buffer.from("x"), null, ""], [1, []], []],
    ["XPUB", "noDrop", [true], [1], []],
    ["STREAM", "notify", [false], [0], []],
    ["PAIR", "sendTimeout", [-1, 0, 5], ["1", null], [-2, 1.5, 2 ** 31]],
    ["XSUB", "receiveTimeout", [-1, 0, 5], ["1", null], [-2, Number.NaN]],
    ["SERVER", "sendQueueLimit", [1, 65536], ["1"], [0, -1]],
    ["DISH", "receiveHighWaterMark", [0, 1], [true], [-1, 0.5]],
    ["RADIO", "sendHighWaterMarkBytes", [0, 2 ** 40], [1n], [-1]],
    ["CLIENT", "reconnectInterval", [-1, 0], ["0"], [-2]],
    ["PEER", "maxMessageSize", [-1, 0], [null], [-2]],
    ["CHANNEL", "immediate", [true], [1], []],
    ["SCATTER", "conflate", [true], [1], []],
    ["GATHER", "conflate", [true], [1], []],
  ];
  it.each(values)("%s.%s takes what it should, and nothing else (U2)", (type, option, right, bad, range) => {
    const { make } = ALL_TYPES[type];
    const socket = managed(make());
    for (const value of right) {
      socket[option] = value;
      const kept = typeof value === "string" && Buffer.isBuffer(socket[option]) ? Buffer.from(value) : value;
      expect(socket[option]).toEqual(kept);
      expect(managed(make({ [option]: value }))[option]).toEqual(kept);
    }
    const before = socket[option];
    const refused = [bad, range].flatMap((list, i) => list.map((value) => [value, i] as const));
    for (const [value, i] of refused) {
      const Wanted = i === 0 ? TypeError : RangeError;
      expect(() => (socket[option] = value), String(value)).toThrow(Wanted);
      expect(() => make({ [option]: value }), String(value)).toThrow(Wanted);
    }
    expect(socket[option]).toEqual(before);
  });

  it("counts are checked (U2)", () => {
    expect(() => managed(new Push()).connected({ count: -1 })).toThrow(/count/);
    expect(() => managed(new Publisher()).waitForSubscribers(1.5)).toThrow(/count/);
    expect(() => managed(new Pull()).receiveMany(0)).toThrow(/max/);
    expect(() => managed(new Push()).close({ linger: -2 })).toThrow(/linger/);
  });
});

describe("what cannot work", () => {
  it("an IPv6 address without the option throws instead of being dialled for ever (R5)", () => {
    const push = managed(new Push());
    expect(() => push.connect("tcp://[::1]:5555")).toThrow(expect.objectContaining({ code: "EINVAL" }));
    push.ipv6 = true;
    push.connect("tcp://[::1]:5555");
  });

  it("an option that the engine cannot honour is refused by bind and connect (R11)", async () => {
    const push = managed(new Push({ sendBufferSize: 100_000, tcpKeepaliveCount: 3 }));
    if (engine() === "native") {
      push.connect("tcp://127.0.0.1:1");
      await push.bind("tcp://127.0.0.1:*");
    } else {
      expect(() => push.connect("tcp://127.0.0.1:1")).toThrow(expect.objectContaining({ code: "ENOTSUP" }));
      await expect(push.bind("ipc://*")).rejects.toMatchObject({ code: "ENOTSUP" });
    }
  });

  it("an abstract name on an engine that cannot use it is refused by connect (R16)", () => {
    const push = managed(new Push());
    const connect = (): void => push.connect("ipc://@zwire-arguments");
    if (engine() === "native" && process.platform === "linux") connect();
    else expect(connect).toThrow(expect.objectContaining({ code: expect.stringMatching(/ENOTSUP|EINVAL/) }));
  });
});

it("a conflating socket keeps its own copy of the newest message (G14)", async () => {
  const push = managed(new Push({ conflate: true }));
  const pull = managed(new Pull());
  const endpoint = await pull.bind("tcp://127.0.0.1:*");
  await pull.unbind(endpoint);
  push.connect(endpoint);
  const octets = Buffer.from("before");
  await push.send(octets);
  octets.write("after!");
  await pull.bind(endpoint);
  expect(String(await pull.receive({ timeout: 20_000 }))).toBe("before");
});

it("version is the package's", () => {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(version).toBe(manifest.version);
});
