/** Errors say what to do, name what is misspelt, and begin at the line of the program. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { ZmqError } from "../../src/base/errors.js";
import { meant } from "../../src/base/nearest.js";
import { explained } from "../../src/core/endpoint-faults.js";
import { Dealer, Publisher, Pull, Push, Request, Router, Stream } from "../../src/index.js";
import * as dropIn from "../../src/zeromq.js";
import { managed } from "../support/helpers.js";

/** The error of a call that throws or rejects. */
async function failure(call: () => unknown): Promise<Error & { code?: string }> {
  try {
    await call();
  } catch (error) {
    return error as Error;
  }
  return expect.fail("it did not fail");
}

const TEXTS = {
  EADDRINUSE: "Address already in use",
  ENOENT: "No such endpoint",
  EADDRNOTAVAIL: "Address not available",
  ENOTDIR: "ENOTDIR",
};

interface Fault {
  readonly code: keyof typeof TEXTS;
  readonly endpoint: string;
  readonly detail: string;
}

/** Endpoints that cannot be bound, and what is said of each. */
async function faults(): Promise<Fault[]> {
  const folder = mkdtempSync(join(tmpdir(), "zwire-help-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "file"), "");
  const there = managed(new Pull());
  const [tcp, ipc] = [await there.bind("tcp://127.0.0.1:*"), await there.bind(`ipc://${folder}/there`)];
  return [
    {
      code: "EADDRINUSE",
      endpoint: tcp,
      detail: `another socket or program listens on ${tcp}: end it, choose another port, or "*" for a free one`,
    },
    { code: "EADDRINUSE", endpoint: ipc, detail: "another socket listens on it" },
    {
      code: "EADDRINUSE",
      endpoint: `ipc://${folder}/file`,
      detail: "a file that is not a socket has this path: choose another path, or remove the file",
    },
    {
      code: "ENOENT",
      endpoint: `ipc://${folder}/none/x`,
      detail: `the folder ${folder}/none of ipc://${folder}/none/x does not exist: make it first`,
    },
    {
      code: "ENOTDIR",
      endpoint: `ipc://${folder}/file/x`,
      detail: `${folder}/file in ipc://${folder}/file/x is not a folder`,
    },
    {
      code: "EADDRNOTAVAIL",
      endpoint: "tcp://192.0.2.1:5555",
      detail:
        'tcp://192.0.2.1:5555 is not an address of this machine: bind one that is, or "*" for all of them',
    },
  ];
}

describe("an endpoint that cannot be bound", () => {
  it("says which one, and what to do", async () => {
    for (const { code, endpoint, detail } of await faults()) {
      const error = await failure(() => managed(new Pull()).bind(endpoint));
      expect(error).toMatchObject({ code, address: endpoint, message: `${TEXTS[code]}: ${detail}` });
    }
  });

  it("so do bindSync and the event", async () => {
    const [{ endpoint, detail }] = await faults();
    const pull = managed(new Pull());
    const told = new Promise<Error>((resolve) => pull.once("bind:error", ({ error }) => resolve(error)));
    const error = await failure(() => pull.bindSync(endpoint));
    expect(error.message).toContain(detail);
    expect(await told).toBe(error);
  });

  it("the drop-in keeps the texts of zeromq.js", async () => {
    const [{ endpoint }] = await faults();
    const pull = new dropIn.Pull();
    onTestFinished(() => pull.close());
    expect((await failure(() => pull.bind(endpoint))).message).toBe("Address already in use");
  });

  it.each([
    ["EACCES", "tcp://127.0.0.1:80", "ports up to 1023 are kept for the system"],
    ["EACCES", "ws://127.0.0.1:443/x", "ports up to 1023 are kept for the system"],
    ["EACCES", "tcp://127.0.0.1:8080", "this user may not bind tcp://127.0.0.1:8080"],
    ["EACCES", "ipc:///run/x", "permission to write into the folder /run"],
    ["EACCES", "ipc://x", "permission to write into the folder ."],
    ["EROFS", "ipc:///usr/x", "ipc:///usr/x is on a file system that cannot be written"],
    ["EMFILE", "tcp://*:5555", "Too many open files"],
  ])("%s at %s", (code, address, text) => {
    expect(explained(new ZmqError(code, { address })).message).toContain(text);
  });
});

describe("a misspelt option of a call", () => {
  const push = () => managed(new Push());
  const pull = () => managed(new Pull());
  it.each<[string, () => unknown, string]>([
    [
      "send",
      () => push().send("x", { singal: 1 } as never),
      'send() has no option "singal"; did you mean "signal"?',
    ],
    [
      "sendMany",
      () => push().sendMany(["x"], { timout: 1 } as never),
      'sendMany() has no option "timout"; did you mean "timeout"?',
    ],
    [
      "nextLoan",
      () => push().nextLoan(5, { Timeout: 1 } as never),
      'nextLoan() has no option "Timeout"; did you mean "timeout"?',
    ],
    [
      "receive",
      () => pull().receive({ wait: 1 } as never),
      'receive() has no option "wait"; it has timeout, signal',
    ],
    [
      "receiveMany",
      () => pull().receiveMany(5, { signal: undefined, x: 1 } as never),
      'receiveMany() has no option "x"; it has timeout, signal',
    ],
    ["messages", () => pull().messages({ abort: 1 } as never), 'messages() has no option "abort"'],
    [
      "borrow",
      () => pull().borrow({ timeouts: 1 } as never),
      'borrow() has no option "timeouts"; did you mean "timeout"?',
    ],
    [
      "connected",
      () => pull().connected({ cuont: 1 } as never),
      'connected() has no option "cuont"; did you mean "count"?',
    ],
    [
      "bind",
      () => pull().bind("tcp://127.0.0.1:*", { timeout: 1 } as never),
      'bind() has no option "timeout"; it has signal',
    ],
    [
      "close",
      () => pull().close({ lingr: 1 } as never),
      'close() has no option "lingr"; did you mean "linger"?',
    ],
    [
      "disconnectPeer",
      () => pull().disconnectPeer(1, { Linger: 0 } as never),
      'disconnectPeer() has no option "Linger"; did you mean "linger"?',
    ],
    [
      "request",
      () => managed(new Request()).request("x", { retires: 1 } as never),
      'request() has no option "retires"; did you mean "retries"?',
    ],
    [
      "waitForSubscribers",
      () => managed(new Publisher()).waitForSubscribers(1, { sginal: 1 } as never),
      'did you mean "signal"?',
    ],
    [
      "Router.connect",
      () => managed(new Router()).connect("tcp://127.0.0.1:1", { routingID: "a" } as never),
      'connect has no option "routingID"; did you mean "routingId"?',
    ],
    [
      "Stream.connect",
      () => managed(new Stream()).connect("tcp://127.0.0.1:1", { id: "a" } as never),
      'connect has no option "id"',
    ],
    [
      "a constructor",
      () => new Dealer({ sendTimout: 1 } as never),
      'Dealer has no option "sendTimout"; did you mean "sendTimeout"?',
    ],
  ])("%s", async (_, call, text) => {
    const error = await failure(call);
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain(text);
  });

  it("right ones are taken, and nothing was sent or closed by a wrong one", async () => {
    const [one, other] = [push(), pull()];
    one.connect(await other.bind("tcp://127.0.0.1:*", { signal: new AbortController().signal }));
    await failure(() => one.send("wrong", { x: 1 } as never));
    await failure(() => other.close({ x: 1 } as never));
    expect(other.closed).toBe(false);
    await one.send("right", { timeout: 10_000, signal: new AbortController().signal });
    expect(String(await other.receive({ timeout: 10_000 }))).toBe("right");
  });

  it.each([
    ["singal", "signal"],
    ["SIGNAL", "signal"],
    ["linge", "linger"],
    ["x", ""],
    ["__proto__", ""],
    ["s".repeat(1000), ""],
  ])("a name is near another, %#", (name, near) => {
    expect(meant(name, ["signal", "linger", "timeout"])).toBe(near && `; did you mean "${near}"?`);
  });
});

describe("the stack of an error", () => {
  /** The function of the program that made the call, below some others of it. */
  async function programmed(call: () => unknown): Promise<unknown> {
    await null;
    return theCallOfTheProgram(call);
  }
  function theCallOfTheProgram(call: () => unknown): unknown {
    return call();
  }

  it.each<[string, () => unknown]>([
    ["bind, which fails at once", () => managed(new Pull()).bind("tcp://no port")],
    ["bind, which fails later", () => managed(new Pull()).bind("tcp://192.0.2.1:5555")],
    [
      "bind with a signal",
      () => managed(new Pull()).bind("tcp://192.0.2.1:5555", { signal: new AbortController().signal }),
    ],
    ["bindSync", () => managed(new Pull()).bindSync("tcp://192.0.2.1:5555")],
    ["unbind", () => managed(new Pull()).unbind("tcp://127.0.0.1:1")],
    ["connect", () => managed(new Push()).connect("htp://127.0.0.1:1")],
    ["connect of a Router", () => managed(new Router()).connect("htp://127.0.0.1:1")],
    ["disconnect", () => managed(new Push()).disconnect("tcp://127.0.0.1:1")],
    ["options of a call", () => managed(new Push()).send("x", { timeout: "1" } as never)],
    ["a constructor", () => new Push({ sendTimeout: "1" } as never)],
  ])("begins at the program: %s", async (_, call) => {
    const { stack, message } = await failure(() => programmed(call));
    expect(stack!.startsWith(`${(await failure(call)).name}: ${message.slice(0, 10)}`)).toBe(true);
    const frames = stack!.split("\n").filter((line) => line.startsWith("    at "));
    expect(frames[0]).toContain("error-help.test.ts");
    expect(frames.slice(0, 3).join("\n")).toContain("theCallOfTheProgram");
  });

  it("the reason of a signal is left as it is", async () => {
    const reason = new ZmqError("EINVAL", { detail: "mine" });
    const { stack } = reason;
    const error = await failure(() =>
      managed(new Pull()).bind("tcp://127.0.0.1:*", { signal: AbortSignal.abort(reason) }),
    );
    expect(error).toBe(reason);
    expect(error.stack).toBe(stack);
  });
});
