/**
 * `spawnPython`: Python programs as workers of this process.
 */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import * as nodeModule from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { systemEnvironment } from "../clock.js";
import { findPython, PythonError } from "./command.js";
import { KILL_TIMEOUT, type PythonOptions, READY_TIMEOUT } from "./options.js";
import { PythonPool } from "./pool.js";
import type { PythonCommand } from "./process.js";
import { Worker } from "./worker.js";

/** The folder of zwire_rpc.py. Programs can import it from there and need no copy. */
function modules(): string {
  const { resolve: find } = nodeModule.createRequire(import.meta.url);
  return join(dirname(find("zwire/package.json")), "examples", "python");
}

function check(script: unknown, options: PythonOptions): void {
  if (typeof script !== "string" || script === "")
    throw new TypeError("script must be the path of a Python program");
  const { workers = 1 } = options;
  if (!Number.isInteger(workers) || workers < 1 || workers > 256) {
    throw new RangeError("workers must be an integer from 1 to 256");
  }
  for (const name of ["readyTimeout", "killTimeout"] as const) {
    const value = options[name];
    if (value !== undefined && !(value >= 0 && value <= 2 ** 31 - 1)) {
      throw new RangeError(`${name} must be milliseconds from 0 to 2^31-1`);
    }
  }
}

/**
 * Starts a Python program that serves functions, waits until it answers, and calls it. The program gets an endpoint of
 * its own in the environment variable ZWIRE_RPC_ENDPOINT (an ipc socket in a directory that only this user can enter),
 * and `import zwire_rpc` works in it. It ends with this process, however that ends.
 *
 * ```js
 * await using python = await spawnPython("worker.py", { workers: 2, restart: true });
 * console.log(await python.api.add(1, 2));
 * ```
 * @throws PythonError if there is no Python, or the program does not start to answer; its message ends with the
 * program's stderr. TypeError or RangeError for wrong arguments
 */
// biome-ignore lint/suspicious/noExplicitAny: without types of the service its methods are anything
export async function spawnPython<A = any>(
  script: string,
  options: PythonOptions = {},
): Promise<PythonPool<A>> {
  check(script, options);
  if (process.platform === "win32") {
    throw new PythonError(
      "ENOTSUP",
      "spawnPython needs ipc endpoints, which Windows lacks: start the program yourself, on tcp",
    );
  }
  const path = resolve(options.cwd ?? ".", script);
  if (!existsSync(path)) throw new PythonError("ENOENT", `${path} does not exist`);
  const python = options.python ?? (await findPython());
  const folder = await mkdtemp(join(tmpdir(), "zwire-py-")); // mode 0700
  const { workers: count = 1, readyTimeout = READY_TIMEOUT, killTimeout = KILL_TIMEOUT } = options;
  const workers = Array.from({ length: count }, (_, index) => {
    const onOutput =
      options.onOutput &&
      ((text: string, stream: "stdout" | "stderr") => options.onOutput!(text, stream, index));
    const command: PythonCommand = {
      python,
      pythonArgs: options.pythonArgs ?? [],
      script: path,
      args: options.args ?? [],
      cwd: options.cwd,
      env: options.env ?? {},
      modules: modules(),
      endpoint: `ipc://${join(folder, String(index))}`,
      onOutput,
    };
    return new Worker(index, command, systemEnvironment);
  });
  let pool: PythonPool<A> | undefined;
  try {
    await startAll(workers, readyTimeout, killTimeout);
    pool = new PythonPool<A>(workers, folder, options, systemEnvironment);
    // Wait for all. Otherwise the first calls would all go to the worker that is connected first.
    await pool.api.$client.connected({ timeout: readyTimeout, all: true });
    return pool;
  } catch (error) {
    if (pool !== undefined) await pool.close();
    await Promise.all(workers.map((worker) => worker.stop(killTimeout)));
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Starts all workers. Waits for all even if one fails, so that all processes can be ended then. */
async function startAll(workers: Worker[], readyTimeout: number, killTimeout: number): Promise<void> {
  const results = await Promise.allSettled(workers.map((worker) => worker.start(readyTimeout, killTimeout)));
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
