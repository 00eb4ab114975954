/**
 * `zwire bench`: both sides of it in processes of their own, over tcp and ipc, and each side with the tools of libzmq.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Pair } from "../../src/index.js";
import { type Running, run, start, stopped } from "../support/command.js";
import { freePort, managed, temporaryDirectory, texts, until } from "../support/helpers.js";
import { buildTools, startTool, toolsReason } from "../support/libzmq-tools.js";
import { SlowRelay } from "../support/slow-relay.js";

const ANY = "tcp://127.0.0.1:*";

interface Told {
  readonly test: string;
  readonly measured: string;
  readonly size: number;
  readonly count: number;
  readonly seconds: number;
  readonly messagesPerSecond: number;
  readonly megabytesPerSecond: number;
  readonly roundTrip?: Readonly<Record<string, number>>;
  readonly here: { readonly program: string; readonly processor: { user: number; system: number } };
  readonly there?: Told["here"];
}

/** What a side has printed with --json. */
const told = (out: string): Told[] =>
  out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

function expectRates({ count, size, seconds, messagesPerSecond, megabytesPerSecond }: Told): void {
  expect(seconds).toBeGreaterThan(0);
  expect(messagesPerSecond / (count / seconds)).toBeCloseTo(1, 2);
  const megabytes = (count * size) / seconds / 1e6;
  expect(Math.abs(megabytesPerSecond - megabytes)).toBeLessThanOrEqual(0.001 + megabytes * 0.01);
}

function expectTimes({ roundTrip }: Told): void {
  const { minimum, p50, p90, p99, p999, maximum, mean } = roundTrip!;
  const order = [minimum, p50, p90, p99, p999, maximum];
  expect([...order].sort((a, b) => a - b)).toEqual(order);
  expect(mean).toBeGreaterThanOrEqual(minimum);
  expect(minimum).toBeGreaterThan(0);
}

const used = ({ processor: { user, system } }: Told["here"]) => user + system;

describe("serve", () => {
  it.each([
    ["tcp", () => ANY],
    ["ipc", () => `ipc://${temporaryDirectory()}/bench`],
  ])("makes tests over %s one after the other, and both sides say the same", async (_name, endpoint) => {
    const serve = start(["bench", "serve", "--bind", endpoint(), "--json", "--count", "3", "-v"]);
    const [, bound] = await serve.says(/bind (\S+)/);
    const common = ["--connect", bound, "--json", "--warmup", "10"];
    const throughput = await run(["bench", "throughput", ...common, "--size", "100", "--count", "20000"]);
    const empty = await run(["bench", "throughput", ...common, "--size", "0", "--count", "1000"]);
    const latency = await run(["bench", "latency", ...common, "--size", "33", "--count", "500"]);
    const served = await serve.ended;
    const ours = [throughput, empty, latency].map(({ code, err, out }) => {
      expect([code, err]).toEqual([0, ""]);
      return told(out)[0];
    });
    expect(served.code).toBe(0);
    const theirs = told(served.out);
    expect(ours.map(({ test, size, count }) => [test, size, count])).toEqual([
      ["throughput", 100, 20_000],
      ["throughput", 0, 1000],
      ["latency", 33, 500],
    ]);
    for (const [i, one] of ours.entries()) {
      expectRates(one);
      expect(used(one.there!)).toBeGreaterThan(0);
      expect(one.there).toEqual(theirs[i].here);
      expect([theirs[i].test, theirs[i].size, theirs[i].count]).toEqual([one.test, one.size, one.count]);
    }
    expect(ours[0].seconds).toBe(theirs[0].seconds);
    expectTimes(ours[2]);
    expect(ours[2].roundTrip!.mean * 500).toBeLessThanOrEqual(ours[2].seconds * 1e6 + 1000);
  });

  it("prints for people without --json, with CURVE, and serve may be the one that connects", async () => {
    const keys = temporaryDirectory();
    expect((await run(["keygen", `${keys}/server.key`])).code).toBe(0);
    const endpoint = await freePort();
    const serve = start([
      "bench",
      "serve",
      "--connect",
      endpoint,
      "--curve-server-key",
      `${keys}/server.key`,
    ]);
    const asking = ["--bind", endpoint, "--curve-secret-file", `${keys}/server.key_secret`];
    const { code, out, err } = await run(["bench", "latency", ...asking, "--count", "50", "--warmup", "1"]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^latency: 50 round trips of 64 bytes, tcp:/);
    expect(out).toMatch(/median.*mean\n.*99\.9 %/);
    expect(out).toMatch(/processor there +\d+\.\d\d s/);
    expect((await stopped(serve, "SIGINT")).code).toBe(0);
  });

  it("a client that is killed in the middle leaves the place to the next", async () => {
    const serve = start(["bench", "serve", "--bind", ANY, "--count", "1"]);
    const endpoint = await serve.endpoint();
    const killed = start(["bench", "throughput", "--connect", endpoint, "--count", "1000000000", "-v"]);
    await killed.says(/handshake/);
    const waiting = start([
      "bench",
      "latency",
      "--connect",
      endpoint,
      "--count",
      "10",
      "--timeout",
      "60000",
      "-v",
    ]);
    await waiting.says(/disconnect/); // it is sent away meanwhile
    killed.child.kill("SIGKILL");
    expect((await waiting.ended).code).toBe(0);
    expect((await serve.ended).code).toBe(0);
  });

  it("a serve that is killed in the middle is told, and ends the test", async () => {
    const serve = start(["bench", "serve", "--bind", ANY, "-v"]);
    const relay = await SlowRelay.start(await serve.endpoint(), 1e9);
    const client = start(["bench", "throughput", "--connect", relay.endpoint, "--count", "1000000000"]);
    await until(() => relay.bytes > 100_000, "messages are on their way");
    serve.child.kill("SIGKILL");
    const { code, err } = await client.ended;
    expect(code).toBe(1);
    expect(err).toContain("the other side has left in the middle of the test");
  });

  it("what is no client gets an answer, and harms nobody", async () => {
    const serve = start(["bench", "serve", "--bind", ANY, "--count", "1", "-v"]);
    const endpoint = await serve.endpoint();
    const odd = managed(new Pair());
    odd.connect(endpoint);
    await odd.send(["zwire-bench 1", "{"]);
    expect(texts(await odd.receive({ timeout: 20_000 }))[1]).toContain("waits for a test to begin");
    await odd.send([
      "zwire-bench 1",
      JSON.stringify({ say: "hello", id: "x", test: "throughput", size: 5, count: 3, warmup: 1 }),
    ]);
    expect(texts(await odd.receive({ timeout: 20_000 }))[1]).toContain("welcome");
    await odd.send("12345");
    await odd.send("1234567");
    const [, why] = texts(await odd.receive({ timeout: 20_000 }));
    expect(JSON.parse(why)).toMatchObject({
      say: "sorry",
      why: "a message of 5 bytes was due, and one of 7 bytes came",
    });
    await odd.close({ linger: 0 });
    const silent = managed(new Pair());
    silent.connect(endpoint);
    await silent.connected({ timeout: 20_000 });
    await silent.close({ linger: 0 });
    const { code } = await run([
      "bench",
      "latency",
      "--connect",
      endpoint,
      "--count",
      "5",
      "--timeout",
      "60000",
    ]);
    expect(code).toBe(0);
    expect((await serve.ended).err).toContain("one of 7 bytes came");
  });
});

describe("command lines", () => {
  it.each([
    [["bench"], "Give one argument or more"],
    [["bench", "speed", "--connect", ANY], "throughput or latency"],
    [["bench", "throughput"], "--bind or --connect"],
    [["bench", "throughput", "--connect", "tcp://a:1", "--bind", ANY], "one endpoint"],
    [["bench", "throughput", "latency", "--connect", "tcp://a:1"], '"latency" is too much'],
    [["bench", "serve", "latency", "--bind", ANY], "The other side says"],
    [["bench", "serve", "--libzmq", "--bind", ANY], "throughput or latency"],
    [["bench", "serve", "--size", "5", "--bind", ANY], "The other side says"],
    [["bench", "latency", "--libzmq", "--warmup", "5", "--connect", "tcp://a:1"], "--warmup"],
    [["bench", "throughput", "--libzmq", "--count", "1", "--connect", "tcp://a:1"], "two messages"],
    [["bench", "latency", "--count", "0", "--connect", "tcp://a:1"], "--count must be"],
  ])("%j is a wrong one: code 2", async (args, text) => {
    const { code, err, out } = await run(args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(text);
  });

  it("nobody there is code 3, and says what failed last; a signal ends it with its number", async () => {
    const endpoint = await freePort();
    const { code, err } = await run(["bench", "latency", "--connect", endpoint, "--timeout", "200"]);
    expect(code).toBe(3);
    expect(err).toMatch(/no zwire bench serve has answered within 200 ms.*refused|ECONNREFUSED/);
    const waiting = start(["bench", "latency", "--connect", endpoint, "-v"]);
    await waiting.says(/connect:retry/);
    expect((await stopped(waiting, "SIGINT")).code).toBe(130);
  });
});

const reason = toolsReason();

describe.skipIf(reason !== null)(`with the tools of libzmq${reason === null ? "" : ` (${reason})`}`, () => {
  let tools: Awaited<ReturnType<typeof buildTools>>;
  beforeAll(async () => {
    tools = await buildTools();
  });
  afterAll(() => tools?.remove());
  const libzmq = (size: number, count: number) => [
    "--libzmq",
    "--json",
    "--size",
    `${size}`,
    "--count",
    `${count}`,
  ];

  async function expectTold(side: Running, test: string, measured: string, count: number): Promise<void> {
    const { code, out, err } = await side.ended;
    expect([code, err.replace(/.*bound to .*\n/, "")]).toEqual([0, ""]);
    const [one] = told(out);
    expect(one).toMatchObject({ test, measured, count });
    expect(one.there).toBeUndefined();
    expectRates(one);
    if (measured === "asker") expectTimes(one);
  }

  it("sends to local_thr", async () => {
    const tool = startTool(tools.path, "local_thr", ANY, 100, 50_000);
    const ours = start(["bench", "throughput", "--connect", await tool.endpoint(), ...libzmq(100, 50_000)]);
    await expectTold(ours, "throughput", "sender", 50_000);
    expect(await tool.ended).toMatchObject({ code: 0, text: expect.stringContaining("mean throughput") });
  });

  it("receives from remote_thr", async () => {
    const ours = start(["bench", "serve", "throughput", "--bind", ANY, ...libzmq(1000, 50_000)]);
    const tool = startTool(tools.path, "remote_thr", await ours.endpoint(), 1000, 50_000);
    await expectTold(ours, "throughput", "receiver", 50_000);
    expect((await tool.ended).code).toBe(0);
  });

  it("asks local_lat", async () => {
    const tool = startTool(tools.path, "local_lat", ANY, 10, 500);
    const ours = start(["bench", "latency", "--connect", await tool.endpoint(), ...libzmq(10, 500)]);
    await expectTold(ours, "latency", "asker", 500);
    expect((await tool.ended).code).toBe(0);
  });

  it("answers remote_lat", async () => {
    const ours = start(["bench", "serve", "latency", "--bind", ANY, ...libzmq(10, 500)]);
    const tool = startTool(tools.path, "remote_lat", await ours.endpoint(), 10, 500);
    await expectTold(ours, "latency", "echo", 500);
    expect(await tool.ended).toMatchObject({ code: 0, text: expect.stringContaining("average latency") });
  });

  it("a tool with another size, or that sends less, is no silent success", async () => {
    const ours = start(["bench", "serve", "throughput", "--bind", ANY, ...libzmq(10, 500)]);
    startTool(tools.path, "remote_thr", await ours.endpoint(), 11, 500);
    expect(await ours.ended).toMatchObject({ code: 1, err: expect.stringContaining("one of 11 bytes came") });
    const fewer = start(["bench", "serve", "throughput", "--bind", ANY, ...libzmq(10, 500)]);
    startTool(tools.path, "remote_thr", await fewer.endpoint(), 10, 499);
    expect(await fewer.ended).toMatchObject({
      code: 1,
      err: expect.stringContaining("has left in the middle"),
    });
  });
});
