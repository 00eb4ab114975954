/** Bytes of the addon's streams: over tcp, pipes and abstract names, and what a pause holds back. */
import { networkInterfaces } from "node:os";
import { describe, expect, it } from "vitest";
import { until } from "../../support/helpers.js";
import {
  DEFAULTS,
  dial,
  EOF,
  Listener,
  linux,
  listen,
  pair,
  Side,
  temporaryPath,
} from "../../support/native-sides.js";

const hasIPv6 = networkInterfaces().lo?.some((one) => one.family === "IPv6") ?? !linux;
if (!hasIPv6) console.log("skipped: this machine has no IPv6 loopback");
if (!linux) console.log("skipped: abstract names exist on Linux only");

describe("bytes", () => {
  it("carries octets both ways over tcp and knows both addresses", async () => {
    const listener = listen();
    const [near, far] = await dial(listener);
    near.handle.start();
    far.handle.start();
    near.handle.write(Buffer.from("there"));
    await until(() => far.received().equals(Buffer.from("there")), "there");
    far.handle.writev([Buffer.from("and "), Buffer.alloc(0), Buffer.from("back")]);
    await until(() => near.received().equals(Buffer.from("and back")), "back");
    expect(near.handle.remoteAddress()).toBe(`127.0.0.1:${listener.port}`);
    expect(far.handle.localAddress()).toBe(`127.0.0.1:${listener.port}`);
    expect(far.handle.remoteAddress()).toBe(near.handle.localAddress());
    near.handle.close();
    await until(() => far.closes.length > 0, "end");
    expect(far.closes).toEqual([[EOF, 0, 0]]);
  });

  it("carries octets over a pipe, whose far side has no name", async () => {
    const path = temporaryPath();
    const listener = new Listener();
    expect(listener.handle.listenPipe(path, 10, DEFAULTS)).toBe(0);
    expect(listener.handle.localAddress()).toBe(path);
    const near = new Side();
    expect(near.handle.connectPipe(path, DEFAULTS)).toBe(0);
    await until(() => near.connects.length > 0 && listener.accepted.length > 0, "connection");
    const far = listener.accepted[0];
    far.handle.start();
    near.handle.write(Buffer.from("hello"));
    await until(() => far.received().equals(Buffer.from("hello")), "hello");
    expect([near.handle.remoteAddress(), far.handle.remoteAddress()]).toEqual([path, ""]);
  });

  it.skipIf(!linux)("carries octets over an abstract name", async () => {
    const listener = new Listener();
    const name = `zwire-${process.pid}-${Date.now()}`;
    expect(listener.handle.listenPipe(`\0${name}`, 10, DEFAULTS)).toBe(0);
    expect(listener.handle.localAddress()).toBe(`@${name}`);
    const near = new Side();
    expect(near.handle.connectPipe(`\0${name}`, DEFAULTS)).toBe(0);
    await until(() => near.connects.length > 0 && listener.accepted.length > 0, "connection");
    expect(near.handle.remoteAddress()).toBe(`@${name}`);
  });

  it.skipIf(!hasIPv6)("takes IPv4 on a dual-stack acceptor and prints it plainly", async () => {
    const [near, far] = await dial(listen({}, "::", false));
    expect(far.handle.remoteAddress()).toBe(near.handle.localAddress());
    const six = listen({}, "::1");
    expect(six.handle.localAddress()).toBe(`[::1]:${six.port}`);
  });

  it("pause() holds back what comes later, resume() brings it", async () => {
    const [near, far] = await pair();
    far.during = () => far.handle.pause();
    far.handle.start();
    near.handle.write(Buffer.from("1"));
    await until(() => far.bytes.length === 1, "the first");
    near.handle.write(Buffer.from("2"));
    near.handle.start();
    // A second connection's echo has been through the event loop: the paused one had its chance.
    const [other, echo] = await pair();
    echo.handle.start();
    for (let i = 1; i <= 5; i++) {
      other.handle.write(Buffer.from("x"));
      await until(() => echo.received().length === i, "echo");
    }
    expect(far.bytes.length).toBe(1);
    far.handle.resume();
    await until(() => far.received().equals(Buffer.from("12")), "the second");
  });
});
