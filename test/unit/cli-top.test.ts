/** `zwire top`: what it prints once, how it sorts and measures, and what it makes of a monitor that is none. */
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { main } from "../../src/cli/main.js";
import { parseSnapshot } from "../../src/cli/top/reader.js";
import { rowsOf, sorted } from "../../src/cli/top/rows.js";
import { duration, heading, lines, short, titles } from "../../src/cli/top/table.js";
import {
  curveKeyPair,
  type MonitorSnapshot,
  openMonitor,
  Pair,
  Publisher,
  Pull,
  Push,
  writeCertificate,
} from "../../src/index.js";
import { managed, temporaryDirectory } from "../support/helpers.js";

const PEER = {
  id: 7,
  address: "tcp://10.0.0.1:5",
  endpoint: "tcp://10.0.0.2:6",
  socketType: "PUSH",
  messagesSent: 0,
  messagesReceived: 10,
  bytesSent: 0,
  bytesReceived: 1000,
  outboundQueue: 0,
  receiveQueue: 2,
  dropped: 0,
};
const STATS = {
  sendQueue: 1,
  outboundQueue: 2,
  receiveQueue: 3,
  messagesSent: 0,
  messagesReceived: 10,
  dropped: 4,
  peers: 1,
};
const SOCKET = {
  id: 1,
  type: "PULL",
  bound: ["tcp://10.0.0.2:6"],
  connected: ["ipc:///a"],
  stats: STATS,
  events: { bind: 1 },
  peers: [PEER],
  peersLeftOut: 3,
};
const SNAPSHOT = {
  version: 1,
  time: 1,
  clock: 1000,
  interval: 1000,
  program: {
    pid: 1,
    thread: 0,
    host: "h",
    script: "s.mjs",
    uptime: 61_000,
    zwire: "0.1.0",
    engine: "native",
  },
  sockets: [SOCKET],
};
const parsed = (change: object = {}) => parseSnapshot(JSON.stringify({ ...SNAPSHOT, ...change }));
const socketWith = (change: object) => parsed({ sockets: [{ ...SOCKET, ...change }] });

it.each([-5, 0, 9, 3_600_001, 1e12])("a monitor that claims an interval of %d is refused", (interval) => {
  expect(() => parsed({ interval })).toThrow("interval is not from 10 to 3600000");
});

/** Runs a command line. */
async function run(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  let [out, error] = ["", ""];
  const code = await main(args, {
    out: (data) => void (out += data),
    error: (text) => void (error += text),
    drained: async () => {},
  });
  return { code, out, error };
}

describe("rows", () => {
  const later = (change: object): MonitorSnapshot =>
    parsed({ clock: 3000, sockets: [{ ...SOCKET, ...change }] });

  it("have rates from two snapshots of the same process, and none from one", () => {
    const now = later({
      stats: { ...STATS, messagesReceived: 30 },
      peers: [{ ...PEER, messagesReceived: 30, bytesReceived: 5000 }],
    });
    const [row] = rowsOf(now, parsed());
    expect(row).toMatchObject({ received: 10, sent: 0, bytesReceived: 2000, out: 3, in: 3, dropped: 4 });
    expect(row.endpoint).toBe("tcp://10.0.0.2:6 +1");
    expect(row.children).toMatchObject([{ id: 7, type: "PUSH", received: 10, in: 2 }]);
    expect(rowsOf(now, undefined)[0]).toMatchObject({ received: null, bytesReceived: null });
    const other = parsed({ program: { ...SNAPSHOT.program, pid: 2 } });
    expect(rowsOf(now, other)[0].received).toBeNull();
  });

  it("have no rate for a socket that is new, and none below zero", () => {
    expect(rowsOf(later({ id: 9 }), parsed())[0].received).toBeNull();
    expect(rowsOf(later({ stats: { ...STATS, messagesReceived: 1 } }), parsed())[0].received).toBe(0);
  });

  it("are sorted by a column, numbers from the top, and with the same value by id", () => {
    const rows = rowsOf(
      parsed({
        sockets: [
          { ...SOCKET, id: 1, type: "SUB", stats: { ...STATS, dropped: 1 } },
          { ...SOCKET, id: 2, type: "PUB", stats: { ...STATS, dropped: 5 } },
          { ...SOCKET, id: 3, type: "PUB", stats: { ...STATS, dropped: 5 } },
        ],
      }),
      undefined,
    );
    const ids = (...how: Parameters<typeof sorted> extends [unknown, ...infer R] ? R : never) =>
      sorted(rows, ...how).map(({ id }) => id);
    expect(ids("id", false)).toEqual([1, 2, 3]);
    expect(ids("id", true)).toEqual([3, 2, 1]);
    expect(ids("type", false)).toEqual([2, 3, 1]);
    expect(ids("dropped", false)).toEqual([2, 3, 1]);
    expect(ids("sent", false)).toEqual([1, 2, 3]);
  });
});

describe("the table", () => {
  it("shows sizes and times in few characters", () => {
    expect([null, 0, 999, 999.6, 1234, 99_960, 123_456, 5e6, 3e15].map(short)).toEqual([
      "-",
      "0",
      "999",
      "1.0k",
      "1.2k",
      "100k",
      "123k",
      "5.0M",
      "3000T",
    ]);
    expect([5000, 61_000, 3_700_000, 180_000_000].map(duration)).toEqual([
      "5 s",
      "1 min 1 s",
      "1 h 1 min",
      "2 d 2 h",
    ]);
    expect(heading(parsed())).toBe("s.mjs (pid 1 on h), up 1 min 1 s, zwire 0.1.0 native, 1 socket");
  });

  it("fits the width, leaves out bytes where it is narrow, and says how many peers are not shown", () => {
    const view = { sort: "id", reverse: false, peers: true } as const;
    const rows = rowsOf(parsed(), undefined);
    for (const width of [40, 80, 120]) {
      for (const line of [titles(view, width), ...lines(rows, view, width)])
        expect(line.length).toBeLessThanOrEqual(width);
    }
    expect(titles(view, 80)).not.toContain("B IN/s");
    expect(titles(view, 120)).toContain("B IN/s");
    expect(titles(view, 80)).toContain("ID*");
    expect(lines(rows, view, 120)).toHaveLength(3);
    expect(lines(rows, view, 120)[2]).toContain("and 3 more peers");
    expect(lines(rows, { ...view, peers: false }, 120)).toHaveLength(1);
  });
});

describe("a snapshot", () => {
  it("loses what a terminal would take for a command", () => {
    const { sockets, program } = parsed({
      program: { ...SNAPSHOT.program, script: "\u001b]0;title\u0007x\u202e" },
      sockets: [
        { ...SOCKET, bound: ["ipc:///\u001b[2J\n\u009b"], peers: [{ ...PEER, address: "a\u001b[H" }] },
      ],
    });
    expect(program.script).toBe("?]0;title?x?");
    expect([sockets[0].bound, sockets[0].peers[0].address]).toEqual([["ipc:///?[2J??"], "a?[H"]);
  });

  it.each([
    ["no JSON", () => parseSnapshot("{"), "what it publishes is not JSON"],
    ["a number", () => parseSnapshot("1"), "a snapshot is no object"],
    ["another version", () => parsed({ version: 2 }), "version 2 of its form; this program reads 1"],
    ["no list", () => parsed({ sockets: {} }), "sockets is no list"],
    ["no number", () => socketWith({ stats: { ...STATS, dropped: "1" } }), "stats.dropped is no number"],
    ["no peers", () => socketWith({ peers: undefined }), "peers is no list"],
    ["a text that is none", () => socketWith({ bound: [1] }), "an endpoint is no text"],
  ])("is refused if it is %s", (_, read, why) => {
    expect(read).toThrow(why);
  });
});

describe("zwire top", () => {
  it("prints the table once if the output is no terminal, with rates", async () => {
    const [a, b] = [managed(new Pair()), managed(new Pair())];
    b.connect(await a.bind("inproc://top-once"));
    const monitor = await openMonitor("tcp://127.0.0.1:*", { interval: 200 });
    onTestFinished(() => monitor.close());
    const { code, out, error } = await run("top", monitor.endpoint, "--sort", "type", "--peers");
    expect([code, error]).toEqual([0, ""]);
    const [first, second, ...rows] = out.trimEnd().split("\n");
    expect(first).toContain(`pid ${process.pid}`);
    expect(second).toMatch(/ID TYPE +PEERS +SENT\/s .*ENDPOINT$/);
    expect(rows.filter((row) => row.endsWith("inproc://top-once"))).toHaveLength(4);
    // The command's own socket is in this process, too.
    expect(rows.at(-1)).toMatch(/ PAIR| XPUB|SUB/);
    expect(out).not.toMatch(/-\s+-\s+-\s+-.*inproc:\/\/top-once$/m);
  });

  it("--json prints what a script reads, also of a monitor whose interval is long", async () => {
    const [push, pull] = [managed(new Push()), managed(new Pull())];
    push.connect(await pull.bind("inproc://top-json"));
    const monitor = await openMonitor(`ipc://${join(temporaryDirectory(), "m")}`, { interval: 600_000 });
    onTestFinished(() => monitor.close());
    const { code, out } = await run("top", monitor.endpoint, "--json", "--timeout", "300");
    expect(code).toBe(0);
    const { version, sockets } = JSON.parse(out);
    expect(version).toBe(1);
    expect(sockets.find(({ type }: { type: string }) => type === "PUSH")).toMatchObject({
      peers: 1,
      sent: null,
    });
  });

  it("reads a monitor under CURVE", async () => {
    const folder = temporaryDirectory();
    const keys = curveKeyPair();
    await writeCertificate(join(folder, "server.key"), { ...keys, metadata: {} });
    const monitor = await openMonitor("tcp://127.0.0.1:*", {
      curveServer: true,
      curveSecretKey: keys.secretKey,
    });
    onTestFinished(() => monitor.close());
    const options = ["--json", "--curve-server-key", join(folder, "server.key")];
    expect(await run("top", monitor.endpoint, ...options)).toMatchObject({ code: 0, error: "" });
    const { code, error } = await run("top", monitor.endpoint, "--once", "--timeout", "500");
    expect([code, error]).toEqual([3, expect.stringContaining("Nothing came from tcp://127.0.0.1:")]);
  });

  it("says what is wrong: nobody there, no monitor, no endpoint", async () => {
    const nobody = await run("top", "ipc:///nowhere/at/all", "--timeout", "200");
    expect([nobody.code, nobody.error]).toEqual([3, expect.stringContaining("no such file or directory")]);
    const publisher = managed(new Publisher());
    const endpoint = await publisher.bind("tcp://127.0.0.1:*");
    const asked = run("top", endpoint, "--once");
    await publisher.waitForSubscribers(1);
    await publisher.send(["snapshot", "<html>"]);
    expect(await asked).toMatchObject({
      code: 1,
      error: "zwire top: This is no monitor of zwire: what it publishes is not JSON.\n",
    });
    expect(await run("top")).toMatchObject({ code: 2 });
    expect(await run("top", endpoint, "--sort", "age")).toMatchObject({ code: 2 });
    expect(await run("top", "nonsense")).toMatchObject({ code: 1 });
  });
});
