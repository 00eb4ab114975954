/**
 * udp with libzmq, through zeromq.js: Radio and Dish (N13) and Datagram (N14), in both directions. Multicast is in
 * conformance/udp-multicast.test.ts.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { Datagram, Dish, Radio } from "../../src/draft.js";
import { foreign } from "../support/foreign.js";
import { managed, until } from "../support/helpers.js";
import { PlainUdp } from "../support/plain-udp.js";

const timeout = 20_000;
/** Bytes that libzmq reads of one datagram at most; it cuts what is longer. */
const THEIR_LARGEST = 8192;

let theirs: typeof import("zeromq/draft.js");
beforeAll(async () => {
  process.removeAllListeners("warning"); // it warns that drafts may change
  theirs = ((await import("zeromq/draft.js")) as unknown as { default: typeof theirs }).default;
});

const body = (i: number): Buffer => Buffer.alloc((i * 41) % 7900, i % 251);
/** A Dish of libzmq 4.3.5 aborts its process at a group of 128 bytes or more: it reads their number as a negative one. */
const groupOf = (i: number, longest: number): string => "g".repeat([1, 0, 15, 100, longest][i % 5]);

describe("udp with libzmq", () => {
  it("Radio to their Dish: 1,000 messages, groups of 0 to 127 bytes (N13)", async () => {
    const dish = foreign(new theirs.Dish());
    const endpoint = await PlainUdp.freeEndpoint();
    await dish.bind(endpoint);
    dish.join(...[0, 1, 2, 3, 4].map((i) => groupOf(i, 127)));
    const radio = managed(new Radio());
    radio.connect(endpoint);
    // It opens in a thread of its own, by the clock: send until it hears.
    const first = dish.receive();
    for (let heard = false; !heard; ) {
      await radio.send("sync", { group: "g" });
      heard = await Promise.race([
        first.then(() => true),
        new Promise<false>((late) => setTimeout(late, 5, false)),
      ]);
    }
    for (let i = 0; i < 1000; i++) {
      await radio.send(body(i), { group: groupOf(i, 127) });
      let [part, { group }] = await dish.receive();
      while (String(part) === "sync") [part, { group }] = await dish.receive();
      expect([part.equals(body(i)), String(group)]).toEqual([true, groupOf(i, 127)]);
    }
  });

  it("their Radio to Dish: 1,000 messages, groups of 0 to 255 bytes (N13)", async () => {
    const dish = managed(new Dish());
    dish.join(...[0, 1, 2, 3, 4].map((i) => groupOf(i, 255)));
    const radio = foreign(new theirs.Radio());
    radio.connect(await dish.bind("udp://127.0.0.1:*"));
    for (let i = 0; i < 1000; i++) {
      await radio.send(body(i), { group: groupOf(i, 255) });
      const [part, { group }] = await dish.receive({ timeout });
      expect([part.equals(body(i)), String(group)]).toEqual([true, groupOf(i, 255)]);
    }
    await radio.send("other", { group: "other" });
    await radio.send("last", { group: "g" });
    expect(String((await dish.receive({ timeout }))[0])).toBe("last");
  });

  it("Datagram and theirs: 1,000 each way, echoed to the address that came with them (N14)", async () => {
    const other = foreign(new theirs.Datagram());
    const endpoint = await PlainUdp.freeEndpoint();
    await other.bind(endpoint);
    const datagram = managed(new Datagram());
    const own = (await datagram.bind("udp://127.0.0.1:*")).slice("udp://".length);
    const address = endpoint.slice("udp://".length);
    let opened = false;
    void other.receive().then(() => {
      opened = true;
    });
    await until(async () => {
      await datagram.send([address, "sync"]);
      return opened;
    }, "it has opened");
    for (let i = 0; i < 1000; i++) {
      await datagram.send([address, body(i)]);
      let [from, part] = await other.receive();
      while (String(part) === "sync") [from, part] = await other.receive();
      expect([String(from), part.equals(body(i))]).toEqual([`${own}\0`, true]);
      await other.send([from, part]);
      const [back, echoed] = await datagram.receive({ timeout });
      expect([String(back), echoed.equals(body(i))]).toEqual([address, true]);
    }
    // What docs/sockets.md warns of.
    await datagram.send([address, Buffer.alloc(THEIR_LARGEST + 100)]);
    expect((await other.receive())[1]).toHaveLength(THEIR_LARGEST);
  });
});
