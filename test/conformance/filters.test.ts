/**
 * Section R, who may connect to us: addresses over tcp (R12), users, groups and processes over ipc (R19).
 */
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import * as zmq from "zeromq";
import { engine, Pull, Push } from "../../src/index.js";
import {
  managed,
  rawConnected,
  rawDial,
  record,
  temporaryDirectory,
  texts,
  until,
} from "../support/helpers.js";

const HAS_IPV6 = Object.values(networkInterfaces()).some((list) =>
  list?.some((one) => one.address === "::1"),
);
if (!HAS_IPV6) console.log("IPv6 tests are skipped: there is no ::1 here");
const LINUX = process.platform === "linux";
const CREDENTIALS = LINUX && engine() === "native";
if (!CREDENTIALS) console.log("ipc filters are skipped: they need Linux and the native engine");

function portOf(endpoint: string): number {
  return Number(endpoint.slice(endpoint.lastIndexOf(":") + 1));
}

async function passes(push: Push, pull: Pull): Promise<void> {
  await push.send("x", { timeout: 20_000 });
  expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["x"]);
}

/** A dialler that is let in. */
async function welcome(pull: Pull, endpoint: string, options = {}): Promise<void> {
  const push = managed(new Push(options));
  push.connect(endpoint);
  await passes(push, pull);
}

/** A raw peer that connects, and is closed without an byte from us. */
async function turnedAway(pull: Pull, endpoint: string): Promise<Error & { code?: string }> {
  const events = record(pull);
  const peer = await rawDial(endpoint);
  const { error, address } = await events.next("accept:error");
  expect(await peer.readToEnd()).toHaveLength(0);
  expect(address).toBe(pull.lastEndpoint);
  expect(events.of("accept")).toEqual([]);
  expect(pull.peers).toEqual([]);
  return error as Error;
}

describe("tcpAcceptFilter", () => {
  it.each([[["127.0.0.0/8"]], [["10.0.0.0/8", "127.0.0.1"]], [[]]])(
    "%o lets 127.0.0.1 in (R12)",
    async (tcpAcceptFilter) => {
      const pull = managed(new Pull({ tcpAcceptFilter }));
      const events = record(pull);
      await welcome(pull, await pull.bind("tcp://127.0.0.1:*"));
      expect(events.of("accept:error")).toEqual([]);
    },
  );

  it.each([[["10.0.0.0/8"]], [["127.0.0.2", "::1/128", "192.168.0.0/16"]], [["::/0"]]])(
    "%o closes 127.0.0.1 at accept, with an event that says so (R12)",
    async (tcpAcceptFilter) => {
      const pull = managed(new Pull({ tcpAcceptFilter }));
      const error = await turnedAway(pull, await pull.bind("tcp://127.0.0.1:*"));
      expect(error).toMatchObject({ name: "ZmqError", code: "EACCES" });
      expect(error.message).toMatch(/tcpAcceptFilter does not allow 127\.0\.0\.1/);
    },
  );

  it.skipIf(!LINUX)("one peer is let in beside another that is not (R12)", async () => {
    const pull = managed(new Pull({ tcpAcceptFilter: "127.0.0.2/32" }));
    const port = portOf(await pull.bind("tcp://127.0.0.1:*"));
    const events = record(pull);
    const outside = managed(new Push({ reconnectInterval: 10, immediate: true }));
    outside.connect(`tcp://127.0.0.3:0;127.0.0.1:${port}`);
    await welcome(pull, `tcp://127.0.0.2:0;127.0.0.1:${port}`);
    await events.next("accept:error", 2); // it tries again, and is turned away again
    expect(outside.peers).toEqual([]);
    expect(pull.peers).toHaveLength(1);
  });

  it.skipIf(!HAS_IPV6)("an IPv4 peer of a dual-stack socket is matched as such (R12)", async () => {
    const pull = managed(new Pull({ ipv6: true, tcpAcceptFilter: ["127.0.0.0/8"] }));
    const port = portOf(await pull.bind("tcp://*:*"));
    await welcome(pull, `tcp://127.0.0.1:${port}`);
    const events = record(pull);
    const push = managed(new Push({ ipv6: true }));
    push.connect(`tcp://[::1]:${port}`);
    expect((await events.next("accept:error")).error?.message).toMatch(/does not allow \[::1\]/);
  });

  it.skipIf(!HAS_IPV6)("IPv6 ranges let IPv6 peers in (R12)", async () => {
    const pull = managed(new Pull({ ipv6: true, tcpAcceptFilter: ["::1/128"] }));
    const port = portOf(await pull.bind("tcp://*:*"));
    await welcome(pull, `tcp://[::1]:${port}`, { ipv6: true });
    const events = record(pull);
    managed(new Push()).connect(`tcp://127.0.0.1:${port}`);
    await events.next("accept:error");
  });

  it("zeromq is turned away as well (R12)", async () => {
    const pull = managed(new Pull({ tcpAcceptFilter: ["192.0.2.0/24"] }));
    const events = record(pull);
    const push = new zmq.Push({ linger: 0 });
    onTestFinished(() => push.close());
    push.connect(await pull.bind("tcp://127.0.0.1:*"));
    expect((await events.next("accept:error")).error).toMatchObject({ code: "EACCES" });
  });

  it("does not concern ipc (R12)", async () => {
    const pull = managed(new Pull({ tcpAcceptFilter: ["192.0.2.0/24"] }));
    await welcome(pull, await pull.bind("ipc://*"));
  });

  it("a string is added, null empties the list, an array replaces it (R12)", () => {
    const pull = managed(new Pull({ tcpAcceptFilter: "10.0.0.0/8" }));
    expect(pull.tcpAcceptFilter).toEqual(["10.0.0.0/8"]);
    pull.tcpAcceptFilter = "::1";
    pull.tcpAcceptFilter = "192.0.2.1/32";
    expect(pull.tcpAcceptFilter).toEqual(["10.0.0.0/8", "::1", "192.0.2.1/32"]);
    pull.tcpAcceptFilter = ["127.0.0.1"];
    expect(pull.tcpAcceptFilter).toEqual(["127.0.0.1"]);
    pull.tcpAcceptFilter = null;
    expect(pull.tcpAcceptFilter).toEqual([]);
    expect(managed(new Pull()).tcpAcceptFilter).toEqual([]);
  });

  it("the list of a socket is its own, and cannot be changed from outside (R12)", () => {
    const given = ["10.0.0.0/8"];
    const pull = managed(new Pull({ tcpAcceptFilter: given }));
    given.push("0.0.0.0/0");
    expect(pull.tcpAcceptFilter).toEqual(["10.0.0.0/8"]);
    expect(() => (pull.tcpAcceptFilter as string[]).push("0.0.0.0/0")).toThrow(TypeError);
    const fresh = managed(new Pull());
    expect(() => (fresh.tcpAcceptFilter as string[]).push("0.0.0.0/0")).toThrow(TypeError);
    expect(() => (fresh.ipcFilterUserIds as number[]).push(1)).toThrow(TypeError);
  });

  const bad: [unknown, typeof TypeError | typeof RangeError][] = [
    [5, TypeError],
    [true, TypeError],
    [undefined, TypeError],
    [{ 0: "10.0.0.0/8" }, TypeError],
    [["10.0.0.0/8", 5], TypeError],
    ["", RangeError],
    ["10.0.0.0/33", RangeError],
    [["10.0.0.0/8", "localhost"], RangeError],
  ];
  it.each(bad)("%o is refused, and the list stays (R12)", (value, error) => {
    const pull = managed(new Pull({ tcpAcceptFilter: ["127.0.0.1"] }));
    const set = (): void => {
      pull.tcpAcceptFilter = value as string;
    };
    expect(set).toThrow(error);
    expect(set).toThrow(/tcpAcceptFilter/);
    expect(pull.tcpAcceptFilter).toEqual(["127.0.0.1"]);
  });
});

const LISTS = ["ipcFilterUserIds", "ipcFilterGroupIds", "ipcFilterProcessIds"] as const;
const uid = process.getuid?.() ?? 0;
const gid = process.getgid?.() ?? 0;
const NOBODY = 4_000_000_000;

describe.skipIf(!CREDENTIALS)("ipc filters", () => {
  const endpoints: [string, () => string][] = [
    ["a path", () => `ipc://${join(temporaryDirectory(), "s")}`],
    ["a wildcard", () => "ipc://*"],
    ["an abstract name", () => `ipc://@zwire-filter-${process.pid}-${Math.random()}`],
  ];
  const welcomeLists = {
    user: { ipcFilterUserIds: [NOBODY, uid] },
    group: { ipcFilterGroupIds: [gid] },
    process: { ipcFilterProcessIds: [process.pid, 1] },
    "group, though not the user": { ipcFilterUserIds: [NOBODY], ipcFilterGroupIds: [gid] },
    "process, though neither user nor group": {
      ipcFilterUserIds: [NOBODY],
      ipcFilterGroupIds: [NOBODY],
      ipcFilterProcessIds: [process.pid],
    },
  };
  it.each(Object.entries(welcomeLists))("a peer is let in by its %s (R19)", async (_name, options) => {
    const pull = managed(new Pull(options));
    await welcome(pull, await pull.bind("ipc://*"));
  });

  const closedLists = {
    user: { ipcFilterUserIds: [NOBODY] },
    group: { ipcFilterGroupIds: [NOBODY] },
    process: { ipcFilterProcessIds: [1] },
    "user, group and process": {
      ipcFilterUserIds: [NOBODY],
      ipcFilterGroupIds: [NOBODY],
      ipcFilterProcessIds: [1],
    },
  };
  it.each(Object.entries(closedLists))(
    "a peer in no list (%s) is closed at accept (R19)",
    async (_name, options) => {
      const pull = managed(new Pull(options));
      const error = await turnedAway(pull, await pull.bind("ipc://*"));
      expect(error).toMatchObject({ name: "ZmqError", code: "EACCES" });
      expect(error.message).toContain(`process ${process.pid} of user ${uid} and group ${gid}`);
    },
  );

  it.each(endpoints)("holds on %s (R19)", async (_name, endpoint) => {
    const open = managed(new Pull({ ipcFilterUserIds: [uid] }));
    await welcome(open, await open.bind(endpoint()));
    const closed = managed(new Pull({ ipcFilterUserIds: [NOBODY] }));
    const events = record(closed);
    const push = managed(new Push({ reconnectInterval: 10 }));
    push.connect(await closed.bind(endpoint()));
    await events.next("accept:error", 2);
    expect(closed.peers).toEqual([]);
  });

  it("zeromq is turned away as well (R19)", async () => {
    const pull = managed(new Pull({ ipcFilterProcessIds: [1] }));
    const events = record(pull);
    const push = new zmq.Push({ linger: 0 });
    onTestFinished(() => push.close());
    push.connect(await pull.bind(`ipc://${join(temporaryDirectory(), "s")}`));
    expect((await events.next("accept:error")).error).toMatchObject({ code: "EACCES" });
  });

  it("does not concern tcp, nor connections that we make (R19)", async () => {
    const closed = { ipcFilterUserIds: [NOBODY] };
    const pull = managed(new Pull(closed));
    await welcome(pull, await pull.bind("tcp://127.0.0.1:*"));
    const open = managed(new Pull());
    await welcome(open, await open.bind("ipc://*"), closed);
  });

  it("a filter acts on what is bound afterwards (R19)", async () => {
    const pull = managed(new Pull());
    const before = await pull.bind("ipc://*");
    pull.ipcFilterUserIds = [NOBODY];
    await welcome(pull, before);
    const events = record(pull);
    const after = await pull.bind("ipc://*");
    await rawDial(after);
    await events.next("accept:error");
    await until(() => pull.peers.length <= 1, "nobody came in");
    await rawConnected(before, { type: "PUSH" });
  });
});

describe("what cannot be asked", () => {
  it.skipIf(CREDENTIALS).each(LISTS)("%s is refused by an engine that cannot tell (R19)", async (name) => {
    const pull = managed(new Pull({ [name]: [1] }));
    const error = { name: "ZmqError", code: "ENOTSUP", message: expect.stringContaining(name) };
    await expect(pull.bind("ipc://*")).rejects.toMatchObject(error);
    expect(() => pull.connect("ipc:///tmp/nobody")).toThrow(expect.objectContaining(error));
  });

  const bad: [unknown, typeof TypeError | typeof RangeError][] = [
    [5, TypeError],
    ["5", TypeError],
    [null, TypeError],
    [["5"], TypeError],
    [[null], TypeError],
    [[-1], RangeError],
    [[1, 1.5], RangeError],
    [[Number.NaN], RangeError],
    [[2 ** 32 - 1], RangeError], // (uid_t)-1 is nobody's
  ];
  for (const name of LISTS) {
    it.each(bad)(`${name} = %o is refused (R19)`, (value, error) => {
      const pull = managed(new Pull()) as unknown as Record<string, unknown>;
      const set = (): void => {
        pull[name] = value;
      };
      expect(set).toThrow(error);
      expect(set).toThrow(name);
      expect(pull[name]).toEqual([]);
    });
  }

  it("there is no process 0 (R19)", () => {
    expect(() => new Pull({ ipcFilterProcessIds: [0] })).toThrow(RangeError);
    expect(managed(new Pull({ ipcFilterUserIds: [0] })).ipcFilterUserIds).toEqual([0]);
  });
});
