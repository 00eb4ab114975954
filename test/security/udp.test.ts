/** Anybody can send datagrams: what comes is bounded, counted and told, never thrown, and good senders are heard (N13, N14). */
import { describe, expect, it } from "vitest";
import { Datagram, Dish } from "../../src/draft.js";
import { managed, record, turns, until } from "../support/helpers.js";
import { groupDatagram, PlainUdp } from "../support/plain-udp.js";
import { randomFrom } from "../support/random.js";

const timeout = 20_000;

describe("hostile datagrams", () => {
  it.each([
    ["an empty one", Buffer.alloc(0)],
    ["a group longer than the datagram", Buffer.from([5, 1, 2, 3, 4])],
    ["the longest group and nothing else", Buffer.from([255])],
    ["254 bytes of a group of 255", Buffer.concat([Buffer.from([255]), Buffer.alloc(254, "g")])],
  ])("%s is dropped and counted, and told once a second at most (N13)", async (_, bytes) => {
    const plain = await PlainUdp.open();
    const dish = managed(new Dish());
    const events = record(dish);
    dish.join("g", "");
    const endpoint = await dish.bind("udp://127.0.0.1:*");
    for (let i = 0; i < 100; i++) await plain.send(endpoint, bytes);
    await until(() => dish.stats.dropped === 100, "all are counted");
    expect(events.of("limit").length).toBeLessThanOrEqual(2);
    expect(events.of("limit")[0]).toMatchObject({
      limit: "datagram",
      action: "dropped",
      value: bytes.length,
      address: plain.endpoint,
      endpoint,
      error: { code: "EPROTO" },
    });
    await plain.send(endpoint, groupDatagram("g", "good"));
    expect(String((await dish.receive({ timeout }))[0])).toBe("good");
  });

  it("5,000 random datagrams: each is a message of its group, of another, or none (N13, N14)", async () => {
    const plain = await PlainUdp.open();
    const random = randomFrom(7);
    const dish = managed(new Dish({ receiveHighWaterMark: 0 }));
    const datagram = managed(new Datagram({ receiveHighWaterMark: 0 }));
    dish.join("\x01", "");
    const at = await dish.bind("udp://127.0.0.1:*");
    const too = await datagram.bind("udp://127.0.0.1:*");
    let [good, bad, sent] = [0, 0, 0];
    for (let i = 0; i < 5000; i++) {
      const bytes = Buffer.from(Array.from({ length: random(i % 10 === 0 ? 300 : 6) }, () => random(4)));
      const [length] = bytes;
      if (length === undefined || bytes.length < 1 + length) bad++;
      else if (length === 0 || (length === 1 && bytes[1] === 1)) good++;
      await plain.send(at, bytes);
      await plain.send(too, bytes);
      sent++;
      // In step, so that the kernel's buffer drops nothing.
      if (i % 50 === 0) await until(() => datagram.stats.receiveQueue === sent, "they have arrived");
    }
    await until(() => dish.stats.dropped === bad && dish.stats.receiveQueue === good, "all are sorted");
    await until(() => datagram.stats.receiveQueue === 5000, "any bytes are a datagram");
    expect(datagram.stats.dropped).toBe(0);
  });

  it("a flood of 64 KiB from a stranger costs a bounded amount, and is counted (N13)", async () => {
    const plain = await PlainUdp.open();
    const dish = managed(new Dish({ receiveHighWaterMark: 0, receiveHighWaterMarkBytes: 4_000_000 }));
    const events = record(dish);
    dish.join("g");
    const endpoint = await dish.bind("udp://127.0.0.1:*");
    const large = groupDatagram("g", Buffer.alloc(65_000));
    global.gc?.();
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().external;
    let most = 0;
    for (let i = 0; i < 3000; i++) {
      await plain.send(endpoint, large);
      await turns(1);
      if (i % 100 === 0) most = Math.max(most, dish.stats.receivedBytes);
    }
    expect(dish.stats.dropped).toBeGreaterThan(1000);
    expect(most).toBeLessThan(4_000_000 + 66_000);
    // What was dropped is given back, if not at once. Both numbers count the same memory.
    await until(() => {
      global.gc?.();
      return process.memoryUsage().arrayBuffers + process.memoryUsage().external - before < 30_000_000;
    }, "no more is held than what is queued");
    expect(events.of("limit").length).toBeLessThan(60);
    // A good sender is heard as soon as there is room.
    while (dish.tryReceive() !== undefined);
    for (let heard = ""; heard !== "good"; ) {
      await plain.send(endpoint, groupDatagram("g", "good"));
      const [part] = await dish.receive({ timeout });
      heard = part.length === 4 ? String(part) : heard;
    }
  });

  it("groups that nobody has joined cost nothing, however many (N13)", async () => {
    const plain = await PlainUdp.open();
    const dish = managed(new Dish({ receiveHighWaterMark: 5 }));
    const events = record(dish);
    dish.join("mine");
    const endpoint = await dish.bind("udp://127.0.0.1:*");
    for (let i = 0; i < 2000; i++)
      await plain.send(endpoint, groupDatagram(`stranger ${i}`, Buffer.alloc(1000)));
    await plain.send(endpoint, groupDatagram("mine", "x"));
    expect(String((await dish.receive({ timeout }))[0])).toBe("x");
    expect(dish.stats).toMatchObject({ dropped: 0, receivedBytes: 0, receiveQueue: 0 });
    expect(events.of("limit")).toEqual([]);
  });
});
