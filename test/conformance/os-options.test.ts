/**
 * Section R, what the kernel is asked for: read back from it (R11), or tried (R25). Where an engine or a system cannot
 * do it, that it says so.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { closeSync, openSync, statSync } from "node:fs";
import { createServer, connect as netConnect, type Server, Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { engine, Pull, Push } from "../../src/index.js";
import type { EngineAcceptor } from "../../src/transport/contract/stream-engine.js";
import type { Stream } from "../../src/transport/contract/transport.js";
import { addon } from "../../src/transport/native/addon.js";
import { nativeEngine } from "../../src/transport/native/engine.js";
import { TcpTransport } from "../../src/transport/tcp.js";
import { startChild } from "../support/child.js";
import { managed, record, temporaryDirectory, texts } from "../support/helpers.js";

const LINUX = process.platform === "linux";
const NATIVE = engine() === "native";
const KERNEL = LINUX && NATIVE;
if (!KERNEL)
  console.log("options read back from the kernel are skipped: they need Linux and the native engine");
const HAS_IPV6 = Object.values(networkInterfaces()).some((list) =>
  list?.some((one) => one.address === "::1"),
);
if (!HAS_IPV6) console.log("IPv6 tests are skipped: there is no ::1 here");
const MAY_BIND_DEVICE = KERNEL && addon()?.checkTcp({ interface: "lo" }) === 0;
if (KERNEL && !MAY_BIND_DEVICE) console.log("skipped: this user may not bind sockets to a device (EPERM)");

// Linux numbers.
const EPERM = -1;
const IPPROTO_IP = 0;
const IP_TOS = 1;
const IPPROTO_IPV6 = 41;
const IPV6_TCLASS = 67;
const SOL_SOCKET = 1;
const SO_PRIORITY = 12;
const SO_BUSY_POLL = 46;
const SO_BINDTOIFINDEX = 62;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_USER_TIMEOUT = 18;

interface Readable {
  getSocketOption(level: number, name: number): number;
}

interface Sides {
  listening: Readable;
  accepted: Readable;
  dialled: Readable;
}

/** A Push connected to a Pull, both with these options, and the kernel sockets behind them. */
async function connected(options: object, host = "127.0.0.1", listenHost = host): Promise<Sides> {
  const made: { listening?: Readable; accepted?: Readable; dialled?: Readable } = {};
  const native = Object.getPrototypeOf(nativeEngine()) as {
    listenTcp(...args: unknown[]): Promise<EngineAcceptor & Readable>;
  };
  const { listenTcp } = native;
  const listen = vi.spyOn(native, "listenTcp").mockImplementation(async function (this: unknown, ...args) {
    const [, , , handler] = args as { onStream(stream: Stream): void }[];
    const tapped = Object.assign(Object.create(handler), {
      onStream: (stream: Stream & Readable) => {
        made.accepted = stream;
        handler.onStream(stream);
      },
    });
    made.listening = await listenTcp.apply(this, [...args.slice(0, 3), tapped]);
    return made.listening as EngineAcceptor & Readable;
  });
  const { connect } = TcpTransport.prototype;
  const dial = vi.spyOn(TcpTransport.prototype, "connect").mockImplementation(async function (
    this: TcpTransport,
    ...args
  ) {
    made.dialled = (await connect.apply(this, args)) as Stream & Readable;
    return made.dialled as unknown as Stream;
  });
  const [pull, push] = [managed(new Pull(options)), managed(new Push(options))];
  const endpoint = await pull.bind(`tcp://${listenHost}:*`);
  push.connect(`tcp://${host}:${endpoint.split(":").pop()}`);
  await push.send("x", { timeout: 20_000 });
  expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["x"]);
  listen.mockRestore();
  dial.mockRestore();
  return made as Sides;
}

function read(sides: Sides, level: number, name: number): Record<keyof Sides, number> {
  const { listening, accepted, dialled } = sides;
  return {
    listening: listening.getSocketOption(level, name),
    accepted: accepted.getSocketOption(level, name),
    dialled: dialled.getSocketOption(level, name),
  };
}

const everywhere = (value: number) => ({ listening: value, accepted: value, dialled: value });

describe("small messages are not held back: TCP_NODELAY is on (G17)", () => {
  it.skipIf(!KERNEL)("for accepted and dialled sockets", async () => {
    const { accepted, dialled } = await connected({});
    expect(accepted.getSocketOption(IPPROTO_TCP, TCP_NODELAY)).toBe(1);
    expect(dialled.getSocketOption(IPPROTO_TCP, TCP_NODELAY)).toBe(1);
  });

  it.skipIf(NATIVE)("for the sockets of the portable engine, as Node sets it", async () => {
    const set = vi.spyOn(Socket.prototype, "setNoDelay");
    onTestFinished(() => set.mockRestore());
    const [pull, push] = [managed(new Pull()), managed(new Push())];
    push.connect(await pull.bind("tcp://127.0.0.1:*"));
    await push.connected({ timeout: 20_000 });
    const on = new Set(set.mock.contexts.filter((_, at) => set.mock.calls[at][0] !== false));
    expect(on.size).toBe(2);
  });
});

describe.skipIf(!KERNEL)("typeOfService", () => {
  it.each([0x28, 0xb8, 252])(
    "%i is set on listening, accepted and dialled sockets (R11)",
    async (typeOfService) => {
      expect(read(await connected({ typeOfService }), IPPROTO_IP, IP_TOS)).toEqual(everywhere(typeOfService));
    },
  );

  it("0, the default, leaves the system's (R11)", async () => {
    expect(read(await connected({}), IPPROTO_IP, IP_TOS)).toEqual(everywhere(0));
  });

  it.skipIf(!HAS_IPV6)("on IPv6 it is the traffic class (R11)", async () => {
    const sides = await connected({ typeOfService: 0x28, ipv6: true }, "[::1]");
    expect(read(sides, IPPROTO_IPV6, IPV6_TCLASS)).toEqual(everywhere(0x28));
  });

  it.skipIf(!HAS_IPV6)("an IPv4 peer of a dual-stack socket gets it too (R11)", async () => {
    const sides = await connected({ typeOfService: 0x28, ipv6: true }, "127.0.0.1", "*");
    expect(sides.accepted.getSocketOption(IPPROTO_IP, IP_TOS)).toBe(0x28);
    expect(sides.listening.getSocketOption(IPPROTO_IPV6, IPV6_TCLASS)).toBe(0x28);
  });
});

describe.skipIf(!KERNEL)("tcpMaxRetransmitTimeout", () => {
  it.each([2000, 30_000, 2 ** 31 - 1])(
    "%i reaches TCP_USER_TIMEOUT (R11)",
    async (tcpMaxRetransmitTimeout) => {
      const sides = await connected({ tcpMaxRetransmitTimeout });
      expect(read(sides, IPPROTO_TCP, TCP_USER_TIMEOUT)).toEqual(everywhere(tcpMaxRetransmitTimeout));
    },
  );

  it("0, the default, leaves the system's (R11)", async () => {
    expect(read(await connected({}), IPPROTO_TCP, TCP_USER_TIMEOUT)).toEqual(everywhere(0));
  });
});

describe.skipIf(!MAY_BIND_DEVICE)("interface", () => {
  it("sockets are bound to the device, and messages pass over it (R11)", async () => {
    const index = (await connected({ interface: "lo" })).dialled.getSocketOption(
      SOL_SOCKET,
      SO_BINDTOIFINDEX,
    );
    expect(index).toBeGreaterThan(0);
    expect(read(await connected({ interface: "lo" }), SOL_SOCKET, SO_BINDTOIFINDEX)).toEqual(
      everywhere(index),
    );
    expect(read(await connected({}), SOL_SOCKET, SO_BINDTOIFINDEX)).toEqual(everywhere(0));
  });

  it("an unknown device is ENODEV from bind and from connect, and named (R11)", async () => {
    const push = managed(new Push({ interface: "nosuchdevice15b" }));
    const error = { name: "ZmqError", code: "ENODEV", message: expect.stringContaining('"nosuchdevice15b"') };
    await expect(push.bind("tcp://127.0.0.1:*")).rejects.toMatchObject(error);
    expect(() => push.connect("tcp://127.0.0.1:1")).toThrow(expect.objectContaining(error));
    await push.bind("ipc://*"); // it has no device
  });

  it("what is bound to another device is not reached over loopback (R11)", async () => {
    const other = Object.entries(networkInterfaces()).find(([, list]) =>
      list?.every((one) => !one.internal),
    )?.[0];
    if (other === undefined) return void console.log("skipped: there is no device but the loopback");
    const pull = managed(new Pull());
    const push = managed(new Push({ interface: other, connectTimeout: 200, reconnectInterval: 10 }));
    const events = record(push);
    push.connect(await pull.bind("tcp://127.0.0.1:*"));
    await events.next("connect:retry");
    expect(pull.peers).toEqual([]);
  });
});

describe.skipIf(!KERNEL)("priority and busyPoll", () => {
  it("reach SO_PRIORITY of every socket (R11)", async () => {
    expect(read(await connected({ priority: 3 }), SOL_SOCKET, SO_PRIORITY)).toEqual(everywhere(3));
  });

  it.skipIf(addon()?.checkTcp({ busyPoll: 20 }) !== 0)(
    "reach SO_BUSY_POLL of every socket (R11)",
    async () => {
      expect(read(await connected({ busyPoll: 20 }), SOL_SOCKET, SO_BUSY_POLL)).toEqual(everywhere(20));
    },
  );

  it.each(["priority", "busyPoll"])("%s that the system refuses is EPERM at once (R11)", async (name) => {
    const check = vi
      .spyOn(addon() as NonNullable<ReturnType<typeof addon>>, "checkTcp")
      .mockReturnValue(EPERM);
    onTestFinished(() => check.mockRestore());
    const push = managed(new Push({ [name]: 7 }));
    const error = { name: "ZmqError", code: "EPERM", message: expect.stringContaining(name) };
    expect(() => push.connect("tcp://127.0.0.1:1")).toThrow(expect.objectContaining(error));
    await expect(push.bind("tcp://127.0.0.1:*")).rejects.toMatchObject(error);
    expect(check).toHaveBeenCalledWith({ [name]: 7 });
  });
});

describe("an engine that cannot", () => {
  const native = {
    typeOfService: 8,
    priority: 3,
    busyPoll: 20,
    interface: "lo",
    tcpMaxRetransmitTimeout: 1000,
  };
  it.skipIf(NATIVE).each(Object.entries(native))("refuses %s with ENOTSUP (R11)", async (name, value) => {
    const push = managed(new Push({ [name]: value }));
    const error = { name: "ZmqError", code: "ENOTSUP", message: expect.stringContaining(name) };
    await expect(push.bind("tcp://127.0.0.1:*")).rejects.toMatchObject(error);
    expect(() => push.connect("tcp://127.0.0.1:1")).toThrow(expect.objectContaining(error));
  });
});

describe("values", () => {
  const bad: [string, unknown, typeof TypeError | typeof RangeError][] = [
    ["typeOfService", "8", TypeError],
    ["typeOfService", null, TypeError],
    ["typeOfService", -1, RangeError],
    ["typeOfService", 256, RangeError],
    ["typeOfService", 1.5, RangeError],
    ["interface", 1, TypeError],
    ["interface", undefined, TypeError],
    ["interface", "", RangeError],
    ["interface", "x".repeat(16), RangeError],
    ["interface", "ü".repeat(8), RangeError],
    ["interface", "lo\0", RangeError],
    ["tcpMaxRetransmitTimeout", "1", TypeError],
    ["tcpMaxRetransmitTimeout", -1, RangeError],
    ["tcpMaxRetransmitTimeout", 2 ** 31, RangeError],
    ["tcpMaxRetransmitTimeout", Number.NaN, RangeError],
    ["useFd", "3", TypeError],
    ["useFd", -2, RangeError],
    ["useFd", 0.5, RangeError],
    ["useFd", 2 ** 31, RangeError],
  ];
  it.each(bad)("%s = %o is refused (R11, R25)", (name, value, error) => {
    const push = managed(new Push()) as unknown as Record<string, unknown>;
    const before = push[name];
    const set = (): void => {
      push[name] = value;
    };
    expect(set).toThrow(error);
    expect(set).toThrow(name);
    expect(push[name]).toBe(before);
  });

  it("defaults, and values that are taken (R11, R25)", () => {
    const push = managed(new Push());
    const { typeOfService, tcpMaxRetransmitTimeout, useFd } = push;
    expect([typeOfService, push.interface, tcpMaxRetransmitTimeout, useFd]).toEqual([0, null, 0, -1]);
    push.interface = "x".repeat(15);
    push.interface = null;
    push.typeOfService = 255;
    push.useFd = 3;
    expect(push.interface).toBeNull();
  });
});

/** Descriptor of a node:net or node:dgram handle. */
function descriptorOf(owner: object): number {
  const state = Object.getOwnPropertySymbols(owner).find((one) => one.description === "state symbol");
  if (state !== undefined) return (owner as Record<symbol, { handle: { fd: number } }>)[state].handle.fd;
  return (owner as { _handle: { fd: number } })._handle.fd;
}

async function nodeServer(where: object): Promise<Server> {
  const server = createServer().listen(where);
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return server;
}

const TCP = { host: "127.0.0.1", port: 0 };

describe.skipIf(!LINUX && !NATIVE)("useFd", () => {
  const kinds = NATIVE ? ["tcp", "ipc", "abstract"] : ["tcp", "ipc"];
  it.each(kinds)("a %s descriptor made by another process is listened on (R25)", async (kind) => {
    const path = join(temporaryDirectory(), "a socket");
    const abstract = `@zwire-use-fd-${process.pid}`;
    const where = kind === "tcp" ? "tcp" : kind === "ipc" ? path : abstract;
    const child = startChild("inherits.mjs", ["make", where]);
    onTestFinished(() => void child.process.stdin?.end());
    const { bound, engine: used, again } = await child.line((line) => "bound" in line, "bound");
    expect(used).toBe(engine());
    expect(again).toBe("EINVAL"); // it is in use already
    const endpoint = String(bound);
    if (kind === "tcp") expect(endpoint).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/);
    else if (kind === "ipc") expect(endpoint).toBe(`ipc://${path}`);
    // node:net made it: it fills an abstract name with NUL bytes.
    else expect(endpoint.replace(/\0+$/, "")).toBe(`ipc://${abstract}`);
    if (kind === "abstract") return;
    const push = managed(new Push());
    push.connect(endpoint);
    await push.send("over it", { timeout: 10_000 });
    await child.line((line) => line.message === "over it", "the message");
  });

  it.each(["unbind", "close"])("%s closes the descriptor and leaves the path (R25)", async (how) => {
    const path = join(temporaryDirectory(), "s");
    const child = startChild("inherits.mjs", ["make", path]);
    onTestFinished(() => void child.process.stdin?.end());
    await child.line((line) => "bound" in line, "bound");
    const before = statSync(path).ino;
    child.tell({ close: how });
    await child.line((line) => "closed" in line, "closed");
    expect(statSync(path).ino).toBe(before);
    const socket = netConnect(path);
    const [error] = await once(socket, "error");
    expect(error.code).toBe("ECONNREFUSED"); // nobody listens any more
  });

  async function refused(useFd: number, endpoint: string, text: RegExp): Promise<void> {
    const pull = managed(new Pull({ useFd }));
    const error = await pull.bind(endpoint).catch((thrown) => thrown);
    expect(error).toMatchObject({ name: "ZmqError", code: "EINVAL", address: endpoint });
    expect(error.message).toContain(`useFd ${useFd}`);
    expect(error.message).toMatch(text);
  }

  it("a descriptor that is not open is EINVAL (R25)", async () => {
    await refused(99_999, "tcp://127.0.0.1:*", /not a listening stream socket for tcp/);
    await refused(99_999, "ipc://*", /not a listening stream socket for ipc/);
  });

  it("a file is EINVAL, and stays open (R25)", async () => {
    const file = openSync("/dev/null", "r");
    onTestFinished(() => closeSync(file));
    await refused(file, "tcp://127.0.0.1:*", /not a listening stream socket/);
    await refused(file, "ipc://*", /not a listening stream socket/);
  });

  it("a udp socket is EINVAL (R25)", async () => {
    const socket = createSocket("udp4");
    onTestFinished(() => void socket.close());
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    await refused(descriptorOf(socket), "tcp://127.0.0.1:*", /not a listening stream socket/);
  });

  it("a connection is EINVAL, and goes on (R25)", async () => {
    const server = await nodeServer(TCP);
    const socket = netConnect((server.address() as { port: number }).port, "127.0.0.1");
    const [accepted] = await once(server, "connection");
    onTestFinished(() => void socket.destroy());
    await refused(descriptorOf(socket), "tcp://127.0.0.1:*", /not a listening stream socket/);
    accepted.write("still here");
    expect(String((await once(socket, "data"))[0])).toBe("still here");
  });

  it("a listening socket of the other family is EINVAL, and listens on (R25)", async () => {
    const tcp = await nodeServer(TCP);
    const ipc = await nodeServer({ path: join(temporaryDirectory(), "s") });
    await refused(descriptorOf(tcp), "ipc://*", /not a listening stream socket for ipc/);
    await refused(descriptorOf(ipc), "tcp://127.0.0.1:*", /not a listening stream socket for tcp/);
    for (const server of [tcp, ipc]) {
      const address = server.address();
      const socket =
        typeof address === "string" ? netConnect(address) : netConnect((address as { port: number }).port);
      await once(socket, "connect");
      socket.destroy();
    }
  });

  it("a descriptor in use on this thread is EINVAL, and listens on (R25)", async () => {
    const server = await nodeServer(TCP);
    await refused(descriptorOf(server), "tcp://127.0.0.1:*", /uses it already/);
    const socket = netConnect((server.address() as { port: number }).port, "127.0.0.1");
    await once(socket, "connect");
    socket.destroy();
  });
});

it.skipIf(LINUX || NATIVE)(
  "useFd is refused with ENOTSUP where nothing tells what a descriptor is (R25)",
  async () => {
    const pull = managed(new Pull({ useFd: 3 }));
    await expect(pull.bind("tcp://127.0.0.1:*")).rejects.toMatchObject({ code: "ENOTSUP" });
  },
);
