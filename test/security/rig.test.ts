/**
 * The scripted peers of support/scripted against libzmq (zeromq.js): they speak CURVE and PLAIN rightly in both roles,
 * and what they do wrong on purpose is seen as wrong. Only so does it mean something that zwire refuses them. Knows
 * nothing of zwire.
 */
import { describe, expect, it } from "vitest";
import * as zmq from "zeromq";
import { ANY, foreign } from "../support/foreign.js";
import { rawDial, rawListen, texts, until } from "../support/helpers.js";
import { command } from "../support/raw-peer.js";
import { CurveClient, CurveServer, keyPair } from "../support/scripted/curve.js";
import { PlainClient, PlainServer } from "../support/scripted/plain.js";
import { flip, hear, type Script, say, shake } from "../support/scripted/script.js";
import { z85 } from "../support/scripted/z85.js";
import { zapHandler } from "../support/scripted/zap.js";

const server = keyPair();
const client = keyPair();

async function listening(options: object): Promise<{ pull: zmq.Pull; endpoint: string }> {
  const pull = foreign(new zmq.Pull(options));
  await pull.bind(ANY);
  return { pull, endpoint: pull.lastEndpoint as string };
}

const curveServer = () => listening({ curveServer: true, curveSecretKey: z85(server.secretKey) });

async function delivers(endpoint: string, pull: zmq.Pull, script: Script): Promise<void> {
  const peer = await rawDial(endpoint);
  const received = pull.receive();
  await shake(peer, script);
  say(peer, script, "one", "", "x".repeat(300));
  expect(texts(await received)).toEqual(["one", "", "x".repeat(300)]);
}

describe("the rig with libzmq", () => {
  it("a scripted CURVE client is let in and heard (P1 to P12)", async () => {
    const { pull, endpoint } = await curveServer();
    const script = new CurveClient(server.publicKey, { type: "PUSH" }, client);
    await delivers(endpoint, pull, script);
    expect(texts([script.theirs.get("Socket-Type")!])).toEqual(["PULL"]);
    expect(script.theirNonces).toEqual([1n]);
  });

  it("a scripted CURVE server lets a libzmq client in and hears it (P1 to P12)", async () => {
    const listener = await rawListen();
    const push = foreign(
      new zmq.Push({
        curveServerKey: z85(server.publicKey),
        curvePublicKey: z85(client.publicKey),
        curveSecretKey: z85(client.secretKey),
      }),
    );
    push.connect(listener.endpoint);
    const peer = await listener.accept();
    const script = new CurveServer(server, { type: "PULL" });
    await shake(peer, script);
    expect(script.clientKey).toEqual(client.publicKey);
    await push.send(["one", "", "x".repeat(300)]);
    expect(texts(await hear(peer, script))).toEqual(["one", "", "x".repeat(300)]);
    expect(script.theirNonces).toEqual([1n, 2n, 3n, 4n, 5n]);
  });

  it("a scripted PLAIN client is let in with the right password, and not with another (O1, O2)", async () => {
    const asked = zapHandler((request) => request.credentials[1] === "secret");
    const { pull, endpoint } = await listening({ plainServer: true, zapDomain: "d" });
    await delivers(endpoint, pull, new PlainClient({ type: "PUSH", username: "u", password: "secret" }));
    const bad = await rawDial(endpoint);
    const script = new PlainClient({ type: "PUSH", username: "u", password: "guess" });
    await expect(shake(bad, script)).rejects.toThrow(/instead of WELCOME/); // O7: "^RROR"
    expect(asked.map((request) => request.credentials)).toEqual([
      ["u", "secret"],
      ["u", "guess"],
    ]);
  });

  it("a scripted PLAIN server lets a libzmq client in (O1, O2)", async () => {
    const listener = await rawListen();
    const push = foreign(new zmq.Push({ plainUsername: "u", plainPassword: "secret" }));
    push.connect(listener.endpoint);
    const peer = await listener.accept();
    const script = new PlainServer({ type: "PULL" });
    await shake(peer, script);
    expect([script.username, script.password]).toEqual(["u", "secret"]);
    await push.send(["one", "two"]);
    expect(texts(await hear(peer, script))).toEqual(["one", "two"]);
  });

  it.each([
    ["HELLO", 10 + 74],
    ["HELLO", 150],
    ["INITIATE", 60],
    ["INITIATE", 130],
    ["INITIATE", 200],
  ])("a flipped octet of %s (%i) is seen by libzmq", async (step, at) => {
    const { endpoint } = await curveServer();
    const peer = await rawDial(endpoint);
    const tamper = (name: string, octets: Buffer) => (name === step ? flip(octets, at) : octets);
    await expect(shake(peer, new CurveClient(server.publicKey, { type: "PUSH", tamper }))).rejects.toThrow(
      /ended/,
    );
  });

  it("a scripted client with another server's key is not answered by libzmq", async () => {
    const { endpoint } = await curveServer();
    const peer = await rawDial(endpoint);
    const script = new CurveClient(keyPair().publicKey, { type: "PUSH" });
    await expect(shake(peer, script)).rejects.toThrow(/ended/);
  });

  it("a repeated MESSAGE is seen by libzmq, and only once delivered (P13)", async () => {
    const { pull, endpoint } = await curveServer();
    const peer = await rawDial(endpoint);
    const script = new CurveClient(server.publicKey, { type: "PUSH" });
    await shake(peer, script);
    const once = script.seal(0, "once");
    const received: string[] = [];
    (async () => {
      for await (const [part] of pull) received.push(String(part));
    })().catch(() => {}); // the socket closes when the test ends
    peer.write(once, once);
    await peer.closed();
    await deliversLast(endpoint, received);
    expect(received).toEqual(["once", "last"]);
  });

  it("a libzmq client leaves a scripted server whose WELCOME is changed", async () => {
    const listener = await rawListen();
    const push = foreign(new zmq.Push({ curveServerKey: z85(server.publicKey), ...own() }));
    push.connect(listener.endpoint);
    const peer = await listener.accept();
    const tamper = (name: string, octets: Buffer) => (name === "WELCOME" ? flip(octets, 60) : octets);
    await expect(shake(peer, new CurveServer(server, { type: "PULL", tamper }))).rejects.toThrow(/ended/);
  });

  it("libzmq takes MESSAGE with outer flags 00 and 02 only, as the scripts send it (P9)", async () => {
    const { pull, endpoint } = await curveServer();
    const peer = await rawDial(endpoint);
    const script = new CurveClient(server.publicKey, { type: "PUSH" });
    await shake(peer, script);
    const received = pull.receive();
    peer.write(command("MESSAGE", script.message(0, "lost").subarray(8)));
    say(peer, script, "seen");
    expect(texts(await received)).toEqual(["seen"]);
  });
});

function own() {
  return { curvePublicKey: z85(client.publicKey), curveSecretKey: z85(client.secretKey) };
}

/** Sends "last" through a new connection and waits for it, so that what came before has come. */
async function deliversLast(endpoint: string, received: readonly string[]): Promise<void> {
  const peer = await rawDial(endpoint);
  const script = new CurveClient(server.publicKey, { type: "PUSH" });
  await shake(peer, script);
  say(peer, script, "last");
  await until(() => received.includes("last"), "what came last");
}
