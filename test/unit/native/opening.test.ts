/** Connecting and listening with the addon: options, refusals, addresses in use, bad arguments. */
import { describe, expect, it } from "vitest";
import { until } from "../../support/helpers.js";
import {
  binding,
  DEFAULTS,
  dial,
  Listener,
  linux,
  listen,
  native,
  pair,
  Side,
  temporaryPath,
} from "../../support/native-sides.js";

const SOL_SOCKET = linux ? 1 : 0xffff;
const SO_SNDBUF = linux ? 7 : 0x1001;
const SO_RCVBUF = linux ? 8 : 0x1002;
const SO_KEEPALIVE = linux ? 9 : 8;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_KEEPINTVL = linux ? 5 : 0x101;

/** A handle whose methods take anything: for calls that TypeScript would not let pass. */
type Loose = Record<string, (...args: unknown[]) => unknown>;

describe("opening", () => {
  it("sets TCP_NODELAY and the options on both sides (G17, R11)", async () => {
    const [near, far] = await pair({
      sendBufferSize: 65536,
      receiveBufferSize: 65536,
      tcpKeepalive: 1,
      tcpKeepaliveInterval: 7,
    });
    for (const { handle } of [near, far]) {
      expect(handle.getSocketOption(IPPROTO_TCP, TCP_NODELAY)).toBeGreaterThan(0);
      expect(handle.getSocketOption(SOL_SOCKET, SO_KEEPALIVE)).toBeGreaterThan(0);
      expect(handle.getSocketOption(IPPROTO_TCP, TCP_KEEPINTVL)).toBe(7);
      // Linux doubles what it is asked for.
      expect([65536, 131072]).toContain(handle.getSocketOption(SOL_SOCKET, SO_SNDBUF));
      expect([65536, 131072]).toContain(handle.getSocketOption(SOL_SOCKET, SO_RCVBUF));
      expect(handle.getSocketOption(SOL_SOCKET, 9999)).toBeLessThan(0);
    }
  });

  it("binds the source first (R6)", async () => {
    const [near, far] = await dial(listen(), { sourceHost: "127.0.0.1", sourcePort: 0 });
    expect(far.handle.remoteAddress()).toBe(near.handle.localAddress());
    const refused = new Side();
    const options = { ...DEFAULTS, sourceHost: "192.0.2.1", sourcePort: 0 };
    expect(native.errorName(refused.handle.connectTcp("127.0.0.1", 9, options))[0]).toBe("EADDRNOTAVAIL");
  });

  it("tells of a refused connection", async () => {
    const listener = listen();
    const { port } = listener;
    listener.handle.close();
    const near = new Side();
    const status = near.handle.connectTcp("127.0.0.1", port, DEFAULTS);
    await until(() => status < 0 || near.connects.length > 0, "refusal");
    expect(native.errorName(near.connects[0] ?? status)[0]).toBe("ECONNREFUSED");
    expect(native.errorName(new Side().handle.connectPipe(temporaryPath(), DEFAULTS))[0]).toBe("ENOENT");
    expect(native.errorName(new Side().handle.connectPipe("", DEFAULTS))[0]).toBe("EINVAL");
    const long = `/tmp/${"x".repeat(120)}`;
    expect(native.errorName(new Side().handle.connectPipe(long, DEFAULTS))[0]).toBe("ENAMETOOLONG");
    expect(native.errorName(new Side().handle.connectTcp("localhost", 1, DEFAULTS))[0]).toBe("EINVAL");
    expect(native.errorName(new Side().handle.connectTcp("127.0.0.1", 65537, DEFAULTS))[0]).toBe("EINVAL");
  });

  it("refuses an address in use at once, and takes one that was just given up (R7, R10)", async () => {
    const listener = listen();
    const { port } = listener;
    const second = new Listener();
    expect(native.errorName(second.handle.listenTcp("127.0.0.1", port, 10, true, DEFAULTS))[0]).toBe(
      "EADDRINUSE",
    );
    const [, far] = await dial(listener);
    far.handle.close(); // our side closes first: the port is in TIME_WAIT
    listener.handle.close();
    const third = new Listener();
    expect(third.handle.listenTcp("127.0.0.1", port, 10, true, DEFAULTS)).toBe(0);
  });

  it.each([
    ["write", (s: Loose) => s.write("text")],
    ["writev", (s: Loose) => s.writev([Buffer.alloc(1), 5])],
    ["setOwner", (s: Loose) => s.setOwner(1)],
    ["startFrames", (s: Loose) => s.startFrames("1", 1, 1, 1, Buffer.alloc(0))],
    ["startFrames", (s: Loose) => s.startFrames(Number.NaN, 1, 1, 1, Buffer.alloc(0))],
    ["startFrames", (s: Loose) => s.startFrames(1, 1, 1, 1, "text")],
    ["connectTcp", (s: Loose) => s.connectTcp(1, 1, {})],
    ["connectTcp", (s: Loose) => s.connectTcp("127.0.0.1", 1)],
    ["connectPipe", (s: Loose) => s.connectPipe("/tmp/x")],
    ["getSocketOption", (s: Loose) => s.getSocketOption("a", 1)],
  ])("%s throws TypeError for a bad argument", async (_name, misuse) => {
    const [near] = await pair();
    expect(() => misuse(near.handle as unknown as Loose)).toThrow(TypeError);
    expect(() => misuse(new native.Stream(binding) as unknown as Loose)).toThrow(TypeError);
    expect(near.handle.write(Buffer.from("still works"))).toBe(0);
  });
});
