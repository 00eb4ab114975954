/** Writing to the addon's streams: what is pending, drains, and what becomes of a write that breaks. */
import { describe, expect, it } from "vitest";
import { until } from "../../support/helpers.js";
import {
  collect,
  DEFAULTS,
  expectFrames,
  frame,
  Listener,
  MEBIBYTE,
  native,
  pair,
  pattern,
  Side,
  temporaryPath,
} from "../../support/native-sides.js";

describe("writing", () => {
  it("gathers, tells what is pending, and drains", async () => {
    const [near, far] = await pair();
    const chunks = Array.from({ length: 3000 }, (_, i) => pattern(10_000 + i, i));
    const total = chunks.reduce((sum, one) => sum + one.length, 0);
    const left = near.handle.writev(chunks);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(total);
    expect(() => near.handle.write(Buffer.from("too early"))).toThrow(/pending/);
    far.handle.start();
    await until(() => near.drains === 1, "drain");
    await until(() => far.bytes.reduce((sum, one) => sum + one.length, 0) === total, "all octets");
    expect(far.received().equals(Buffer.concat(chunks))).toBe(true);
    expect(near.handle.write(Buffer.from("again"))).toBe(0);
    expect(near.drains).toBe(1);
  });

  it("keeps the octets alive, whatever becomes of the array they came in", async () => {
    const [near, far] = await pair();
    const size = 24 * MEBIBYTE;
    const seen = new WeakRef(pattern(size).fill(7));
    const chunks: Uint8Array[] = [seen.deref() as Buffer];
    expect(near.handle.writev(chunks)).toBeGreaterThan(0);
    chunks.length = 0;
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setTimeout(resolve, 0)); // a WeakRef is held to the end of its turn
      collect();
    }
    expect(seen.deref()).toBeDefined();
    far.handle.start();
    await until(() => near.drains === 1, "drain");
    await until(() => far.bytes.reduce((sum, one) => sum + one.length, 0) === size, "all octets");
    expect(far.bytes.every((one) => one.every((octet) => octet === 7))).toBe(true);
  });

  it("tells exactly how much of a broken write the kernel has not taken (E14)", async () => {
    const [near, far] = await pair();
    near.handle.start();
    const left = near.handle.write(Buffer.alloc(32 * MEBIBYTE));
    expect(left).toBeGreaterThan(0);
    far.handle.close(); // with bytes unread: a reset
    await until(() => near.closes.length > 0, "end");
    const [status, fault, pending] = near.closes[0];
    expect([status < 0, fault]).toEqual([true, 0]);
    expect(pending).toBeGreaterThan(0);
    expect(pending).toBeLessThanOrEqual(left);
    expect(near.drains).toBe(0);
  });

  it("a write to a peer that has gone loses nothing of what it sent before", async () => {
    const path = temporaryPath();
    const listener = new Listener();
    expect(listener.handle.listenPipe(path, 10, DEFAULTS)).toBe(0);
    const near = new Side();
    expect(near.handle.connectPipe(path, DEFAULTS)).toBe(0);
    await until(() => near.connects.length > 0 && listener.accepted.length > 0, "connection");
    const far = listener.accepted[0];
    const bodies = Array.from({ length: 20 }, (_, i): [Buffer, number] => [pattern(i * 200, i + 1), 0]);
    expect(far.handle.writev(bodies.map(([body]) => frame(body)))).toBe(0);
    far.handle.close();
    expect(near.handle.writev([Buffer.alloc(30), Buffer.alloc(12)])).toBe(42);
    near.decode();
    await until(() => near.closes.length > 0, "end");
    expectFrames(near.frames, bodies);
    expect(near.closes).toEqual([[expect.any(Number), 0, 42]]);
    expect(native.errorName(near.closes[0][0])[0]).toBe("EPIPE");
    expect(near.handle.write(Buffer.from("x"))).toBeLessThan(0);
  });
});
