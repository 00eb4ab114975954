/**
 * What a program's own computing must not spoil: while the event loop stands still, answers come and wait in the kernel,
 * and timers run before anything is read. The peers are processes of their own, which act meanwhile.
 */
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Radio } from "../../src/draft.js";
import { Publisher, Pull, Push, Request, Router, XPublisher } from "../../src/index.js";
import * as zmq from "../../src/zeromq.js";
import { type Child, startChild } from "../support/child.js";
import { managed, record, temporaryDirectory, texts, turns } from "../support/helpers.js";

/** Stands still for so long, and until the file is there. */
function block(ms: number, mark?: string): void {
  const until = performance.now() + ms;
  const patience = performance.now() + 20_000;
  while (performance.now() < until || (mark !== undefined && !existsSync(mark))) {
    if (performance.now() > patience) throw new Error("the peer did nothing while we stood still");
  }
}

/** A peer that is about to act. */
async function peer(act: string, endpoint: string): Promise<{ child: Child; mark: string }> {
  const mark = join(temporaryDirectory(), "done");
  const child = startChild("punctual.mjs", [act, endpoint, mark]);
  return { child, mark };
}

const armed = (child: Child) => child.line((line) => line.event === "armed", "the peer is armed");

describe("while the event loop stands still", () => {
  it("an answer that comes in time is the answer, and its connection goes on", async () => {
    const request = managed(new Request());
    const events = record(request);
    const endpoint = await request.bind("tcp://127.0.0.1:*");
    const { child, mark } = await peer("reply", endpoint);
    await request.connected();
    const answer = request.request("how are you?", { timeout: 1000 });
    await armed(child);
    block(1100, mark);
    expect(texts(await answer)).toEqual(["re: how are you?"]);
    expect(events.of("disconnect")).toHaveLength(0);
  });

  it("a message ends a receive whose time has run out meanwhile", async () => {
    const pull = managed(new Pull());
    const { child, mark } = await peer("push", await pull.bind("tcp://127.0.0.1:*"));
    await armed(child);
    const received = pull.receive({ timeout: 50 });
    await turns(1);
    block(100, mark);
    expect(texts(await received)).toEqual(["came"]);
  });

  it("without a message a receive ends with EAGAIN all the same", async () => {
    const pull = managed(new Pull());
    await pull.bind("tcp://127.0.0.1:*");
    const received = pull.receive({ timeout: 50 });
    await turns(1);
    block(100);
    await expect(received).rejects.toMatchObject({ code: "EAGAIN" });
  });

  it("a peer that dials ends a send and a connected() that wait for one", async () => {
    const push = managed(new Push());
    const { child, mark } = await peer("PULL", await push.bind("tcp://127.0.0.1:*"));
    await armed(child);
    const waits = Promise.all([push.send("first", { timeout: 50 }), push.connected({ timeout: 50 })]);
    await turns(1);
    block(100, mark);
    await waits;
  });

  it("a subscriber that dials ends a waitForSubscribers()", async () => {
    const publisher = managed(new Publisher());
    const { child, mark } = await peer("SUB", await publisher.bind("tcp://127.0.0.1:*"));
    await armed(child);
    const wait = publisher.waitForSubscribers(1, { timeout: 50 });
    await turns(1);
    block(100, mark);
    await wait;
  });

  it("a connection that the kernel has made is no failed attempt", async () => {
    const pull = managed(new Pull());
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    const push = managed(new Push({ connectTimeout: 50 }));
    const events = record(push);
    push.connect(endpoint);
    await Promise.resolve().then(() => new Promise<void>((resolve) => process.nextTick(resolve)));
    block(200);
    await push.connected({ timeout: 20_000 });
    expect(events.of("connect:retry")).toHaveLength(0);
  });

  it("a handshake that came whole is complete, however late it is read (A25)", async () => {
    // The time runs from the accept on, and the peer's "armed" may come late: it must not be over before we stand still.
    const pull = managed(new Pull({ handshakeInterval: 1000 }));
    const events = record(pull);
    const { child, mark } = await peer("hello", await pull.bind("tcp://127.0.0.1:*"));
    await armed(child);
    await events.next("accept");
    block(1100, mark);
    await events.next("handshake");
    expect(events.of("handshake:error:")).toHaveLength(0);
  });

  it("an authenticator whose answer is there is not too late (Q12)", async () => {
    const pull = managed(
      new Pull({
        security: { mechanism: "plain", server: true },
        authenticateTimeout: 50,
        authenticate: async () => {
          const looked = stat(new URL(import.meta.url));
          block(150);
          await looked;
          return true;
        },
      }),
    );
    const push = managed(new Push({ security: { mechanism: "plain", username: "ann", password: "x" } }));
    const events = record(pull);
    push.connect(await pull.bind("tcp://127.0.0.1:*"));
    await push.connected({ timeout: 20_000 });
    expect(events.of("handshake:error:")).toHaveLength(0);
  });

  it("a peer that answers PINGs stays (F11)", async () => {
    const heartbeat = { heartbeatInterval: 40, heartbeatTimeout: 40 };
    const pull = managed(new Pull(heartbeat));
    const events = record(pull);
    const { child } = await peer("push", await pull.bind("tcp://127.0.0.1:*"));
    await armed(child);
    for (let i = 0; i < 3; i++) {
      // By the clock, as PINGs are: one goes out, and its PONG comes while nobody looks.
      await new Promise((resolve) => setTimeout(resolve, 50));
      block(150);
    }
    expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual(["came"]);
    expect(events.of("disconnect")).toHaveLength(0);
  });
});

const heard = (child: Child, text: string) =>
  child.line(
    (line) => line.event === "heard" && String(line.text).includes(text),
    `"${text}" is heard`,
    10_000,
  );

/** Publishers of each type, bound, with their ways to send. */
const PUBLISHERS = [
  ["Publisher", "SUB", () => managed(new Publisher())],
  ["XPublisher", "SUB", () => managed(new XPublisher())],
  ["Radio", "DISH", () => grouped(managed(new Radio()))],
  ["Publisher of zwire/zeromq", "SUB", () => new zmq.Publisher({ linger: 0 })],
] as const;

function grouped(radio: Radio) {
  return {
    bind: (endpoint: string) => radio.bind(endpoint),
    send: (text: string) => radio.send(text, { group: "g" }),
    close: () => radio.close(),
    get lastEndpoint() {
      return radio.lastEndpoint;
    },
  };
}

describe("after the event loop has stood still", () => {
  describe.each(PUBLISHERS)("a %s", (_name, type, make) => {
    it.each(["tcp://127.0.0.1:*", "ipc://*"])(
      "loses nothing to who dialled meanwhile over %s",
      async (endpoint) => {
        const publisher = make();
        await publisher.bind(endpoint);
        const { child, mark } = await peer(type, publisher.lastEndpoint!);
        await armed(child);
        // It has sent in this very turn.
        await publisher.send("begin");
        block(100, mark);
        await Promise.all(["one ", "two ", "three"].map((text) => publisher.send(text)));
        await heard(child, "one");
        await heard(child, "three");
        await publisher.close();
      },
    );
  });

  it("a publisher serves a real subscriber, too", { retry: 2 }, async () => {
    const publisher = managed(new Publisher());
    const { child, mark } = await peer("subscriber", await publisher.bind("tcp://127.0.0.1:*"));
    await armed(child);
    block(600, mark);
    await publisher.send("first");
    await heard(child, "first");
  });

  it.each([
    ["drops what nobody has the name for", false],
    ["is mandatory", true],
  ])("a router that %s reaches by name who dialled meanwhile", async (_how, mandatory) => {
    const router = managed(new Router({ mandatory }));
    const { child, mark } = await peer("DEALER", await router.bind("tcp://127.0.0.1:*"));
    await armed(child);
    block(600, mark);
    await Promise.all(["one ", "two "].map((text) => router.send(["me", text])));
    await heard(child, "one");
    await heard(child, "two");
    expect(router.stats.dropped).toBe(0);
  });

  it("a router that nobody dialled meanwhile gives the same answer as ever, only later", async () => {
    const router = managed(new Router({ mandatory: true }));
    await router.bind("tcp://127.0.0.1:*");
    block(100);
    await expect(router.send(["nobody", "text"])).rejects.toMatchObject({ code: "EHOSTUNREACH" });
  });

  it("sendMany() waits for who dialled meanwhile", async () => {
    const publisher = managed(new Publisher());
    const { child, mark } = await peer("SUB", await publisher.bind("tcp://127.0.0.1:*"));
    await armed(child);
    block(100, mark);
    await publisher.sendMany(["first", "second"]);
    await heard(child, "first");
  });

  it("close(), unbind() and trySend() send first what waited for the event loop", async () => {
    for (const end of ["close", "unbind", "trySend"] as const) {
      const publisher = managed(new Publisher());
      const endpoint = await publisher.bind("tcp://127.0.0.1:*");
      const { child } = await peer("subscriber", endpoint);
      await publisher.waitForSubscribers(1, { timeout: 20_000 });
      block(100);
      const sent = publisher.send(`before ${end}`);
      expect(publisher.stats.messagesSent).toBe(0);
      if (end === "close") void publisher.close();
      else if (end === "unbind") void publisher.unbind(endpoint);
      else publisher.trySend("behind");
      expect(publisher.stats.messagesSent).toBeGreaterThan(0);
      await sent;
      await heard(child, `before ${end}`);
    }
  });
});
