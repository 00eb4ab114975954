import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { curveKeyPair, writeCertificate } from "../../src/index.js";
import { type Running, run, start, stopped } from "../support/command.js";
import { temporaryDirectory } from "../support/helpers.js";
import { findPython } from "../support/python.js";
import { pyzmqForAll } from "../support/pyzmq-sockets.js";

const python = findPython();
if (python.command === null) console.log(`zwire proxy with pyzmq is skipped: ${python.reason}`);

const ANY = "tcp://127.0.0.1:*";

/** `zwire proxy` with sides that bind. */
function proxy(frontend: string, backend: string, ...more: string[]): Running {
  const front = ["--frontend", frontend, "--frontend-bind", ANY];
  return start(["proxy", ...front, "--backend", backend, "--backend-bind", ANY, ...more]);
}

async function endpointOf(running: Running, side: string): Promise<string> {
  return (await running.says(new RegExp(`proxy ${side}: bound to (\\S+)\n`)))[1];
}

/** Asks for the figures, and again after each answer, until they are there. */
async function statistics(running: Running, pattern: RegExp): Promise<void> {
  for (let asked = 1; ; asked++) {
    running.child.kill("SIGUSR1");
    const answers = new RegExp(`(?:zwire proxy: (frontend .*)\\n[^]*?){${asked}}`);
    if (pattern.test((await running.says(answers))[1])) return;
  }
}

describe.skipIf(python.command === null)("zwire proxy and pyzmq", () => {
  const peers = pyzmqForAll(python.command);

  it("router and dealer bring requests to workers in turn, and the answers back to who asked", async () => {
    const running = proxy("router", "dealer", "-v");
    const front = await endpointOf(running, "frontend");
    const back = await endpointOf(running, "backend");
    const workers = [await peers.open("REP", { connect: back }), await peers.open("REP", { connect: back })];
    await running.says(/(proxy backend: handshake[\s\S]*){2}/);
    const clients = [
      await peers.open("REQ", { connect: front }),
      await peers.open("REQ", { connect: front }),
    ];
    for (const [at, client] of clients.entries()) {
      await client.send([`question ${at}`, "of two parts"]);
      const [asked] = await workers[at].receive(1);
      await workers[at].send([`answer to ${asked.join(" ")}`]);
    }
    for (const [at, client] of clients.entries())
      expect(await client.receive(1)).toEqual([[`answer to question ${at} of two parts`]]);
    const { code, out, err } = await stopped(running, "SIGINT");
    expect({ code, out }).toEqual({ code: 0, out: "" });
    // Each question has the client's name (5 bytes) and an empty part in front.
    expect(err).toMatch(
      /frontend 2 messages in \(54 bytes\), 2 messages out \(76 bytes\); backend 2 messages in \(76 bytes\), 2 messages out \(54 bytes\); 0 undeliverable\n$/,
    );
    for (const socket of [...workers, ...clients]) await socket.close();
  });

  it("xsub and xpub: subscriptions go up, and only what is wanted comes down", async () => {
    const running = proxy("xsub", "xpub");
    const pub = await peers.open("XPUB", { connect: await endpointOf(running, "frontend") });
    const sub = await peers.open("SUB", {
      connect: await endpointOf(running, "backend"),
      options: { SUBSCRIBE: "a" },
    });
    expect(await pub.receive(1)).toEqual([["\x01a"]]);
    await pub.send(["b", "not wanted"], ["a", "1"], ["ab", "2"]);
    expect(await sub.receive(2)).toEqual([
      ["a", "1"],
      ["ab", "2"],
    ]);
    await sub.close();
    expect(await pub.receive(1)).toEqual([["\0a"]]);
    await statistics(running, /frontend 2 messages in .*backend 2 messages in .* 2 messages out/);
    expect(await stopped(running)).toMatchObject({ code: 0 });
    await pub.close();
  });

  it("sub takes everything, with no subscription of others: for push", async () => {
    const pub = await peers.open("XPUB", { bind: ANY });
    const sink = await peers.open("PULL", { bind: ANY });
    const running = start([
      ...["proxy", "--frontend", "sub", "--frontend-connect", pub.endpoint],
      ...["--backend", "push", "--backend-connect", sink.endpoint],
    ]);
    expect(await pub.receive(1)).toEqual([["\x01"]]);
    await pub.send(["a", "1"], ["b"]);
    expect(await sink.receive(2)).toEqual([["a", "1"], ["b"]]);
    expect(await stopped(running)).toMatchObject({ code: 0, out: "" });
    await pub.close();
    await sink.close();
  });

  it("pull and push at several endpoints, connected and bound, with a copy for a subscriber", async () => {
    const source = await peers.open("PUSH", { bind: ANY });
    const sink = await peers.open("PULL", { bind: ANY });
    const running = start([
      ...["proxy", "--frontend", "pull", "--frontend-connect", source.endpoint, "--frontend-bind", ANY],
      ...["--backend", "push", "--backend-connect", sink.endpoint],
      ...["--capture", "push", "--capture-bind", ANY],
    ]);
    const second = await peers.open("PUSH", { connect: await endpointOf(running, "frontend") });
    const copies = await peers.open("PULL", { connect: await endpointOf(running, "capture") });
    await source.send(["one", ""], [Buffer.from([0, 1])]);
    await second.send(["two"]);
    expect((await sink.receive(3)).map((parts) => parts.join("|")).sort()).toEqual(["\0\x01", "one|", "two"]);
    await statistics(
      running,
      /frontend 3 messages in .*backend .* 3 messages out .* \d captured, \d not captured/,
    );
    const { err } = await stopped(running);
    const [, captured, not] = /(\d) captured, (\d) not captured; 0 undeliverable/.exec(
      err,
    ) as RegExpExecArray;
    expect(Number(captured) + Number(not)).toBe(3);
    expect(await copies.receive(Number(captured))).toHaveLength(Number(captured));
    for (const socket of [source, sink, second, copies]) await socket.close();
  });

  it("a side with CURVE lets in who knows its key, and the other side needs none", async () => {
    const pair = curveKeyPair();
    const folder = temporaryDirectory();
    await writeCertificate(join(folder, "server.key"), { ...pair, metadata: {} });
    const running = proxy("pull", "push", "--frontend-curve-secret-file", join(folder, "server.key_secret"));
    const own = curveKeyPair();
    const push = await peers.open("PUSH", {
      connect: await endpointOf(running, "frontend"),
      curve: { serverkey: pair.publicKey, publickey: own.publicKey, secretkey: own.secretKey },
    });
    const pull = await peers.open("PULL", { connect: await endpointOf(running, "backend") });
    await push.send(["secret"]);
    expect(await pull.receive(1)).toEqual([["secret"]]);
    expect(await stopped(running)).toMatchObject({ code: 0 });
    await push.close();
    await pull.close();
  });

  it("what has come when a signal ends it is delivered: 2,000 messages to a reader that has not begun", async () => {
    const running = proxy("pull", "push", "-v");
    const push = await peers.open("PUSH", { connect: await endpointOf(running, "frontend") });
    const pull = await peers.open("PULL", { connect: await endpointOf(running, "backend") });
    await running.says(/proxy backend: handshake/);
    const count = 2000;
    await push.send(...Array.from({ length: count }, (_, at) => [`${at}`]));
    await statistics(running, new RegExp(`frontend ${count} messages in`));
    const ended = await stopped(running);
    expect(ended).toMatchObject({ code: 0 });
    expect(ended.err).not.toMatch(/not sent|not forwarded/);
    expect((await pull.receive(count)).map(Number)).toEqual(Array.from({ length: count }, (_, at) => at));
    await push.close();
    await pull.close();
  });

  it("what nobody takes is counted: by the side it waits at", async () => {
    const running = proxy("pull", "push", "-v");
    const push = await peers.open("PUSH", { connect: await endpointOf(running, "frontend") });
    await push.send(["1"], ["2"], ["3"]);
    await push.close(); // it has sent all when the proxy sees the end
    await running.says(/proxy frontend: disconnect/);
    const { code, err } = await stopped(running);
    expect(code).toBe(0);
    expect(err).toContain("zwire proxy: 3 messages had come and were not forwarded: no peer took them\n");
  });
});

describe("zwire proxy", () => {
  it.each([
    [[], "Give --frontend, such as --frontend router."],
    [["--frontend", "frob"], "--frontend must be one of router, dealer,"],
    [["--frontend", "server"], "--frontend must be one of router, dealer,"],
    [["--frontend", "pull"], "Give --frontend-bind or --frontend-connect, with an endpoint"],
    [["--frontend", "pull", "--frontend-bind", "tcp://x"], "--frontend: "],
    [
      ["--frontend", "pull", "--frontend-bind", ANY, "--frontend-option", "frob=1"],
      "--frontend-option: PULL has no",
    ],
    [
      ["--frontend", "pull", "--frontend-bind", ANY, "--frontend-curve-client-key", "x"],
      "needs --frontend-curve-secret-file",
    ],
    [["--frontend", "pull", "--frontend-bind", ANY], "Give --backend, such as"],
    [
      ["--frontend", "pull", "--frontend-bind", ANY, "--backend", "pull", "--backend-bind", ANY],
      "must receive",
    ],
    [["--capture-bind", ANY], "Give --capture a type."],
    [
      [
        "--frontend",
        "pull",
        "--frontend-bind",
        ANY,
        "--backend",
        "push",
        "--backend-bind",
        ANY,
        "--capture",
        "pull",
        "--capture-bind",
        ANY,
      ],
      "capture must be a socket that can send",
    ],
    [["extra"], "It takes no arguments"],
  ])("ends with 2 for %j", async (args, message) => {
    const { code, out, err } = await run(["proxy", ...args]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(message);
  });

  it("ends with 1 if an address is in use", async () => {
    const running = proxy("pull", "push");
    const taken = await endpointOf(running, "frontend");
    const second = await run(["proxy", "--frontend", "pull", "--frontend-bind", taken]);
    expect(second).toMatchObject({ code: 1, err: expect.stringMatching(/^zwire proxy: .*in use/i) });
    expect(await stopped(running)).toMatchObject({ code: 0 });
  });

  it("SIGHUP ends it, too", async () => {
    const running = proxy("router", "router");
    await endpointOf(running, "backend");
    expect(await stopped(running, "SIGHUP")).toMatchObject({ code: 0, out: "" });
  });
});
