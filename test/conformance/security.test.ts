/**
 * Security of connections as an application has it: mechanisms by their options, and who is let in by
 * `authenticate`. The handshakes themselves are tested elsewhere.
 */
import { inspect } from "node:util";
import { describe, expect, it, vi } from "vitest";
import * as zwire from "../../src/index.js";
import { managed, rawConnected, rawDial, record, TRANSPORTS, texts, until } from "../support/helpers.js";
import {
  CLIENT,
  CURVE_CLIENT,
  CURVE_SERVER,
  expectRefused,
  expectTalk,
  meet,
  PLAIN_CLIENT,
  SERVER,
  SOON,
} from "../support/met.js";

const WIRES = TRANSPORTS.filter(({ name }) => name !== "inproc");

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
