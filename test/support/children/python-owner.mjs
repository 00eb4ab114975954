/**
 * A program with Python workers, to be killed: starts them, tells their pids and the folder of their endpoints, and does
 * as it is told: "exit" leaves by process.exit().
 */
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { spawnPython } from "../../../dist/rpc.js";

const [python, script] = process.argv.slice(2);
const pool = await spawnPython(script, { python, pythonArgs: ["-B"], workers: 2 });
const children = await Promise.all([pool.api.child(), pool.api.child()]);
pool.api.block(600).catch(() => {});
const folder = dirname(pool.workers[0].endpoint.slice("ipc://".length));
console.log(JSON.stringify({ pids: [...pool.workers.map(({ pid }) => pid), ...children], folder }));
createInterface({ input: process.stdin }).on("line", () => process.exit(0));
