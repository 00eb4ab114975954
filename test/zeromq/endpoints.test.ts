/**
 * unbind() and disconnect() are one call of libzmq: either ends whatever has the name. Asked of zeromq.js and of
 * zwire/zeromq alike, in a process each (children/endpoints-child.mjs).
 */
import { expect, it } from "vitest";
import { type Run, runLibrary } from "./support.js";

const SCHEMES = ["tcp", "ipc", "inproc"];

it.concurrent.each(SCHEMES)(
  "an endpoint of %s is ended by either call, bound or connected",
  async (scheme) => {
    const ask = (library: "zeromq" | "zwire"): Promise<Run> =>
      runLibrary("endpoints-child.mjs", library, scheme);
    const [upstream, zwire] = await Promise.all([ask("zeromq"), ask("zwire")]);
    expect(upstream.code, upstream.stderr).toBe(0);
    expect(upstream.stdout).toContain("unbind of a connected one: done");
    expect(zwire.stdout + zwire.stderr).toBe(upstream.stdout);
  },
);
