/**
 * unbind() and disconnect() are one call of libzmq: either ends whatever has the name. Asked of zeromq.js and of
 * zwire/zeromq alike, in a process each (children/endpoints-child.mjs).
 */
import { expect, it } from "vitest";
import { runLibrary, runOriginal } from "./support.js";

const SCHEMES = ["tcp", "ipc", "inproc", "ws"];

it.concurrent.each(SCHEMES)(
  "an endpoint of %s is ended by either call, bound or connected",
  async (scheme) => {
    const [upstream, zwire] = await Promise.all([
      runOriginal("endpoints-child.mjs", scheme),
      runLibrary("endpoints-child.mjs", "zwire", scheme),
    ]);
    expect(upstream.code, upstream.stderr).toBe(0);
    expect(upstream.stdout).toContain("unbind of a connected one: done");
    expect(zwire.stdout + zwire.stderr).toBe(upstream.stdout);
  },
);
