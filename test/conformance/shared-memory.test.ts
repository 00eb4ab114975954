import { describe, expect, it } from "vitest";
import { curveKeyPair, Dealer, Pull, Push } from "../../src/index.js";
import { startChild } from "../support/child.js";
import {
  managed,
  rawDial,
  rawListen,
  record,
  TRANSPORTS,
  temporaryDirectory,
  turns,
  until,
} from "../support/helpers.js";
import { pair } from "../support/pairs.js";
import { CAN, descriptors, mappings } from "../support/shared-memory.js";

const KIB = 1024;
const MIB = KIB * KIB;
const ipc = TRANSPORTS[1].endpoint;

/** A body that shows when bytes are lost, doubled or mixed. */
function body(size: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let i = 0; i < size; i += 4)
    bytes.writeUInt32LE((seed * 2_654_435_761 + i) >>> 0, Math.min(i, size - 4));
  return bytes;
}

/** Sends enough at once that both sides agree, and waits until they have. */
async function agree(push: Push, pull: Pull): Promise<void> {
  const sent = push.send(body(64 * KIB, 0));
  await pull.receive();
  await sent;
  if (CAN) await until(() => push.stats.sharedMemory === 1 && pull.stats.sharedMemory === 1, "sharing");
}

describe("messages through shared memory", () => {
  it.each([
    ["a ring larger than all of it", 4 * MIB],
    ["the smallest ring", 64 * KIB],
    ["an odd size, rounded up", 100_000],
  ])("sharedMemorySize: of any size and number arrive as they were sent: %s", async (_, sharedMemorySize) => {
    const { push, pull } = await pair(ipc(), { sharedMemorySize }, { sharedMemorySize });
    await agree(push, pull);
    const sizes = [0, 1, 255, 256, 8 * KIB, 16 * KIB, 40_000, 64 * KIB, 64 * KIB + 1, 300_000, 5 * MIB, 3];
    const sending = (async () => {
      for (let round = 0; round < 4; round++) {
        for (const size of sizes)
          await push.send([body(Math.max(size, 4), size), Buffer.alloc(size, round), "end"]);
      }
      for (let i = 0; i < 20_000; i++) await push.send(String(i));
    })();
    for (let round = 0; round < 4; round++) {
      for (const size of sizes) {
        const [check, filled, end] = await pull.receive();
        expect(check.equals(body(Math.max(size, 4), size))).toBe(true);
        expect(filled.equals(Buffer.alloc(size, round))).toBe(true);
        expect(end.toString()).toBe("end");
      }
    }
    for (let i = 0; i < 20_000; i++) expect((await pull.receive())[0].toString()).toBe(String(i));
    await sending;
  });

  it("tells of it by an event and in stats on both sides, and the peer's metadata does not", async () => {
    const { push, pull } = await pair(ipc(), { metadata: { "X-own": "1" } }, {});
    const [pushed, pulled] = [record(push), record(pull)];
    const handshakes = pull.stats.peers;
    expect([push.stats.sharedMemory, handshakes]).toEqual([0, 1]);
    await agree(push, pull);
    const expected = CAN ? 1 : 0;
    await until(
      () => pushed.of("memory").length === expected && pulled.of("memory").length === expected,
      "events",
    );
    if (CAN) {
      const [{ peer, address, endpoint }] = pulled.of("memory");
      expect(address).toBe(peer!.address);
      expect(endpoint).toBe(peer!.endpoint);
      expect([...peer!.metadata.keys()].sort()).toEqual(["Socket-Type", "X-own"]);
    }
    push.disconnect(push.lastEndpoint as string);
    await until(() => push.stats.sharedMemory === 0 && pull.stats.sharedMemory === 0, "the end");
  });

  it.each([
    ["the sender", { sharedMemory: false }, {}],
    ["the receiver", {}, { sharedMemory: false }],
  ])("sharedMemory: false on %s leaves everything on the socket", async (_, sending, receiving) => {
    const before = CAN ? mappings("zwire") : 0;
    const { push, pull } = await pair(ipc(), sending, receiving);
    for (let i = 0; i < 50; i++) {
      await push.send(body(100_000, i));
      expect((await pull.receive())[0].equals(body(100_000, i))).toBe(true);
    }
    expect([push.stats.sharedMemory, pull.stats.sharedMemory]).toEqual([0, 0]);
    if (CAN) expect(mappings("zwire")).toBe(before);
  });

  it.runIf(CAN)(
    "a connection with small messages has no memory, and one that ended leaves nothing",
    async () => {
      const { push, pull } = await pair(ipc());
      const [maps, files] = [mappings("zwire"), descriptors()];
      for (let i = 0; i < 100; i++) {
        await push.send("small");
        await pull.receive();
      }
      expect([mappings("zwire"), descriptors()]).toEqual([maps, files]);
      for (let i = 0; i < 30; i++) {
        const other = managed(new Push());
        other.connect(pull.lastEndpoint as string);
        await other.connected();
        const sent = other.send(body(64 * KIB, i));
        await pull.receive();
        await sent;
        await until(() => other.stats.sharedMemory === 1, "sharing");
        await other.close();
      }
      await until(() => pull.stats.peers === 1, "the others to leave");
      await until(
        () => mappings("zwire") === maps && descriptors() === files,
        "memory and descriptors to be given back",
      );
    },
  );

  it.runIf(CAN)(
    "all rings of a thread have 512 MiB at most: the next connection stays on the socket",
    async () => {
      const options = { sharedMemorySize: 64 * MIB };
      const pull = managed(new Pull(options));
      const endpoint = await pull.bind(ipc());
      const pushes: Push[] = [];
      for (let i = 0; i < 5; i++) {
        const push = managed(new Push(options));
        pushes.push(push);
        push.connect(endpoint);
        await push.connected();
        for (let j = 0; j < 3; j++) {
          await push.send(body(100_000, i));
          expect((await pull.receive())[0].equals(body(100_000, i))).toBe(true);
        }
        if (i < 4) await until(() => push.stats.sharedMemory === 1, "sharing");
      }
      // Both ends of four connections are in this thread.
      expect(pushes.map((push) => push.stats.sharedMemory)).toEqual([1, 1, 1, 1, 0]);
      await pushes[0].close();
      await until(() => pull.stats.peers === 4, "one to leave");
      const next = managed(new Push(options));
      next.connect(endpoint);
      for (let j = 0; j < 3; j++) {
        await next.send(body(100_000, j));
        await pull.receive();
      }
      await until(() => next.stats.sharedMemory === 1, "its memory to be used by another");
    },
  );

  it("is announced over ipc only, and a name that begins with X-zwire- is refused", async () => {
    for (const [endpoint, announced] of [
      [ipc(), CAN],
      ["tcp://127.0.0.1:*", false],
    ] as const) {
      const pull = managed(new Pull());
      const peer = await rawDial(await pull.bind(endpoint));
      const { properties } = await peer.handshake({ type: "PUSH" });
      expect(properties.get("X-zwire-shm")?.toString()).toBe(announced ? "1" : undefined);
    }
    expect(() => new Pull({ metadata: { "X-zwire-shm": "1" } })).toThrow(/reserved/);
  });

  it("works both ways at once, also while neither side reads", async () => {
    const options = { sharedMemorySize: 64 * KIB, sendHighWaterMark: 4, receiveHighWaterMark: 4 };
    const bound = managed(new Dealer(options));
    const dealer = managed(new Dealer(options));
    dealer.connect(await bound.bind(ipc()));
    const count = 300;
    const send = async (one: (i: number) => Promise<void>) => {
      for (let i = 0; i < count; i++) await one(i);
    };
    const sending = [send((i) => dealer.send(body(50_000, i))), send((i) => bound.send(body(50_000, i)))];
    await turns(200); // both are full by now
    for (let i = 0; i < count; i++) {
      expect((await dealer.receive())[0].equals(body(50_000, i))).toBe(true);
      expect((await bound.receive())[0].equals(body(50_000, i))).toBe(true);
    }
    await Promise.all(sending);
  });

  it("an echo that reads only when its answer is sent never comes to a stop", async () => {
    const options = { sharedMemorySize: 64 * KIB, sendHighWaterMark: 1, receiveHighWaterMark: 1 };
    const echo = managed(new Dealer(options));
    const asker = managed(new Dealer(options));
    asker.connect(await echo.bind(ipc()));
    const count = 400;
    const echoing = (async () => {
      for (let i = 0; i < count; i++) await echo.send(await echo.receive());
    })();
    const asking = (async () => {
      for (let i = 0; i < count; i++) await asker.send(body(i % 2 ? 200_000 : 40_000, i));
    })();
    for (let i = 0; i < count; i++) {
      expect((await asker.receive())[0].equals(body(i % 2 ? 200_000 : 40_000, i))).toBe(true);
    }
    await Promise.all([echoing, asking]);
  });

  it("carries CURVE's sealed bytes, and heartbeats", async () => {
    const [server, client] = [curveKeyPair(), curveKeyPair()];
    const pull = managed(
      new Pull({ curveServer: true, curveSecretKey: server.secretKey, heartbeatInterval: 20 }),
    );
    const push = managed(
      new Push({
        curveServerKey: server.publicKey,
        curvePublicKey: client.publicKey,
        curveSecretKey: client.secretKey,
        heartbeatInterval: 20,
        heartbeatTimeout: 10_000,
      }),
    );
    const events = record(push);
    push.connect(await pull.bind(ipc()));
    await agree(push, pull);
    const sending = (async () => {
      for (let i = 0; i < 100; i++) await push.send(body(150_000, i));
    })();
    for (let i = 0; i < 100; i++) expect((await pull.receive())[0].equals(body(150_000, i))).toBe(true);
    await sending;
    expect(events.of("disconnect")).toEqual([]);
  });

  it("spinMicroseconds: shares from the first message on, and rings no bell for whoever is awake", async () => {
    const options = { spinMicroseconds: 10_000 };
    const { push, pull } = await pair(ipc(), options, options);
    await push.send("small");
    expect((await pull.receive())[0].toString()).toBe("small");
    if (CAN) await until(() => push.stats.sharedMemory === 1 && pull.stats.sharedMemory === 1, "sharing");
    const began = performance.now();
    for (let i = 0; i < 200; i++) {
      await push.send(String(i));
      expect((await pull.receive())[0].toString()).toBe(String(i));
    }
    // Each of the two waits for the other without a pause: neither spins to the end of its time.
    expect(performance.now() - began).toBeLessThan(20_000);
    // Timers and other sockets are served while it spins: here the clock is what is tested.
    const timer = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(performance.now() - timer).toBeLessThan(500);
    const other = await pair("tcp://127.0.0.1:*");
    await other.push.send("over tcp");
    expect((await other.pull.receive())[0].toString()).toBe("over tcp");
  });

  it("other work gets its turns while memory is never empty", async () => {
    const { push, pull } = await pair(ipc());
    await agree(push, pull);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const same = body(64 * KIB, 1);
    const sending = (async () => {
      for (let i = 0; i < 5000; i++) await push.send(same);
    })();
    let got = 0;
    for await (const _ of pull) if (++got === 5000) break;
    await sending;
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(3);
  });
});

describe("the end of a process that shares memory", () => {
  const options = JSON.stringify({ sharedMemorySize: 512 * KIB });

  // The kernel's buffers would not hold so much.
  it.runIf(CAN)("what a killed sender had written arrives, although nobody read it before", async () => {
    const pull = managed(new Pull({ receiveHighWaterMark: 1, receiveHighWaterMarkBytes: 1 }));
    const endpoint = await pull.bind(`ipc://${temporaryDirectory()}/s`);
    const child = startChild("memory-end.mjs", ["push", endpoint, options, "0", "10", "40000"]);
    await pull.receive();
    await until(() => pull.stats.sharedMemory === 1, "sharing");
    child.tell({ op: "send" });
    await child.line(({ event }) => event === "sent", "all is sent");
    child.tell({ op: "state" });
    const state = await child.line(({ event }) => event === "state", "its state");
    expect(state).toMatchObject({ queued: 0, shared: 1 });
    child.process.kill("SIGKILL");
    await child.ended;
    for (let i = 1; i < 10; i++) {
      const [got] = await pull.receive({ timeout: 20_000 });
      expect(got.readUInt32BE(0)).toBe(i);
      expect(got.equals(Buffer.concat([got.subarray(0, 4), Buffer.alloc(39_996, i)]))).toBe(true);
    }
    await until(() => pull.stats.peers === 0, "the end of the connection to be noticed");
  });

  it.each([
    ["as it is", false],
    ["sealed by CURVE", true],
  ])(
    "a killed receiver gets nothing twice, and what it had not copied out goes to its successor: %s",
    async (_, curve) => {
      const [server, client] = [curveKeyPair(), curveKeyPair()];
      const endpoint = `ipc://${temporaryDirectory()}/s`;
      const push = managed(
        new Push({
          sharedMemorySize: 512 * KIB,
          sendHighWaterMark: 5,
          reconnectInterval: 10,
          linger: 0,
          ...(curve && {
            curveServerKey: server.publicKey,
            curvePublicKey: client.publicKey,
            curveSecretKey: client.secretKey,
          }),
        }),
      );
      push.connect(endpoint);
      // It holds one message at most that it has not told of.
      const reading = JSON.stringify({
        receiveHighWaterMark: 1,
        receiveHighWaterMarkBytes: 1,
        ...(curve && { curveServer: true, curveSecretKey: server.secretKey }),
      });
      const count = 400;
      const sending = (async () => {
        for (let i = 0; i < count; i++) {
          const bytes = Buffer.alloc(60_000, i & 0xff);
          bytes.writeUInt32BE(i);
          await push.send(bytes);
        }
      })().catch((error) => error); // what waits is rejected when the socket is closed
      const got: number[] = [];
      let lives = 0;
      // The last ones may be among those that a killed receiver had copied out and not told of.
      const end = count - 5;
      while ((got.at(-1) ?? -1) < end) {
        const before = got.length;
        const child = startChild("memory-end.mjs", ["pull", endpoint, reading, "0", "0", "60000"]);
        lives++;
        const numbers = () => child.lines.filter((line) => "got" in line);
        const over = () => ((numbers().at(-1)?.got ?? -1) as number) >= end;
        // What went by the socket before both had agreed is not what this is about.
        if (CAN) await until(() => push.stats.sharedMemory === 1 || over(), "sharing");
        const enough = numbers().length + 60;
        await until(() => numbers().length >= enough || over(), "messages");
        child.process.kill("SIGKILL");
        await child.ended;
        for (const line of numbers()) {
          expect(line.good).toBe(true);
          got.push(line.got as number);
        }
        expect(got.length).toBeGreaterThan(before);
      }
      await push.close();
      await sending;
      for (let i = 1; i < got.length; i++) expect(got[i]).toBeGreaterThan(got[i - 1]);
      // With the kernel's buffers, up to a megabyte would be lost with each life.
      if (CAN) expect((got.at(-1) as number) + 1 - got.length).toBeLessThanOrEqual(3 * lives);
    },
  );

  it("a raw listener that leaves takes nothing with it that it has not read", async () => {
    const listener = await rawListen(`ipc://${temporaryDirectory()}/s`);
    const push = managed(new Push({ reconnectInterval: 10 }));
    push.connect(listener.endpoint);
    const peer = await listener.accept();
    await peer.handshake({ type: "PULL" });
    await push.send(body(100_000, 1));
    expect((await peer.read(100_009)).subarray(9).equals(body(100_000, 1))).toBe(true);
    expect(push.stats.sharedMemory).toBe(0);
  });
});
