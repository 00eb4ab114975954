/** Pages and servers that go away and come back: reload, restart, silence, sleep. */
import { connect, createServer, type Socket as NetSocket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { Publisher, Pull, Push, Reply } from "../../src/index.js";
import { inBrowser, Pages } from "../support/browser/page.js";
import { managed, record, until } from "../support/helpers.js";

/** A line between a page and a port that can fall silent: it stays open and passes nothing on. */
async function silenceable(target: number) {
  let silent = false;
  const open = new Set<NetSocket>();
  const server = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      open.add(from);
      from.on("data", (chunk) => {
        if (!silent) to.write(chunk);
      });
      from.on("error", () => {});
      from.on("close", () => {
        if (!silent) to.destroy();
      });
    }
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  const { port } = server.address() as { port: number };
  return {
    port,
    silence: () => {
      silent = true;
    },
    speak: () => {
      silent = false;
    },
  };
}

/** In the page: a Request and what it is told, as globals. */
function openRequest({ endpoint, options }: { endpoint: string; options?: object }): void {
  const request = new zwire.Request(options);
  const told: string[] = [];
  for (const type of ["connect", "handshake", "disconnect", "connect:retry"] as const)
    request.on(type, (event) => {
      told.push(
        `${type} ${"error" in event ? (event.error as { code?: string } | undefined)?.code : ""}`.trim(),
      );
    });
  request.connect(endpoint);
  Object.assign(globalThis, { request, told });
}

interface Globals {
  request: InstanceType<typeof zwire.Request>;
  told: string[];
}

/** In the page: asks, and reads the answer. */
async function ask(question: string): Promise<string> {
  const { request } = globalThis as unknown as Globals;
  return zwire.text((await request.request(question, { timeout: 20_000 }))[0]);
}

const told = () => (globalThis as unknown as Globals).told;

function answering(): Reply {
  const reply = managed(new Reply());
  reply.on("message", ([question]) => reply.send(`re: ${question}`));
  return reply;
}

inBrowser("pages and servers that come and go", (tests) => {
  it("a page that reloads in the middle of traffic gets and sends nothing twice, and the server's sockets go on", async () => {
    const [push, pull] = [managed(new Push({ sendHighWaterMark: 10 })), managed(new Pull())];
    const server = tests.pages.server;
    const ends = {
      down: await push.bind({ server, path: "/down" }),
      up: await pull.bind({ server, path: "/up" }),
    };
    const seen: string[] = [];
    const page = await tests.open();
    await page.exposeFunction("seen", (text: string) => seen.push(text));
    const start = () =>
      page.evaluate(({ down, up }) => {
        const [pull, push] = [new zwire.Pull(), new zwire.Push()];
        pull.connect(down);
        push.connect(up);
        const { seen } = globalThis as unknown as { seen(text: string): void };
        pull.on("message", ([part]) => {
          seen(zwire.text(part));
          push.send(part);
        });
      }, ends);
    let running = true;
    let sent = 0;
    const sending = (async () => {
      while (running) {
        await push.send(String(sent++));
        if (sent % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1)); // by the clock: traffic that goes on
      }
    })();
    const back: string[] = [];
    pull.on("message", ([part]) => back.push(String(part)));
    for (let i = 1; i <= 3; i++) {
      await start();
      const before = seen.length;
      await until(() => seen.length > before + 200, "traffic");
      await page.reload();
    }
    await start();
    const before = seen.length;
    await until(() => seen.length > before + 200, "traffic with the last page");
    running = false;
    await sending;
    await until(() => seen.includes(String(sent - 1)) && back.includes(String(sent - 1)), "the last message");
    expect(new Set(seen).size).toBe(seen.length);
    expect(new Set(back).size).toBe(back.length);
    // Each page had them in order, and so the order holds over all pages.
    expect(seen.map(Number)).toEqual(seen.map(Number).sort((a, b) => a - b));
    expect(push.peers).toHaveLength(1);
  });

  it("when its server restarts, a page dials again with a growing wait, and what it queued meanwhile arrives", async () => {
    const first = await Pages.start();
    const { port } = first;
    const endpoint = first.ws("/work");
    const pull = managed(new Pull());
    await pull.bind({ server: first.server, path: "/work" });
    const page = await tests.open({ failures: true });
    await page.evaluate(async (endpoint) => {
      const push = new zwire.Push({ reconnectInterval: 20, reconnectMaxInterval: 500 });
      const waits: number[] = [];
      push.on("connect:retry", ({ interval }) => waits.push(interval));
      push.connect(endpoint);
      await push.send("before");
      Object.assign(globalThis, { push, waits });
    }, endpoint);
    expect(String(await pull.receive({ timeout: 20_000 }))).toBe("before");
    await pull.close();
    await first.stop();
    const waits = () => page.evaluate(() => (globalThis as unknown as { waits: number[] }).waits);
    await until(async () => (await waits()).length >= 5, "five attempts");
    await page.evaluate(async () => {
      const { push } = globalThis as unknown as { push: InstanceType<typeof zwire.Push> };
      await push.sendMany(["1", "2", "3"]);
    });
    const second = await Pages.start(port);
    onTestFinished(() => second.stop());
    const again = managed(new Pull());
    await again.bind({ server: second.server, path: "/work" });
    for (const expected of ["1", "2", "3"])
      expect(String(await again.receive({ timeout: 20_000 }))).toBe(expected);
    const [a, b, c, d] = await waits();
    expect([b > a, c > b, d > c]).toEqual([true, true, true]);
    expect(Math.max(...(await waits()))).toBeLessThanOrEqual(500);
  });

  it("a subscription is made again after a restart, without the page doing anything", async () => {
    const first = await Pages.start();
    const publisher = managed(new Publisher());
    const endpoint = await publisher.bind({ server: first.server, path: "/news" });
    const page = await tests.open({ failures: true });
    await page.evaluate((endpoint) => {
      const subscriber = new zwire.Subscriber({ reconnectInterval: 20 });
      const got: string[] = [];
      subscriber.subscribe("a");
      subscriber.connect(endpoint);
      subscriber.on("message", (parts) => got.push(zwire.text(parts[0])));
      Object.assign(globalThis, { got });
    }, endpoint);
    await publisher.waitForSubscribers(1, { timeout: 20_000 });
    await publisher.send("a1");
    const got = () => page.evaluate(() => (globalThis as unknown as { got: string[] }).got);
    await until(async () => (await got()).length === 1, "the first message");
    await publisher.close();
    await first.stop();
    const second = await Pages.start(Number(new URL(endpoint).port));
    onTestFinished(() => second.stop());
    const next = managed(new Publisher());
    await next.bind({ server: second.server, path: "/news" });
    await next.waitForSubscribers(1, { timeout: 20_000 });
    await next.send("b2");
    await next.send("a3");
    await until(async () => (await got()).length === 2, "the message after the restart");
    expect(await got()).toEqual(["a1", "a3"]);
  });

  describe("silence", () => {
    it("heartbeats notice a server that has fallen silent, and the page connects again when it answers", async () => {
      const reply = answering();
      await reply.bind({ server: tests.pages.server, path: "/ask" });
      const line = await silenceable(tests.pages.port);
      const page = await tests.open({ failures: true });
      const options = {
        heartbeatInterval: 200,
        heartbeatTimeout: 600,
        reconnectInterval: 50,
        connectTimeout: 500,
      };
      await page.evaluate(openRequest, { endpoint: `ws://127.0.0.1:${line.port}/ask`, options });
      expect(await page.evaluate(ask, "one")).toBe("re: one");
      line.silence();
      await until(
        async () => (await page.evaluate(told)).some((text) => text.startsWith("disconnect")),
        "a disconnect",
      );
      expect((await page.evaluate(told)).slice(0, 3)).toEqual([
        "connect",
        "handshake",
        "disconnect heartbeat-timeout",
      ]);
      line.speak();
      expect(await page.evaluate(ask, "two")).toBe("re: two");
    });

    it("a server notices a page whose machine has gone", async () => {
      const push = managed(new Push({ heartbeatInterval: 200, heartbeatTimeout: 600 }));
      const events = record(push);
      await push.bind({ server: tests.pages.server, path: "/push" });
      const line = await silenceable(tests.pages.port);
      const page = await tests.open({ failures: true });
      await page.evaluate((endpoint) => {
        const pull = new zwire.Pull();
        pull.connect(endpoint);
      }, `ws://127.0.0.1:${line.port}/push`);
      await events.next("handshake");
      line.silence();
      const { error } = await events.next("disconnect");
      expect(error?.code).toBe("heartbeat-timeout");
    });
  });

  it("a page that slept while its server ended the connection connects again when it wakes, and loses no question", async () => {
    const reply = answering();
    const endpoint = await reply.bind({ server: tests.pages.server, path: "/ask" });
    const page = await tests.open();
    const options = { reconnectInterval: 50, heartbeatInterval: 200, heartbeatTimeout: 600 };
    await page.evaluate(openRequest, { endpoint, options });
    expect(await page.evaluate(ask, "one")).toBe("re: one");
    const wake = await tests.sleep();
    await reply.unbind(endpoint);
    await reply.bind({ server: tests.pages.server, path: "/ask" });
    await new Promise((resolve) => setTimeout(resolve, 1000)); // by the clock: its heartbeats are overdue when it wakes
    expect(reply.peers).toHaveLength(0);
    const answer = page.evaluate(ask, "two");
    wake();
    expect(await answer).toBe("re: two");
    expect((await page.evaluate(told)).filter((text) => text === "handshake")).toHaveLength(2);
  });

  it("a page that leaves ends its connections in order", async () => {
    const pull = managed(new Pull());
    const events = record(pull);
    const endpoint = await pull.bind({ server: tests.pages.server, path: "/leave" });
    const page = await tests.open();
    await page.evaluate(async (endpoint) => {
      const push = new zwire.Push();
      push.connect(endpoint);
      await push.send("here");
    }, endpoint);
    expect(String(await pull.receive({ timeout: 20_000 }))).toBe("here");
    await page.goto("about:blank");
    expect((await events.next("disconnect")).error).toBeUndefined();
  });
});
