/**
 * Section G for every socket type: directions of binding, the same endpoint connected twice, and what a send does before
 * there is a peer (G1, G10, G15, G16). The rules themselves are in common.test.ts.
 */
import { describe, expect, it } from "vitest";
import { Server } from "../../src/draft.js";
import { XPublisher } from "../../src/index.js";
import {
  managed,
  rawConnected,
  rawListen,
  settled,
  TRANSPORTS,
  turns,
  until,
  within,
} from "../support/helpers.js";
import { message } from "../support/raw-peer.js";
import { ALL_TYPES, type AnySocket, CONNECTED_TYPES, TYPE_NAMES } from "../support/types.js";

const PARTNERED = TYPE_NAMES.filter((type) => ALL_TYPES[type].partner !== "");
/** Types whose first message needs neither a subscription, a name nor a request. */
const PLAIN = PARTNERED.filter((type) => ALL_TYPES[type].waits && type !== "REQ");

function last(parts: unknown[]): string {
  const octets = parts.findLast((part) => Buffer.isBuffer(part)) as Buffer;
  return octets.toString();
}

describe.each(TRANSPORTS)("every type over $name", ({ name, endpoint, absent }) => {
  it.each(PARTNERED)("%s binds and its partner connects, and the other way round (G1)", async (type) => {
    const { make, partner } = ALL_TYPES[type];
    for (const binds of [true, false]) {
      const [own, other] = [managed(make()), managed(ALL_TYPES[partner].make())];
      if (binds) other.connect(await own.bind(endpoint()));
      else own.connect(await other.bind(endpoint()));
      await Promise.all([own.connected({ timeout: 20_000 }), other.connected({ timeout: 20_000 })]);
      expect(own.peers.map((peer) => peer.socketType)).toEqual([partner]);
      expect(other.peers.map((peer) => peer.socketType)).toEqual([type]);
    }
  });

  it.each(PARTNERED.filter((type) => type !== "PAIR" && type !== "CHANNEL"))(
    "%s binds twice and connects once, all at the same time (G1)",
    async (type) => {
      const { make, partner } = ALL_TYPES[type];
      const own = managed(make());
      const others = [0, 1, 2].map(() => managed(ALL_TYPES[partner].make()));
      others[0].connect(await own.bind(endpoint()));
      others[1].connect(await own.bind(endpoint()));
      own.connect(await others[2].bind(endpoint()));
      await own.connected({ count: 3, timeout: 20_000 });
      for (const other of others) await other.connected({ timeout: 20_000 });
    },
  );

  it.each(PLAIN)(
    "%s with bind() only waits for a peer; with connect() it takes messages at once (G16)",
    async (type) => {
      const { make, partner } = ALL_TYPES[type];
      const bound = managed(make());
      const actual = await bound.bind(endpoint());
      expect(bound.trySend("x")).toBe(false);
      await expect(bound.send("x", { timeout: 0 })).rejects.toMatchObject({ code: "EAGAIN" });
      const waiting = bound.send("waited");
      expect(await settled(waiting)).toBe(false);
      const peer = managed(ALL_TYPES[partner].make());
      peer.connect(actual);
      await within(waiting, "the send goes on");
      expect(last(await peer.receive({ timeout: 20_000 }))).toBe("waited");

      const dialled = managed(make({ sendHighWaterMark: 7 }));
      dialled.connect(await absent());
      let taken = 0;
      while (dialled.trySend(`${taken}`)) taken++;
      expect(taken).toBe(7);
    },
  );

  it.each(
    PLAIN.filter(
      (type) => ALL_TYPES[ALL_TYPES[type].partner].receives && type !== "PAIR" && type !== "CHANNEL",
    ),
  )("what several %s send is taken in turn (G10)", async (type) => {
    const { make, partner } = ALL_TYPES[type];
    const receiver = managed(ALL_TYPES[partner].make());
    const actual = await receiver.bind(endpoint());
    const [busy, quiet] = [managed(make()), managed(make())];
    for (const socket of [busy, quiet]) socket.connect(actual);
    await receiver.connected({ count: 2, timeout: 20_000 });
    for (let i = 0; i < 300; i++) await busy.send("busy");
    for (let i = 0; i < 5; i++) await quiet.send("quiet");
    await until(() => receiver.stats.receiveQueue === 305, "all are here");
    const first: string[] = [];
    for (let i = 0; i < 15; i++) first.push(last(await receiver.receive()));
    expect(first.filter((text) => text === "quiet")).toHaveLength(5);
  });

  if (name === "inproc") return;

  it.each(CONNECTED_TYPES)(
    "%s connected twice to one endpoint has the right number of connections (G15)",
    async (type) => {
      const { make, partner, single } = ALL_TYPES[type];
      const listener = await rawListen(name === "ipc" ? await absent() : undefined);
      // Without redials: PAIR and CHANNEL turn the second away.
      const socket = managed(make({ reconnectInterval: -1 }));
      socket.connect(listener.endpoint);
      socket.connect(listener.endpoint);
      for (let i = 0; i < (single ? 1 : 2); i++) {
        const peer = await listener.accept();
        if (partner !== "") await peer.handshake({ type: partner });
      }
      await socket.connected({ timeout: 20_000 });
      await turns(50);
      expect(listener.accepted).toBe(single ? 1 : 2);
      socket.disconnect(listener.endpoint);
      if (single) {
        expect(() => socket.disconnect(listener.endpoint)).toThrow(
          expect.objectContaining({ code: "ENOENT" }),
        );
      }
    },
  );
});

describe("every type", () => {
  it.each([
    ["PUB", undefined],
    ["XPUB", undefined],
    ["XSUB", undefined],
    ["RADIO", undefined],
    ["ROUTER", undefined],
    ["REP", "EFSM"],
    ["REQ", "EAGAIN"],
    ["SERVER", "EHOSTUNREACH"],
    ["PEER", "EHOSTUNREACH"],
    ["STREAM", "EHOSTUNREACH"],
  ] as const)("%s with no peer never waits, or says why it fails: %s (G16)", async (type, code) => {
    const { make, to } = ALL_TYPES[type];
    const socket: AnySocket = managed(make());
    await socket.bind("tcp://127.0.0.1:*");
    const send = socket.send(type === "ROUTER" || type === "STREAM" ? ["id", "x"] : "x", {
      ...to,
      timeout: 0,
    });
    if (code === undefined) await send;
    else await expect(send).rejects.toMatchObject({ name: "ZmqError", code });
  });

  it("XPUB and SERVER take what raw peers send in turn (G10)", async () => {
    for (const [socket, type, body] of [
      [managed(new XPublisher()), "XSUB", "data"],
      [managed(new Server()), "CLIENT", "data"],
    ] as const) {
      const endpoint = await socket.bind("tcp://127.0.0.1:*");
      const [busy, quiet] = [await rawConnected(endpoint, { type }), await rawConnected(endpoint, { type })];
      for (let i = 0; i < 300; i++) busy.write(message(`${body} busy`));
      for (let i = 0; i < 5; i++) quiet.write(message(`${body} quiet`));
      await until(() => socket.stats.receiveQueue === 305, "all are here");
      const first: string[] = [];
      for (let i = 0; i < 15; i++) first.push(String((await socket.receive())[0]));
      expect(first.filter((text) => text.endsWith("quiet"))).toHaveLength(5);
    }
  });
});
