/** drain() over every transport and security: the half-close of each, and what is behind it. */
import { createServer, type Server } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { Dealer, type Peer, Pull, Push, Router } from "../../src/index.js";
import { Authority } from "../support/certificates.js";
import { ALL, answer, LONG, numbers, take } from "../support/draining.js";
import { managed, record, temporaryDirectory, turns, until, within } from "../support/helpers.js";
import { CURVE_CLIENT, CURVE_SERVER } from "../support/met.js";
import { CAN } from "../support/shared-memory.js";
import { startThread } from "../support/thread.js";

const authority = new Authority();
const { cert, key } = authority.issue();
const tls = { cert, key, ca: authority.cert };
const CURVE = { bound: CURVE_SERVER, dialled: CURVE_CLIENT };

interface Way {
  readonly name: string;
  readonly endpoint: string;
  readonly bound?: object;
  readonly dialled?: object;
}

const WAYS: readonly Way[] = [
  { name: "tls+tcp", endpoint: "tls+tcp://127.0.0.1:*", bound: { tls }, dialled: { tls } },
  { name: "ws", endpoint: "ws://127.0.0.1:*" },
  {
    name: "ws, compressed",
    endpoint: "ws://127.0.0.1:*",
    bound: { perMessageDeflate: { threshold: 0 } },
    dialled: { perMessageDeflate: { threshold: 0 } },
  },
  { name: "wss", endpoint: "wss://127.0.0.1:*", bound: { tls }, dialled: { tls } },
  { name: "tcp with CURVE", endpoint: "tcp://127.0.0.1:*", ...CURVE },
  { name: "ipc without shared memory", endpoint: "ipc://*", bound: { sharedMemory: false } },
  { name: "ipc with CURVE", endpoint: "ipc://*", ...CURVE },
];

/** Everything that the sender has sent arrives, whichever side binds, and the loop ends. */
async function drainsOut(way: Way, pullBinds: boolean): Promise<void> {
  const [own, other] = pullBinds ? [way.bound, way.dialled] : [way.dialled, way.bound];
  const pull = managed(new Pull({ ...own, receiveHighWaterMark: 10 }));
  const push = managed(new Push({ ...other, sendHighWaterMark: 0, reconnectInterval: 10 }));
  if (pullBinds) push.connect(await pull.bind(way.endpoint));
  else pull.connect(await push.bind(way.endpoint));
  await Promise.all([push.connected({ timeout: 20_000 }), pull.connected({ timeout: 20_000 })]);
  const body = "x".repeat(300);
  for (let i = 0; i < 1500; i++) await push.send([`${i}`, body]);
  const taken: string[] = [];
  const loop = take(pull, taken, { every: 50 });
  await until(() => taken.length > 20, "it has begun");
  const events = record(pull);
  expect(await within(pull.drain(LONG), "drain", 50_000)).toEqual(ALL);
  await within(loop, "the loop");
  // A socket that dialled keeps what it has not sent, for who binds next.
  const kept = pullBinds ? (await push.drain({ timeout: 0 })).unsent : 0;
  expect(taken.length + kept).toBe(1500);
  expect(taken).toEqual(numbers(taken.length));
  expect(events.names.filter((name) => name.includes("error"))).toEqual([]);
}

describe.each(WAYS)("over $name", (way) => {
  it("nothing is lost when the reader binds", () => drainsOut(way, true));
  it("nothing is lost when it connects", () => drainsOut(way, false));

  it("questions are answered", async () => {
    const router = managed(new Router(way.bound));
    const dealer = managed(new Dealer(way.dialled));
    dealer.connect(await router.bind(way.endpoint));
    await dealer.connected({ timeout: 20_000 });
    for (let i = 0; i < 50; i++) await dealer.send(`${i}`);
    const loop = answer(router);
    await until(() => router.stats.messagesReceived > 3, "it has begun");
    const drained = router.drain(LONG);
    for (let i = 0; i < 50; i++) expect(String(await dealer.receive({ timeout: 20_000 }))).toBe(`re ${i}`);
    expect(await within(drained, "drain")).toEqual(ALL);
    await within(loop, "the loop");
  });
});

/** Sends 400 messages, of which the first has been received when the others go through shared memory. */
async function fillRing(push: Push, pull: Pull): Promise<Promise<void>[]> {
  const sends = [push.send(["0", Buffer.alloc(100_000)])];
  await pull.receive();
  await until(() => pull.stats.sharedMemory === 1 && push.stats.sharedMemory === 1, "sharing");
  for (let i = 1; i < 400; i++) sends.push(push.send([`${i}`, Buffer.alloc(10_000)]));
  await until(() => pull.stats.receiveQueue >= 10, "the queue is full");
  return sends;
}

it.runIf(CAN)("through shared memory the end comes behind what is in the ring", async () => {
  const pull = managed(new Pull({ receiveHighWaterMark: 10 }));
  const push = managed(new Push({ sendHighWaterMark: 0 }));
  push.connect(await pull.bind("ipc://*"));
  await push.connected({ timeout: 20_000 });
  const sends = await fillRing(push, pull);
  const taken: string[] = [];
  const loop = take(pull, taken);
  expect(await within(pull.drain(LONG), "drain", 50_000)).toEqual(ALL);
  await within(loop, "the loop");
  // What the peer had not written it keeps, and would send to who binds next.
  const kept = (await push.drain({ timeout: 0 })).unsent;
  expect(taken).toEqual(numbers(400 - kept).slice(1));
  await Promise.allSettled(sends);
});

it.runIf(CAN)(
  "what lies in the ring when there is no time left stays with a peer that dialled, and comes once",
  async () => {
    const pull = managed(new Pull({ receiveHighWaterMark: 10 }));
    const push = managed(new Push({ sendHighWaterMark: 0, reconnectInterval: 10 }));
    const endpoint = await pull.bind(`ipc://${temporaryDirectory()}/s`);
    push.connect(endpoint);
    await push.connected({ timeout: 20_000 });
    const sends = await fillRing(push, pull);
    const { unread, open } = await within(pull.drain({ timeout: 400 }), "drain"); // nobody reads
    expect(open).toBe(0);
    const next = managed(new Pull({ receiveHighWaterMark: 0, receiveHighWaterMarkBytes: 0 }));
    await next.bind(endpoint);
    const taken: number[] = [];
    for (let i = unread + 1; i < 400; i++) taken.push(Number((await next.receive({ timeout: 20_000 }))[0]));
    expect(taken).toEqual(Array.from({ length: 399 - unread }, (_, i) => unread + 1 + i));
    await turns(50);
    expect(next.stats.receiveQueue).toBe(0);
    await Promise.all(sends);
  },
);

it("on an HTTP server of the program, which goes on", async () => {
  const http: Server = createServer((_, response) => response.end("still here"));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  const { port } = http.address() as { port: number };
  const pull = managed(new Pull());
  await pull.bind({ server: http, path: "/jobs" });
  const push = managed(new Push());
  push.connect(`ws://127.0.0.1:${port}/jobs`);
  await push.connected({ timeout: 20_000 });
  await push.send("job");
  const jobs: string[] = [];
  const loop = (async () => {
    for await (const [job] of pull) jobs.push(String(job));
  })();
  await until(() => jobs.length === 1, "the job");
  expect(await within(pull.drain(LONG), "drain")).toEqual(ALL);
  await within(loop, "the loop");
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("still here");
});

describe("between threads", () => {
  it.each([true, false])("nothing is lost; the reader in this thread binds: %s", async (binds) => {
    const thread = startThread();
    const name = `inproc://drain-${process.pid}-${binds}`;
    const pull = managed(new Pull({ receiveHighWaterMark: 10 }));
    await thread.ask("open", "push", "Push", { sendHighWaterMark: 0 });
    if (binds) await pull.bind(name);
    else await thread.ask("call", "push", "bind", name);
    if (binds) await thread.ask("call", "push", "connect", name);
    else pull.connect(name);
    await pull.connected({ timeout: 20_000 });
    for (let i = 0; i < 300; i++) await thread.ask("call", "push", "send", `${i}`);
    const taken: string[] = [];
    const loop = take(pull, taken);
    expect(await within(pull.drain(LONG), "drain", 50_000)).toEqual(ALL);
    await within(loop, "the loop");
    expect(taken).toEqual(numbers(300));
  });

  it("a socket of a worker drains there, and its peers here stay", async () => {
    const thread = startThread();
    const push = managed(new Push({ sendHighWaterMark: 0 }));
    const gone = new Promise<Peer>((resolve) => push.on("disconnect", ({ peer }) => resolve(peer)));
    await thread.ask("open", "pull", "Pull", {});
    push.connect((await thread.ask("call", "pull", "bind", "tcp://127.0.0.1:*")) as string);
    for (let i = 0; i < 100; i++) await push.send("x");
    expect(await thread.ask("receive", "pull")).toEqual(["x"]);
    const drained = (await within(thread.ask("call", "pull", "drain", { timeout: 300 }), "drain")) as {
      unread: number;
    };
    const kept = await push.drain({ timeout: 0 });
    expect(drained.unread + kept.unsent).toBe(99);
    expect((await within(gone, "the peer leaves")).socketType).toBe("PULL");
    expect(await thread.ask("get", "pull", "closed")).toBe(true);
  });
});
