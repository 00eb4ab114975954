/** Ready-made authenticators: addresses, passwords, keys, and what they are together; malformed ZAP requests. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, renameSync, rmSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import {
  Authenticator,
  authenticators,
  Context,
  curveKeyPair,
  Dealer,
  generateCertificate,
  keyDirectory,
  Pull,
  Push,
  passwordFile,
  writeCertificate,
  z85Decode,
} from "../../../src/index.js";
import type { AuthenticationRequest } from "../../../src/security/authenticator.js";
import type { Authenticate } from "../../../src/security/callback.js";
import { keyWatchOf } from "../../../src/security/key-watch.js";
import { managed, record, texts, until } from "../../support/helpers.js";
import { collect } from "../../support/native-sides.js";

const home = mkdtempSync(join(tmpdir(), "zwire-authenticators-"));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(home, "x-"));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

function heapUsed(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

const SOON = { timeout: 10_000 };
const [ANN, BOB, SERVER] = [curveKeyPair(), curveKeyPair(), curveKeyPair()];
const AT = {
  domain: "",
  address: "127.0.0.1",
  endpoint: "tcp://127.0.0.1:5",
  routingId: new Uint8Array(0),
  metadata: new Map(),
};
const nobody = (more = {}): AuthenticationRequest => ({ ...AT, mechanism: "NULL", ...more });
const user = (username: string, password: string, more = {}): AuthenticationRequest => ({
  ...AT,
  mechanism: "PLAIN",
  username,
  password,
  ...more,
});
const key = (publicKey: string, more = {}): AuthenticationRequest => ({
  ...AT,
  mechanism: "CURVE",
  publicKey: z85Decode(publicKey),
  ...more,
});

const ask = async (authenticate: Authenticate, request: AuthenticationRequest) =>
  authenticate(request, new AbortController().signal);
/** The user id, "" for none, or undefined if it is refused. */
async function entry(
  authenticate: Authenticate,
  request: AuthenticationRequest,
): Promise<string | undefined> {
  const answer = await ask(authenticate, request);
  if (typeof answer === "string") return answer;
  if (answer === true) return "";
  return typeof answer === "object" && answer?.status === 200 ? (answer.userId ?? "") : undefined;
}

describe("addresses", () => {
  it.each([
    [["127.0.0.1"], "127.0.0.1", true],
    [["127.0.0.1"], "127.0.0.2", false],
    [["10.0.0.0/8", "192.168.1.0/24"], "192.168.1.77", true],
    [["10.0.0.0/8", "192.168.1.0/24"], "192.168.2.77", false],
    [["10.0.0.0/8"], "::ffff:10.1.2.3", true],
    [["fe80::/10"], "fe80::1%eth0", true],
    [["::1"], "127.0.0.1", false],
    [["127.0.0.1"], "localhost", false],
    [["localhost"], "localhost", true],
    [["localhost"], "localhost:1000:1000:4711", true],
    [["localhost"], "127.0.0.1", false],
    [["0.0.0.0/0"], "localhost", false],
  ])("%j and %s: %s", async (addresses, address, inside) => {
    expect(await entry(authenticators.allow(...addresses), nobody({ address }))).toBe(
      inside ? "" : undefined,
    );
    expect(await entry(authenticators.deny(...addresses), nobody({ address }))).toBe(inside ? undefined : "");
  });

  it.each([[["example.org"]], [["10.0.0.0/33"]], [[""]], [["127.0.0.1:80"]]])("%j is none", (addresses) => {
    expect(() => authenticators.allow(...addresses)).toThrow(RangeError);
    expect(() => authenticators.deny("127.0.0.1", ...addresses)).toThrow(RangeError);
    expect(() => new Authenticator().allow(...addresses)).toThrow(RangeError);
  });

  it("none at all, and no text, are refused", () => {
    expect(() => authenticators.allow()).toThrow(TypeError);
    expect(() => authenticators.deny(5 as never)).toThrow("address must be a string; got number");
  });
});

describe("passwords", () => {
  const TABLE = { ann: "pa55word", ünï: "pässword", empty: "", toString: "x" };

  it.each([TABLE, new Map(Object.entries(TABLE))])("of a table", async (table) => {
    const plain = authenticators.plain(table);
    for (const [name, password] of Object.entries(TABLE)) {
      expect(await entry(plain, user(name, password))).toBe(name);
      for (const wrong of [`${password}x`, password.slice(0, -1) || "y", `${password.toUpperCase()}!`])
        expect(await entry(plain, user(name, wrong))).toBeUndefined();
    }
    for (const name of ["", "Ann", "valueOf", "__proto__"])
      expect(await entry(plain, user(name, ""))).toBeUndefined();
    for (const other of [nobody(), key(ANN.publicKey)]) expect(await entry(plain, other)).toBeUndefined();
  });

  it.each([
    [5, TypeError],
    [null, TypeError],
    [["ann"], TypeError],
    [{ ann: 5 }, TypeError],
    [{ "": "x" }, RangeError],
    [{ ann: "x".repeat(256) }, RangeError],
    [{ ["a".repeat(256)]: "x" }, RangeError],
  ])("%j is no table", (table, error) => {
    expect(() => authenticators.plain(table as never)).toThrow(error);
  });

  it("an error does not say the password", () => {
    expect(() => authenticators.plain({ ann: "s".repeat(256) })).toThrow(/^(?!.*sss).*"ann".*255 bytes/);
  });

  it("of a file, which is read again when it has changed", async () => {
    const path = join(folder, "passwords");
    writeFileSync(path, "# comment\nann=pa=ss # word\r\n\nbob=b\n");
    utimesSync(path, 1000, 1000);
    const file = await passwordFile(path);
    expect(await entry(file.authenticate, user("ann", "pa=ss # word"))).toBe("ann");
    expect(await entry(file.authenticate, user("bob", "b"))).toBe("bob");
    writeFileSync(path, "bob=c\n");
    expect(await entry(file.authenticate, user("ann", "pa=ss # word"))).toBeUndefined();
    expect(await entry(file.authenticate, user("bob", "c"))).toBe("bob");
    writeFileSync(join(folder, "next"), "bob=d\n");
    renameSync(join(folder, "next"), path);
    expect(await Promise.all(["c", "d"].map((word) => entry(file.authenticate, user("bob", word))))).toEqual([
      undefined,
      "bob",
    ]);
  });

  it("a file that cannot be read keeps what it had, and tells once; one that is gone has no users", async () => {
    const path = join(folder, "passwords");
    writeFileSync(path, "ann=a\n");
    const file = await passwordFile(path);
    const told: Error[] = [];
    file.on("file:error", ({ error }) => told.push(error));
    writeFileSync(path, "ann=b\nbo");
    for (let i = 0; i < 3; i++) expect(await entry(file.authenticate, user("ann", "a"))).toBe("ann");
    expect(told.map(({ message }) => message)).toEqual([
      `Invalid argument: ${path}:2: must be: name=password`,
    ]);
    unlinkSync(path);
    expect(await entry(file.authenticate, user("ann", "a"))).toBeUndefined();
    writeFileSync(path, "ann=c\n");
    expect(await entry(file.authenticate, user("ann", "c"))).toBe("ann");
    expect(told).toHaveLength(2);
  });

  it("of a file that is new or wrong, a hundred strangers at once cause few readings", async () => {
    const path = join(folder, "passwords");
    writeFileSync(path, "ann=a\n");
    const file = await passwordFile(path);
    const readings = vi.spyOn(file, "reload");
    const crowd = () =>
      Promise.all(Array.from({ length: 100 }, () => entry(file.authenticate, user("eve", "e"))));
    expect(await crowd()).toEqual(Array(100).fill(undefined));
    expect(readings.mock.calls.length).toBeLessThan(4);
    writeFileSync(path, "ann=b\nwrong");
    await crowd();
    expect(readings.mock.calls.length).toBeLessThan(8);
    // Once it is old enough to be told from another, a wrong file is read once, and a right one in its place is seen.
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
    onTestFinished(() => void vi.useRealTimers());
    await crowd();
    readings.mockClear();
    for (let i = 0; i < 3; i++) await crowd();
    expect(readings).not.toHaveBeenCalled();
    expect(await entry(file.authenticate, user("ann", "a"))).toBe("ann");
    writeFileSync(path, "ann=c\n");
    expect(await entry(file.authenticate, user("ann", "c"))).toBe("ann");
  });

  it("of a file, two reload() at once read what was there when they were called", async () => {
    const path = join(folder, "passwords");
    writeFileSync(path, "ann=a\n");
    const file = await passwordFile(path);
    const first = file.reload();
    writeFileSync(path, "ann=b\n");
    await Promise.all([first, file.reload(), file.reload()]);
    unlinkSync(path);
    await expect(file.reload()).rejects.toMatchObject({ code: "ENOENT" });
    await expect(Promise.all([file.reload(), file.reload()])).rejects.toMatchObject({ code: "ENOENT" });
  });

  it.each([
    ["=x\n", ":1: the name is empty"],
    ["a=x\na=y\n", ":2: the name is there already"],
    [`a=${"x".repeat(256)}\n`, ":1: the password must have at most 255 bytes"],
    ["a=x\0\n", ": is not text in UTF-8"],
    ["#".repeat(4 * 1024 * 1024 + 1), ": has more than 4194304 bytes"],
  ])("a file of %j is refused", async (text, message) => {
    const path = join(folder, "passwords");
    writeFileSync(path, text);
    await expect(passwordFile(path)).rejects.toThrow(`${path}${message}`);
  });
});

describe("keys", () => {
  it("of a list", async () => {
    const curve = authenticators.curve([ANN.publicKey, z85Decode(BOB.publicKey)]);
    for (const { publicKey } of [ANN, BOB]) expect(await entry(curve, key(publicKey))).toBe(publicKey);
    expect(await entry(curve, key(SERVER.publicKey))).toBeUndefined();
    for (const other of [nobody(), user("a", "b")]) expect(await entry(curve, other)).toBeUndefined();
    for (const wrong of ["x", 5, null, ["x"], [5]])
      expect(() => authenticators.curve(wrong as never)).toThrow();
  });
});

describe("together", () => {
  const yes =
    (userId: string, metadata = {}) =>
    () =>
      ({ status: 200, userId, metadata }) as const;
  const no = (status: 300 | 400 | 500) => () => ({ status, text: `${status}` }) as const;

  it("all: the first refusal, or the last user id and all metadata", async () => {
    expect(
      await ask(
        authenticators.all(
          () => true,
          yes("ann", { a: "1" }),
          yes("bob", { b: "2" }),
          () => true,
        ),
        nobody(),
      ),
    ).toEqual({
      status: 200,
      text: "OK",
      userId: "bob",
      metadata: new Map([
        ["a", Buffer.from("1")],
        ["b", Buffer.from("2")],
      ]),
    });
    let asked = 0;
    const late = () => void asked++;
    expect(
      await ask(
        authenticators.all(() => true, no(300), late, no(500)),
        nobody(),
      ),
    ).toEqual({ status: 300, text: "300" });
    expect(
      await ask(
        authenticators.all(() => false, late),
        nobody(),
      ),
    ).toMatchObject({ status: 400 });
    expect(asked).toBe(0);
    expect(
      await entry(
        authenticators.all(() => true),
        nobody(),
      ),
    ).toBe("");
  });

  it("any: the first that lets in, or the last refusal", async () => {
    expect(await entry(authenticators.any(no(500), yes("ann"), yes("bob")), nobody())).toBe("ann");
    expect(await ask(authenticators.any(no(300), no(500)), nobody())).toEqual({ status: 500, text: "500" });
  });

  it("one that throws, or answers nonsense, lets nobody in", async () => {
    const fails = () => Promise.reject(new Error("broken"));
    for (const both of [authenticators.all, authenticators.any]) {
      await expect(
        ask(
          both(fails, () => true),
          nobody(),
        ),
      ).rejects.toThrow("broken");
      await expect(
        ask(
          both((() => 5) as never, () => true),
          nobody(),
        ),
      ).rejects.toThrow(TypeError);
      for (const wrong of [null, 5, {}, "x"]) expect(() => both(wrong as never)).toThrow(TypeError);
      expect(() => both()).toThrow(TypeError);
    }
  });

  it("a key that is gone passes by none that needs it", async () => {
    for (const [name, { publicKey }] of [
      ["ann", ANN],
      ["bob", BOB],
    ] as const)
      await writeCertificate(join(folder, `${name}.key`), { publicKey });
    const keys = await keyDirectory(folder, { watch: false, checkInterval: 0 });
    onTestFinished(() => keys.close());
    const other = authenticators.curve([BOB.publicKey]);
    const passes = (authenticate: Authenticate, { publicKey }: { publicKey: string }) =>
      keyWatchOf(authenticate)?.passes(z85Decode(publicKey), "");
    const all = authenticators.all(authenticators.allow("127.0.0.1"), keys);
    const any = authenticators.any(keys, other);
    const twice = authenticators.any(keys, keys);
    const passwords = authenticators.any(authenticators.plain({ ann: "a" }), keys);
    const nested = authenticators.any(keys, authenticators.all(authenticators.allow("127.0.0.1"), other));
    // These do not say whom they let in.
    const address = authenticators.any(keys, authenticators.allow("127.0.0.1"));
    const own = authenticators.any(keys, () => true);
    unlinkSync(join(folder, "ann.key"));
    await keys.reload();
    const each = [all, any, twice, other, passwords, nested, address, own];
    expect(each.map((one) => passes(one, ANN))).toEqual([...Array(6).fill(false), true, true]);
    expect(each.map((one) => passes(one, BOB))).toEqual(Array(8).fill(true));
  });
});

describe("an Authenticator", () => {
  it("knows nothing at first: NULL comes in, PLAIN and CURVE do not", async () => {
    const { authenticate } = new Authenticator();
    expect(await entry(authenticate, nobody())).toBe("");
    expect(await entry(authenticate, user("ann", "a"))).toBeUndefined();
    expect(await entry(authenticate, key(ANN.publicKey))).toBeUndefined();
  });

  it("addresses come first, and are of one kind", async () => {
    const auth = new Authenticator().allow("127.0.0.1").allow("10.0.0.0/8");
    await auth.configurePlain("*", { ann: "a" });
    expect(await entry(auth.authenticate, user("ann", "a", { address: "10.1.1.1" }))).toBe("ann");
    expect(await entry(auth.authenticate, user("ann", "a", { address: "11.1.1.1" }))).toBeUndefined();
    expect(await entry(auth.authenticate, user("ann", "b"))).toBeUndefined();
    expect(() => auth.deny("1.2.3.4")).toThrow("deny() contradicts allow()");
    const denying = new Authenticator().deny("10.0.0.0/8");
    expect(await entry(denying.authenticate, nobody({ address: "10.1.1.1" }))).toBeUndefined();
    expect(await entry(denying.authenticate, nobody())).toBe("");
    expect(() => denying.allow("1.2.3.4")).toThrow("allow() contradicts deny()");
  });

  it("a domain has its own users and keys, or those of all", async () => {
    const auth = new Authenticator();
    await auth.configurePlain("*", { ann: "a" });
    await auth.configurePlain("inner", { bob: "b" });
    await auth.configureCurve("*", [ANN.publicKey]);
    await auth.configureCurve("open", "*");
    const by = (request: AuthenticationRequest) => entry(auth.authenticate, request);
    expect(await by(user("ann", "a"))).toBe("ann");
    expect(await by(user("ann", "a", { domain: "outer" }))).toBe("ann");
    expect(await by(user("ann", "a", { domain: "inner" }))).toBeUndefined();
    expect(await by(user("bob", "b", { domain: "inner" }))).toBe("bob");
    expect(await by(key(ANN.publicKey))).toBe(ANN.publicKey);
    expect(await by(key(BOB.publicKey))).toBeUndefined();
    expect(await by(key(BOB.publicKey, { domain: "open" }))).toBe(BOB.publicKey);
    const passes = (publicKey: string, domain: string) =>
      keyWatchOf(auth.authenticate)!.passes(z85Decode(publicKey), domain);
    expect([passes(ANN.publicKey, ""), passes(BOB.publicKey, ""), passes(BOB.publicKey, "open")]).toEqual([
      true,
      false,
      true,
    ]);
  });

  it("wrong arguments", async () => {
    const auth = new Authenticator();
    await expect(auth.configurePlain(5 as never, {})).rejects.toThrow("domain must be a string");
    await expect(auth.configurePlain("*", 5 as never)).rejects.toThrow(TypeError);
    await expect(auth.configureCurve("*", 5 as never)).rejects.toThrow(TypeError);
    await expect(auth.configureCurve("*", join(folder, "none"))).rejects.toMatchObject({ code: "ENOENT" });
    await expect(auth.start({ contexts: 1 } as never)).rejects.toThrow('unknown option "contexts"');
    await expect(auth.start({ context: 1 } as never)).rejects.toThrow("context");
  });
});

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
