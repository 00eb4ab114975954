/**
 * maxResends: a message that its receiver refuses blocks what is behind it no longer than it has to, and a receiver that
 * restarts loses nothing. What counts is in test/unit/engine/stream-pipe.test.ts.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  curveKeyPair,
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Router,
  type Socket,
  Subscriber,
} from "../../src/index.js";
import {
  freePort,
  managed,
  rawListen,
  record,
  temporaryDirectory,
  texts,
  turns,
} from "../support/helpers.js";
import { findPython } from "../support/python.js";

const SMALL = { maxMessageSize: 1_000_000 };
const FAST = { reconnectInterval: 5 };
const PATIENT = { timeout: 20_000 };
const ipc = (): string => `ipc://${temporaryDirectory()}/s`;
const keys = curveKeyPair();
const server = { security: { mechanism: "curve", server: true, ...keys } } as const;
const client = { security: { mechanism: "curve", ...keys, serverKey: keys.publicKey } } as const;

function expectGivenUp(socket: Socket, events: ReturnType<typeof record>, bytes: number, resends = 3) {
  const told = events.of("limit").map(({ limit, action, value }) => ({ limit, action, value }));
  expect(told).toEqual([{ limit: "maxResends", action: "dropped", value: bytes }]);
  expect(socket.stats.dropped).toBe(1);
  expect(events.of("disconnect")).toHaveLength(resends + 1);
}

describe("a message that can never arrive does not block those behind it: maxResends", () => {
  it.each([
    ["tcp", () => "tcp://127.0.0.1:*", {}, {}],
    ["ipc", ipc, {}, {}],
    ["ws", () => "ws://127.0.0.1:*", {}, {}],
    ["CURVE", () => "tcp://127.0.0.1:*", server, client],
  ])("above the receiver's maxMessageSize, over %s (E15)", async (_, endpoint, theirs, ours) => {
    const pull = managed(new Pull({ ...SMALL, ...theirs }));
    const push = managed(new Push({ ...FAST, ...ours }));
    const events = record(push);
    push.connect(await pull.bind(endpoint()));
    await push.connected(PATIENT);
    await push.send("before");
    await push.send(Buffer.alloc(20_000_000));
    await push.send("next");
    expect(texts(await pull.receive(PATIENT))).toEqual(["before"]);
    expect(texts(await pull.receive(PATIENT))).toEqual(["next"]);
    expectGivenUp(push, events, 20_000_000);
  });

  it.each([
    ["Dealer", new Dealer(FAST), new Router(SMALL), []],
    ["Router", new Router(FAST), new Dealer({ ...SMALL, routingId: "to" }), ["to"]],
    ["Pair", new Pair(FAST), new Pair(SMALL), []],
    ["Publisher", new Publisher(FAST), new Subscriber(SMALL), []],
  ])("of every type that dials: %s", async (_, from, to, name) => {
    managed(from);
    managed(to);
    if (to instanceof Subscriber) to.subscribe("");
    const events = record(from);
    from.connect(await to.bind(ipc()));
    await from.connected(PATIENT);
    if (from instanceof Publisher) await from.waitForSubscribers(1, PATIENT);
    await from.send([...name, Buffer.alloc(8_000_000)]);
    await from.send([...name, "next"]);
    expect((await to.receive(PATIENT)).at(-1)?.toString()).toBe("next");
    expectGivenUp(from, events, 8_000_000);
  });

  it.each([0, 1])("maxResends %i", async (maxResends) => {
    const pull = managed(new Pull(SMALL));
    const push = managed(new Push({ ...FAST, maxResends }));
    const events = record(push);
    push.connect(await pull.bind(ipc()));
    await push.connected(PATIENT);
    await push.send(["head", Buffer.alloc(8_000_000)]);
    await push.send("next");
    expect(texts(await pull.receive(PATIENT))).toEqual(["next"]);
    expectGivenUp(push, events, 8_000_004, maxResends);
  });

  const { command, reason } = findPython();
  it.skipIf(command === null)(`refused by libzmq's MAXMSGSIZE (${reason})`, async () => {
    const script = [
      "import zmq",
      "pull = zmq.Context().socket(zmq.PULL)",
      "pull.maxmsgsize = 1000000",
      "print(pull.bind_to_random_port('tcp://127.0.0.1'), flush=True)",
      "print(pull.recv().decode(), flush=True)",
      // Stays until it is killed: its end would be one more "disconnect", perhaps before its line is read here.
      "import sys; sys.stdin.read()",
    ].join("\n");
    const child = spawn(command as string, ["-c", script], { stdio: ["pipe", "pipe", "inherit"] });
    onTestFinished(() => void child.kill());
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const push = managed(new Push(FAST));
    const events = record(push);
    push.connect(`tcp://127.0.0.1:${(await lines.next()).value}`);
    await push.connected(PATIENT);
    await push.send(Buffer.alloc(20_000_000));
    await push.send("next");
    expect((await lines.next()).value).toBe("next");
    expectGivenUp(push, events, 20_000_000);
  });
});

describe("a message that is good", () => {
  it("arrives whole though its receiver restarts in its middle, time and again", async () => {
    const endpoint = await freePort();
    const push = managed(new Push({ ...FAST, maxResends: 1 }));
    const events = record(push);
    push.connect(endpoint);
    const body = Buffer.alloc(20_000_000, 7);
    await push.send(["good", body]);
    for (let restart = 1; restart <= 5; restart++) {
      const listener = await rawListen(endpoint);
      const peer = await listener.accept();
      await peer.handshake({ type: "PULL" });
      await peer.read(100_000);
      if (restart === 1) await push.send("next");
      const refused = events.of("connect:retry").length + 2; // the first tells of the connection that ended
      listener.close();
      peer.close();
      await events.next("disconnect", restart);
      expect(push.stats.outboundQueue).toBe(2);
      await events.next("connect:retry", refused);
    }
    const listener = await rawListen(endpoint);
    const peer = await listener.accept();
    await peer.handshake({ type: "PULL" });
    const [name, got] = await peer.readMessage();
    expect([name.toString(), got.equals(body)]).toEqual(["good", true]);
    expect(texts(await peer.readMessage())).toEqual(["next"]);
    await turns(5);
    expect([push.stats.dropped, events.of("limit").length]).toEqual([0, 0]);
  });

  it("arrives among many that wait together, between types that send and receive, over CURVE", async () => {
    const to = managed(new Dealer({ ...server, receiveHighWaterMark: 0 }));
    const from = managed(new Dealer({ ...client, sendHighWaterMark: 0 }));
    from.connect(await to.bind("tcp://127.0.0.1:*"));
    for (let i = 0; i < 500; i++) void from.send([`${i}`, Buffer.alloc(i % 7 === 0 ? 20_000 : 700)]);
    for (let i = 0; i < 500; i++) expect((await to.receive(PATIENT))[0].toString()).toBe(`${i}`);
  });
});
