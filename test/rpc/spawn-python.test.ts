/**
 * spawnPython: workers come up, are called, die and are replaced, and leave neither processes nor files, however this
 * side ends. Knows workers by what python/worker.py offers.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { LostRemote, type PythonOptions, type PythonPool, spawnPython } from "../../src/rpc.js";
import { startChild } from "../support/child.js";
import { temporaryDirectory, until, within } from "../support/helpers.js";
import { python, withPython } from "../support/python-rpc.js";

const script = fileURLToPath(new URL("python/worker.py", import.meta.url));
const quiet = { pythonArgs: ["-B"], onOutput: () => {} };

/** A pool that closes when the test ends. */
async function spawned(options: PythonOptions = {}): Promise<PythonPool> {
  const pool = await spawnPython(script, { python: python.command!, ...quiet, ...options });
  onTestFinished(() => pool.close());
  return pool;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie has ended, and waits for whoever inherited it.
    return !/\) Z /.test(existsSync(`/proc/${pid}/stat`) ? readProc(pid) : "");
  } catch {
    return false;
  }
}

function readProc(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return ") Z ";
  }
}

const folderOf = (pool: PythonPool): string => dirname(pool.workers[0].endpoint.slice("ipc://".length));

describe.skipIf(python.command === null || process.platform === "win32")(`spawnPython, ${withPython}`, () => {
  it("starts a program, calls it, streams from it, and leaves nothing behind", async () => {
    const pool = await spawned({ args: ["a", "b c"], env: { FLAVOUR: "plain" }, cwd: tmpdir() });
    expect(await pool.api.add(1, 2)).toBe(3);
    const numbers: number[] = [];
    for await (const n of pool.api.count(250)) numbers.push(n as number);
    expect(numbers).toEqual(Array.from({ length: 250 }, (_, i) => i));
    expect(await pool.api.where()).toEqual({
      argv: [script, "a", "b c"],
      cwd: tmpdir(),
      flavour: "plain",
      stdin: "",
      endpoint: pool.workers[0].endpoint,
      main: "__main__",
    });
    const folder = folderOf(pool);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const { pid } = pool.workers[0];
    await pool.close();
    expect(alive(pid!)).toBe(false);
    expect(existsSync(folder)).toBe(false);
    await expect(pool.api.add(1, 2)).rejects.toBeInstanceOf(LostRemote);
  });

  it("spreads calls over its workers", async () => {
    const pool = await spawned({ workers: 3 });
    const pids = await Promise.all(Array.from({ length: 30 }, () => pool.api.pid()));
    expect(new Set(pids)).toEqual(new Set(pool.workers.map(({ pid }) => pid)));
  });

  it("starts a worker again that was killed; calls under way are lost, the next are served", async () => {
    const pool = await spawned({ restart: { delay: 10 } });
    const [{ pid }] = pool.workers;
    const exits: unknown[] = [];
    pool.on("exit", (exit) => exits.push(exit));
    const restarted = new Promise((resolve) => pool.once("restart", resolve));
    const call = pool.api.nap(60);
    await pool.api.add(1, 1);
    process.kill(pid!, "SIGKILL");
    await expect(within(call, "the loss")).rejects.toBeInstanceOf(LostRemote);
    expect(await within(pool.api.add(2, 2), "the next call")).toBe(4);
    await restarted;
    expect(pool.workers[0]).toMatchObject({ state: "ready", restarts: 1 });
    expect(pool.workers[0].pid).not.toBe(pid);
    expect(exits).toMatchObject([{ worker: 0, pid, signal: "SIGKILL", restarting: true }]);
  });

  it("gives a worker up that ends too often, and says so", async () => {
    const mark = join(temporaryDirectory(), "started");
    const pool = await spawned({ args: ["once", mark], restart: { max: 2, delay: 5, maxDelay: 10 } });
    const gone = new Promise<Error>((resolve) => pool.once("gone", resolve));
    const exits: boolean[] = [];
    pool.on("exit", ({ restarting }) => exits.push(restarting));
    await pool.api.die(3).catch(() => {});
    expect(await within(gone, "gone", 10_000)).toMatchObject({ code: "EEXITED" });
    expect(exits).toEqual([true, true, false]);
    await expect(pool.api.add(1)).rejects.toBeInstanceOf(LostRemote);
  });

  it("without restart tells the exit, with the end of stderr", async () => {
    const pool = await spawned();
    const exit = new Promise((resolve) => pool.once("exit", resolve));
    await expect(pool.api.die(3)).rejects.toBeInstanceOf(LostRemote);
    expect(await exit).toMatchObject({
      code: 3,
      restarting: false,
      stderr: expect.stringContaining("last words"),
    });
  });

  it("a program that raises while it starts is an error with its traceback", async () => {
    const failed = spawned({ args: ["raise"] });
    await expect(failed).rejects.toMatchObject({ name: "PythonError", code: "EEXITED" });
    await expect(failed).rejects.toThrow(
      /exit code 1 before it answered[\s\S]*RuntimeError: this worker does not start/,
    );
  });

  it("a program that does not answer in time is ended, and the error says what to do", async () => {
    const failed = spawned({ args: ["silent"], readyTimeout: 600, killTimeout: 1000 });
    await expect(failed).rejects.toMatchObject({
      code: "ENOTREADY",
      stderr: expect.stringContaining("waiting for nothing"),
    });
    await expect(failed).rejects.toThrow(/did not answer within 600 ms[\s\S]*ZWIRE_RPC_ENDPOINT/);
  });

  it("no script and no Python are errors that name them", async () => {
    await expect(spawnPython("/nowhere/x.py")).rejects.toMatchObject({ code: "ENOENT" });
    const failed = spawned({ python: "/nowhere/python" });
    await expect(failed).rejects.toMatchObject({ code: "EEXITED" });
    await expect(failed).rejects.toThrow(/could not be started[\s\S]*\/nowhere\/python ENOENT/);
    await expect(spawnPython("")).rejects.toThrow(TypeError);
    await expect(spawnPython(script, { workers: 0 })).rejects.toThrow(RangeError);
  });

  it("a worker that ignores SIGTERM is killed after killTimeout", async () => {
    const pool = await spawned({ args: ["stubborn"], killTimeout: 200 });
    const { pid } = pool.workers[0];
    pool.api.block(600).catch(() => {});
    await within(pool.close(), "close");
    expect(alive(pid!)).toBe(false);
  });

  it.each(["SIGKILL", "exit"])(
    "nothing is left when the Node process ends by %s while Python blocks",
    async (how) => {
      const owner = startChild("python-owner.mjs", [python.command!, script]);
      const told = await owner.line((line) => "pids" in line, "the workers");
      const pids = told.pids as number[];
      expect(pids.every(alive)).toBe(true);
      expect(existsSync(told.folder as string)).toBe(true);
      if (how === "SIGKILL") owner.kill("SIGKILL");
      else owner.tell({});
      await until(
        () => !pids.some(alive) && !existsSync(told.folder as string),
        "the end of all processes and files",
      );
    },
  );
});
