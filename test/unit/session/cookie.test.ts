/** The one clock of a CURVE handshake: how long a server's cookie lives (P4). */
import { afterEach, describe, expect, it, vi } from "vitest";
import { systemRuntime } from "../../../src/base/runtime.js";
import { defaultOptions } from "../../../src/options/values.js";
import { loadCrypto } from "../../../src/security/crypto/crypto.js";
import type { SessionEnd, SessionOwner } from "../../../src/session/owner.js";
import { Session } from "../../../src/session/session.js";
import type { Stream, StreamHandler } from "../../../src/transport/contract/transport.js";
import { Handshake } from "../../../src/wire/zmtp/handshake.js";
import { CLIENT_SECURITY, SERVER_SECURITY } from "../../vectors/curve.js";

const { curve } = await loadCrypto();

afterEach(() => {
  vi.useRealTimers();
});

/** A client's handshake up to INITIATE, which waits for `afterMs`. */
async function initiateAfter(afterMs: number, handshakeInterval: number): Promise<SessionEnd | "ready"> {
  vi.useFakeTimers();
  const written: Buffer[] = [];
  let handler: StreamHandler | undefined;
  const stream = {
    start: (given: StreamHandler) => (handler = given),
    write: (segments: Uint8Array[]) => {
      written.push(...segments.map((each) => Buffer.from(each)));
      return 0;
    },
    close: () => {},
  } as unknown as Stream;
  let end: SessionEnd | "ready" | undefined;
  const owner = {
    runtime: systemRuntime,
    socketType: "DEALER",
    endpoint: "tcp://127.0.0.1:1",
    nextPeerId: () => 1,
    passesKey: () => true,
    refusalOf: () => null,
    sessionReady() {
      end = "ready";
      throw new Error("as far as this test goes");
    },
    sessionEnded(_: unknown, how: SessionEnd) {
      end ??= how;
    },
  } as unknown as SessionOwner;
  const options = Object.assign(defaultOptions(), { handshakeInterval, security: SERVER_SECURITY });
  const session = new Session(owner, stream, options);
  session.start();
  const client = new Handshake({ socketType: "DEALER", security: CLIENT_SECURITY, crypto: curve });
  handler!.onBytes(client.start());
  const hello = client.receive(Buffer.concat(written.splice(0))).output!;
  handler!.onBytes(hello);
  const initiate = client.receive(Buffer.concat(written.splice(0))).output!;
  vi.advanceTimersByTime(afterMs);
  vi.advanceTimersByTime(1); // the loop reads before a deadline decides
  if (end === undefined) {
    try {
      handler!.onBytes(initiate);
    } catch (error) {
      expect((error as Error).message).toContain("as far");
    }
  }
  return end!;
}

describe("a server's cookie", () => {
  it("is good for less than a minute (P4)", async () => {
    expect(await initiateAfter(59_000, 0)).toBe("ready");
  });

  it("is dead after a minute, also where a handshake may take for ever (P4)", async () => {
    const end = await initiateAfter(60_000, 0);
    expect(end).toMatchObject({ wasReady: false, error: { code: "unexpected-command", rule: "P4" } });
  });

  it("a shorter handshakeInterval ends the connection before (A25)", async () => {
    expect(await initiateAfter(1000, 1000)).toMatchObject({ error: { code: "handshake-timeout" } });
  });
});
