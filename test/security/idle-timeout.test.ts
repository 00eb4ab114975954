/** Connections over which nothing of use passes. */
import { expect, it } from "vitest";
import { Publisher, Pull, Push, Subscriber } from "../../src/index.js";
import { managed, rawConnected, record, until } from "../support/helpers.js";
import { frame, ping } from "../support/raw-peer.js";

it.each(["tcp://127.0.0.1:*", "ipc://*"])(
  "idleTimeout: over %s a peer that only sends PINGs is closed, and told; one that sends messages stays",
  async (endpoint) => {
    const pull = managed(new Pull({ idleTimeout: 400 }));
    const events = record(pull);
    const where = await pull.bind(endpoint);
    const idle = await rawConnected(where, { type: "PUSH" });
    const busy = await rawConnected(where, { type: "PUSH" });
    let sent = 0;
    const timer = setInterval(() => {
      if (!idle.ended) idle.write(ping());
      busy.write(frame(`${sent++}`));
    }, 20);
    try {
      await idle.closed();
    } finally {
      clearInterval(timer);
    }
    const told = await events.next("limit");
    expect(told).toMatchObject({ limit: "idleTimeout", action: "closed", endpoint: where });
    expect(told.peer).toBeDefined();
    await until(() => events.of("disconnect").length === 1, "it is told as gone");
    expect(busy.ended).toBe(false);
    expect(String((await pull.receive({ timeout: 20_000 }))[0])).toBe("0");
  },
);

it("idleTimeout: what is sent is use, a dialled connection has no such limit, and 0 none at all", async () => {
  const publisher = managed(new Publisher({ idleTimeout: 300 }));
  const subscriber = managed(new Subscriber({ idleTimeout: 100 }));
  const events = record(subscriber);
  subscriber.subscribe();
  subscriber.connect(await publisher.bind("tcp://127.0.0.1:*"));
  await publisher.waitForSubscribers(1, { timeout: 20_000 });
  // By the clock: three times the longest of the two limits, with traffic all the while.
  const until_ = performance.now() + 900;
  while (performance.now() < until_) {
    await publisher.send("tick");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(events.of("disconnect")).toHaveLength(0);
  const other = managed(new Push({ idleTimeout: 50 }));
  const pull = managed(new Pull());
  other.connect(await pull.bind("tcp://127.0.0.1:*"));
  await pull.connected({ timeout: 20_000 });
  // By the time that the publisher has closed its subscriber, these have been idle for as long.
  await events.next("disconnect", 1, 20_000);
  expect(pull.peers).toHaveLength(1);
});
