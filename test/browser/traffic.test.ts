/** Much and large between a page and Node: order, back pressure both ways, and what either side keeps. */
import { expect, it } from "vitest";
import * as zmq from "zeromq";
import { Dealer, Publisher, Pull, Push, Router } from "../../src/index.js";
import { inBrowser } from "../support/browser/page.js";
import { freePort, managed, record, standing, until } from "../support/helpers.js";

const MANY = 100_000;
/** With libzmq, which is slower with pages. */
const FEWER = 10_000;
const MIB = 1024 * 1024;

/** Checks that messages with the numbers from 0 arrive. */
async function inOrder(receive: () => Promise<Uint8Array[]>, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const text = String(await receive());
    if (text !== String(i)) throw new Error(`message ${i} is ${text}`);
  }
}

/** In the page: sends numbers, a thousand with one promise. */
async function sendNumbers({ endpoint, count }: { endpoint: string; count: number }): Promise<void> {
  const push = new zwire.Push();
  push.connect(endpoint);
  for (let i = 0; i < count; i += 1000)
    await push.sendMany(Array.from({ length: 1000 }, (_, k) => String(i + k)));
  await push.close();
}

/** In the page: receives numbers. @returns how many were in order */
async function receiveNumbers({ endpoint, count }: { endpoint: string; count: number }): Promise<number> {
  const pull = new zwire.Pull();
  pull.connect(endpoint);
  let next = 0;
  for await (const [part] of pull) {
    if (Number(zwire.text(part)) !== next) break;
    if (++next === count) break;
  }
  await pull.close();
  return next;
}

inBrowser("much between a page and its server", (tests) => {
  it(`${MANY} messages from a page to zwire arrive in order`, async () => {
    const pull = managed(new Pull());
    const endpoint = await pull.bind({ server: tests.pages.server, path: "/numbers" });
    const page = await tests.open();
    const sent = page.evaluate(sendNumbers, { endpoint, count: MANY });
    await inOrder(() => pull.receive(), MANY);
    await sent;
  });

  it(`${MANY} messages from zwire to a page arrive in order`, async () => {
    const push = managed(new Push());
    const endpoint = await push.bind({ server: tests.pages.server, path: "/numbers" });
    const page = await tests.open();
    const received = page.evaluate(receiveNumbers, { endpoint, count: MANY });
    for (let i = 0; i < MANY; i++) await push.send(String(i));
    expect(await received).toBe(MANY);
  });

  it(`${FEWER} messages from libzmq to a page arrive in order`, async () => {
    const push = new zmq.Push({ linger: 0 });
    const endpoint = `ws${(await freePort()).slice(3)}/numbers`;
    await push.bind(endpoint);
    const page = await tests.open();
    const received = page.evaluate(receiveNumbers, { endpoint, count: FEWER });
    for (let i = 0; i < FEWER; i++) await push.send(String(i));
    expect(await received).toBe(FEWER);
    push.close();
  });

  it(`${FEWER} messages from a page to libzmq, one after the other, arrive in order`, async () => {
    const pull = new zmq.Pull();
    const endpoint = `ws${(await freePort()).slice(3)}/numbers`;
    await pull.bind(endpoint);
    const page = await tests.open();
    const sent = page.evaluate(
      async ({ endpoint, count }) => {
        const push = new zwire.Push();
        push.connect(endpoint);
        for (let i = 0; i < count; i++) await push.send(String(i));
        await push.close();
      },
      { endpoint, count: FEWER },
    );
    const patient = async (): Promise<Uint8Array[]> => {
      for (;;) {
        try {
          return await pull.receive();
        } catch (error) {
          if ((error as { code?: string }).code !== "EAGAIN") throw error;
          await new Promise((resolve) => setTimeout(resolve, 1)); // by the clock: it rejects at once where nothing is there after all
        }
      }
    };
    await inOrder(patient, FEWER);
    await sent;
    pull.close();
  });

  it("messages of 1 MiB, and of 20 parts, go both ways unchanged", async () => {
    const router = managed(new Router());
    const endpoint = await router.bind({ server: tests.pages.server, path: "/large" });
    const page = await tests.open();
    const got = page.evaluate(async (endpoint) => {
      const dealer = new zwire.Dealer();
      dealer.connect(endpoint);
      const large = (seed: number) => Uint8Array.from({ length: 1024 * 1024 }, (_, i) => (i * seed) >> 3);
      const messages = [
        [large(1)],
        Array.from({ length: 20 }, (_, i) => new Uint8Array(i * 1000).fill(i)),
        [large(3), "", large(5)],
        [""],
      ];
      const sending = dealer.sendMany(messages);
      const wrong: number[] = [];
      for (const [at, message] of messages.entries()) {
        const parts = await dealer.receive({ timeout: 20_000 });
        const same = message.every((part, i) => {
          const bytes = typeof part === "string" ? new TextEncoder().encode(part) : part;
          return bytes.length === parts[i].length && bytes.every((byte, k) => byte === parts[i][k]);
        });
        if (!same || parts.length !== message.length) wrong.push(at);
      }
      await sending;
      await dealer.close();
      return wrong;
    }, endpoint);
    const sizes: number[][] = [];
    for (let i = 0; i < 4; i++) {
      const message = await router.receive({ timeout: 20_000 });
      sizes.push(message.slice(1).map(({ length }) => length));
      await router.send(message);
    }
    expect(sizes).toEqual([[MIB], Array.from({ length: 20 }, (_, i) => i * 1000), [MIB, 0, MIB], [0]]);
    expect(await got).toEqual([]);
  });

  it("a page waits in send() while its server does not receive, and loses nothing", async () => {
    const pull = managed(new Pull({ receiveHighWaterMark: 10 }));
    const endpoint = await pull.bind({ server: tests.pages.server, path: "/slow" });
    const page = await tests.open();
    // What kernels and browser buffer is some megabytes at most.
    const [count, size] = [400, 100_000];
    const done = page.evaluate(
      async ({ endpoint, count, size }) => {
        const push = new zwire.Push({ sendHighWaterMark: 10 });
        push.connect(endpoint);
        Object.assign(globalThis, { sent: 0 });
        for (let i = 0; i < count; i++) {
          await push.send([String(i), new Uint8Array(size)]);
          Object.assign(globalThis, { sent: i + 1 });
        }
        await push.close();
      },
      { endpoint, count, size },
    );
    const sent = () => page.evaluate(() => (globalThis as unknown as { sent: number }).sent);
    expect(await standing(sent, "the page waits")).toBeLessThan(300);
    for (let i = 0; i < count; i++) {
      const [number, body] = await pull.receive({ timeout: 20_000 });
      if (Number(String(number)) !== i || body.length !== size) throw new Error(`message ${i} is ${number}`);
    }
    await done;
    expect(await sent()).toBe(count);
  });

  it("a page that does not receive closes above its byte mark, and tells both sides; its server stops sending", async () => {
    const dealer = managed(new Dealer({ sendHighWaterMark: 20 }));
    const events = record(dealer);
    const endpoint = await dealer.bind({ server: tests.pages.server, path: "/deaf" });
    const page = await tests.open();
    await page.evaluate(async (endpoint) => {
      const deaf = new zwire.Dealer({
        receiveHighWaterMark: 10,
        receiveHighWaterMarkBytes: 1_000_000,
        reconnectInterval: 0,
      });
      Object.assign(globalThis, { deaf, told: [] });
      deaf.on("disconnect", ({ error }) => {
        (globalThis as unknown as { told: string[] }).told.push(String(error));
      });
      deaf.connect(endpoint);
    }, endpoint);
    await events.next("handshake");
    let waits = false;
    for (let i = 0; i < 1000 && !waits; i++) {
      await dealer.send(Buffer.alloc(50_000), { timeout: 300 }).catch((error) => {
        expect(error.code).toBe("EAGAIN");
        waits = true;
      });
    }
    // It accepted the page's megabyte, what kernels take, which may be ten, and what its own mark allows: not all 50.
    expect(waits).toBe(true);
    const { error } = await events.next("disconnect");
    expect(String(error)).toMatch(/closed the WebSocket: 3009/);
    const told = await page.evaluate(() => (globalThis as unknown as { told: string[] }).told);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/more than 1000000 bytes arrived that nobody has received/);
    // What came before can be read.
    expect(
      await page.evaluate(async () => {
        const { deaf } = globalThis as unknown as { deaf: InstanceType<typeof zwire.Dealer> };
        let count = 0;
        while (deaf.tryReceive() !== undefined) count++;
        await deaf.close();
        return count;
      }),
    ).toBeGreaterThanOrEqual(10);
  });

  it("a subscriber that does not receive does not hold up another one", async () => {
    const publisher = managed(new Publisher({ sendHighWaterMark: 50 }));
    const endpoint = await publisher.bind({ server: tests.pages.server, path: "/news" });
    const [slow, quick] = [await tests.open(), await tests.open()];
    const begin = async (endpoint: string) => {
      const subscriber = new zwire.Subscriber({ receiveHighWaterMark: 10, receiveHighWaterMarkBytes: 0 });
      subscriber.subscribe("");
      subscriber.connect(endpoint);
      Object.assign(globalThis, { subscriber });
    };
    await slow.evaluate(begin, endpoint);
    await quick.evaluate(begin, endpoint);
    await publisher.waitForSubscribers(2, { timeout: 20_000 });
    const received = quick.evaluate(async () => {
      const { subscriber } = globalThis as unknown as { subscriber: InstanceType<typeof zwire.Subscriber> };
      for (let i = 0; i < 500; i++) {
        Object.assign(globalThis, { received: i });
        const [part] = await subscriber.receive({ timeout: 20_000 });
        if (new DataView(part.buffer, part.byteOffset).getUint32(0) !== i) return i;
      }
      await subscriber.close();
      return "all";
    });
    const quickHas = () =>
      quick.evaluate(() => (globalThis as unknown as { received?: number }).received ?? 0);
    for (let i = 0; i < 500; i++) {
      const body = Buffer.alloc(20_000);
      body.writeUInt32BE(i);
      await publisher.send(body);
      // Not more ahead of the one that receives than its queue holds.
      if (i % 25 === 24) await until(async () => (await quickHas()) >= i - 10, "the quick subscriber");
    }
    expect(await received).toBe("all");
  });
});
