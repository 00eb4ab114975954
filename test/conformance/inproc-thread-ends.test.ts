/**
 * Section R across worker threads: the ends of threads and of their sockets, and of the program. The test's own thread runs
 * src/, the workers run dist/.
 */
import { describe, expect, it } from "vitest";
import { Pull, Push } from "../../src/index.js";
import { startChild } from "../support/child.js";
import { managed, record, settled, texts, turns, until } from "../support/helpers.js";
import { startThread, type Thread } from "../support/thread.js";

let names = 0;
const fresh = () => `inproc://threads-${names++}`;

const LONG = { timeout: 20_000 };

/** A Push of this thread that is connected to a Pull of another, called "p". */
async function toAThread() {
  const [thread, endpoint] = [startThread(), fresh()];
  await thread.ask("open", "p", "Pull");
  await thread.ask("call", "p", "bind", endpoint);
  const push = managed(new Push());
  const events = record(push);
  push.connect(endpoint);
  await push.connected(LONG);
  return { thread, endpoint, push, events };
}

describe("the end of a thread is the end of its peers", () => {
  /** How a thread can end. */
  const DEATHS: [string, (thread: Thread) => Promise<unknown>][] = [
    ["terminate()", (thread) => thread.worker.terminate()],
    ["process.exit()", (thread) => thread.ask("exit").then(() => thread.ended)],
    ["an uncaught error", (thread) => thread.ask("fail").then(() => thread.ended)],
  ];

  it.each(DEATHS)("%s of the binder: its peer is told, and what is sent then waits", async (_how, die) => {
    const { thread, endpoint, push, events } = await toAThread();
    await push.send("x");
    await die(thread);
    const { error } = await events.next("disconnect");
    expect(error).toMatchObject({ code: "ECONNRESET" });
    expect(push.peers).toHaveLength(0);
    expect(push.trySend("y")).toBe(false);
    await expect(push.send("y", { timeout: 30 })).rejects.toMatchObject({ code: "EAGAIN" });
    // R22: no reconnect, though the name is bound again; a new connect() finds it.
    const pull = managed(new Pull());
    await pull.bind(endpoint);
    await turns(20);
    expect(push.peers).toHaveLength(0);
    push.connect(endpoint);
    await push.send("z", LONG);
    expect(texts(await pull.receive(LONG))).toEqual(["z"]);
  });

  it.each(DEATHS)(
    "%s of the connector: what it had sent arrives, then its peer is told",
    async (_how, die) => {
      const [thread, endpoint] = [startThread(), fresh()];
      const pull = managed(new Pull());
      const events = record(pull);
      await pull.bind(endpoint);
      await thread.ask("open", "p", "Push");
      await thread.ask("call", "p", "connect", endpoint);
      await pull.connected(LONG);
      await thread.ask("call", "p", "send", "last words");
      await die(thread);
      await events.next("disconnect");
      expect(texts(await pull.receive(LONG))).toEqual(["last words"]);
      expect(pull.peers).toHaveLength(0);
    },
  );

  it("unbind parts the connector without an error, and it does not come back (R22)", async () => {
    const { thread, endpoint, push, events } = await toAThread();
    await thread.ask("call", "p", "unbind", endpoint);
    expect((await events.next("disconnect")).error).toBeUndefined();
    await thread.ask("call", "p", "bind", endpoint);
    await turns(50);
    expect(push.peers).toHaveLength(0);
  });

  it("disconnect flushes what was sent and parts the two (S13)", async () => {
    const [thread, endpoint] = [startThread(), fresh()];
    await thread.ask("open", "p", "Pull");
    await thread.ask("call", "p", "bind", endpoint);
    const push = managed(new Push({ linger: 30_000 }));
    push.connect(endpoint);
    for (let i = 0; i < 500; i++) await push.send(`${i}`);
    push.disconnect(endpoint);
    for (let i = 0; i < 500; i++) expect(await thread.ask("receive", "p")).toEqual([`${i}`]);
    await until(() => push.peers.length === 0, "parted");
    await expect(push.send("y", { timeout: 30 })).rejects.toMatchObject({ code: "EAGAIN" });
    expect(() => push.disconnect(endpoint)).toThrow(expect.objectContaining({ code: "ENOENT" }));
  });

  it("close() with linger delivers what the other thread has not read (S9)", async () => {
    const [thread, endpoint] = [startThread(), fresh()];
    await thread.ask("open", "p", "Pull", { receiveHighWaterMark: 10 });
    await thread.ask("call", "p", "bind", endpoint);
    const push = new Push({ linger: 20_000, sendHighWaterMark: 0 });
    push.connect(endpoint);
    const body = Buffer.alloc(10_000);
    for (let i = 0; i < 300; i++) await push.send([`${i}`, body]);
    const closing = push.close();
    expect(await settled(closing)).toBe(false);
    for (let i = 0; i < 300; i++) expect(((await thread.ask("receive", "p")) as string[])[0]).toBe(`${i}`);
    await closing;
  });

  it("a connector that closes before any bind still delivers what it had queued, while it lingers (R23)", async () => {
    const [thread, endpoint] = [startThread(), fresh()];
    const push = managed(new Push({ linger: 20_000 }));
    push.connect(endpoint);
    await push.send("left behind");
    const closing = push.close();
    await thread.ask("open", "p", "Pull");
    await thread.ask("call", "p", "bind", endpoint);
    expect(await thread.ask("receive", "p")).toEqual(["left behind"]);
    await closing;
  });

  it("20 rounds of terminate() in mid-traffic: every end is told, and no ring stays", async () => {
    const endpoint = fresh();
    const pull = managed(new Pull());
    const events = record(pull);
    await pull.bind(endpoint);
    let received = 0;
    void (async () => {
      for await (const _ of pull) received++;
    })().catch(() => {});
    const sink = managed(new Push());
    const collect = globalThis.gc as () => void;
    let base = 0;
    for (let round = 0; round < 20; round++) {
      const thread = startThread();
      const inbound = fresh();
      await thread.ask("open", "in", "Pull");
      await thread.ask("call", "in", "bind", inbound);
      await thread.ask("drain", "in");
      await thread.ask("open", "out", "Push");
      await thread.ask("call", "out", "connect", endpoint);
      await thread.ask("flood", "out", round % 2 === 0 ? 100 : 100_000);
      sink.connect(inbound);
      const sends = sink.send(Buffer.alloc(round % 2 === 0 ? 1_000_000 : 10), LONG);
      const until100 = received + 100;
      await until(() => received > until100, "traffic");
      await sends;
      await thread.worker.terminate();
      await events.next("disconnect", round + 1);
      await until(() => sink.peers.length === 0, "the sink's end");
      sink.disconnect(inbound);
      if (round === 5) {
        collect();
        base = process.memoryUsage().arrayBuffers;
      }
    }
    expect(pull.peers).toHaveLength(0);
    // SharedArrayBuffers count as arrayBuffers: two rings of 512 KiB for each of two connections would add 28 MiB.
    await until(() => {
      collect();
      return process.memoryUsage().arrayBuffers - base < 8 * 1024 ** 2;
    }, "the rings' memory back");
  });
});

describe("a program with inproc across threads exits by itself", () => {
  it.each([
    ["closes", "closes all its sockets"],
    ["unref", "unref()ed its open sockets, in the main thread and in a worker"],
    ["alone", "has names in the main thread only, open ones, and no workers"],
  ])("%s: %s", async (scenario) => {
    const { code, signal, stderr, stdout } = await startChild("inproc-threads.mjs", [scenario]).ended;
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
    expect(stdout).toMatch(/closed|unref|open/);
  });
});
