/** What becomes of memory that a program gives to send() and gives away, or resizes, before it is on the wire. */
import { describe, expect, it } from "vitest";
import { type Event, type EventOfType, Pull, Push } from "../../src/index.js";
import { managed, record, TRANSPORTS, turns } from "../support/helpers.js";

const SIZE = 64 * 1024;
const COUNT = 400;

/** A body that says in each byte which one it is. */
function body(index: number, buffer: ArrayBuffer = new ArrayBuffer(SIZE)): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer).fill(index % 251);
}

const resizable = (): ArrayBuffer =>
  new (ArrayBuffer as new (bytes: number, options: object) => ArrayBuffer)(SIZE, { maxByteLength: SIZE });

const WAYS = [
  {
    way: "transferred",
    make: () => new ArrayBuffer(SIZE),
    take: (buffer: ArrayBuffer) => void structuredClone(buffer, { transfer: [buffer] }),
  },
  {
    way: "resized",
    make: resizable,
    take: (buffer: ArrayBuffer) => (buffer as ArrayBuffer & { resize(bytes: number): void }).resize(10),
  },
];

for (const { name, endpoint } of TRANSPORTS.filter((transport) => transport.name !== "inproc")) {
  describe(name, () => {
    it.each(WAYS)(
      "a buffer $way after send() ends the connection with an event, and nothing else is sent in its place",
      async ({ make, take }) => {
        const pull = managed(new Pull());
        const push = managed(new Push({ reconnectInterval: 1 }));
        const events = record(push);
        push.connect(await pull.bind(endpoint()));
        await push.connected();
        const bodies: Uint8Array<ArrayBuffer>[] = [];
        // Far more than the kernel takes: the last ones wait in the queue, one of those before is taken in part.
        for (let i = 0; i < COUNT; i++) {
          const one = body(i, make());
          bodies.push(one);
          void push.send([`${i}`, one]);
        }
        for (const { buffer } of bodies.slice(1)) take(buffer);
        void push.send("after");
        const seen: number[] = [];
        for (;;) {
          const [index, octets] = await pull.receive({ timeout: 20_000 });
          if (String(index) === "after") break;
          seen.push(Number(index));
          expect(octets.length).toBe(SIZE);
          expect(octets.equals(body(Number(index)))).toBe(true);
        }
        expect(seen.length).toBeLessThan(COUNT);
        const { error } = await events.next("disconnect");
        expect(error).toMatchObject({ code: "EFAULT", message: expect.stringContaining("send()") });
      },
    );
  });
}

describe("inproc within a thread", () => {
  const names = { count: 0 };
  const fresh = (): string => `inproc://memory-test-${names.count++}`;

  /** Takes every second body away, and expects the others as they were. Answers what both sockets were told. */
  async function lose(
    { make, take }: (typeof WAYS)[number],
    push: Push,
    pull: Pull,
    join: () => Promise<unknown>,
  ): Promise<[sent: unknown[], received: unknown[]]> {
    const told: [Event[], Event[]] = [[], []];
    push.on("limit", (event) => told[0].push(event));
    pull.on("limit", (event) => told[1].push(event));
    const ends = record(push);
    const bodies: Uint8Array<ArrayBuffer>[] = [];
    for (let i = 0; i < 40; i++) {
      const one = body(i, make());
      bodies.push(one);
      await push.send(i % 4 < 2 ? one : [`${i}`, "", one]);
    }
    for (let i = 0; i < 40; i += 2) take(bodies[i].buffer);
    await push.send(["", ""]);
    await join();
    for (let i = 1; i < 40; i += 2) {
      const parts = await pull.receive({ timeout: 20_000 });
      if (i % 4 > 2) expect(parts.slice(0, 2).map(String)).toEqual([`${i}`, ""]);
      const octets = parts[parts.length - 1];
      expect(octets.length).toBe(SIZE);
      expect(octets.equals(body(i))).toBe(true);
    }
    expect((await pull.receive({ timeout: 20_000 })).map(String)).toEqual(["", ""]);
    await turns(2);
    expect(ends.names).not.toContain("disconnect");
    for (const event of told.flat()) {
      expect(event).toMatchObject({ limit: "buffer", action: "dropped", error: { code: "EFAULT" } });
      expect((event as EventOfType<"limit">).peer).toBeDefined();
    }
    return told;
  }

  it.each(WAYS)("a message whose buffer is $way before it is read is dropped with an event", async (way) => {
    const [push, pull] = [managed(new Push()), managed(new Pull())];
    push.connect(await pull.bind(fresh()));
    const [sent, received] = await lose(way, push, pull, async () => {});
    expect([sent.length, received.length]).toEqual([20, 20]);
  });

  it.each(WAYS)("and so is one whose buffer is $way before the name is bound", async (way) => {
    const [push, pull] = [managed(new Push()), managed(new Pull())];
    const name = fresh();
    push.connect(name);
    const [sent, received] = await lose(way, push, pull, () => pull.bind(name));
    expect([sent.length, received.length]).toEqual([20, 0]); // they never left the sender
  });

  it.each(WAYS)("what is $way counts against no mark in bytes when the queue has been read", async (way) => {
    const push = managed(new Push({ sendHighWaterMark: 0, sendHighWaterMarkBytes: 4 * SIZE }));
    const pull = managed(
      new Pull({ receiveHighWaterMark: 0, receiveHighWaterMarkBytes: 4 * SIZE, maxQueuedBytes: 10 * SIZE }),
    );
    push.connect(await pull.bind(fresh()));
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 7; i++) {
        const one = body(i, way.make());
        await push.send(one, { timeout: 5000 });
        way.take(one.buffer);
      }
      await push.send("end", { timeout: 5000 });
      expect(String((await pull.receive({ timeout: 5000 }))[0])).toBe("end");
    }
  });
});

describe("received parts", () => {
  it.each(TRANSPORTS)(
    "over $name: one that is handed to another thread takes no others along",
    async ({ endpoint }) => {
      const pull = managed(new Pull());
      const push = managed(new Push());
      push.connect(await pull.bind(endpoint()));
      await push.connected();
      // In one chunk of more than the memory that is shared in any case, and less than a read.
      const sent = Array.from({ length: 20 }, (_, i) => Buffer.alloc(300, i));
      await Promise.all(sent.map((part) => push.send(part)));
      const parts: Buffer[] = [];
      while (parts.length < sent.length) parts.push(...(await pull.receive({ timeout: 20_000 })));
      const [first] = parts;
      try {
        structuredClone(first, { transfer: [first.buffer as ArrayBuffer] });
      } catch (error) {
        expect((error as Error).name).toBe("DataCloneError");
      }
      for (let i = 1; i < parts.length; i++) expect(parts[i].equals(sent[i])).toBe(true);
    },
  );
});

it.each(TRANSPORTS)(
  "over $name a typed array fits over a copy of any part, and over a large part itself",
  async ({ endpoint }) => {
    const [pull, push] = [managed(new Pull()), managed(new Push())];
    push.connect(await pull.bind(endpoint()));
    for (const length of [1, 2, 13, 200, 12_500]) {
      const numbers = Float64Array.from({ length }, (_, i) => i / 3);
      for (const before of ["", "x", "xyz"]) {
        await push.send([before, numbers]);
        const [, part] = await pull.receive({ timeout: 20_000 });
        expect(new Float64Array(new Uint8Array(part).buffer)).toEqual(numbers);
        if (part.length > 64 * 1024)
          expect(new Float64Array(part.buffer, part.byteOffset, length)).toEqual(numbers);
      }
    }
  },
);
