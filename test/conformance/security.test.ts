/**
 * Security of connections as an application has it: mechanisms by their options, who is let in by `authenticate`, what
 * peers know of each other, and permissions of socket files. The handshakes themselves are tested elsewhere.
 */
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { inspect } from "node:util";
import { Worker } from "node:worker_threads";
import { beforeEach, describe, expect, it, vi } from "vitest";
import * as zwire from "../../src/index.js";
import {
  type EventRecord,
  managed,
  rawConnected,
  rawDial,
  record,
  TRANSPORTS,
  temporaryDirectory,
  texts,
  until,
  within,
} from "../support/helpers.js";

const SOON = { timeout: 10_000 };
const SERVER = zwire.curveKeyPair();
const CLIENT = zwire.curveKeyPair();
const CURVE_SERVER = { curveServer: true, curveSecretKey: SERVER.secretKey };
const CURVE_CLIENT = { curveServerKey: SERVER.publicKey, curveSecretKey: CLIENT.secretKey };
const PLAIN_CLIENT = { plainUsername: "ann", plainPassword: "pa55word" };
const WIRES = TRANSPORTS.filter(({ name }) => name !== "inproc");

interface Met {
  readonly server: zwire.Router;
  readonly client: zwire.Dealer;
  readonly endpoint: string;
  readonly events: EventRecord;
  readonly clientEvents: EventRecord;
}

/** A server that is bound, and a client that dials it, slowly where it is not let in. */
async function meet(
  server: zwire.RouterOptions,
  client: zwire.DealerOptions,
  at = "tcp://127.0.0.1:*",
): Promise<Met> {
  const router = managed(new zwire.Router(server));
  const dealer = managed(new zwire.Dealer({ reconnectInterval: 20, ...client }));
  const [events, clientEvents] = [record(router), record(dealer)];
  const endpoint = await router.bind(at);
  dealer.connect(endpoint);
  return { server: router, client: dealer, endpoint, events, clientEvents };
}

/** Both ways, several parts, one of them large. */
async function expectTalk({ server, client }: Met): Promise<zwire.Peer> {
  const large = Buffer.alloc(100_000, "x");
  await client.send(["hello", "", large], SOON);
  const [id, ...parts] = await server.receive(SOON);
  expect(parts.map((part) => part.length)).toEqual([5, 0, large.length]);
  await server.send([id, "back", large], SOON);
  expect((await client.receive(SOON)).map((part) => part.length)).toEqual([4, large.length]);
  return server.peers[0];
}

async function expectRefused(met: Met, event = "handshake:error:auth", code = "authentication-denied") {
  const { error } = await met.events.next(event);
  expect(error).toMatchObject({ code });
  expect(met.server.peers).toEqual([]);
  expect(met.server.tryReceive()).toBeUndefined();
  return error as zwire.ProtocolError;
}

const yes = () => true;

describe.each(WIRES)("over $name", ({ endpoint }) => {
  it("PLAIN by its options: who knows the password talks (O1, O2)", async () => {
    const asked: zwire.AuthenticationRequest[] = [];
    const authenticate = (request: zwire.AuthenticationRequest) => {
      asked.push(request);
      return request.mechanism === "PLAIN" && request.password === "pa55word" && request.username;
    };
    const met = await meet({ plainServer: true, authenticate }, PLAIN_CLIENT, endpoint());
    const peer = await expectTalk(met);
    expect(peer.metadata.get("User-Id")?.toString()).toBe("ann");
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      mechanism: "PLAIN",
      username: "ann",
      domain: "",
      endpoint: met.endpoint,
    });
    const stranger = managed(new zwire.Dealer({ ...PLAIN_CLIENT, plainPassword: "wrong" }));
    stranger.connect(met.endpoint);
    const { error } = await met.events.next("handshake:error:auth");
    expect(error).toMatchObject({ code: "authentication-denied" });
    expect(inspect(met.events.events, { depth: 9 })).not.toMatch(/pa55word|wrong/);
    expect(met.server.peers).toHaveLength(1);
  });

  it("CURVE by its options: without anybody to ask, who knows the server's key talks (P18)", async () => {
    const met = await meet({ ...CURVE_SERVER, curvePublicKey: SERVER.publicKey }, CURVE_CLIENT, endpoint());
    const peer = await expectTalk(met);
    expect(peer.metadata.has("User-Id")).toBe(false);
    expect([met.server.securityMechanism, met.client.securityMechanism]).toEqual(["curve", "curve"]);
  });

  it("a client with another key for the server gets nowhere (P6)", async () => {
    const met = await meet(CURVE_SERVER, { ...CURVE_CLIENT, curveServerKey: CLIENT.publicKey }, endpoint());
    const { error } = await met.events.next("handshake:error:protocol");
    expect(error).toMatchObject({ name: "ProtocolError" });
    expect(met.server.peers).toEqual([]);
  });

  it.each(["plain", "curve"] as const)("all of it by `security`: %s", async (mechanism) => {
    const settings = {
      plain: [
        { mechanism: "plain", server: true, domain: "d" },
        { mechanism: "plain", username: "ann", password: "" },
      ],
      curve: [
        { mechanism: "curve", server: true, ...SERVER, domain: "d" },
        { mechanism: "curve", serverKey: SERVER.publicKey, ...CLIENT },
      ],
    } as const;
    const [server, client] = settings[mechanism];
    const domains: string[] = [];
    const authenticate = ({ domain }: zwire.AuthenticationRequest) => domains.push(domain) > 0;
    await expectTalk(await meet({ security: server, authenticate }, { security: client }, endpoint()));
    expect(domains).toEqual(["d"]);
  });

  it("the role is a setting: a server may connect and a client bind (B5)", async () => {
    const client = managed(new zwire.Pull(CURVE_CLIENT));
    const server = managed(new zwire.Push({ ...CURVE_SERVER, authenticate: () => "pull" }));
    server.connect(await client.bind(endpoint()));
    await server.send("from the server", SOON);
    expect(texts(await client.receive(SOON))).toEqual(["from the server"]);
    expect(server.peers[0].metadata.get("User-Id")?.toString()).toBe("pull");
  });

  it("NULL asks `authenticate` where there is one, and nobody otherwise (Q10)", async () => {
    const asked: unknown[] = [];
    const authenticate = (request: zwire.AuthenticationRequest) => {
      asked.push(request.mechanism);
      return "somebody";
    };
    const peer = await expectTalk(await meet({ authenticate }, {}, endpoint()));
    expect(peer.metadata.get("User-Id")?.toString()).toBe("somebody");
    expect(asked).toEqual(["NULL"]);
    expect((await expectTalk(await meet({}, {}, endpoint()))).metadata.has("User-Id")).toBe(false);
  });
});

describe("who is let in", () => {
  it("authenticate decides by the client's key, sooner or later", async () => {
    const known = zwire.z85Decode(CLIENT.publicKey);
    const authenticate = async (request: zwire.AuthenticationRequest) => {
      await new Promise((resolve) => setImmediate(resolve));
      return request.mechanism === "CURVE" && known.equals(request.publicKey) ? "known" : undefined;
    };
    const met = await meet({ ...CURVE_SERVER, authenticate }, CURVE_CLIENT);
    expect((await expectTalk(met)).metadata.get("User-Id")?.toString()).toBe("known");
    const stranger = managed(
      new zwire.Dealer({ ...CURVE_CLIENT, curveSecretKey: zwire.curveKeyPair().secretKey }),
    );
    const told = record(stranger);
    stranger.connect(met.endpoint);
    await met.events.next("handshake:error:auth");
    expect((await told.next("handshake:error:auth")).error).toMatchObject({ code: "authentication-refused" });
  });

  it("the address is the host, and metadata of the answer is the peer's (Q7)", async () => {
    const addresses: string[] = [];
    const authenticate = ({ address }: zwire.AuthenticationRequest) => {
      addresses.push(address);
      return { status: 200, userId: "u", metadata: { Role: "admin", "X-from": "answer" } } as const;
    };
    const met = await meet({ authenticate }, { metadata: { "X-from": "peer", "X-own": "kept" } });
    const { metadata } = await expectTalk(met);
    const found = Object.fromEntries([...metadata].map(([name, value]) => [name, value.toString()]));
    expect(found).toMatchObject({ "User-Id": "u", Role: "admin", "X-from": "answer", "X-own": "kept" });
    expect(addresses).toEqual(["127.0.0.1"]);
  });

  it("a User-Id that the peer claims of itself is none (Q7)", async () => {
    const router = managed(new zwire.Router());
    const endpoint = await router.bind("tcp://127.0.0.1:*");
    await rawConnected(endpoint, {
      type: "DEALER",
      properties: [
        ["User-Id", "root"],
        ["user-id", "root"],
      ],
    });
    await until(() => router.peers.length === 1, "the peer");
    expect([...router.peers[0].metadata.keys()].filter((name) => /user-id/i.test(name))).toEqual([]);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("no database");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no database"))],
  ] as const)("authenticate that %s lets nobody in, and the event says why", async (_title, authenticate) => {
    const met = await meet({ plainServer: true, authenticate }, PLAIN_CLIENT);
    const error = await expectRefused(met, "handshake:error:other", "authentication-failed");
    expect(error.message).toContain("no database");
    expect((error.cause as Error).message).toBe("no database");
  });

  it("an answer that is none lets nobody in", async () => {
    const met = await meet({ authenticate: () => ({}) as never }, {});
    await expectRefused(met, "handshake:error:other", "authentication-failed");
  });

  it("an answer of authenticate that comes too late lets nobody in", async () => {
    let aborted = 0;
    const authenticate = (_request: unknown, signal: AbortSignal) =>
      new Promise<string>((resolve) => {
        signal.addEventListener("abort", () => {
          aborted++;
          resolve("too late");
        });
      });
    const met = await meet({ plainServer: true, authenticate, authenticateTimeout: 30 }, PLAIN_CLIENT);
    const error = await expectRefused(met, "handshake:error:other", "authentication-failed");
    expect(error.message).toContain("within 30 ms");
    expect(aborted).toBeGreaterThan(0);
  });

  it("without a limit of its own the handshake's counts, and the function is told (Q12)", async () => {
    let aborted = 0;
    const authenticate = (_request: unknown, signal: AbortSignal) => {
      signal.addEventListener("abort", () => aborted++);
      return new Promise<never>(() => {});
    };
    const options = { plainServer: true, authenticate, authenticateTimeout: 0, handshakeInterval: 50 };
    const met = await meet(options, PLAIN_CLIENT);
    await expectRefused(met, "handshake:error:other", "handshake-timeout");
    expect(aborted).toBeGreaterThan(0);
  });

  it("a PLAIN server without anybody to ask refuses everyone (O9)", async () => {
    const context = new zwire.Context();
    const met = await meet({ plainServer: true, context }, PLAIN_CLIENT);
    await expectRefused(met, "handshake:error:other", "authentication-failed");
  });

  it("a refusal says nothing to the peer but its status (Q9)", async () => {
    const authenticate = () => ({ status: 400, text: "on the list of debtors" }) as const;
    const met = await meet({ plainServer: true, authenticate }, PLAIN_CLIENT);
    expect((await expectRefused(met)).message).toContain("debtors");
    const { error } = await met.clientEvents.next("handshake:error:auth");
    expect(error).toMatchObject({ code: "authentication-refused" });
    expect(error?.message).not.toContain("debtors");
  });

  it("many peers at once are each asked about once, and get their own answers", async () => {
    const authenticate = async (request: zwire.AuthenticationRequest) => {
      const { username } = request as { username: string };
      for (let turn = Number(username) % 7; turn >= 0; turn--)
        await new Promise((resolve) => setImmediate(resolve));
      return Number(username) % 3 !== 0 && `user-${username}`;
    };
    const router = managed(new zwire.Router({ plainServer: true, authenticate }));
    const events = record(router);
    const endpoint = await router.bind("tcp://127.0.0.1:*");
    for (let i = 1; i <= 30; i++) {
      const client = managed(
        new zwire.Dealer({ plainUsername: `${i}`, plainPassword: "", routingId: `id-${i}` }),
      );
      client.connect(endpoint);
    }
    await until(() => router.peers.length === 20, "the accepted", 10_000);
    for (const { routingId, metadata } of router.peers) {
      expect(metadata.get("User-Id")?.toString()).toBe(`user-${routingId.toString().slice(3)}`);
    }
    await until(() => events.of("handshake:error:auth").length >= 10, "the refused", 10_000);
  });
});

describe("mechanisms that do not fit", () => {
  it.each([
    ["NULL", "CURVE", {}, CURVE_CLIENT],
    ["NULL", "PLAIN", {}, PLAIN_CLIENT],
    ["PLAIN", "NULL", { plainServer: true, authenticate: yes }, {}],
    ["PLAIN", "CURVE", { plainServer: true, authenticate: yes }, CURVE_CLIENT],
    ["CURVE", "NULL", CURVE_SERVER, {}],
    ["CURVE", "PLAIN", CURVE_SERVER, PLAIN_CLIENT],
  ] as const)(
    "a %s server and a %s client do not fall back to anything (B8)",
    async (_s, _c, server, client) => {
      const met = await meet(server, client);
      await expectRefused(met, "handshake:error:protocol", "mechanism-mismatch");
      expect(met.client.peers).toEqual([]);
    },
  );

  it.each([
    ["clients of PLAIN", PLAIN_CLIENT, PLAIN_CLIENT],
    ["servers of PLAIN", { plainServer: true }, { plainServer: true }],
    ["clients of CURVE", CURVE_CLIENT, CURVE_CLIENT],
    ["servers of CURVE", CURVE_SERVER, CURVE_SERVER],
  ])("two %s never get to talk, and do not hang (B6)", async (_title, one, other) => {
    const met = await meet({ ...one, handshakeInterval: 300 }, { ...other, handshakeInterval: 300 });
    await until(() => met.events.of("handshake:error:").length > 0, "a failure");
    expect([met.server.peers, met.client.peers]).toEqual([[], []]);
  });

  it("an unprotected peer of an older protocol does not get past CURVE (A17)", async () => {
    const pull = managed(new zwire.Pull(CURVE_SERVER));
    const peer = await rawDial(await pull.bind("tcp://127.0.0.1:*"));
    peer.write(Buffer.from("01000568656c6c6f", "hex")); // 1.0: no identity, then "hello"
    await peer.closed();
    expect(pull.tryReceive()).toBeUndefined();
  });
});

describe("when settings act", () => {
  it("what is set later warns, leaves what is bound alone, and counts for the next bind", async () => {
    const warnings = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    try {
      const pull = managed(new zwire.Pull(CURVE_SERVER));
      const secured = await pull.bind("tcp://127.0.0.1:*");
      pull.security = { mechanism: "null" };
      expect(warnings.mock.calls).toEqual([["Socket option will not take effect until next connect/bind."]]);
      const open = await pull.bind("tcp://127.0.0.1:*");
      for (const [options, endpoint] of [
        [CURVE_CLIENT, secured],
        [{}, open],
      ] as const) {
        const push = managed(new zwire.Push(options));
        push.connect(endpoint);
        await push.send(endpoint, SOON);
        expect(texts(await pull.receive(SOON))).toEqual([endpoint]);
      }
    } finally {
      warnings.mockRestore();
    }
  });

  it("a client's credentials go with each connect", async () => {
    const users: string[] = [];
    const authenticate = (request: zwire.AuthenticationRequest) =>
      users.push((request as { username: string }).username) > 0;
    const pull = managed(new zwire.Pull({ plainServer: true, authenticate }));
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    const push = managed(new zwire.Push({ plainUsername: "ann", plainPassword: "a" }));
    const warnings = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    push.connect(endpoint);
    push.plainUsername = "bob";
    warnings.mockRestore();
    push.connect(endpoint);
    await push.connected({ count: 2, ...SOON });
    expect(users.sort()).toEqual(["ann", "bob"]);
  });

  it("inproc does not leave the process, and has no security", async () => {
    const options = { ...CURVE_SERVER, zapDomain: "d" };
    const pull = managed(new zwire.Pull(options));
    await pull.bind("inproc://unsecured");
    const push = managed(new zwire.Push(PLAIN_CLIENT));
    push.connect("inproc://unsecured");
    await push.send("hello", SOON);
    expect(texts(await pull.receive(SOON))).toEqual(["hello"]);
  });

  it("zapEnforceDomain refuses to bind or connect without a domain (Q13)", async () => {
    const pull = managed(new zwire.Pull({ zapEnforceDomain: true }));
    const fault = { code: "EINVAL", address: "tcp://127.0.0.1:*" };
    await expect(pull.bind("tcp://127.0.0.1:*")).rejects.toMatchObject(fault);
    pull.zapDomain = "d";
    await pull.bind("tcp://127.0.0.1:*");
  });
});

describe("what peers know", () => {
  const metadata = { "X-service": "prices", "X-octets": Buffer.from([0, 255]) };
  it.each(TRANSPORTS)(
    "metadata is told to peers and read in events and peers: $name (C16)",
    async ({ endpoint }) => {
      const met = await meet({ metadata: { "X-server": "yes" } }, { metadata }, endpoint());
      const { peer } = await met.events.next("handshake");
      for (const told of [peer, await expectTalk(met)]) {
        expect(told?.metadata.get("X-service")?.toString()).toBe("prices");
        expect(told?.metadata.get("X-octets")).toEqual(Buffer.from([0, 255]));
      }
      expect(met.client.peers[0].metadata.get("X-server")?.toString()).toBe("yes");
    },
  );

  it.each([
    ["PLAIN", { plainServer: true, authenticate: yes }, PLAIN_CLIENT],
    ["CURVE", CURVE_SERVER, CURVE_CLIENT],
  ] as const)("likewise under %s (C16)", async (_name, server, client) => {
    const met = await meet({ ...server, metadata: { "X-server": "yes" } }, { ...client, metadata });
    expect((await expectTalk(met)).metadata.get("X-service")?.toString()).toBe("prices");
    expect(met.client.peers[0].metadata.get("X-server")?.toString()).toBe("yes");
  });
});

describe("with messagePeers peerOf() tells who sent a message (C25)", () => {
  const name = (peer: zwire.Peer | undefined) => peer?.metadata.get("X-name")?.toString();
  const named = (text: string) => ({ metadata: { "X-name": text } });

  it.each(TRANSPORTS)("of several peers, over $name", async ({ endpoint }) => {
    const pull = managed(new zwire.Pull({ messagePeers: true }));
    const at = await pull.bind(endpoint());
    for (const text of ["ann", "bob", "eve"]) {
      const push = managed(new zwire.Push(named(text)));
      push.connect(at);
      for (let i = 0; i < 5; i++) await push.send([text, `${i}`], SOON);
    }
    for (let i = 0; i < 15; i++) {
      const message = await pull.receive(SOON);
      expect(name(pull.peerOf(message))).toBe(message[0].toString());
    }
  });

  it("by every way to receive", async () => {
    const pull = managed(new zwire.Pull({ messagePeers: true }));
    const push = managed(new zwire.Push(named("ann")));
    push.connect(await pull.bind("inproc://every-way"));
    await push.sendMany(["a", "b", "c", "d", "e"]);
    expect(name(pull.peerOf((await pull.receiveMany(1))[0]))).toBe("ann");
    expect(name(pull.peerOf(pull.tryReceive() as zwire.Message))).toBe("ann");
    for await (const message of pull) {
      expect(name(pull.peerOf(message))).toBe("ann");
      break;
    }
    const heard = await new Promise<zwire.Message>((resolve) => pull.once("message", resolve));
    expect(name(pull.peerOf(heard))).toBe("ann");
  });

  it("of requests, replies and routed messages", async () => {
    const reply = managed(new zwire.Reply({ ...named("server"), messagePeers: true }));
    const request = managed(new zwire.Request({ ...named("client"), messagePeers: true }));
    request.connect(await reply.bind("tcp://127.0.0.1:*"));
    await request.send("?", SOON);
    expect(name(reply.peerOf(await reply.receive(SOON)))).toBe("client");
    await reply.send("!");
    expect(name(request.peerOf(await request.receive(SOON)))).toBe("server");
    const router = managed(new zwire.Router({ messagePeers: true }));
    const dealer = managed(new zwire.Dealer(named("dealer")));
    dealer.connect(await router.bind("tcp://127.0.0.1:*"));
    await dealer.send("x", SOON);
    expect(name(router.peerOf(await router.receive(SOON)))).toBe("dealer");
  });

  it("also where the sender has gone, and where another has taken its place", async () => {
    const [first, second] = ["first", "second"].map((text) => managed(new zwire.Push(named(text))));
    const endpoint = await first.bind("tcp://127.0.0.1:*");
    const pull = managed(new zwire.Pull({ messagePeers: true, reconnectInterval: 10 }));
    const events = record(pull);
    pull.connect(endpoint);
    await first.sendMany(["first", "first", "first"], SOON);
    await until(() => pull.stats.receiveQueue === 3, "three messages");
    await first.close();
    await events.next("disconnect");
    expect(name(pull.peerOf(await pull.receive(SOON)))).toBe("first");
    await second.bind(endpoint);
    await second.sendMany(["second", "second"], SOON);
    await until(() => pull.stats.receiveQueue === 4, "two more");
    for (let i = 0; i < 4; i++) {
      const message = await pull.receive(SOON);
      expect(name(pull.peerOf(message))).toBe(message[0].toString());
    }
  });

  it("of a conflating socket it says nothing rather than something wrong (G14)", async () => {
    const [first, second] = ["first", "second"].map((text) => managed(new zwire.Push(named(text))));
    const endpoint = await first.bind("tcp://127.0.0.1:*");
    const pull = managed(new zwire.Pull({ messagePeers: true, conflate: true, reconnectInterval: 10 }));
    const events = record(pull);
    pull.connect(endpoint);
    await first.send("first", SOON);
    await until(() => pull.stats.receiveQueue === 1, "a message");
    await first.close();
    await events.next("disconnect");
    await second.bind(endpoint);
    await events.next("handshake", 2);
    const message = await pull.receive(SOON);
    expect([String(message), pull.peerOf(message)]).toEqual(["first", undefined]);
    await second.send("second", SOON);
    expect(name(pull.peerOf(await pull.receive(SOON)))).toBe("second");
  });

  it("and without the option, or of a copy, nothing", async () => {
    const pull = managed(new zwire.Pull());
    const push = managed(new zwire.Push(named("ann")));
    push.connect(await pull.bind("inproc://nobody"));
    await push.sendMany(["a", "b"]);
    expect(pull.peerOf(await pull.receive(SOON))).toBeUndefined();
    pull.messagePeers = true;
    const message = await pull.receive(SOON);
    expect([name(pull.peerOf(message)), pull.peerOf([...message])]).toEqual(["ann", undefined]);
  });
});

describe.skipIf(process.platform === "win32")("socket files", () => {
  const modeOf = (path: string) => statSync(path).mode & 0o777;
  let folder: string;
  beforeEach(() => {
    folder = temporaryDirectory();
  });

  it.each([0o600, 0o660, 0o666, 0o777])("ipcFileMode is what the file has: %o", async (mode) => {
    const before = process.umask(0o027);
    try {
      const pull = managed(new zwire.Pull({ ipcFileMode: mode }));
      const path = join(folder, "s");
      expect(await pull.bind(`ipc://${path}`)).toBe(`ipc://${path}`);
      expect(modeOf(path)).toBe(mode);
      const sync = managed(new zwire.Pull({ ipcFileMode: mode }));
      sync.bindSync(`ipc://${path}2`);
      expect(modeOf(`${path}2`)).toBe(mode);
      const push = managed(new zwire.Push());
      push.connect(`ipc://${path}`);
      await push.send("hello", SOON);
      expect(texts(await pull.receive(SOON))).toEqual(["hello"]);
      expect(readdirSync(folder).sort()).toEqual(["s", "s2"]);
      await Promise.all([pull.close(), sync.close()]);
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      process.umask(before);
    }
  });

  it("null leaves the permissions to the umask", async () => {
    const before = process.umask(0o077);
    try {
      const pull = managed(new zwire.Pull());
      await pull.bind(`ipc://${folder}/s`);
      expect(modeOf(`${folder}/s`)).toBe(0o700);
    } finally {
      process.umask(before);
    }
  });

  it("nobody can connect before the file has them: it is made where nobody else can enter", async () => {
    // Another thread looks all the time: every socket that it finds in the folder has the permissions.
    const over = new Int32Array(new SharedArrayBuffer(4));
    const source = `
      const { readdirSync, statSync } = require("node:fs");
      const { parentPort, workerData } = require("node:worker_threads");
      const seen = new Set();
      let looks = 0;
      parentPort.postMessage("ready");
      while (Atomics.load(workerData.over, 0) === 0) {
        looks++;
        for (const name of readdirSync(workerData.folder)) {
          const stat = statSync(workerData.folder + "/" + name, { throwIfNoEntry: false });
          if (stat !== undefined) seen.add((stat.isSocket() ? "socket " : "folder ") + (stat.mode & 0o777).toString(8));
        }
      }
      parentPort.postMessage([looks, ...seen]);`;
    const watcher = new Worker(source, { eval: true, workerData: { over, folder } });
    await once(watcher, "message");
    for (let i = 0; i < 100; i++) {
      const pull = new zwire.Pull({ ipcFileMode: 0o600 });
      await pull.bind(`ipc://${folder}/s`);
      await pull.close();
    }
    const told = once(watcher, "message");
    Atomics.store(over, 0, 1);
    const [[looks, ...seen]] = await told;
    expect(looks).toBeGreaterThan(1);
    expect(seen.filter((one: string) => one !== "socket 600" && one !== "folder 700")).toEqual([]);
  });

  it("a temporary path has them too (R15)", async () => {
    const pull = managed(new zwire.Pull({ ipcFileMode: 0o640 }));
    expect(modeOf((await pull.bind("ipc://*")).slice("ipc://".length))).toBe(0o640);
  });

  it("a stale socket is replaced, a file that is none stays (R13)", async () => {
    const path = join(folder, "s");
    writeFileSync(path, "data");
    const pull = managed(new zwire.Pull({ ipcFileMode: 0o600 }));
    await expect(pull.bind(`ipc://${path}`)).rejects.toMatchObject({ code: "EADDRINUSE" });
    await expect(pull.bind(`ipc://${folder}/none/s`)).rejects.toMatchObject({ code: "ENOENT" });
    expect(readdirSync(folder)).toEqual(["s"]);
  });

  it("leaves nothing behind where the path is too long, or the folder closed", async () => {
    const pull = managed(new zwire.Pull({ ipcFileMode: 0o600 }));
    const long = join(folder, "x".repeat(107 - folder.length - 1));
    mkdirSync(join(folder, "closed"));
    const deep = join(folder, "y".repeat(60));
    mkdirSync(deep);
    await expect(pull.bind(`ipc://${join(deep, "z".repeat(200))}`)).rejects.toMatchObject({
      code: "ENAMETOOLONG",
    });
    await pull.bind(`ipc://${long}`); // the folder's name counts, and not the file's
    expect(modeOf(long)).toBe(0o600);
    if (process.getuid?.() !== 0) {
      chmodSync(join(folder, "closed"), 0o500);
      await expect(pull.bind(`ipc://${folder}/closed/s`)).rejects.toMatchObject({ code: "EACCES" });
    }
    expect(readdirSync(join(folder, "closed"))).toEqual([]);
  });

  it("an abstract name and a descriptor of somebody else's have no file of ours: EINVAL", async () => {
    const pull = managed(new zwire.Pull({ ipcFileMode: 0o600 }));
    if (pull.engine === "native" && process.platform === "linux") {
      await expect(pull.bind("ipc://@zwire-mode")).rejects.toMatchObject({ code: "EINVAL" });
    }
    pull.useFd = 99;
    await expect(pull.bind(`ipc://${folder}/s`)).rejects.toMatchObject({ code: "EINVAL" });
  });

  it("0o000 lets in nobody but root", async () => {
    const pull = managed(new zwire.Pull({ ipcFileMode: 0 }));
    const endpoint = await pull.bind(`ipc://${folder}/s`);
    expect(modeOf(`${folder}/s`)).toBe(0);
    if (process.getuid?.() === 0) return;
    const stream = createConnection(endpoint.slice("ipc://".length));
    const error = await within(
      new Promise<NodeJS.ErrnoException>((resolve) => stream.once("error", resolve)),
      "EACCES",
    );
    expect(error.code).toBe("EACCES");
  });
});
