/** Delivery over WebSockets: connections that break in mid-traffic, sides that do not read, and what of it stays in memory. */
import { connect, createServer, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { Dealer, Pull, Push, Router } from "../../src/index.js";
import { managed, record, texts, turns, until } from "../support/helpers.js";
import { randomFrom } from "../support/random.js";
import { frame, rawReady } from "../support/raw-websocket.js";

/** Passes bytes on, and breaks every connection when it has passed so many of them. */
async function breaking(target: string, random: (below: number) => number, most: number) {
  const open = new Set<Socket>();
  let cuts = 0;
  let whole = false;
  const server = createServer((near) => {
    const far = connect(Number(/:(\d+)\//.exec(target)![1]), "127.0.0.1");
    let left = whole ? Number.POSITIVE_INFINITY : 2000 + random(most);
    for (const one of [near, far]) {
      open.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        near.destroy();
        far.destroy();
      });
    }
    near.on("data", (chunk) => {
      far.write(chunk.subarray(0, left));
      left -= chunk.length;
      if (left > 0) return;
      cuts++;
      near.destroy();
      far.end();
    });
    far.on("data", (chunk) => near.write(chunk));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const one of open) one.destroy();
    server.close();
  });
  return {
    endpoint: `ws://127.0.0.1:${(server.address() as { port: number }).port}/`,
    cuts: () => cuts,
    heal: () => {
      whole = true;
    },
  };
}

describe("a connection that breaks in mid-traffic", () => {
  it.each([40, 1000, 70_000])("nothing comes twice or torn: messages of %s bytes (E9, E14)", async (size) => {
    const random = randomFrom(size);
    const pull = managed(new Pull());
    const push = managed(new Push({ reconnectInterval: 1, sendHighWaterMark: 50 }));
    const relay = await breaking(await pull.bind("ws://127.0.0.1:*"), random, 40 * size);
    push.connect(relay.endpoint);
    const got: string[] = [];
    const reading = (async () => {
      for await (const [number, body, last] of pull) {
        expect(last.toString()).toBe("last");
        expect(body.length).toBe(size);
        got.push(String(number));
        if (String(number) === "end") break;
        expect(body.equals(Buffer.alloc(size, Number(number)))).toBe(true);
      }
    })();
    let sent = 0;
    for (; relay.cuts() < 12; sent++) await push.send([String(sent), Buffer.alloc(size, sent), "last"]);
    relay.heal();
    // What the system had taken when the last connection broke may be lost, the end too.
    const ending = setInterval(() => push.trySend(["end", Buffer.alloc(size), "last"]), 50);
    await reading;
    clearInterval(ending);
    expect(new Set(got).size).toBe(got.length);
  });
});

describe("a side that does not read", () => {
  it("a Pull that does not receive stops the client, and then gets everything in order", async () => {
    const pull = managed(new Pull({ receiveHighWaterMark: 10 }));
    const raw = await rawReady(await pull.bind("ws://127.0.0.1:*"), "PUSH");
    const body = Buffer.alloc(100_000, 7);
    const message = frame(2, Buffer.concat([Buffer.from([0]), body]));
    for (let i = 0; i < 600; i++) raw.socket.write(message);
    await until(() => pull.stats.receiveQueue >= 10, "the mark");
    await turns(200);
    // The kernel's buffers hold some of it; what zwire has taken is bounded by the mark.
    expect(raw.socket.writableLength).toBeGreaterThan(20_000_000);
    expect(pull.stats.receiveQueue).toBeLessThan(100);
    for (let i = 0; i < 600; i++) expect((await pull.receive({ timeout: 20_000 }))[0].length).toBe(100_000);
  });

  it("a client that does not read is what a Push waits for", async () => {
    const push = managed(new Push({ sendHighWaterMark: 10, sendTimeout: 300 }));
    const raw = await rawReady(await push.bind("ws://127.0.0.1:*"), "PULL");
    raw.socket.pause();
    const body = Buffer.alloc(1_000_000);
    const sending = async () => {
      for (let i = 0; i < 100; i++) await push.send(body);
    };
    await expect(sending()).rejects.toMatchObject({ code: "EAGAIN" });
    expect(push.stats.unsentBytes).toBeLessThan(30_000_000);
  });

  it("both ways at once, with answers, until all is through", async () => {
    const [dealer, router] = [managed(new Dealer()), managed(new Router())];
    dealer.connect(await router.bind("ws://127.0.0.1:*"));
    const count = 5000;
    const answering = (async () => {
      for (let i = 0; i < count; i++) await router.send(await router.receive({ timeout: 20_000 }));
    })();
    const asking = (async () => {
      for (let i = 0; i < count; i++) await dealer.send([String(i), "x".repeat(i % 300)]);
    })();
    for (let i = 0; i < count; i++)
      expect(texts(await dealer.receive({ timeout: 20_000 }))[0]).toBe(String(i));
    await Promise.all([answering, asking]);
  });

  it("many connections come and go, and none is left", async () => {
    const pull = managed(new Pull());
    const events = record(pull);
    const endpoint = await pull.bind("ws://127.0.0.1:*");
    for (let i = 0; i < 100; i++) {
      const push = new Push();
      push.connect(endpoint);
      await push.send(String(i));
      await push.close();
    }
    for (let i = 0; i < 100; i++) await pull.receive({ timeout: 20_000 });
    await events.next("disconnect", 100);
    expect(pull.peers).toEqual([]);
  });
});
