/** CURVE keys that are revoked: their connections end at once, and no other begins, whoever is at the other end. */
import { spawn } from "node:child_process";
import { describe, expect, it, onTestFinished } from "vitest";
import * as libzmq from "zeromq";
import { coreOf } from "../../src/api/socket.js";
import * as zwire from "../../src/index.js";
import { gate, managed, record, TRANSPORTS, texts, turns, until } from "../support/helpers.js";
import {
  CLIENT,
  CURVE_CLIENT,
  CURVE_SERVER,
  expectRefused,
  expectTalk,
  meet,
  SERVER,
  SOON,
} from "../support/met.js";
import { findPython } from "../support/python.js";

const WIRES = TRANSPORTS.filter(({ name }) => name !== "inproc");
const OTHER = zwire.curveKeyPair();
const OTHER_CLIENT = { curveServerKey: SERVER.publicKey, curveSecretKey: OTHER.secretKey };

const python = findPython();
/** Says hello, and waits until it is refused. */
const PYTHON_CLIENT = `
import sys, zmq
from zmq.utils.monitor import recv_monitor_message
endpoint, server, public, secret = sys.argv[1:]
dealer = zmq.Context().socket(zmq.DEALER)
dealer.setsockopt(zmq.RECONNECT_IVL, 20)
dealer.setsockopt(zmq.LINGER, 0)
dealer.curve_serverkey, dealer.curve_publickey, dealer.curve_secretkey = (key.encode() for key in (server, public, secret))
monitor = dealer.get_monitor_socket(zmq.EVENT_HANDSHAKE_FAILED_AUTH)
dealer.connect(endpoint)
dealer.send(b"hello")
print("refused:", recv_monitor_message(monitor)["value"], flush=True)
`;

/** An authenticator that tells when it is asked, and answers when it is told. */
function asking() {
  const [asked, answer] = [gate(), gate<boolean>()];
  const authenticate = (): Promise<boolean> => {
    asked.open();
    return answer.opened;
  };
  return { asked, answer, authenticate };
}

/** A DEALER of libzmq that dials as the client. */
function theirClient(endpoint: string, keys = CLIENT): libzmq.Dealer {
  const dealer = new libzmq.Dealer({
    curveServerKey: SERVER.publicKey,
    curvePublicKey: keys.publicKey,
    curveSecretKey: keys.secretKey,
    reconnectInterval: 20,
    linger: 0,
  });
  onTestFinished(() => dealer.close());
  dealer.connect(endpoint);
  return dealer;
}

describe("a peer has its key", () => {
  it("on both sides, in events and in peers", async () => {
    const met = await meet(CURVE_SERVER, CURVE_CLIENT);
    const { peer } = await met.events.next("handshake");
    expect(peer).toHaveProperty("publicKey", zwire.z85Decode(CLIENT.publicKey));
    await expectTalk(met);
    expect(met.server.peers[0].publicKey).toEqual(zwire.z85Decode(CLIENT.publicKey));
    expect(met.client.peers[0].publicKey).toEqual(zwire.z85Decode(SERVER.publicKey));
  });

  it("and has none without CURVE", async () => {
    const met = await meet({}, {});
    expect(await expectTalk(met)).not.toHaveProperty("publicKey");
  });
});

describe("revokeKey()", () => {
  it.each(WIRES)("ends the connection, lets no other in, and others stay: $name", async ({ endpoint }) => {
    const met = await meet(CURVE_SERVER, CURVE_CLIENT, endpoint());
    const other = managed(new zwire.Dealer(OTHER_CLIENT));
    await expectTalk(met);
    other.connect(met.endpoint);
    await met.server.connected({ count: 2, ...SOON });
    expect(met.server.revokeKey(CLIENT.publicKey)).toBe(1);
    const { reason, peer } = (await met.events.next(
      "disconnect",
    )) as unknown as zwire.SocketEvents["disconnect"];
    expect([reason, peer.publicKey]).toEqual(["revokeKey", zwire.z85Decode(CLIENT.publicKey)]);
    expect(met.server.peers.map(({ publicKey }) => publicKey)).toEqual([zwire.z85Decode(OTHER.publicKey)]);
    const { error } = await met.events.next("handshake:error:auth");
    expect(error).toMatchObject({
      code: "authentication-denied",
      message: expect.stringContaining("revoked"),
    });
    expect((await met.clientEvents.next("handshake:error:auth")).error).toMatchObject({
      code: "authentication-refused",
    });
    await other.send("still here", SOON);
    expect(texts((await met.server.receive(SOON)).slice(1))).toEqual(["still here"]);
  });

  it("what had arrived stays readable, and what waits for it is dropped and counted", async () => {
    const met = await meet({ ...CURVE_SERVER, mandatory: true }, CURVE_CLIENT);
    await met.client.sendMany(["1", "2"], SOON);
    await until(() => met.server.stats.receiveQueue === 2, "two messages");
    const [id] = await met.server.receive(SOON);
    // The client does not read: what the kernels do not hold waits here.
    const large = Buffer.alloc(1 << 20);
    while (met.server.stats.outboundQueue < 3) {
      if (!met.server.trySend([id, large])) break;
      await turns(2);
    }
    const waiting = met.server.stats.outboundQueue;
    expect(waiting).toBeGreaterThan(0);
    expect(met.server.revokeKey(zwire.z85Decode(CLIENT.publicKey))).toBe(1);
    // Less what kernels have taken meanwhile.
    expect(met.server.stats.droppedUnsent).toBeGreaterThan(0);
    expect(met.server.stats.droppedUnsent).toBeLessThanOrEqual(waiting);
    expect(met.server.stats).toMatchObject({ outboundQueue: 0, unsentBytes: 0 });
    expect(texts((await met.server.receive(SOON)).slice(1))).toEqual(["2"]);
    await expect(met.server.send([id, "x"], SOON)).rejects.toMatchObject({ code: "EHOSTUNREACH" });
  });

  it("of libzmq's client: it is out at once and stays out, until the key is allowed again", async () => {
    const router = managed(new zwire.Router(CURVE_SERVER));
    const events = record(router);
    const endpoint = await router.bind("tcp://127.0.0.1:*");
    const dealer = theirClient(endpoint);
    await dealer.send("hello");
    expect(texts((await router.receive(SOON)).slice(1))).toEqual(["hello"]);
    expect(router.revokeKey(CLIENT.publicKey)).toBe(1);
    expect(await events.next("disconnect")).toHaveProperty("reason", "revokeKey");
    await events.next("handshake:error:auth");
    expect(router.peers).toEqual([]);
    expect(router.allowKey(CLIENT.publicKey)).toBe(true);
    expect(router.allowKey(CLIENT.publicKey)).toBe(false);
    const again = theirClient(endpoint);
    await again.send("again");
    expect(texts((await router.receive(SOON)).slice(1)).at(-1)).toMatch(/again/);
  });

  it.skipIf(python.command === null)("of pyzmq's client: it is told 400", async () => {
    const router = managed(new zwire.Router(CURVE_SERVER));
    const endpoint = await router.bind("tcp://127.0.0.1:*");
    const words = ["-c", PYTHON_CLIENT, endpoint, SERVER.publicKey, CLIENT.publicKey, CLIENT.secretKey];
    const client = spawn(python.command as string, words, { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void client.kill());
    let said = "";
    client.stdout.on("data", (text) => {
      said += text;
    });
    expect(texts((await router.receive(SOON)).slice(1))).toEqual(["hello"]);
    expect(router.revokeKey(CLIENT.publicKey)).toBe(1);
    await until(() => said.includes("\n"), "what pyzmq was told");
    expect(said).toBe("refused: 400\n");
    expect(router.peers).toEqual([]);
  });

  it("of a server on a client: the connection ends, and it is not let in again", async () => {
    const met = await meet(CURVE_SERVER, CURVE_CLIENT);
    await expectTalk(met);
    expect(met.client.revokeKey(SERVER.publicKey)).toBe(1);
    expect(await met.clientEvents.next("disconnect")).toHaveProperty("reason", "revokeKey");
    await until(() => met.client.peers.length === 0, "gone");
    const late = managed(new zwire.Dealer(CURVE_CLIENT));
    const events = record(late);
    late.revokeKey(SERVER.publicKey);
    late.connect(met.endpoint);
    const { error } = await events.next("handshake:error:auth");
    expect(error).toMatchObject({
      code: "authentication-denied",
      message: expect.stringContaining("revoked"),
    });
    expect(events.of("handshake")).toEqual([]);
  });

  it("in the middle of the handshake, when the authenticator has said yes or is about to", async () => {
    const { asked, answer, authenticate } = asking();
    const met = await meet({ ...CURVE_SERVER, authenticate }, CURVE_CLIENT);
    await asked.opened;
    answer.open(true);
    expect(met.server.revokeKey(CLIENT.publicKey)).toBe(0);
    expect((await expectRefused(met)).message).toContain("revoked");
    expect(met.events.of("handshake")).toEqual([]);
  });

  it("allowed again before the authenticator answers: it gets in", async () => {
    const { asked, answer, authenticate } = asking();
    const met = await meet({ ...CURVE_SERVER, authenticate }, CURVE_CLIENT);
    await asked.opened;
    met.server.revokeKey(CLIENT.publicKey);
    met.server.allowKey(CLIENT.publicKey);
    answer.open(true);
    await expectTalk(met);
  });

  it("where the server dials: it dials again, slowly, and what waits stays for the peer that is let in", async () => {
    const client = managed(new zwire.Pull(CURVE_CLIENT));
    const server = managed(new zwire.Push({ ...CURVE_SERVER, reconnectInterval: 1 }));
    const events = record(server);
    server.connect(await client.bind("tcp://127.0.0.1:*"));
    await server.send("1", SOON);
    expect(texts(await client.receive(SOON))).toEqual(["1"]);
    expect(server.revokeKey(CLIENT.publicKey)).toBe(1);
    expect(events.names.slice(-2)).toEqual(["disconnect", "connect:retry"]);
    expect(events.of("connect:retry")[0].interval).toBeGreaterThanOrEqual(1000);
    await server.send("2");
    await events.next("handshake:error:auth");
    expect(server.stats).toMatchObject({ outboundQueue: 1, droppedUnsent: 0 });
    server.allowKey(CLIENT.publicKey);
    expect(texts(await client.receive(SOON))).toEqual(["2"]);
  });

  it("from the event of the handshake itself", async () => {
    const router = managed(new zwire.Router(CURVE_SERVER));
    const events = record(router);
    router.once("handshake", ({ peer }) => {
      expect(router.revokeKey(peer.publicKey as Buffer)).toBe(1);
    });
    const client = managed(new zwire.Dealer(CURVE_CLIENT));
    client.connect(await router.bind("tcp://127.0.0.1:*"));
    await events.next("handshake:error:auth");
    expect(events.names.filter((name) => /^(handshake|disconnect)/.test(name))).toEqual([
      "handshake",
      "disconnect",
      "handshake:error:auth",
    ]);
    expect(router.peers).toEqual([]);
  });

  it("for all sockets of a context, also those that are made later", async () => {
    const context = new zwire.Context();
    const first = managed(new zwire.Pull({ ...CURVE_SERVER, context }));
    const second = managed(new zwire.Pull({ ...CURVE_SERVER, context }));
    const apart = managed(new zwire.Pull(CURVE_SERVER));
    for (const pull of [first, second, apart]) {
      const push = managed(new zwire.Push({ ...CURVE_CLIENT, linger: 0 }));
      push.connect(await pull.bind("tcp://127.0.0.1:*"));
      await push.connected(SOON);
      await pull.connected(SOON);
    }
    expect(context.revokeKey(CLIENT.publicKey)).toBe(2);
    expect([first, second, apart].map(({ peers }) => peers.length)).toEqual([0, 0, 1]);
    const late = managed(new zwire.Pull({ ...CURVE_SERVER, context }));
    const events = record(late);
    const push = managed(new zwire.Push({ ...CURVE_CLIENT, linger: 0 }));
    push.connect(await late.bind("tcp://127.0.0.1:*"));
    await events.next("handshake:error:auth");
    expect(context.allowKey(CLIENT.publicKey)).toBe(true);
    const again = managed(new zwire.Push(CURVE_CLIENT));
    again.connect(late.lastEndpoint as string);
    await again.send("in", SOON);
    expect(texts(await late.receive(SOON))).toEqual(["in"]);
  });

  it("refuses what is no key, and a closed socket", async () => {
    const pull = managed(new zwire.Pull(CURVE_SERVER));
    expect(() => pull.revokeKey("short")).toThrow(RangeError);
    expect(() => pull.revokeKey(undefined as never)).toThrow(
      new TypeError("publicKey must be a string or Uint8Array; got undefined"),
    );
    expect(() => zwire.context.allowKey(Buffer.alloc(3))).toThrow(RangeError);
    await pull.close();
    expect(() => pull.revokeKey(CLIENT.publicKey)).toThrow(expect.objectContaining({ code: "EBADF" }));
    expect(() => pull.allowKey(CLIENT.publicKey)).toThrow(expect.objectContaining({ code: "EBADF" }));
  });
});

describe("a check of keys that changes its mind", () => {
  it("ends the connections whose key does not pass any more", async () => {
    const met = await meet(CURVE_SERVER, CURVE_CLIENT);
    await expectTalk(met);
    const core = coreOf(met.server);
    let known = true;
    const forget = core.keys.add(
      (key) => known || !Buffer.from(key).equals(zwire.z85Decode(CLIENT.publicKey)),
    );
    expect(core.recheckKeys()).toBe(0);
    known = false;
    expect(core.recheckKeys()).toBe(1);
    await met.events.next("handshake:error:auth");
    forget();
    const again = managed(new zwire.Dealer(CURVE_CLIENT));
    again.connect(met.endpoint);
    await again.send("in", SOON);
    expect(texts((await met.server.receive(SOON)).slice(1))).toEqual(["in"]);
  });
});
