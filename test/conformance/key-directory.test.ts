/** Connections whose keys are in a folder: they come with a file, and go with it. */
import { unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import * as libzmq from "zeromq";
import {
  authenticators,
  Context,
  Dealer,
  generateCertificate,
  type KeyDirectory,
  keyDirectory,
  Router,
  type RouterOptions,
  writeCertificate,
} from "../../src/index.js";
import { gate, managed, record, TRANSPORTS, temporaryDirectory, texts, until } from "../support/helpers.js";
import { SERVER, SOON } from "../support/met.js";

const WIRES = TRANSPORTS.filter(({ name }) => name !== "inproc");
const ANN = generateCertificate({ name: "Ann" });
const BOB = generateCertificate({ name: "Bob" });
let folder: string;
beforeEach(() => {
  folder = temporaryDirectory();
});

const put = (name: string, { publicKey, metadata } = ANN) =>
  writeCertificate(join(folder, name), { publicKey, metadata }, { force: true });

async function opened(path = folder): Promise<KeyDirectory> {
  const keys = await keyDirectory(path);
  onTestFinished(() => keys.close());
  return keys;
}

async function serving(keys: KeyDirectory, endpoint = "tcp://127.0.0.1:*", options: RouterOptions = {}) {
  const security = { mechanism: "curve", server: true, secretKey: SERVER.secretKey } as const;
  const server = managed(new Router({ security, authenticate: keys.authenticate, ...options }));
  return { server, events: record(server), endpoint: await server.bind(endpoint) };
}

function client(certificate: typeof ANN, endpoint: string): Dealer {
  const security = {
    mechanism: "curve",
    serverKey: SERVER.publicKey,
    secretKey: certificate.secretKey,
  } as const;
  const dealer = managed(new Dealer({ security, reconnectInterval: 20 }));
  dealer.connect(endpoint);
  return dealer;
}

const names = (server: Router) => server.peers.map(({ metadata }) => String(metadata.get("name"))).sort();

describe("a server with a folder of keys", () => {
  it.each(WIRES)(
    "lets in who is in it; with the file the connection goes, and others stay: $name",
    async ({ endpoint }) => {
      await put("ann.key");
      await put("bob.key", BOB);
      const keys = await opened();
      const { server, events, endpoint: at } = await serving(keys, endpoint());
      const ann = client(ANN, at);
      const bob = client(BOB, at);
      const annEvents = record(ann);
      await server.connected({ count: 2, ...SOON });
      expect(names(server)).toEqual(["Ann", "Bob"]);
      expect(server.peers.map(({ metadata }) => String(metadata.get("User-Id"))).sort()).toEqual(
        [ANN.publicKey, BOB.publicKey].sort(),
      );

      unlinkSync(join(folder, "ann.key"));
      const { reason, peer } = (await events.next("disconnect")) as {
        reason?: string;
        peer?: { metadata: Map<string, Buffer> };
      };
      expect([reason, String(peer!.metadata.get("name"))]).toEqual(["revokeKey", "Ann"]);
      expect(names(server)).toEqual(["Bob"]);
      expect((await annEvents.next("handshake:error:auth")).error).toMatchObject({
        code: "authentication-refused",
      });
      await bob.send("still here", SOON);
      expect(texts((await server.receive(SOON)).slice(1))).toEqual(["still here"]);

      await put("ann.key");
      client(ANN, at);
      await server.connected({ count: 2, ...SOON });
      expect(names(server)).toEqual(["Ann", "Bob"]);
    },
  );

  it("a client whose file has just come gets in at its first attempt", async () => {
    const { endpoint } = await serving(await opened());
    await put("ann.key");
    await client(ANN, endpoint).connected(SOON);
  });

  it("a stranger is refused, and libzmq's client is let in and dropped", async () => {
    await put("ann.key");
    const { server, events, endpoint } = await serving(await opened());
    const stranger = record(client(BOB, endpoint));
    expect((await stranger.next("handshake:error:auth")).error).toMatchObject({
      code: "authentication-refused",
    });
    const theirs = new libzmq.Dealer({
      curveServerKey: SERVER.publicKey,
      curvePublicKey: ANN.publicKey,
      curveSecretKey: ANN.secretKey,
      linger: 0,
    });
    onTestFinished(() => theirs.close());
    theirs.connect(endpoint);
    await theirs.send("hello");
    expect(texts((await server.receive(SOON)).slice(1))).toEqual(["hello"]);
    unlinkSync(join(folder, "ann.key"));
    expect(await events.next("disconnect")).toMatchObject({ reason: "revokeKey" });
    expect(server.peers).toEqual([]);
  });

  it("a key that goes while its handshake is under way does not come in", async () => {
    await put("ann.key");
    const keys = await opened();
    const decided = gate();
    const answer = gate();
    const slow = Object.defineProperties(
      async (...args: Parameters<typeof keys.authenticate>) => {
        const verdict = await keys.authenticate(...args);
        decided.open();
        await answer.opened;
        return verdict;
      },
      Object.getOwnPropertyDescriptors(keys.authenticate), // with its watch
    );
    const { server, events, endpoint } = await serving(keys, undefined, { authenticate: slow });
    client(ANN, endpoint);
    await decided.opened;
    unlinkSync(join(folder, "ann.key"));
    await until(() => !keys.has(ANN.publicKey), "the key is gone");
    answer.open();
    expect((await events.next("handshake:error:auth")).error).toMatchObject({
      code: "authentication-denied",
    });
    expect(server.peers).toEqual([]);
  });

  it("two sockets, of two contexts, follow one folder; another authenticate takes its place", async () => {
    await put("ann.key");
    const keys = await opened();
    const one = await serving(keys);
    const other = await serving(keys, undefined, { context: new Context() });
    const free = await serving(keys);
    for (const { endpoint } of [one, other, free]) client(ANN, endpoint);
    for (const { server } of [one, other, free]) await server.connected(SOON);
    free.server.authenticate = () => true;
    await free.server.bind("tcp://127.0.0.1:*"); // it counts from the next bind on
    unlinkSync(join(folder, "ann.key"));
    for (const { events } of [one, other])
      expect(await events.next("disconnect")).toMatchObject({ reason: "revokeKey" });
    expect(names(free.server)).toEqual(["Ann"]);
    await one.server.close();
    await put("bob.key", BOB);
    client(BOB, other.endpoint);
    await other.server.connected(SOON);
    unlinkSync(join(folder, "bob.key"));
    await other.events.next("disconnect");
  });

  it.each([
    ["a list of keys", authenticators.curve([BOB.publicKey])],
    ["passwords", authenticators.plain({ ann: "a" })],
  ])("any() of it and %s: a key that goes from the folder drops its connection", async (_, other) => {
    await put("ann.key");
    const keys = await opened();
    const authenticate = authenticators.any(keys, other);
    const { server, events, endpoint } = await serving(keys, undefined, { authenticate });
    client(ANN, endpoint);
    await server.connected(SOON);
    unlinkSync(join(folder, "ann.key"));
    expect(await events.next("disconnect")).toMatchObject({ reason: "revokeKey" });
  });

  it("a half-written file drops nobody", async () => {
    await put("ann.key");
    const keys = await opened();
    const { server, endpoint } = await serving(keys);
    client(ANN, endpoint);
    await server.connected(SOON);
    const failed = new Promise<{ publicKey?: string }>((resolve) => keys.once("file:error", resolve));
    writeFileSync(join(folder, "ann.key"), 'curve\n    public-key = "');
    expect((await failed).publicKey).toBe(ANN.publicKey);
    expect(names(server)).toEqual(["Ann"]);
  });
});
