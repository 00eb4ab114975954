/**
 * The monitor socket: what other processes read of the sockets of this one, by zwire's Subscriber, zeromq.js and pyzmq.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import * as zmq from "zeromq";
import { listedSockets } from "../../src/core/roster.js";
import {
  context,
  curveKeyPair,
  Dealer,
  type MonitorEvent,
  type MonitorOptions,
  type MonitorSnapshot,
  openMonitor,
  Pair,
  Pull,
  Push,
  Router,
  Subscriber,
} from "../../src/index.js";
import { foreign } from "../support/foreign.js";
import { managed, record, temporaryDirectory, until, within } from "../support/helpers.js";
import { findPython } from "../support/python.js";
import { RawWebSocket } from "../support/raw-websocket.js";

/** So long that no snapshot comes by the clock. */
const NEVER = 3_600_000;

async function monitored(options: MonitorOptions = { interval: NEVER }, endpoint = "tcp://127.0.0.1:*") {
  const monitor = await openMonitor(endpoint, options);
  onTestFinished(() => monitor.close());
  return monitor;
}

/** A Subscriber of some topics in a process that is this one: it is on the list of sockets itself. */
function subscriber(endpoint: string, ...topics: string[]): Subscriber {
  const socket = managed(new Subscriber({ receiveTimeout: 20_000 }));
  socket.subscribe(...topics);
  socket.connect(endpoint);
  return socket;
}

async function next<T>(socket: Subscriber, topic: string): Promise<T> {
  for (;;) {
    const [name, value] = await socket.receive();
    if (String(name) === topic) return JSON.parse(String(value)) as T;
  }
}

describe("openMonitor", () => {
  it("gives a new subscriber a snapshot of all sockets at once", async () => {
    const [push, pull] = [managed(new Push()), managed(new Pull())];
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    push.connect(endpoint);
    await push.sendMany(["1", "2"]);
    await pull.receive();
    const monitor = await monitored();
    const picture = await next<MonitorSnapshot>(subscriber(monitor.endpoint, "snapshot"), "snapshot");
    expect(picture).toMatchObject({ version: 1, interval: NEVER, program: { pid: process.pid, thread: 0 } });
    expect(Math.abs(picture.time - Date.now())).toBeLessThan(60_000);
    const of = (type: string) => picture.sockets.filter((one) => one.type === type);
    expect(of("PULL")).toMatchObject([
      {
        bound: [endpoint],
        connected: [],
        stats: { messagesReceived: 1, peers: 1 },
        events: { bind: 1, accept: 1, handshake: 1 },
        peers: [{ socketType: "PUSH", endpoint }],
        peersLeftOut: 0,
      },
    ]);
    expect(of("PUSH")).toMatchObject([
      {
        connected: [endpoint],
        stats: { messagesSent: 2 },
        peers: [{ address: endpoint, socketType: "PULL" }],
      },
    ]);
    expect(of("XPUB")).toEqual([]);
  });

  it("each later subscriber, too, though the interval is long", async () => {
    const { endpoint } = await monitored();
    for (let i = 0; i < 3; i++) {
      const picture = await next<MonitorSnapshot>(subscriber(endpoint, "snapshot"), "snapshot");
      expect(picture.sockets.filter(({ type }) => type === "SUB")).toHaveLength(i + 1);
    }
  });

  it("publishes a snapshot every interval, with counters that go on", async () => {
    const [a, b] = [managed(new Pair()), managed(new Pair())];
    b.connect(await a.bind("inproc://monitored-pair"));
    const { endpoint } = await monitored({ interval: 10 });
    const reader = subscriber(endpoint, "snapshot");
    const first = await next<MonitorSnapshot>(reader, "snapshot");
    await b.send("1");
    const sent = ({ sockets }: MonitorSnapshot) =>
      sockets.find(({ connected }) => connected.includes("inproc://monitored-pair"))?.stats.messagesSent;
    let later = first;
    while (sent(later) !== 1) later = await next<MonitorSnapshot>(reader, "snapshot");
    expect(sent(first)).toBe(0);
    expect(later.clock).toBeGreaterThan(first.clock);
  });

  it("publishes events by topic, without what may be secret", async () => {
    const { endpoint } = await monitored();
    const reader = subscriber(endpoint, "snapshot", "event.handshake", "event.disconnect");
    await next(reader, "snapshot");
    const [dealer, router] = [managed(new Dealer({ routingId: "my-name" })), managed(new Router())];
    const bound = await router.bind("tcp://127.0.0.1:*");
    dealer.connect(bound);
    await Promise.all([dealer.connected(), router.connected()]);
    const shaken = [];
    for (let i = 0; i < 2; i++) shaken.push(await next<MonitorEvent>(reader, "event.handshake"));
    const { id } = router.peers[0];
    expect(shaken.map(({ socketType }) => socketType).sort()).toEqual(["DEALER", "ROUTER"]);
    expect(shaken.find(({ socketType }) => socketType === "ROUTER")).toMatchObject({
      version: 1,
      type: "handshake",
      endpoint: bound,
      peer: { id, socketType: "DEALER" },
    });
    expect(JSON.stringify(shaken)).not.toContain("my-name");
    await dealer.close();
    expect(await next(reader, "event.disconnect")).toMatchObject({ socketType: "ROUTER", peer: { id } });
  });

  it("leaves the peers of very large snapshots out, and says how many", async () => {
    const pull = managed(new Pull());
    const bound = await pull.bind("tcp://127.0.0.1:*");
    for (let i = 0; i < 5; i++) managed(new Push()).connect(bound);
    await within(pull.connected({ count: 5 }), "connected");
    const { endpoint } = await monitored({ interval: NEVER, maxPeers: 2 });
    const { sockets } = await next<MonitorSnapshot>(subscriber(endpoint, "snapshot"), "snapshot");
    expect(sockets.reduce((all, { peers }) => all + peers.length, 0)).toBe(2);
    expect(sockets[0]).toMatchObject({ type: "PULL", peersLeftOut: 3 });
  });

  it("does nothing while nobody subscribes, and is on no list", async () => {
    const before = [...listedSockets()].length;
    const pull = managed(new Pull());
    let asked = 0;
    const listed = [...listedSockets()].at(-1);
    const core = listed?.core;
    Object.defineProperty(listed, "core", {
      get: () => {
        asked++;
        return core;
      },
    });
    const { endpoint } = await monitored({ interval: 10 });
    await new Promise((resolve) => setTimeout(resolve, 50)); // by the clock: five intervals, in which nothing is to happen
    expect(asked).toBe(0);
    expect([...listedSockets()]).toHaveLength(before + 1);
    await next(subscriber(endpoint, "snapshot"), "snapshot");
    expect(asked).toBeGreaterThan(0); // it would have been seen
    await pull.close();
  });

  it("close() frees the endpoint and its place, and may be called again", async () => {
    const sockets = context.sockets;
    const endpoint = `ipc://${join(temporaryDirectory(), "monitor")}`;
    for (let i = 0; i < 2; i++) {
      const monitor = await openMonitor(endpoint);
      expect(monitor.endpoint).toBe(endpoint);
      await Promise.all([monitor.close(), monitor.close()]);
    }
    expect(context.sockets).toBe(sockets);
  });

  it("refuses an endpoint that other machines reach, unless it is protected or that is wanted", async () => {
    const sockets = context.sockets;
    for (const endpoint of [
      "tcp://0.0.0.0:*",
      "tcp://*:*",
      "tcp://[::]:*",
      "tcp://127.0.0.1.example.org:5555",
    ]) {
      await expect(openMonitor(endpoint)).rejects.toMatchObject({ code: "EACCES", address: endpoint });
    }
    expect(context.sockets).toBe(sockets);
    await monitored({ allowRemote: true }, "tcp://0.0.0.0:*");
    const { secretKey } = curveKeyPair();
    await monitored({ curveServer: true, curveSecretKey: secretKey }, "tcp://0.0.0.0:*");
  });

  it("over ws: pages of no site read it, except those that it is for; programs do", async () => {
    const answer = async (options: MonitorOptions, Origin: string | null) => {
      const { endpoint } = await monitored({ interval: NEVER, ...options }, "ws://127.0.0.1:*");
      return (await RawWebSocket.ask(endpoint, { headers: { Origin } })).head.slice(9, 12);
    };
    const site = "https://example.com";
    for (const origin of [site, "null", "http://127.0.0.1:80"]) expect(await answer({}, origin)).toBe("403");
    expect(await answer({}, null)).toBe("101");
    expect(await answer({ allowedOrigins: [site] }, site)).toBe("101");
    expect(await answer({ allowedOrigins: [site] }, "https://evil.example")).toBe("403");
    expect(await answer({ allowedOrigins: null }, site)).toBe("101");
    const { endpoint } = await monitored({ interval: NEVER }, "ws://127.0.0.1:*");
    await next(subscriber(endpoint, "snapshot"), "snapshot");
  });

  it("refuses wrong options, and leaves no socket behind", async () => {
    const sockets = context.sockets;
    const opened = (options: object) => openMonitor("tcp://127.0.0.1:*", options);
    await expect(opened({ interval: 9 })).rejects.toThrow(
      "interval must be an integer from 10 to 3600000; got 9",
    );
    await expect(opened({ interval: "9" })).rejects.toThrow("interval must be a number; got string");
    await expect(opened({ maxPeers: -1 })).rejects.toThrow(RangeError);
    await expect(opened({ allowRemote: 1 })).rejects.toThrow("allowRemote must be true or false; got number");
    await expect(opened({ intervall: 10 })).rejects.toThrow('no option "intervall"');
    await expect(openMonitor(1 as unknown as string)).rejects.toThrow(
      "endpoint must be a string; got number",
    );
    await expect(openMonitor("tcp://localhost:x")).rejects.toThrow();
    expect(context.sockets).toBe(sockets);
  });

  it("does not keep the process alive", async () => {
    const program = `import { openMonitor } from "zwire"; await openMonitor("tcp://127.0.0.1:*"); console.log("open");`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      cwd: join(import.meta.dirname, "../.."),
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [[code]] = await within(Promise.all([once(child, "exit"), once(child.stdout, "data")]), "the end");
    expect(code).toBe(0);
  });
});

describe("readers of other libraries", () => {
  it("zeromq.js reads a monitor under CURVE, and nobody without a key does", async () => {
    const [server, client] = [curveKeyPair(), zmq.curveKeyPair()];
    const { endpoint } = await monitored({
      interval: NEVER,
      curveServer: true,
      curveSecretKey: server.secretKey,
      curvePublicKey: server.publicKey,
    });
    const theirs = foreign(
      new zmq.Subscriber({
        curveServerKey: server.publicKey,
        curvePublicKey: client.publicKey,
        curveSecretKey: client.secretKey,
        receiveTimeout: 20_000,
      }),
    );
    theirs.subscribe("snapshot");
    theirs.connect(endpoint);
    const [topic, value] = await theirs.receive();
    expect([String(topic), JSON.parse(String(value)).version]).toEqual(["snapshot", 1]);
    const stranger = managed(new Subscriber());
    const seen = record(stranger);
    stranger.subscribe("");
    stranger.connect(endpoint);
    await until(() => seen.of("handshake:error:").length > 0, "refused");
    expect(stranger.peers).toEqual([]);
  });

  const python = findPython();
  it.skipIf(python.command === null)(`pyzmq reads snapshots and events (${python.reason})`, async () => {
    const { endpoint } = await monitored();
    const program = `
import json, sys, zmq
sub = zmq.Context().socket(zmq.SUB)
sub.setsockopt(zmq.RCVTIMEO, 20000)
sub.subscribe("")
sub.connect(sys.argv[1])
topic, value = sub.recv_multipart()
picture = json.loads(value)
print(topic.decode(), picture["version"], [s["type"] for s in picture["sockets"]], flush=True)
topic, value = sub.recv_multipart()
event = json.loads(value)
print(topic.decode(), event["socketType"], event["address"], flush=True)`;
    const pull = managed(new Pull());
    const child = spawn(python.command as string, ["-c", program, endpoint], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    await within(once(child.stdout, "data"), "the snapshot");
    const bound = await pull.bind("inproc://seen-by-python");
    await within(once(child, "close"), "the end");
    expect(text).toBe(`snapshot 1 ['PULL']\nevent.bind PULL ${bound}\n`);
  });
});
