/**
 * The patterns that zeromq.js's users write, as programs of that library's API only: each prints the same lines on
 * zeromq and on zwire/zeromq, and ends by itself on both.
 */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runLibrary, runOriginal } from "./support.js";

const names = readdirSync(fileURLToPath(new URL("programs/", import.meta.url)))
  .filter((file) => file.endsWith(".mjs"))
  .map((file) => file.slice(0, -".mjs".length));

describe.concurrent("a program of zeromq.js", () => {
  it.each(names)("%s prints the same on zwire/zeromq", async (name) => {
    const upstream = await runOriginal("program-child.mjs", name);
    expect(upstream.code, upstream.stdout + upstream.stderr).toBe(0);
    expect(upstream.stdout).not.toBe("");
    const zwire = await runLibrary("program-child.mjs", "zwire", name);
    expect(zwire.stdout + zwire.stderr).toBe(upstream.stdout);
    expect(zwire.code).toBe(0);
  });
});
