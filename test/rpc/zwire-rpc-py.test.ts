/**
 * zwire_rpc.py, the file that users copy, against zwire in both directions and against the zerorpc peer of the tests in
 * both directions. Runs programs of a few lines, as users would write them.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Server, serve, spawnPython, UnknownMethod } from "../../src/rpc.js";
import { freePort, temporaryDirectory, until, within } from "../support/helpers.js";
import { PythonPeer, type PythonServer, python, withPython } from "../support/python-rpc.js";

const modules = fileURLToPath(new URL("../../examples/python", import.meta.url));
const worker = fileURLToPath(new URL("python/worker.py", import.meta.url));

/** Starts a program; what it prints is JSON lines. */
function program(text: string): { child: ChildProcess; lines: unknown[]; ended: Promise<string> } {
  const path = join(temporaryDirectory(), "program.py");
  writeFileSync(path, `import asyncio, json, sys, time\nimport zwire_rpc\n${text}`);
  const env = { ...process.env, PYTHONPATH: modules };
  const child = spawn(python.command!, ["-B", path], { env, stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const lines: unknown[] = [];
  let rest = "";
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (errors += chunk));
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop()!;
    lines.push(...parts.map((line) => JSON.parse(line)));
  });
  return { child, lines, ended: new Promise((resolve) => child.once("close", () => resolve(errors))) };
}

/** Runs a client program: `body` is the inside of an async function with `client`. Resolves to what it printed. */
async function asClient(endpoint: string, body: string, options = ""): Promise<unknown[]> {
  const lines = body.trim().split("\n");
  const { lines: printed, ended } = program(`
def tell(value): print(json.dumps(value), flush=True)
async def main():
    async with zwire_rpc.Client(${JSON.stringify(endpoint)}${options}) as client:
${lines.map((line) => `        ${line}`).join("\n")}
asyncio.run(main())
`);
  expect(await ended).toBe("");
  return printed;
}

/** What both servers below have. */
const CALLS = `
tell(await client.add(1, 2))
tell([n async for n in client.count(3)])
tell([n async for n in client.count(0)])
tell(len([n async for n in client.count(2500)]))
for _ in range(20):
    async for n in client.count(250):
        if n == 60: break
try:
    await client.fail("oh no")
except zwire_rpc.RemoteError as error:
    tell([error.name, error.message, "fail" in error.traceback])
try:
    await client.missing()
except zwire_rpc.RemoteError as error:
    tell(error.name)
try:
    await client.call("nap", 5, timeout=0.2)
except TimeoutError as error:
    tell(str(error))
tell(await client.nap(1.6))
tell(sum(await asyncio.gather(*(client.add(n, n) for n in range(200)))))
tell(repr(await client.echo([2**31, -2**40, 2**63, b"\\x00\\xff", 1.5, None, "ä", {"a": [True]}])))
`;
const ANSWERS = [
  3,
  [0, 1, 2],
  [],
  2500,
  [expect.any(String), "oh no", true],
  "NameError",
  "nap: no answer within 0.2 s",
  "rested",
  39800,
  `[2147483648, -1099511627776, 9223372036854775808, b'\\x00\\xff', 1.5, None, 'ä', {'a': [True]}]`,
];

describe.skipIf(python.command === null)(`zwire_rpc.py, ${withPython}`, () => {
  let peer: PythonPeer;
  let reference: PythonServer;
  let server: Server;
  const service = {
    add: (a: number, b: number) => a + b,
    async *count(n: number) {
      for (let i = 0; i < n; i++) yield i;
    },
    fail: (text: string) => {
      throw new RangeError(text);
    },
    nap: (seconds: number) => new Promise((resolve) => setTimeout(() => resolve("rested"), seconds * 1000)),
    echo: (value: unknown) => value,
  };

  beforeAll(async () => {
    peer = await PythonPeer.start({ keep: true });
    reference = await peer.serve({ heartbeat: 0.4 });
    server = await serve("tcp://127.0.0.1:*", service);
  });
  afterAll(async () => {
    await server?.close({ grace: 0 });
    await peer?.stop();
  });

  it("its client calls a zwire server; what it leaves or gives up ends there", async () => {
    expect(await asClient(server.endpoint, CALLS, ", heartbeat=0.4")).toEqual(ANSWERS);
    await until(() => server.stats.channels === 0, "the end of all channels");
    expect(server.stats.cancelled).toBeGreaterThanOrEqual(21);
    // Heartbeats that answer one another would be thousands.
    expect(server.stats.late).toBeLessThan(200);
  });

  it("its client calls a zerorpc server, whose dispatcher survives", async () => {
    expect(await asClient(reference.endpoint, CALLS, ", heartbeat=0.4")).toEqual(ANSWERS);
    const { waiting, events } = await reference.log();
    expect(waiting).toBe(false);
    const beats = events.filter(([, name]) => name === "_zpc_hb").length;
    expect(beats).toBeGreaterThan(2);
    expect(beats).toBeLessThan(400);
  });

  it("its client spreads calls over several servers, and goes on with what is left", async () => {
    const second = await serve("tcp://127.0.0.1:*", { ...service, add: () => "second" });
    onTestFinished(() => second.close({ grace: 0 }));
    const printed = program(`
async def main():
    async with zwire_rpc.Client(${JSON.stringify(server.endpoint)}, ${JSON.stringify(second.endpoint)}) as client:
        seen = set()
        while len(seen) < 2:
            seen.update(map(str, await asyncio.gather(*(client.add(1, 1) for _ in range(20)))))
        naps = [asyncio.ensure_future(client.nap(2)) for _ in range(6)]
        await asyncio.gather(*(client.add(1, 1) for _ in range(20))) # answered behind the naps: these are under way
        print(json.dumps(sorted(seen)), flush=True)
        ends = await asyncio.gather(*naps, return_exceptions=True)
        print(json.dumps(sorted(one if isinstance(one, str) else type(one).__name__ for one in ends)), flush=True)
        print(json.dumps(await client.add(1, 1)), flush=True)
asyncio.run(main())
`);
    await until(() => printed.lines.length > 0, "both servers", 10_000);
    await second.close({ grace: 0 });
    expect(await printed.ended).toBe("");
    const ends = [...new Array(3).fill("LostRemote"), ...new Array(3).fill("rested")];
    expect(printed.lines).toEqual([["2", "second"], ends, 2]);
  });

  it("its client waits for a server, does not deliver late what timed out, and sees the loss of one", async () => {
    const endpoint = await freePort();
    const running = program(`
async def main():
    async with zwire_rpc.Client("${endpoint}") as client:
        late = await asyncio.gather(*(client.call("mark", timeout=0.3) for _ in range(50)), return_exceptions=True)
        print(json.dumps([type(one).__name__ for one in late] == ["TimeoutError"] * 50), flush=True)
        print(json.dumps(await client.mark()), flush=True)
        try:
            await client.nap(60)
        except zwire_rpc.LostRemote as error:
            print(json.dumps(str(error)), flush=True)
asyncio.run(main())
`);
    await until(() => running.lines.length === 1, "the timeouts", 10_000);
    let marks = 0;
    const late = await serve(endpoint, { ...service, mark: () => ++marks });
    await until(() => running.lines.length === 2, "the answer");
    await until(() => late.stats.running === 1, "the last call");
    await late.close({ grace: 0 });
    await running.ended;
    expect(running.lines.slice(0, 2)).toEqual([true, 1]);
  });

  it("its server is called by zwire: functions, threads, generators of both kinds, errors", async () => {
    const pool = await spawnPython(worker, {
      python: python.command!,
      pythonArgs: ["-B"],
      onOutput: () => {},
    });
    onTestFinished(() => pool.close());
    const { api } = pool;
    expect(await api.add(1, 2)).toBe(3);
    for (const name of ["count", "acount"]) {
      let items = 0;
      for await (const _ of api.$stream(name, [2500])) items++;
      expect(items).toBe(2500);
      for (let i = 0; i < 20; i++)
        for await (const _ of api.$stream(name, [250])) if (++items % 60 === 0) break;
    }
    // A thread that sleeps does not keep others from being served, nor heartbeats from being answered.
    const both = Promise.all([api.nap(0.5), api.add(1)]);
    expect(await both).toEqual(["rested", 1]);
    await expect(api.fail("oh no")).rejects.toMatchObject({
      name: "ValueError",
      message: "oh no",
      traceback: expect.stringContaining("worker.py"),
    });
    const missing = await api.missing().catch((error: unknown) => error);
    expect(missing).toBeInstanceOf(UnknownMethod);
    expect(missing).toMatchObject({ name: "NameError", message: "missing" });
    await expect(api.add(1, 2, 3)).rejects.toMatchObject({ name: "TypeError" });
    expect(await api.blob(6)).toEqual(Buffer.from([0, 255, 0, 255, 0, 255]));
    expect((await api.$client.inspect()).methods.add).toMatchObject({ doc: "Adds two numbers." });
    // Items go out when they are there, not when the generator ends.
    const began = performance.now();
    for await (const _ of api.slow(200)) break;
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it("its server is called by a zerorpc client that beats", async () => {
    const pool = await spawnPython(worker, {
      python: python.command!,
      pythonArgs: ["-B"],
      onOutput: () => {},
    });
    onTestFinished(() => pool.close());
    const client = await peer.client(pool.workers[0].endpoint, { heartbeat: 0.4 });
    expect((await client.call("add", { args: [1, 2] })).value).toBe(3);
    for (const method of ["count", "acount"]) {
      const { counts } = await client.stream(method, { args: [250], times: 10 });
      expect(counts).toEqual(new Array(10).fill(250));
    }
    expect((await client.call("nap", { args: [1.6] })).value).toBe("rested");
    expect((await client.call("_zerorpc_inspect")).value).toMatchObject({ name: "worker" });
    await expect(client.call("fail", { args: ["x"] })).rejects.toMatchObject({ remoteName: "ValueError" });
  });

  it("a program that is told its endpoint serves there until SIGTERM", async () => {
    const endpoint = `ipc://${temporaryDirectory()}/s`;
    const child = spawn(python.command!, ["-B", worker, endpoint], {
      env: { ...process.env, PYTHONPATH: modules },
      stdio: "inherit",
    });
    onTestFinished(() => {
      child.kill("SIGKILL");
    });
    const gone = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
    const { connect } = await import("../../src/rpc.js");
    // biome-ignore lint/suspicious/noExplicitAny: Python's methods have no types here
    const api = connect<any>(endpoint);
    onTestFinished(() => api.$close());
    expect(await within(api.add(1, 1), "an answer", 10_000)).toBe(2);
    child.kill("SIGTERM");
    expect(await within(gone, "the end")).toBe(0);
  });
});
