/**
 * Peers in processes of their own: killed, blocked, started anew.
 */
import { describe, expect, it } from "vitest";
import { LostRemote, TimeoutExpired } from "../../src/rpc.js";
import { startChild } from "../support/child.js";
import { until, within } from "../support/helpers.js";
import { calling } from "../support/rpc-peers.js";

async function started(...args: string[]) {
  const child = startChild("rpc-server.mjs", args);
  const { endpoint } = await child.line((line) => "endpoint" in line, "the server listens");
  return { child, endpoint: String(endpoint) };
}

describe("a server in another process", () => {
  it("is killed during calls: they and streams reject soon, and a new server serves the next call", async () => {
    const { child, endpoint } = await started();
    const api = calling(endpoint);
    const first = await api.pid();
    const stream = api.$stream("count");
    await stream.next();
    const calls = Array.from({ length: 100 }, () => api.never().catch((error: unknown) => error));
    await until(() => api.$client.stats.inFlight === 100, "all are sent");
    child.kill("SIGKILL");
    const results = await within(Promise.all(calls), "all calls fail", 3000);
    expect(results.every((error) => error instanceof LostRemote)).toBe(true);
    await expect(
      (async () => {
        for await (const _ of stream);
      })(),
    ).rejects.toThrow(LostRemote);
    const waiting = api.pid();
    await started(endpoint);
    expect(await within(waiting, "the new server answers", 15_000)).not.toBe(first);
  });

  it("may block in a handler: its caller does not give it up, whatever the heartbeats", async () => {
    const { endpoint } = await started();
    const api = calling(endpoint, { heartbeat: 50 });
    await api.pid();
    expect(await within(api.block(2000), "the answer", 20_000)).toBe(2000);
    const other = api.block(1000);
    const [first, second] = await Promise.all([other, api.pid()]);
    expect([first, typeof second]).toEqual([1000, "number"]);
  });

  it("stays known while our own event loop is busy: no call times out and no server is lost for that", async () => {
    const { endpoint } = await started();
    const api = calling(endpoint, { heartbeat: 100, lostAfter: 700 });
    await api.pid();
    const called = api.$call("later", [100], { timeout: 500 });
    const beaten = api.$call("later", [2500]);
    await api.pid(); // the two are there
    await new Promise((resolve) => setImmediate(resolve)); // behind the poll, in front of the timers
    const end = Date.now() + 1500;
    while (Date.now() < end);
    expect(await called).toBe(100);
    expect(await beaten).toBe(2500);
    // It is still over when nothing has come.
    await expect(api.$call("later", [30_000], { timeout: 50 })).rejects.toBeInstanceOf(TimeoutExpired);
  });
});
