/** Section F's heartbeats on simulated time: the test is the clock. */
import { describe, expect, it } from "vitest";
import { Heartbeat, type HeartbeatConfig } from "../../../src/wire/zmtp/heartbeat.js";
import { octets, text } from "../../vectors/octets.js";

const START = 1_000_000;
const NONE = Buffer.alloc(0);

/** Drives a heartbeat as a session does: polls when it was asked to, and writes down what came of it. */
class Simulation {
  now = START;
  readonly heartbeat: Heartbeat;
  /** When PINGs went out, from the start. */
  readonly pings: number[] = [];
  readonly frames: Buffer[] = [];
  expiredAt: number | undefined;
  #pollAt = Number.POSITIVE_INFINITY;
  /** Bytes of the connection. */
  readonly traffic = { received: 0, unsent: 0 };
  /** What the peer does about a PING. */
  onPing: (() => void) | undefined;

  constructor(config: Partial<HeartbeatConfig>) {
    this.heartbeat = new Heartbeat(
      { intervalMs: 0, timeoutMs: -1, timeToLiveMs: 0, unproven: false, ...config },
      this.now,
    );
    this.poll();
  }

  get elapsed(): number {
    return this.now - START;
  }

  poll(): void {
    const { output, expired, nextMs } = this.heartbeat.poll(this.now, this.traffic);
    if (expired) {
      this.expiredAt = this.elapsed;
      this.#pollAt = Number.POSITIVE_INFINITY;
      return;
    }
    expect(nextMs).toBeGreaterThan(0);
    this.#pollAt = this.now + nextMs;
    if (output === undefined) return;
    this.pings.push(this.elapsed);
    this.frames.push(output);
    this.onPing?.();
  }

  /** Let time pass until `elapsed`, or until the peer is given up. */
  runUntil(elapsed: number): void {
    while (this.expiredAt === undefined && this.#pollAt <= START + elapsed) {
      this.now = this.#pollAt;
      this.poll();
    }
    this.now = START + elapsed;
  }

  receive(): void {
    this.heartbeat.received();
  }

  receivePing(ttlMs: number, context: Buffer = NONE): Buffer {
    const pong = this.heartbeat.pingReceived({ ttlMs, context }, this.now, this.traffic);
    this.poll();
    return pong;
  }
}

describe("PINGs that we send", () => {
  it("one goes out every interval while the peer answers (F11)", () => {
    const run = new Simulation({ intervalMs: 100 });
    run.onPing = () => run.receive();
    run.runUntil(1050);
    expect(run.pings).toEqual([100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
    expect(run.expiredAt).toBeUndefined();
  });

  it("without an answer the peer is given up after the interval, when no timeout is set (F11)", () => {
    const run = new Simulation({ intervalMs: 100 });
    run.runUntil(10_000);
    expect(run.pings).toEqual([100]);
    expect(run.expiredAt).toBe(200);
  });

  it("without an answer the peer is given up after the timeout (F11)", () => {
    const shorter = new Simulation({ intervalMs: 100, timeoutMs: 30 });
    shorter.runUntil(10_000);
    expect(shorter.expiredAt).toBe(130);
    const longer = new Simulation({ intervalMs: 100, timeoutMs: 1000 });
    longer.runUntil(10_000);
    expect(longer.expiredAt).toBe(1100);
  });

  it("a timeout of 0 waits for ever (F11)", () => {
    const run = new Simulation({ intervalMs: 100, timeoutMs: 0 });
    run.runUntil(100_000);
    expect(run.expiredAt).toBeUndefined();
  });

  it("an interval of 0 sends none and asks for no poll (F11)", () => {
    const run = new Simulation({ timeoutMs: 50 });
    expect(run.heartbeat.poll(run.now, run.traffic)).toEqual({
      expired: false,
      nextMs: Number.POSITIVE_INFINITY,
    });
    run.runUntil(100_000);
    expect(run.pings).toEqual([]);
    expect(run.expiredAt).toBeUndefined();
  });

  it("anything that comes in ends the wait for an answer (F12)", () => {
    const run = new Simulation({ intervalMs: 100, timeoutMs: 50 });
    for (let at = 149; at < 2000; at += 100) {
      run.runUntil(at);
      run.receive();
    }
    expect(run.expiredAt).toBeUndefined();
    run.runUntil(10_000);
    expect(run.pings.at(-1)).toBe(2000);
    expect(run.expiredAt).toBe(2050);
  });

  it("what came in before a PING does not answer it (F12)", () => {
    const run = new Simulation({ intervalMs: 100, timeoutMs: 50 });
    run.runUntil(99);
    run.receive();
    run.runUntil(10_000);
    expect(run.expiredAt).toBe(150);
  });

  it("one PING is outstanding at most, however long the timeout (F17)", () => {
    const run = new Simulation({ intervalMs: 10, timeoutMs: 5000 });
    run.runUntil(3000);
    expect(run.pings).toEqual([10]);
    run.receive();
    run.runUntil(3030);
    expect(run.pings).toHaveLength(2);
    const patient = new Simulation({ intervalMs: 10, timeoutMs: 0 });
    patient.runUntil(3000);
    expect(patient.pings).toEqual([10]);
  });

  it.each([
    [0, "0000"],
    [99, "0000"],
    [100, "0001"],
    [5999, "003b"],
    [65_500, "028f"],
    [65_600, "028f"],
    [6_553_599, "028f"],
  ])("a time to live of %i ms goes as %s: whole tenths, 655 at most (F6, F10)", (timeToLiveMs, ttl) => {
    const run = new Simulation({ intervalMs: 100, timeToLiveMs });
    run.runUntil(100);
    expect(run.frames).toEqual([octets("04 07 04", text("PING"), ttl)]);
  });
});

describe("PINGs of the peer", () => {
  it("PONG carries the context (F7)", () => {
    const run = new Simulation({});
    expect(run.receivePing(0, text("ctx"))).toEqual(octets("04 08 04", text("PONG"), text("ctx")));
    expect(run.receivePing(0)).toEqual(octets("04 05 04", text("PONG")));
  });

  it("silence for its time to live gives the peer up, though we send no PINGs ourselves (F9)", () => {
    const run = new Simulation({});
    run.runUntil(1000);
    run.receivePing(300);
    run.runUntil(1299);
    expect(run.expiredAt).toBeUndefined();
    run.runUntil(10_000);
    expect(run.expiredAt).toBe(1300);
  });

  it("each PING begins its time to live anew (F9)", () => {
    const run = new Simulation({});
    for (let at = 0; at < 5000; at += 250) {
      run.runUntil(at);
      run.receivePing(300);
    }
    expect(run.expiredAt).toBeUndefined();
    run.runUntil(10_000);
    expect(run.expiredAt).toBe(4750 + 300);
  });

  it("a PING without a time to live ends the one before (F9)", () => {
    const run = new Simulation({});
    run.receivePing(300);
    run.receivePing(0);
    run.runUntil(10_000);
    expect(run.expiredAt).toBeUndefined();
  });

  it("anything that comes in clears the time to live (F12)", () => {
    const run = new Simulation({});
    run.receivePing(300);
    run.runUntil(200);
    run.receive();
    run.runUntil(10_000);
    expect(run.expiredAt).toBeUndefined();
  });

  it("the shorter of the two waits decides (F9, F11)", () => {
    const run = new Simulation({ intervalMs: 100, timeoutMs: 1000 });
    run.runUntil(150);
    run.receivePing(200);
    run.runUntil(10_000);
    expect(run.expiredAt).toBe(350);
  });
});

describe("octets are life", () => {
  it("a large frame that comes slowly answers a PING, long before it is whole (F12)", () => {
    const run = new Simulation({ intervalMs: 100, timeoutMs: 50 });
    for (let at = 140; at < 2000; at += 40) {
      run.runUntil(at);
      run.traffic.received += 1000;
    }
    expect(run.expiredAt).toBeUndefined();
    run.runUntil(10_000);
    expect(run.expiredAt).toBeLessThan(2200);
  });

  it("and keeps up a time to live (F9)", () => {
    const run = new Simulation({});
    run.receivePing(300);
    run.runUntil(200);
    run.traffic.received += 1;
    run.runUntil(10_000);
    expect(run.expiredAt).toBeUndefined();
  });

  it("what came before the peer's PING does not (F9)", () => {
    const run = new Simulation({});
    run.traffic.received += 100;
    run.receivePing(300);
    run.runUntil(10_000);
    expect(run.expiredAt).toBe(300);
  });

  it("a PING behind what leaves slowly has its time from when it could leave (F11)", () => {
    const run = new Simulation({ intervalMs: 100, timeoutMs: 50 });
    run.traffic.unsent = 1_000_000;
    run.runUntil(101);
    for (let at = 140; at <= 1000; at += 40) {
      run.traffic.unsent -= 10_000;
      run.runUntil(at);
    }
    run.traffic.unsent = 0;
    run.runUntil(1040);
    expect(run.expiredAt).toBeUndefined();
    run.receive();
    run.runUntil(1090);
    expect(run.expiredAt).toBeUndefined();
  });

  it("a peer that takes nothing is given up, however much waits for it (F11)", () => {
    const run = new Simulation({ intervalMs: 100, timeoutMs: 50 });
    run.traffic.unsent = 1_000_000;
    run.runUntil(10_000);
    expect(run.expiredAt).toBe(300);
  });
});

describe("a peer that may know no PING (F14)", () => {
  it("is not given up for its silence", () => {
    const run = new Simulation({ intervalMs: 100, timeoutMs: 50, unproven: true });
    run.runUntil(10_000);
    expect(run.pings).toEqual([100]);
    expect(run.expiredAt).toBeUndefined();
  });

  it("is held to its first PONG", () => {
    const run = new Simulation({ intervalMs: 100, timeoutMs: 50, unproven: true });
    run.runUntil(120);
    run.receive();
    run.heartbeat.pongReceived();
    run.runUntil(10_000);
    expect(run.pings).toEqual([100, 200]);
    expect(run.expiredAt).toBe(250);
  });
});
