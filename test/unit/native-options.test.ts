/**
 * What the addon asks the kernel beyond moving bytes: options read back, credentials, devices, adopted descriptors.
 * Knows nothing of sockets above the addon; test/conformance/os-options.test.ts tries the same through them.
 */
import { closeSync, fstatSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  type Addon,
  addon,
  addonError,
  FRAME_TABLE_ENTRIES,
  type NativeAcceptorHandle,
  type NativeCallbacks,
  type NativeSocketOptions,
  type NativeStreamHandle,
} from "../../src/transport/native/addon.js";
import { until } from "../support/helpers.js";

const linux = process.platform === "linux";
if (!linux) console.log("skipped: peer credentials, devices and TCP_USER_TIMEOUT exist on Linux only");

const native = addon() as Addon;
if (native === undefined) throw new Error("the addon is not built", { cause: addonError() });

const DEFAULTS: NativeSocketOptions = {
  sendBufferSize: -1,
  receiveBufferSize: -1,
  tcpKeepalive: -1,
  tcpKeepaliveCount: -1,
  tcpKeepaliveIdle: -1,
  tcpKeepaliveInterval: -1,
};
const SOL_SOCKET = 1;
const SO_ACCEPTCONN = 30;

/** Owner of a handle; remembers. */
class Owner {
  connects: number[] = [];
  accepted: NativeStreamHandle[] = [];
  onConnect(status: number): void {
    this.connects.push(status);
  }
  onAccept(_status: number, stream: NativeStreamHandle): void {
    onTestFinished(() => stream.close());
    this.accepted.push(stream);
  }
}

const nothing = (): void => {};
const binding = native.init(new Uint32Array(FRAME_TABLE_ENTRIES * 3), {
  onBytes: nothing,
  onMemory: nothing,
  onFrames: nothing,
  onLargeFrame: nothing,
  onDrain: nothing,
  onClose: nothing,
  onShared: nothing,
  onPool: nothing,
  onBody: (bytes: number) => Buffer.alloc(bytes),
  onConnect(this: Owner, status: number) {
    this.onConnect(status);
  },
  onAccept(this: Owner, status: number, stream: NativeStreamHandle) {
    this.onAccept(status, stream);
  },
} as unknown as NativeCallbacks);

function acceptor(): { handle: NativeAcceptorHandle; owner: Owner } {
  const handle = new native.Acceptor(binding);
  const owner = new Owner();
  handle.setOwner(owner);
  onTestFinished(() => handle.close());
  return { handle, owner };
}

function stream(): { handle: NativeStreamHandle; owner: Owner } {
  const handle = new native.Stream(binding);
  const owner = new Owner();
  handle.setOwner(owner);
  onTestFinished(() => handle.close());
  return { handle, owner };
}

const nameOf = (status: number): string => native.errorName(status)[0];

function temporaryPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "zw"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "s");
}

type Loose = Record<string, (...args: unknown[]) => unknown>;

describe.skipIf(!linux)("peer credentials", () => {
  it("are those of the process that connected, on both sides (R19)", async () => {
    const listening = acceptor();
    const dialling = stream();
    const path = temporaryPath();
    expect(listening.handle.listenPipe(path, 10, DEFAULTS)).toBe(0);
    expect(dialling.handle.connectPipe(path, DEFAULTS)).toBe(0);
    await until(() => listening.owner.accepted.length === 1, "a connection");
    const ours = [process.pid, process.getuid?.(), process.getgid?.()];
    expect(listening.owner.accepted[0].getPeerCredentials()).toEqual(ours);
    expect(dialling.handle.getPeerCredentials()).toEqual(ours);
    dialling.handle.close();
    expect(nameOf(dialling.handle.getPeerCredentials() as number)).toBe("EBADF");
    expect(nameOf(new native.Stream(binding).getPeerCredentials() as number)).toBe("EBADF");
  });
});

describe.skipIf(!linux)("devices", () => {
  it("checkTcp tells whether a name is one (R11)", () => {
    const loopback = native.checkTcp({ interface: "lo" });
    if (loopback !== 0) expect(nameOf(loopback)).toBe("EPERM");
    expect(["ENODEV", "EPERM"]).toContain(nameOf(native.checkTcp({ interface: "no-such-device" })));
    expect(nameOf(native.checkTcp({ interface: "x".repeat(16) }))).toBe("EINVAL"); // the kernel would cut it
    expect(() => (native as unknown as Loose).checkTcp()).toThrow(TypeError);
    expect(() => (native as unknown as Loose).checkTcp(5)).toThrow(TypeError);
  });

  it("a device that is not there fails the call that asks for it (R11)", () => {
    const options = { ...DEFAULTS, interface: "no-such-device" };
    expect(["ENODEV", "EPERM"]).toContain(
      nameOf(acceptor().handle.listenTcp("127.0.0.1", 0, 1, true, options)),
    );
    expect(["ENODEV", "EPERM"]).toContain(nameOf(stream().handle.connectTcp("127.0.0.1", 1, options)));
  });
});

describe("acceptors", () => {
  it("read an option back", () => {
    const { handle } = acceptor();
    expect(nameOf(handle.getSocketOption(SOL_SOCKET, SO_ACCEPTCONN))).toBe("EBADF");
    expect(handle.listenTcp("127.0.0.1", 0, 10, true, DEFAULTS)).toBe(0);
    if (linux) expect(handle.getSocketOption(SOL_SOCKET, SO_ACCEPTCONN)).toBe(1);
    expect(handle.getSocketOption(SOL_SOCKET, 9999)).toBeLessThan(0);
  });

  it("leave a descriptor open that they cannot listen on (R25)", () => {
    const file = openSync("/dev/null", "r");
    onTestFinished(() => closeSync(file));
    for (const tcp of [true, false]) {
      const { handle } = acceptor();
      expect(nameOf(handle.listenDescriptor(file, tcp, DEFAULTS))).toBe("EINVAL");
      expect(nameOf(handle.listenDescriptor(-1, tcp, DEFAULTS))).toBe("EINVAL");
      expect(handle.localAddress()).toBe("");
      handle.close();
    }
    expect(fstatSync(file).isCharacterDevice()).toBe(true);
  });

  const misuse: [string, unknown[]][] = [
    ["listenDescriptor", []],
    ["listenDescriptor", ["3", true, {}]],
    ["listenDescriptor", [3, "tcp", {}]],
    ["getSocketOption", ["1", 2]],
    ["getSocketOption", [1]],
  ];
  it.each(misuse)("%s(%j) throws TypeError", (name, args) => {
    expect(() => (acceptor().handle as unknown as Loose)[name](...args)).toThrow(TypeError);
  });

  it("listen once, and have an owner", () => {
    const { handle } = acceptor();
    expect(handle.listenTcp("127.0.0.1", 0, 10, true, DEFAULTS)).toBe(0);
    expect(() => handle.listenDescriptor(0, true, DEFAULTS)).toThrow(TypeError);
    expect(() => new native.Acceptor(binding).listenDescriptor(0, true, DEFAULTS)).toThrow(TypeError);
  });
});
