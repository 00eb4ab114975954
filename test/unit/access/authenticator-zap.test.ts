/** An Authenticator as the ZAP handler of a context: keys that go, other domains, memory, malformed requests. */
import { randomBytes } from "node:crypto";
import { unlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import {
  Authenticator,
  Context,
  Dealer,
  generateCertificate,
  Pull,
  Push,
  writeCertificate,
} from "../../../src/index.js";
import { ANN, BOB, SERVER } from "../../support/authentication.js";
import { managed, record, temporaryDirectory, texts, until } from "../../support/helpers.js";
import { collect } from "../../support/native-sides.js";

let folder: string;
beforeEach(() => {
  folder = temporaryDirectory();
});

function heapUsed(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

const SOON = { timeout: 10_000 };

describe("as a ZAP handler", () => {
  async function started() {
    const context = new Context();
    const auth = new Authenticator();
    onTestFinished(() => auth.close());
    await auth.start({ context });
    return { context, auth };
  }
  const security = { mechanism: "curve", server: true, secretKey: SERVER.secretKey } as const;
  const asAnn = {
    security: { mechanism: "curve", serverKey: SERVER.publicKey, secretKey: ANN.secretKey },
    linger: 0,
  } as const;

  it("answers for several sockets; a key that goes drops connections on all of them", async () => {
    const { context, auth } = await started();
    const file = join(folder, "ann.key");
    await writeCertificate(file, { publicKey: ANN.publicKey });
    await auth.configureCurve("*", folder);
    const pulls = [1, 2].map(() => managed(new Pull({ context, security })));
    for (const pull of pulls) managed(new Push(asAnn)).connect(await pull.bind("tcp://127.0.0.1:*"));
    for (const pull of pulls) await pull.connected(SOON);
    expect(pulls.map(({ peers }) => String(peers[0].metadata.get("User-Id")))).toEqual([
      ANN.publicKey,
      ANN.publicKey,
    ]);
    const events = pulls.map((pull) => record(pull));
    unlinkSync(file);
    for (const one of events) expect(await one.next("disconnect")).toMatchObject({ reason: "revokeKey" });
    await writeCertificate(file, { publicKey: ANN.publicKey });
    managed(new Push(asAnn)).connect(pulls[0].lastEndpoint!);
    await pulls[0].connected(SOON);
  });

  it("other lists in place of one drop whom they do not have", async () => {
    const { context, auth } = await started();
    await auth.configureCurve("*", [ANN.publicKey]);
    const pull = managed(new Pull({ context, security }));
    const events = record(pull);
    managed(new Push(asAnn)).connect(await pull.bind("tcp://127.0.0.1:*"));
    await pull.connected(SOON);
    await auth.configureCurve("*", [BOB.publicKey]);
    expect(await events.next("disconnect")).toMatchObject({ reason: "revokeKey" });
  });

  it("a key of another domain goes; sockets with their own authenticate, and other domains, keep it", async () => {
    const { context, auth } = await started();
    await auth.configureCurve("a", [ANN.publicKey]);
    await auth.configureCurve("b", [ANN.publicKey]);
    const inDomain = (domain: string) => new Pull({ context, security: { ...security, domain } });
    const [a, b] = ["a", "b"].map((domain) => managed(inDomain(domain)));
    const own = managed(new Pull({ context, security, authenticate: () => true }));
    for (const pull of [a, b, own]) {
      managed(new Push(asAnn)).connect(await pull.bind("tcp://127.0.0.1:*"));
      await pull.connected(SOON);
    }
    const events = record(a);
    await auth.configureCurve("a", [BOB.publicKey]); // all connections have been looked at when this is over
    expect([a, b, own].map(({ peers }) => peers.length)).toEqual([0, 1, 1]);
    expect(await events.next("disconnect")).toMatchObject({ reason: "revokeKey" });
    const late = managed(new Pull({ context, security, authenticate: () => true }));
    managed(new Push(asAnn)).connect(await late.bind("tcp://127.0.0.1:*"));
    await late.connected(SOON);
  });

  it("the client of a server whose key is in no list stays", async () => {
    const { context, auth } = await started();
    await auth.configureCurve("*", [ANN.publicKey, BOB.publicKey]);
    const pull = managed(new Pull({ context, security }));
    const push = managed(new Push({ ...asAnn, context }));
    push.connect(await pull.bind("tcp://127.0.0.1:*"));
    await Promise.all([pull.connected(SOON), push.connected(SOON)]);
    await auth.configureCurve("*", [ANN.publicKey]);
    expect([push.peers.length, pull.peers.length]).toEqual([1, 1]);
  });

  it("many strangers whom it lets in leave nothing behind", async () => {
    const { context, auth } = await started();
    await auth.configureCurve("*", "*");
    const dealer = managed(new Dealer({ context, sendHighWaterMark: 0 }));
    dealer.connect("inproc://zeromq.zap.01");
    const ask = async (times: number) => {
      for (let i = 0; i < times; i++) {
        await dealer.send(["", "1.0", "1", "d", "10.0.0.1", "", "CURVE", randomBytes(32)]);
        expect(String((await dealer.receive(SOON))[3])).toBe("200");
      }
    };
    await ask(1000);
    const before = heapUsed();
    await ask(5000);
    expect((heapUsed() - before) / 5000).toBeLessThan(300); // bytes each
  });

  it("stopped, it lets nobody in; there is one in a context", async () => {
    const { context, auth } = await started();
    const other = new Authenticator();
    await expect(other.start({ context })).rejects.toMatchObject({ code: "EADDRINUSE" });
    await expect(auth.start({ context })).rejects.toThrow("has been started");
    await auth.stop();
    await other.start({ context });
    onTestFinished(() => other.close());
  });

  it.each([
    ["nothing behind the id", ["", "1.0", "7"], "400"],
    ["another version", ["", "2.0", "7", "", "127.0.0.1", "", "NULL"], "400"],
    ["a mechanism that there is not", ["", "1.0", "7", "", "127.0.0.1", "", "GSSAPI", "x"], "400"],
    ["a short key", ["", "1.0", "7", "", "127.0.0.1", "", "CURVE", "short"], "400"],
    ["no password", ["", "1.0", "7", "", "127.0.0.1", "", "PLAIN", "ann"], "400"],
    [
      "a name that is no text",
      ["", "1.0", "7", "", "127.0.0.1", "", "PLAIN", Buffer.from([0xff]), ""],
      "400",
    ],
    ["a question", ["", "1.0", "7", "", "127.0.0.1", "", "NULL"], "200"],
  ])("%s is answered", async (_, frames, status) => {
    const { context } = await started();
    const dealer = managed(new Dealer({ context }));
    dealer.connect("inproc://zeromq.zap.01");
    await dealer.send(["no delimiter"]); // nobody to answer
    await dealer.send([""]);
    await dealer.send(frames);
    expect(texts(await dealer.receive(SOON)).slice(0, 4)).toEqual(["", "1.0", "7", status]);
    await until(() => dealer.stats.receiveQueue === 0, "no other answer");
  });
});

it("metadata of a certificate reaches peers let in by a ZAP handler", async () => {
  const context = new Context();
  const auth = new Authenticator();
  onTestFinished(() => auth.close());
  await writeCertificate(join(folder, "ann.key"), generateCertificateOf(ANN.publicKey));
  await auth.configureCurve("*", folder);
  await auth.start({ context });
  const pull = managed(
    new Pull({ context, security: { mechanism: "curve", server: true, secretKey: SERVER.secretKey } }),
  );
  managed(
    new Push({
      security: { mechanism: "curve", serverKey: SERVER.publicKey, secretKey: ANN.secretKey },
      linger: 0,
    }),
  ).connect(await pull.bind("tcp://127.0.0.1:*"));
  await pull.connected(SOON);
  expect(String(pull.peers[0].metadata.get("name"))).toBe("Ann");
});

function generateCertificateOf(publicKey: string) {
  return { publicKey, metadata: generateCertificate({ name: "Ann" }).metadata };
}
