/**
 * pyzmq's ThreadAuthenticator lets in our clients, and our authenticators those of pyzmq, from the same files; each refuses
 * strangers.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import {
  Authenticator,
  authenticators,
  Context,
  generateCertificate,
  keyDirectory,
  Pull,
  type PullOptions,
  Push,
  passwordFile,
  readCertificate,
  writeCertificate,
} from "../../src/index.js";
import { managed, record, texts } from "../support/helpers.js";
import { findPython } from "../support/python.js";

const python = findPython();
if (python.command === null) console.log(`authenticators of pyzmq are skipped: ${python.reason}`);
const PROGRAM = join(import.meta.dirname, "../support/peers/authenticator.py");
const SOON = { timeout: 20_000 };

const home = mkdtempSync(join(tmpdir(), "zwire-authenticators-"));
const allowed = join(home, "allowed");
const file = (name: string) => join(home, name);
afterAll(() => rmSync(home, { recursive: true, force: true }));
beforeAll(async () => {
  mkdirSync(allowed);
  await writeCertificate(file("server.key"), generateCertificate());
  const ann = generateCertificate({ name: "Ann" });
  await writeCertificate(file("ann.key"), ann);
  await writeCertificate(join(allowed, "ann.key"), { publicKey: ann.publicKey, metadata: ann.metadata });
  await writeCertificate(file("stranger.key"), generateCertificate());
  writeFileSync(file("passwords"), "# users\nann=pa55word\n");
});

interface Said {
  readonly endpoint?: string;
  readonly message?: string;
  readonly result?: string;
}

/** Runs the program. @returns what reads its next line */
function run(...args: string[]): () => Promise<Said> {
  const child: ChildProcess = spawn(python.command!, [PROGRAM, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = createInterface(child.stdout!)[Symbol.asyncIterator]();
  return async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error("the program of pyzmq has ended");
    return JSON.parse(value) as Said;
  };
}

const serverSecurity = async () => {
  const { secretKey } = await readCertificate(file("server.key_secret"), { secret: true });
  return { mechanism: "curve", server: true, secretKey } as const;
};
const clientSecurity = async (name: string) => {
  const { secretKey } = await readCertificate(file(`${name}.key_secret`), { secret: true });
  const { publicKey: serverKey } = await readCertificate(file("server.key"));
  return { mechanism: "curve", serverKey, secretKey } as const;
};
const curveArgs = (name: string) => ["curve", file("server.key"), file(`${name}.key_secret`)];
const PLAIN = { mechanism: "plain", username: "ann" } as const;

describe.skipIf(python.command === null)("pyzmq's authenticator", () => {
  it("lets in our client whose key is in its folder, and no stranger", async () => {
    const next = run("serve", "curve", allowed, file("server.key_secret"));
    const { endpoint } = await next();
    const stranger = managed(new Push({ security: await clientSecurity("stranger"), linger: 0 }));
    const events = record(stranger);
    stranger.connect(endpoint!);
    expect((await events.next("handshake:error:auth")).error).toMatchObject({
      code: "authentication-refused",
    });
    const ann = managed(new Push({ security: await clientSecurity("ann") }));
    ann.connect(endpoint!);
    await ann.send("from ann", SOON);
    expect(await next()).toEqual({ message: "from ann" });
  });

  it("lets in our client that knows the password, and no other", async () => {
    const next = run("serve", "plain");
    const { endpoint } = await next();
    const stranger = managed(new Push({ security: { ...PLAIN, password: "guess" }, linger: 0 }));
    const events = record(stranger);
    stranger.connect(endpoint!);
    expect((await events.next("handshake:error:auth")).error).toMatchObject({
      code: "authentication-refused",
    });
    const ann = managed(new Push({ security: { ...PLAIN, password: "pa55word" } }));
    ann.connect(endpoint!);
    await ann.send("from ann", SOON);
    expect(await next()).toEqual({ message: "from ann" });
  });
});

/** Each way to use our authenticators, on a PULL. */
const WAYS: readonly [string, () => Promise<PullOptions>][] = [
  [
    "authenticate of an Authenticator",
    async () => {
      const auth = await configured();
      return { authenticate: auth.authenticate };
    },
  ],
  [
    "an Authenticator as ZAP handler",
    async () => {
      const auth = await configured();
      const context = new Context();
      await auth.start({ context });
      return { context };
    },
  ],
  [
    "parts put together",
    async () => {
      const keys = await keyDirectory(allowed);
      onTestFinished(() => keys.close());
      const either = authenticators.any(keys, await passwordFile(file("passwords")));
      return { authenticate: authenticators.all(authenticators.allow("127.0.0.0/8"), either) };
    },
  ],
];

async function configured(): Promise<Authenticator> {
  const auth = new Authenticator().allow("127.0.0.1");
  onTestFinished(() => auth.close());
  await auth.configureCurve("*", allowed);
  await auth.configurePlain("*", file("passwords"));
  return auth;
}

describe.skipIf(python.command === null).each(WAYS)("ours, %s", (_, options) => {
  it("lets in pyzmq's client whose key is in the folder, and no stranger", async () => {
    const pull = managed(new Pull({ security: await serverSecurity(), ...(await options()) }));
    const events = record(pull);
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    expect(await run("send", endpoint, "hello", ...curveArgs("stranger"))()).toEqual({ result: "refused" });
    expect((await events.next("handshake:error:auth")).error).toMatchObject({
      code: "authentication-denied",
    });
    expect(pull.peers).toEqual([]);
    const result = run("send", endpoint, "from ann", ...curveArgs("ann"));
    expect(texts(await pull.receive(SOON))).toEqual(["from ann"]);
    expect(await result()).toEqual({ result: "sent" });
  });

  it("lets in pyzmq's client that knows the password, and no other", async () => {
    const pull = managed(new Pull({ security: { mechanism: "plain", server: true }, ...(await options()) }));
    const events = record(pull);
    const endpoint = await pull.bind("tcp://127.0.0.1:*");
    run("send", endpoint, "hello", "plain", "ann", "guess");
    expect((await events.next("handshake:error:auth")).error).toMatchObject({
      code: "authentication-denied",
    });
    run("send", endpoint, "from ann", "plain", "ann", "pa55word");
    expect(texts(await pull.receive(SOON))).toEqual(["from ann"]);
  });
});
