/**
 * Arguments are checked at the edge: a wrong one throws at once and names itself, and what an engine cannot do is
 * refused instead of being tried for ever.
 */
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { engine, Publisher, Pull, Push, Request, type Socket, version } from "../../src/index.js";

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
  it.each(wrong)("U2 a %s throws at once, everywhere", (_name, options, message) => {
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

  it("U2 counts are checked", () => {
    expect(() => managed(new Push()).connected({ count: -1 })).toThrow(/count/);
    expect(() => managed(new Publisher()).waitForSubscribers(1.5)).toThrow(/count/);
    expect(() => managed(new Pull()).receiveMany(0)).toThrow(/max/);
    expect(() => managed(new Push()).close({ linger: -2 })).toThrow(/linger/);
  });
});

describe("what cannot work", () => {
  it("R5 an IPv6 address without the option throws instead of being dialled for ever", () => {
    const push = managed(new Push());
    expect(() => push.connect("tcp://[::1]:5555")).toThrow(expect.objectContaining({ code: "EINVAL" }));
    push.ipv6 = true;
    push.connect("tcp://[::1]:5555");
  });

  it("R11 an option that the engine cannot honour is refused by bind and connect", async () => {
    const push = managed(new Push({ sendBufferSize: 100_000, tcpKeepaliveCount: 3 }));
    if (engine() === "native") {
      push.connect("tcp://127.0.0.1:1");
      await push.bind("tcp://127.0.0.1:*");
    } else {
      expect(() => push.connect("tcp://127.0.0.1:1")).toThrow(expect.objectContaining({ code: "ENOTSUP" }));
      await expect(push.bind("ipc://*")).rejects.toMatchObject({ code: "ENOTSUP" });
    }
  });

  it("R16 an abstract name on an engine that cannot use it is refused by connect", () => {
    const push = managed(new Push());
    const connect = (): void => push.connect("ipc://@zwire-arguments");
    if (engine() === "native" && process.platform === "linux") connect();
    else expect(connect).toThrow(expect.objectContaining({ code: expect.stringMatching(/ENOTSUP|EINVAL/) }));
  });
});

it("G14 a conflating socket keeps its own copy of the newest message", async () => {
  const push = managed(new Push({ conflate: true }));
  const pull = managed(new Pull());
  const endpoint = await pull.bind("tcp://127.0.0.1:*");
  await pull.unbind(endpoint);
  push.connect(endpoint);
  const octets = Buffer.from("before");
  await push.send(octets);
  octets.write("after!");
  await pull.bind(endpoint);
  expect(String(await pull.receive({ timeout: 5000 }))).toBe("before");
});

it("version is the package's", () => {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(version).toBe(manifest.version);
});
