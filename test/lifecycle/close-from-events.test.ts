/** close() from a listener of every event of a connection: the socket closes, and nothing else happens to anybody. */
import { describe, expect, it } from "vitest";
import { type EventType, Pull, Push } from "../../src/index.js";
import { managed, rawConnected, rawDial, rawListen, within } from "../support/helpers.js";
import { message, type RawPeer } from "../support/raw-peer.js";

const LINGERS = [0, 100];
const OPTIONS = { reconnectInterval: 5, handshakeInterval: 2000 };

/** Closes the socket when the event comes; resolves when it is closed. */
function closingAt(socket: Push | Pull, type: EventType | "message", linger: number): Promise<void> {
  return within(
    new Promise((resolve, reject) => {
      (socket as Pull).on(type as "message", () => {
        expect(socket.close({ linger })).toBe(socket.close());
        socket.close().then(resolve, reject);
      });
    }),
    `close() in "${type}"`,
  );
}

/** What a peer does after it has connected, so that each event comes. */
type Peer = (peer: RawPeer) => unknown;
const well: (type: string) => Peer = (type) => async (peer) => {
  await peer.handshake({ type });
  peer.write(message("one"), message("two"));
};
const leaves: (type: string) => Peer = (type) => async (peer) => {
  await peer.handshake({ type });
  peer.close();
};
const garbage: Peer = (peer) => peer.write(Buffer.alloc(100, 0x42));
const leavesEarly: Peer = (peer) => peer.close();

describe.each(LINGERS)("with a linger of %i ms, of a socket that dials", (linger) => {
  it.each<[EventType | "message", Peer]>([
    ["connect:delay", well("PUSH")],
    ["connect", well("PUSH")],
    ["handshake", well("PUSH")],
    ["message", well("PUSH")],
    ["disconnect", leaves("PUSH")],
    ["connect:retry", leaves("PUSH")],
    ["handshake:error:protocol", garbage],
    ["handshake:error:other", leavesEarly],
    ["close", leaves("PUSH")],
  ])("from %s", async (type, act) => {
    const listener = await rawListen();
    const pull = managed(new Pull({ ...OPTIONS, reconnectInterval: type === "close" ? 0 : 5 }));
    const closed = closingAt(pull, type, linger);
    void listener
      .accept()
      .then(act)
      .catch(() => {});
    pull.connect(listener.endpoint);
    await closed;
    expect([pull.closed, pull.peers]).toEqual([true, []]);
  });

  it.each<[EventType, boolean]>([
    ["handshake", true],
    ["disconnect", true],
    ["connect:retry", false],
  ])("from %s, with messages that wait", async (type, connected) => {
    const listener = connected ? await rawListen() : undefined;
    const push = managed(new Push(OPTIONS));
    const closed = closingAt(push, type, linger);
    void listener
      ?.accept()
      .then(leaves("PULL"))
      .catch(() => {});
    push.connect(listener?.endpoint ?? "tcp://127.0.0.1:1");
    const sent = Promise.allSettled([
      push.send("one"),
      push.send(Buffer.alloc(3_000_000)),
      push.send("three"),
    ]);
    await closed;
    await sent;
    expect(push.stats.outboundQueue).toBe(0);
  });
});

describe.each(LINGERS)("with a linger of %i ms, of a socket that is bound", (linger) => {
  it.each<[EventType | "message", Peer]>([
    ["accept", well("PUSH")],
    ["handshake", well("PUSH")],
    ["message", well("PUSH")],
    ["disconnect", leaves("PUSH")],
    ["handshake:error:protocol", garbage],
    ["handshake:error:other", leavesEarly],
  ])("from %s", async (type, act) => {
    const pull = managed(new Pull(OPTIONS));
    const closed = closingAt(pull, type, linger);
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    const peer = await rawDial(endpoint);
    void Promise.resolve(act(peer)).catch(() => {});
    await closed;
    expect([pull.closed, pull.peers]).toEqual([true, []]);
  });

  it("from limit", async () => {
    const pull = managed(new Pull({ ...OPTIONS, maxConnections: 1 }));
    const closed = closingAt(pull, "limit", linger);
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    await rawConnected(endpoint, { type: "PUSH" });
    await rawDial(endpoint);
    await closed;
    expect(pull.peers).toEqual([]);
  });
});
