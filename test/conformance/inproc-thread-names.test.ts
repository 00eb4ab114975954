/**
 * Section R across worker threads: a name is bound once in the process. The test's own thread runs src/, the workers run
 * dist/.
 */
import { describe, expect, it } from "vitest";
import { Pull } from "../../src/index.js";
import { startChild } from "../support/child.js";
import { managed, record } from "../support/helpers.js";
import { startThread } from "../support/thread.js";

let names = 0;
const fresh = () => `inproc://threads-${names++}`;

describe("inproc names across threads", () => {
  it("EADDRINUSE while another thread has the name, and not after unbind, close or its death (R21)", async () => {
    const endpoint = fresh();
    const [one, two] = [startThread(), startThread()];
    await one.ask("open", "a", "Pull");
    await two.ask("open", "b", "Pull");
    await one.ask("call", "a", "bind", endpoint);
    const pull = managed(new Pull());
    const events = record(pull);
    await expect(pull.bind(endpoint)).rejects.toMatchObject({ code: "EADDRINUSE", address: endpoint });
    expect(events.of("bind:error")).toHaveLength(1);
    await expect(two.ask("call", "b", "bind", endpoint)).rejects.toMatchObject({ code: "EADDRINUSE" });

    await one.ask("call", "a", "unbind", endpoint);
    await two.ask("call", "b", "bind", endpoint);
    await expect(one.ask("call", "a", "bind", endpoint)).rejects.toMatchObject({ code: "EADDRINUSE" });
    await two.ask("call", "b", "close");

    await one.ask("call", "a", "bind", endpoint);
    await expect(pull.bind(endpoint)).rejects.toMatchObject({ code: "EADDRINUSE" });
    await one.worker.terminate();
    await pull.bind(endpoint);
  });

  it("of many threads that bind a name at once, one gets it (R21)", async () => {
    const threads = [0, 1, 2, 3].map(() => startThread());
    await Promise.all(threads.map((thread) => thread.ask("open", "p", "Pull")));
    for (let round = 0; round < 10; round++) {
      const endpoint = fresh();
      const pull = managed(new Pull());
      const outcomes = await Promise.allSettled([
        ...threads.map((thread) => thread.ask("call", "p", "bind", endpoint)),
        pull.bind(endpoint),
      ]);
      const codes = outcomes.map((one) => (one.status === "fulfilled" ? "bound" : one.reason.code)).sort();
      expect(codes).toEqual(["EADDRINUSE", "EADDRINUSE", "EADDRINUSE", "EADDRINUSE", "bound"]);
    }
  }, 300_000);

  it("a bind in another thread waits for none that is blocked for long, and still sees its names later (R21)", async () => {
    const [endpoint, other] = [fresh(), fresh()];
    const thread = startThread();
    await thread.ask("open", "p", "Pull");
    await thread.ask("call", "p", "bind", endpoint);
    await expect(managed(new Pull()).bind(endpoint)).rejects.toMatchObject({ code: "EADDRINUSE" });
    const blocked = thread.ask("block", 1500);
    await managed(new Pull()).bind(other);
    await expect(managed(new Pull()).bind(endpoint)).rejects.toMatchObject({ code: "EADDRINUSE" });
    await blocked;
  });

  it("closing a socket while its bind waits for other threads rejects with EBADF and frees the name", async () => {
    const endpoint = fresh();
    const thread = startThread();
    await thread.ask("open", "p", "Pull");
    await thread.ask("call", "p", "bind", endpoint);
    const pull = new Pull();
    const bound = pull.bind(endpoint);
    await pull.close();
    await expect(bound).rejects.toMatchObject({ code: /EBADF|EADDRINUSE/ });
    await thread.ask("call", "p", "unbind", endpoint);
    await managed(new Pull()).bind(endpoint);
  });

  it.each(["bind", "connect"])(
    "works between workers of a main thread without zwire, which only their sockets keep alive (%s first)",
    async (first) => {
      const child = startChild("inproc-threads.mjs", ["service", first]);
      const { code, signal, stderr, stdout } = await child.ended;
      expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
      expect(stdout).toContain('"asked"');
      expect(child.lines.at(-1)).toEqual({ codes: [0, 0] });
    },
  );

  it("holds between workers of a main thread without zwire (R21)", async () => {
    const child = startChild("inproc-threads.mjs", ["bind"]);
    const { code, stderr } = await child.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(child.lines.at(-1)).toEqual({ outcomes: ["EADDRINUSE", "EADDRINUSE", "EADDRINUSE", "bound"] });
  });
});

it("without postMessageToThread, inproc stays within the thread", async () => {
  const child = startChild("inproc-threads.mjs", ["without"]);
  const { code, stderr } = await child.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(child.lines).toEqual([{ received: "x", peers: 0 }, { event: "closed" }]);
});
