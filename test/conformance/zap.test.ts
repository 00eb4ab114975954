/**
 * Section Q end to end: handlers of an application at inproc://zeromq.zap.01, REP and ROUTER, in this thread and in
 * another, good, bad, slow and dying ones; and what happens where there is none.
 */
import { describe, expect, it } from "vitest";
import { coreOf } from "../../src/api/socket.js";
import * as zwire from "../../src/index.js";
import { zapClient } from "../../src/security/zap/client.js";
import { startChild } from "../support/child.js";
import { type EventRecord, managed, record, TRANSPORTS, texts, turns, until } from "../support/helpers.js";
import { startThread } from "../support/thread.js";

const ZAP = "inproc://zeromq.zap.01";
const SOON = { timeout: 10_000 };
const SERVER = zwire.curveKeyPair();
const CLIENT = zwire.curveKeyPair();
const CURVE_SERVER = { curveServer: true, curveSecretKey: SERVER.secretKey };
const CURVE_CLIENT = { curveServerKey: SERVER.publicKey, curveSecretKey: CLIENT.secretKey };
const PLAIN_CLIENT = { plainUsername: "ann", plainPassword: "pa55word" };
const WIRES = TRANSPORTS.filter(({ name }) => name !== "inproc");

/** Mechanisms by name: server, client, credentials in the request. */
const MECHANISMS = {
  NULL: [{ zapDomain: "global" }, {}, []],
  PLAIN: [{ plainServer: true, zapDomain: "global" }, PLAIN_CLIENT, ["ann", "pa55word"]],
  CURVE: [
    { ...CURVE_SERVER, zapDomain: "global" },
    CURVE_CLIENT,
    [zwire.z85Decode(CLIENT.publicKey).toString("latin1")],
  ],
} as const;
type MechanismName = keyof typeof MECHANISMS;
const NAMES = Object.keys(MECHANISMS) as MechanismName[];

type Answer = (frames: string[], parts: Buffer[]) => (string | Buffer)[] | undefined;

/** As a REP socket sees the request: without the empty frame. */
const reply =
  (status: string, { text = "text", user = "user-1", metadata = "" } = {}): Answer =>
  (frames) => ["1.0", frames[1], status, text, user, metadata];

/** A handler in this thread, and the requests that it has seen. */
async function handler(
  context: zwire.Context,
  answer: Answer,
): Promise<{ seen: string[][]; socket: zwire.Reply }> {
  const socket = managed(new zwire.Reply({ context }));
  await socket.bind(ZAP);
  const seen: string[][] = [];
  void (async () => {
    for await (const parts of socket) {
      seen.push(texts(parts));
      const frames = answer(texts(parts), parts);
      if (frames !== undefined) await socket.send(frames);
    }
  })();
  return { seen, socket };
}

interface Met {
  readonly server: zwire.Router;
  readonly client: zwire.Dealer;
  readonly endpoint: string;
  readonly events: EventRecord;
  readonly clientEvents: EventRecord;
}

async function meet(
  context: zwire.Context,
  name: MechanismName,
  {
    server = {},
    client = {},
    at = "tcp://127.0.0.1:*",
  }: { server?: object; client?: object; at?: string } = {},
): Promise<Met> {
  const [serving, dialling] = MECHANISMS[name];
  const router = managed(new zwire.Router({ context, ...serving, ...server }));
  const dealer = managed(new zwire.Dealer({ reconnectInterval: 20, ...dialling, ...client }));
  const [events, clientEvents] = [record(router), record(dealer)];
  const endpoint = await router.bind(at);
  dealer.connect(endpoint);
  return { server: router, client: dealer, endpoint, events, clientEvents };
}

async function expectTalk({ server, client }: Met): Promise<zwire.Peer> {
  await client.send("hello", SOON);
  expect(texts(await server.receive(SOON)).slice(1)).toEqual(["hello"]);
  return server.peers[0];
}

async function expectFailure(met: Met, event: string, code: string): Promise<void> {
  const { error } = await met.events.next(event);
  expect(error).toMatchObject({ name: "ProtocolError", code });
  expect(met.server.peers).toEqual([]);
  expect(met.client.peers).toEqual([]);
}

describe.each(NAMES)("%s", (name) => {
  it.each(WIRES)(
    "a REP handler is asked, and lets in, over $name (Q1, Q3, Q7)",
    async ({ name: wire, endpoint }) => {
      const context = new zwire.Context();
      const { seen } = await handler(context, reply("200"));
      const met = await meet(context, name, { at: endpoint(), server: { routingId: "router-1" } });
      const peer = await expectTalk(met);
      expect(peer.metadata.get("User-Id")?.toString()).toBe("user-1");
      expect(seen).toHaveLength(1);
      const [version, id, domain, address, identity, mechanism, ...credentials] = seen[0];
      expect({ version, domain, identity, mechanism, credentials }).toEqual({
        version: "1.0",
        domain: "global",
        identity: "router-1", // Q4: its own
        mechanism: name,
        credentials: MECHANISMS[name][2],
      });
      expect(id).not.toBe("");
      if (wire === "tcp") expect(address).toBe("127.0.0.1");
      else expect(address).toMatch(/^localhost(:\d+:\d+:\d+)?$/); // Q6
    },
  );

  it.each([
    ["300", undefined],
    ["400", "authentication-refused"],
    ["500", "authentication-refused"],
  ])("status %s refuses; the client is told %s (Q8, Q9)", async (status, told) => {
    const context = new zwire.Context();
    await handler(context, reply(status));
    const met = await meet(context, name, { server: { handshakeInterval: 500 } });
    await expectFailure(met, "handshake:error:auth", "authentication-denied");
    if (told === undefined) expect(met.clientEvents.of("handshake:error:auth")).toEqual([]);
    else expect((await met.clientEvents.next("handshake:error:auth")).error).toMatchObject({ code: told });
  });

  it.each([
    ["zap-malformed-reply", (frames: string[]) => ["1.0", frames[1], "200", "", ""]],
    ["zap-malformed-reply", (frames: string[]) => ["1.0", frames[1], "200", "", "", "", ""]],
    ["zap-bad-version", (frames: string[]) => ["2.0", frames[1], "200", "", "", ""]],
    ["zap-bad-request-id", (frames: string[]) => ["1.0", `${frames[1]}x`, "200", "", "", ""]],
    ["zap-invalid-status", (frames: string[]) => ["1.0", frames[1], "201", "", "", ""]],
    ["zap-invalid-metadata", (frames: string[]) => ["1.0", frames[1], "200", "", "", "\x05"]],
  ] as const)("a reply that is none lets nobody in: %s (Q2)", async (code, answer) => {
    const context = new zwire.Context();
    const { seen } = await handler(context, answer);
    const met = await meet(context, name);
    await expectFailure(met, "handshake:error:protocol", code);
    expect(seen.length).toBeGreaterThan(0);
  });

  it("with a domain, or passwords, and without a handler nobody is let in (Q11, O8)", async () => {
    const met = await meet(new zwire.Context(), name);
    await expectFailure(met, "handshake:error:other", "authentication-failed");
  });

  it("a handler that never answers: the handshake's time ends it (Q12)", async () => {
    const context = new zwire.Context();
    await handler(context, () => undefined);
    const met = await meet(context, name, { server: { handshakeInterval: 100 } });
    await expectFailure(met, "handshake:error:other", "handshake-timeout");
  });

  it("a handler that goes while it is asked: nobody who waits is let in (Q12)", async () => {
    const context = new zwire.Context();
    const { seen, socket } = await handler(context, () => undefined);
    const met = await meet(context, name);
    await until(() => seen.length > 0, "the request");
    await socket.close();
    await expectFailure(met, "handshake:error:other", "authentication-failed");
  });
});

describe("handlers", () => {
  it("a ROUTER may answer out of order, and many peers wait at once (Q1)", async () => {
    const context = new zwire.Context();
    const router = managed(new zwire.Router({ context }));
    await router.bind(ZAP);
    const server = managed(new zwire.Router({ context, plainServer: true }));
    const endpoint = await server.bind("tcp://127.0.0.1:*");
    for (let i = 0; i < 20; i++) {
      const client = managed(
        new zwire.Dealer({ plainUsername: `u${i}`, plainPassword: "", routingId: `u${i}` }),
      );
      client.connect(endpoint);
    }
    const requests: Buffer[][] = [];
    while (requests.length < 20) requests.push(await router.receive(SOON));
    const ids = requests.map(([, , , id]) => id.toString());
    expect(new Set(ids).size).toBe(20); // Q5
    for (const [peer, , , id, , , , , user] of requests.reverse()) {
      await router.send([peer, "", "1.0", id, "200", "", `id-of-${user}`, ""]);
    }
    await until(() => server.peers.length === 20, "all peers", 10_000);
    for (const { routingId, metadata } of server.peers) {
      expect(metadata.get("User-Id")?.toString()).toBe(`id-of-${routingId}`);
    }
  });

  it("metadata of the reply is the peer's (Q7)", async () => {
    const context = new zwire.Context();
    await handler(context, reply("200", { user: "", metadata: "\x04Role\0\0\0\x05admin" }));
    const { metadata } = await expectTalk(await meet(context, "CURVE"));
    expect(metadata.get("Role")?.toString()).toBe("admin");
    expect(metadata.has("User-Id")).toBe(false);
  });

  it("an empty domain is asked with too, where a handler is there (Q13)", async () => {
    const context = new zwire.Context();
    const { seen } = await handler(context, reply("200"));
    await expectTalk(await meet(context, "CURVE", { server: { zapDomain: "" } }));
    await expectTalk(await meet(context, "PLAIN", { server: { zapDomain: "" } }));
    expect(seen.map((frames) => frames[2])).toEqual(["", ""]);
  });

  it("NULL without a domain asks nobody (Q10)", async () => {
    const context = new zwire.Context();
    const { seen } = await handler(context, reply("400"));
    await expectTalk(await meet(context, "NULL", { server: { zapDomain: "" } }));
    expect(seen).toEqual([]);
  });

  it("CURVE without domain lets in where there never was a handler, and not where one has gone (P18)", async () => {
    const context = new zwire.Context();
    const open = { server: { zapDomain: "" } };
    await expectTalk(await meet(context, "CURVE", open));
    const { socket } = await handler(context, reply("200"));
    await expectTalk(await meet(context, "CURVE", open));
    await socket.close();
    await expectFailure(await meet(context, "CURVE", open), "handshake:error:other", "authentication-failed");
    await handler(context, reply("200"));
    await expectTalk(await meet(context, "CURVE", open));
  });

  it("one that comes later is asked by who dials again", async () => {
    const context = new zwire.Context();
    const met = await meet(context, "PLAIN");
    await met.events.next("handshake:error:other");
    await handler(context, reply("200"));
    await expectTalk(met);
  });

  it("a handler of another context is another's", async () => {
    const { seen } = await handler(new zwire.Context(), reply("200"));
    const met = await meet(new zwire.Context(), "PLAIN");
    await expectFailure(met, "handshake:error:other", "authentication-failed");
    expect(seen).toEqual([]);
  });

  it("a reply to a peer that has gone is nobody's, and hurts nobody", async () => {
    const context = new zwire.Context();
    const router = managed(new zwire.Router({ context }));
    await router.bind(ZAP);
    const hasty = { server: { handshakeInterval: 1000 }, client: { reconnectInterval: -1 } };
    const met = await meet(context, "PLAIN", hasty);
    const [peer, , , first] = await router.receive(SOON);
    await met.client.close();
    await met.events.next("handshake:error:other"); // when its time is over at the latest: nothing is read meanwhile
    const second = managed(new zwire.Dealer(PLAIN_CLIENT));
    second.connect(met.endpoint);
    const [, , , id] = await router.receive(SOON);
    expect(id).not.toEqual(first);
    for (const one of [first, id]) await router.send([peer, "", "1.0", one, "200", "", "u", ""]);
    await until(() => met.server.peers.length === 1, "the second");
  });

  it("a handler that does not read is not piled up with questions: those beyond the marks are refused", async () => {
    const context = new zwire.Context();
    const router = managed(new zwire.Router({ context, receiveHighWaterMark: 10 }));
    await router.bind(ZAP);
    const asking = Array.from({ length: 1100 }, () => new AbortController());
    const request = {
      domain: "",
      address: "",
      endpoint: "",
      routingId: Buffer.alloc(0),
      mechanism: "NULL",
      metadata: new Map(),
    } as const;
    const client = zapClient(context.inproc, context.runtime, coreOf(router).openAsking());
    let refused = 0;
    const questions = asking.map(({ signal }) =>
      client.authenticate(request, signal).catch(({ code }) => {
        if (code === "authentication-failed") refused++;
      }),
    );
    await until(() => refused > 0, "refusals");
    await turns(5);
    expect(refused).toBe(1100 - 1010);
    for (const one of asking) one.abort();
    await Promise.all(questions);
    expect(refused).toBe(90);
  });

  it("a socket of a type that is no handler lets nobody in", async () => {
    const context = new zwire.Context();
    await managed(new zwire.Publisher({ context })).bind(ZAP);
    const met = await meet(context, "PLAIN", { server: { handshakeInterval: 300 } });
    await expectFailure(met, "handshake:error:other", "authentication-failed");
  });

  it("authenticate of a socket goes before the handler, which is not asked", async () => {
    const context = new zwire.Context();
    const { seen } = await handler(context, reply("400"));
    const met = await meet(context, "PLAIN", { server: { authenticate: () => "by-function" } });
    expect((await expectTalk(met)).metadata.get("User-Id")?.toString()).toBe("by-function");
    expect(seen).toEqual([]);
  });
});

describe("what the asking costs the application", () => {
  it("no socket: two places are enough for a server and its handler (S17)", async () => {
    const context = new zwire.Context({ maxSockets: 2 });
    await handler(context, reply("200"));
    await expectTalk(await meet(context, "PLAIN"));
    expect(context.sockets).toBe(2);
  });

  it("one connection, whatever the number of questions, and none to a handler that has gone", async () => {
    const context = new zwire.Context();
    const { socket, seen } = await handler(context, reply("200"));
    for (let i = 0; i < 5; i++) await expectTalk(await meet(context, NAMES[i % 3]));
    expect(seen).toHaveLength(5);
    expect(socket.peers).toHaveLength(1);
    await socket.close();
    await turns(2);
    const next = await handler(context, reply("200"));
    await expectTalk(await meet(context, "PLAIN"));
    expect([next.seen.length, next.socket.peers.length]).toEqual([1, 1]);
  });

  it("no life: a program that has closed its sockets ends although it has asked", async () => {
    const { code, signal, stderr, stdout } = await startChild("zap-exits.mjs").ended;
    expect({ code, signal, stderr, stdout }).toEqual({
      code: 0,
      signal: null,
      stderr: "",
      stdout: "let in\n",
    });
  });
});

describe("a handler in another thread", () => {
  /** Serves requests there, until the thread ends. */
  async function startHandler(answer: (frames: string[]) => string[]) {
    const thread = startThread();
    await thread.ask("open", "zap", "Reply");
    await thread.ask("call", "zap", "bind", ZAP);
    const seen: string[][] = [];
    const serving = (async () => {
      for (;;) {
        const frames = (await thread.ask("receive", "zap")) as string[];
        seen.push(frames);
        await thread.ask("call", "zap", "send", answer(frames));
      }
    })();
    serving.catch(() => {}); // the thread's end
    return { thread, seen };
  }

  it("is asked, with its answers let in and refused; when it dies, nobody is let in any more (Q1, Q7)", async () => {
    const { thread, seen } = await startHandler((frames) => {
      const status = frames[6] === "ann" ? "200" : "400";
      return ["1.0", frames[1], status, "", status === "200" ? frames[6] : "", ""];
    });
    const met = await meet(zwire.context, "PLAIN");
    expect((await expectTalk(met)).metadata.get("User-Id")?.toString()).toBe("ann");
    const stranger = await meet(zwire.context, "PLAIN", { client: { plainUsername: "bob" } });
    await expectFailure(stranger, "handshake:error:auth", "authentication-denied");
    expect(seen.map((frames) => frames[6])).toContain("bob");
    await thread.worker.terminate();
    const late = await meet(zwire.context, "PLAIN");
    await expectFailure(late, "handshake:error:other", "authentication-failed");
    const curve = await meet(zwire.context, "CURVE", { server: { zapDomain: "" } });
    await expectFailure(curve, "handshake:error:other", "authentication-failed");
    expect(met.server.peers).toHaveLength(1); // who is in stays in
  });

  it("that ends while it is asked lets nobody in (Q12)", async () => {
    const thread = startThread();
    await thread.ask("open", "zap", "Reply");
    await thread.ask("call", "zap", "bind", ZAP);
    const met = await meet(zwire.context, "PLAIN");
    await thread.ask("receive", "zap");
    await thread.worker.terminate();
    await expectFailure(met, "handshake:error:other", "authentication-failed");
  });
});
