/**
 * A received message, of any size and number of parts, can be sent on as it is, at once or later, over any transport.
 * Received parts are views into memory that later traffic reuses in a careless library; every byte is compared at the
 * far end.
 */
import { describe, expect, it } from "vitest";
import { Publisher, Pull, Push, Reply, Request, Subscriber } from "../../src/index.js";
import { managed, TRANSPORTS } from "../support/helpers.js";
import { MessageCheck, MessageSource } from "../support/messages.mjs";

const COUNT = 1500;

async function feed(push: Push, seed: number): Promise<void> {
  const source = new MessageSource(seed, COUNT);
  for (let i = 0; i < COUNT; i++) await push.send(source.next());
}

for (const from of TRANSPORTS) {
  describe.each(TRANSPORTS)(`forwarding from ${from.name} to $name`, (to) => {
    async function chain() {
      const [first, middleIn, middleOut, last] = [new Push(), new Pull(), new Push(), new Pull()];
      for (const socket of [first, middleIn, middleOut, last]) managed(socket);
      first.connect(await middleIn.bind(from.endpoint()));
      middleOut.connect(await last.bind(to.endpoint()));
      return { first, middleIn, middleOut, last };
    }

    it("at once", async () => {
      const { first, middleIn, middleOut, last } = await chain();
      const check = new MessageCheck(11, COUNT);
      const feeding = feed(first, 11);
      const forwarding = (async () => {
        for (let i = 0; i < COUNT; i++) await middleOut.send(await middleIn.receive({ timeout: 20_000 }));
      })();
      while (!check.complete) check.take(await last.receive({ timeout: 20_000 }));
      await Promise.all([feeding, forwarding]);
      expect(check.mismatch).toBeNull();
    });

    it("later, when everything has been received and more traffic has passed", async () => {
      const { first, middleIn, middleOut, last } = await chain();
      const feeding = feed(first, 12);
      const kept = [];
      for (let i = 0; i < COUNT; i++) kept.push(await middleIn.receive({ timeout: 20_000 }));
      await feeding;
      const passing = feed(first, 13);
      for (let i = 0; i < COUNT; i++) await middleIn.receive({ timeout: 20_000 });
      await passing;
      const check = new MessageCheck(12, COUNT);
      const forwarding = (async () => {
        for (const parts of kept) await middleOut.send(parts);
      })();
      while (!check.complete) check.take(await last.receive({ timeout: 20_000 }));
      await forwarding;
      expect(check.mismatch).toBeNull();
      // And what was kept is still what it was.
      const again = new MessageCheck(12, COUNT);
      for (const parts of kept) again.take(parts);
      expect(again.mismatch).toBeNull();
    });
  });
}

describe.each(TRANSPORTS)("forwarding to several over $name", ({ endpoint }) => {
  it("one received message goes to many peers and to a publisher, with all its parts", async () => {
    const [source, middle] = [managed(new Push()), managed(new Pull())];
    source.connect(await middle.bind(endpoint()));
    const publisher = managed(new Publisher({ sendHighWaterMark: 0, sendHighWaterMarkBytes: 0 }));
    const actual = await publisher.bind(endpoint());
    const subscribers = Array.from({ length: 4 }, () => managed(new Subscriber({ receiveHighWaterMark: 0 })));
    for (const subscriber of subscribers) {
      subscriber.subscribe();
      subscriber.connect(actual);
    }
    await publisher.waitForSubscribers(4, { timeout: 20_000 });
    const count = 300;
    const messages = new MessageSource(14, count);
    const feeding = (async () => {
      for (let i = 0; i < count; i++) await source.send(messages.next());
    })();
    const relaying = (async () => {
      for (let i = 0; i < count; i++) await publisher.send(await middle.receive({ timeout: 20_000 }));
    })();
    const checks = subscribers.map(async (subscriber) => {
      const check = new MessageCheck(14, count);
      while (!check.complete) check.take(await subscriber.receive({ timeout: 20_000 }));
      return check.mismatch;
    });
    expect(await Promise.all(checks)).toEqual([null, null, null, null]);
    await Promise.all([feeding, relaying]);
  });

  it("an echo: the request that a REP received is its reply", async () => {
    const [reply, request] = [managed(new Reply()), managed(new Request())];
    request.connect(await reply.bind(endpoint()));
    const count = 600;
    void (async () => {
      for (let i = 0; i < count; i++) await reply.send(await reply.receive());
    })().catch(() => {});
    const [source, check] = [new MessageSource(15, count), new MessageCheck(15, count)];
    for (let i = 0; i < count; i++) {
      await request.send(source.next());
      check.take(await request.receive({ timeout: 20_000 }));
    }
    expect(check.mismatch).toBeNull();
  });
});
