/** Certificates: what is read and written, by the letter; hostile files; and what CZMQ and pyzmq make of ours. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import {
  type Certificate,
  curveKeyPair,
  curvePublicKey,
  generateCertificate,
  readCertificate,
  writeCertificate,
} from "../../../src/index.js";
import { temporaryDirectory } from "../../support/helpers.js";
import { findPython } from "../../support/python.js";

const home = mkdtempSync(join(tmpdir(), "zwire-certificates-"));
const FIXTURES = join(import.meta.dirname, "../../vectors/certificates");
const ROOT = process.getuid?.() === 0;
let folder: string;
beforeEach(() => {
  folder = temporaryDirectory();
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const modeOf = (path: string) => statSync(path).mode & 0o777;
const PAIR = curveKeyPair();
const CURVE = `curve\n    public-key = "${PAIR.publicKey}"\n`;
const SECRET_LINE = `    secret-key = "${PAIR.secretKey}"\n`;

async function read(text: string | Uint8Array): Promise<Certificate> {
  const path = join(folder, "one.key");
  writeFileSync(path, text);
  return readCertificate(path);
}

/** The text of an error, which begins with the file. */
async function refusal(text: string | Uint8Array): Promise<string> {
  const error = await read(text).then(
    () => expect.fail("it was read"),
    (reason) => reason,
  );
  expect(error).toMatchObject({ name: "ZmqError", code: "EINVAL" });
  expect(inspect(error)).not.toContain(PAIR.secretKey);
  return error.message.replace(`Invalid argument: ${join(folder, "one.key")}`, "");
}

describe("what others have written", () => {
  it.each([
    [
      "czmq.cert",
      { name: "Ann Example", email: "ann@example.com", organisation: "Ann's & Bob's, München # 1" },
      {},
    ],
    ["pyzmq.key", {}, { name: 'Bob "B" Example', email: "bob@example.com" }],
  ])("%s and its secret file", async (name, inBoth, inSecret) => {
    const open = await readCertificate(join(FIXTURES, name));
    const secret = await readCertificate(join(FIXTURES, `${name}_secret`), { secret: true });
    expect(curvePublicKey(secret.secretKey)).toBe(open.publicKey);
    expect(secret.publicKey).toBe(open.publicKey);
    expect(open.secretKey).toBeUndefined();
    expect(open.metadata).toEqual(inBoth);
    expect(secret.metadata).toEqual({ ...inBoth, ...inSecret });
  });

  it("CZMQ's text for no secret key is none", async () => {
    const { secretKey } = await read(`${CURVE}    secret-key = "${"0".repeat(40)}"\n`);
    expect(secretKey).toBeUndefined();
  });

  it.each([
    ["value  # comment", "value"],
    ["'single'", "single"],
    ['"with # inside" # outside', "with # inside"],
    ['"say "hi" to # 1"', 'say "hi" to # 1'],
    ['"left" and "right', '"left" and "right'],
    ['"', '"'],
    ["", ""],
  ])("a value of metadata: %s", async (written, value) => {
    expect((await read(`metadata\n    full name = ${written}\n${CURVE}`)).metadata).toEqual({
      "full name": value,
    });
  });

  it("comments, empty lines, lines of Windows, other sections and deeper levels; the first of a name counts", async () => {
    const text = `# comment\n\nother\n    x = 1\nmetadata\n    a = 1\n        deeper\n  # indented\n    a = 2\n    __proto__ = 3\n${CURVE}${SECRET_LINE}`;
    const certificate = await read(text.replaceAll("\n", "\r\n"));
    expect(Object.entries(certificate.metadata)).toEqual([
      ["a", "1"],
      ["__proto__", "3"],
    ]);
    expect(certificate.secretKey).toBe(PAIR.secretKey);
  });
});

describe("what is no certificate", () => {
  it.each([
    ["nothing", "", ": is not a certificate: it has no section curve"],
    ["no key", "curve\n", ": has no public-key in its section curve"],
    [
      "a key elsewhere",
      `metadata\n    public-key = "${PAIR.publicKey}"\ncurve\n`,
      ": has no public-key in its section curve",
    ],
    ["half a key", CURVE.slice(0, -20), ":2: the value of public-key must end with its quote"],
    [
      "a short key",
      'curve\n    public-key = "abc"\n',
      ":2: public-key must be a key: 32 bytes, or 40 characters of Z85",
    ],
    [
      "a key of zeros",
      `curve\n    public-key = "${"0".repeat(40)}"\n`,
      ":2: public-key must be a key: 32 bytes, or 40 characters of Z85",
    ],
    ["two keys", `${CURVE}    public-key = "${curveKeyPair().publicKey}"\n`, ":3: is a second public-key"],
    [
      "keys of two pairs",
      `${CURVE}    secret-key = "${curveKeyPair().secretKey}"\n`,
      ":3: the secret-key and the public-key do not belong together",
    ],
    ["words behind a key", `${CURVE.trimEnd()} x\n`, ":2: the value of public-key must end with its quote"],
    [
      "two spaces",
      `${CURVE}  secret-key = "${PAIR.secretKey}"\n`,
      ":3: must be indented by 4 spaces or a multiple of them",
    ],
    [
      "a tab",
      `${CURVE}\tsecret-key = "${PAIR.secretKey}"\n`,
      ":3: must be indented by 4 spaces or a multiple of them",
    ],
    ["no section", `    public-key = "${PAIR.publicKey}"\n`, ":1: is indented, but in no section"],
    ["JSON", JSON.stringify(PAIR), ":1: is not the name of a section"],
    ["bytes", Buffer.from([0xff, 0xfe, 0x41]), ": is not text in UTF-8"],
    ["an escape sequence", `metadata\n    name = \x1b[2J\n${CURVE}`, ":2: has a control character"],
    ["a NUL", `${CURVE}\0`, ": is not text in UTF-8"],
    ["64 KiB and a byte", CURVE.padEnd(65_537, "\n"), ": has more than 65536 bytes"],
  ])("%s", async (_, text, message) => {
    expect(await refusal(text)).toBe(message);
  });

  it("64 KiB are read", async () => {
    expect((await read(CURVE.padEnd(65_536, "\n"))).publicKey).toBe(PAIR.publicKey);
  });

  it.each([":", "=", "#", " ", '"', "'"])("64 KiB of %j take no time", async (sign) => {
    for (const text of [
      sign.repeat(65_000),
      `curve\n${`    ${sign}\n`.repeat(9000)}`,
      `metadata\n    x = ${sign.repeat(60_000)}`,
    ])
      expect(await refusal(text)).toMatch(/^:/);
  });

  it("a folder, a FIFO and a file that is not there", async () => {
    await expect(readCertificate(folder)).rejects.toThrow(/EISDIR|is not a regular file/);
    await expect(readCertificate(join(folder, "none"))).rejects.toMatchObject({ code: "ENOENT" });
    if (process.platform === "win32") return;
    execFileSync("mkfifo", [join(folder, "fifo")]);
    await expect(readCertificate(join(folder, "fifo"))).rejects.toThrow("fifo: is not a regular file");
  });

  it("a public one, where the secret is asked for", async () => {
    const path = join(folder, "one.key");
    writeFileSync(path, CURVE);
    await expect(readCertificate(path, { secret: true })).rejects.toThrow(`${path}: has no secret key`);
  });

  it.each([[1], [""], ["a\0b"], [undefined]])("a path %j is a TypeError", async (path) => {
    await expect(readCertificate(path as string)).rejects.toThrow(TypeError);
    await expect(writeCertificate(path as string, PAIR)).rejects.toThrow(TypeError);
  });

  it("an option with another name is a TypeError", async () => {
    await expect(readCertificate("x", { secrets: true } as never)).rejects.toThrow(
      'unknown option "secrets"; there is secret',
    );
    await expect(writeCertificate("x", PAIR, { force: 1 } as never)).rejects.toThrow(
      "force must be true or false",
    );
  });
});

describe("writing", () => {
  it("both files, the secret one for the owner alone; it reads as it was", async () => {
    const before = process.umask(0);
    try {
      const path = join(folder, "ann.key");
      const metadata = { name: 'Ann "A" Example', "e.mail": "ann's # 1", empty: "" };
      const made = generateCertificate(metadata);
      expect(await writeCertificate(path, made)).toEqual({ publicFile: path, secretFile: `${path}_secret` });
      expect([modeOf(path), modeOf(`${path}_secret`)]).toEqual([0o644, 0o600]);
      const secret = await readCertificate(`${path}_secret`, { secret: true });
      expect({ ...secret, secretKey: secret.secretKey }).toEqual({ ...made, secretKey: made.secretKey });
      expect(await readCertificate(path)).toEqual({ publicKey: made.publicKey, metadata });
      expect(readFileSync(path, "utf8")).not.toContain(made.secretKey);
    } finally {
      process.umask(before);
    }
  });

  it("a secret key is read by its name only", () => {
    const made = generateCertificate();
    expect(curvePublicKey(made.secretKey)).toBe(made.publicKey);
    for (const shown of [inspect(made), JSON.stringify(made), inspect({ ...made })])
      expect(shown).not.toContain(made.secretKey);
  });

  it("a public certificate is one file", async () => {
    const path = join(folder, "ann.key");
    expect(await writeCertificate(path, { publicKey: PAIR.publicKey })).toEqual({ publicFile: path });
    expect(readdirSync(folder)).toEqual(["ann.key"]);
  });

  it.each(["ann.key", "ann.key_secret"])(
    "does not replace %s unless told to, and leaves nothing",
    async (there) => {
      const path = join(folder, "ann.key");
      writeFileSync(join(folder, there), "mine", { mode: 0o644 });
      await expect(writeCertificate(path, PAIR)).rejects.toMatchObject({ code: "EEXIST" });
      expect(readdirSync(folder)).toEqual([there]);
      expect(readFileSync(join(folder, there), "utf8")).toBe("mine");
      await writeCertificate(path, PAIR, { force: true });
      expect([modeOf(path), modeOf(`${path}_secret`)]).toEqual([0o644, 0o600]);
      expect((await readCertificate(`${path}_secret`)).secretKey).toBe(PAIR.secretKey);
      expect(readdirSync(folder).sort()).toEqual(["ann.key", "ann.key_secret"]);
    },
  );

  it.skipIf(ROOT)("a folder that may not be written keeps what it has", async () => {
    const path = join(folder, "ann.key");
    await writeCertificate(path, PAIR);
    chmodSync(folder, 0o500);
    await expect(writeCertificate(path, generateCertificate(), { force: true })).rejects.toMatchObject({
      code: "EACCES",
    });
    expect((await readCertificate(`${path}_secret`)).secretKey).toBe(PAIR.secretKey);
  });

  it.each([
    [{ name: "two\nlines" }, "metadata.name must be one line"],
    [{ name: "a\tb" }, "metadata.name must be one line"],
    [{ name: "a\x1bb" }, "metadata.name must be one line"],
    [{ name: `both " and '` }, "both kinds of quotes"],
    [{ "full name": "x" }, '"full name" cannot be a name'],
    [{ "public-key": "x" }, '"public-key" cannot be a name'],
    [{ "secret-key2": "x" }, '"secret-key2" cannot be a name'],
    [{ "": "x" }, '"" cannot be a name'],
    [{ name: 1 }, "metadata.name must be a string; got number"],
    [{ name: "x".repeat(1024) }, "at most 1024 bytes"],
  ])("metadata %j is refused", async (metadata, message) => {
    const path = join(folder, "ann.key");
    expect(() => generateCertificate(metadata as never)).toThrow(message);
    await expect(writeCertificate(path, { ...PAIR, metadata: metadata as never })).rejects.toThrow(message);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("keys of two pairs are refused", async () => {
    const mixed = { publicKey: curveKeyPair().publicKey, secretKey: PAIR.secretKey };
    await expect(writeCertificate(join(folder, "x"), mixed)).rejects.toThrow("do not belong together");
  });
});

const czmq = join(home, "czmq");
const compiled = spawnSync(
  "gcc",
  ["-o", czmq, join(import.meta.dirname, "../../support/peers/certificates.c"), "-lczmq"],
  { encoding: "utf8" },
);
const noCzmq =
  compiled.status === 0
    ? null
    : `no gcc with libczmq-dev (${(compiled.error?.message ?? compiled.stderr).trim().split("\n")[0]})`;
if (noCzmq !== null) console.log(`certificates with CZMQ are skipped: ${noCzmq}`);
const python = findPython();
if (python.command === null) console.log(`certificates with pyzmq are skipped: ${python.reason}`);

/** A certificate whose key has each sign that either parser could stumble over. */
async function ours(): Promise<[path: string, made: ReturnType<typeof generateCertificate>]> {
  mkdirSync(join(folder, "ours"));
  const path = join(folder, "ours", "bob.key");
  let made = generateCertificate({ name: 'Bob "B" Example', note: "it's # 1", city: "Köln" });
  while (!/#/.test(made.publicKey + made.secretKey)) made = generateCertificate(made.metadata);
  await writeCertificate(path, made);
  return [path, made];
}

describe.skipIf(noCzmq !== null)("CZMQ", () => {
  const ask = (...args: string[]) => execFileSync(czmq, args, { encoding: "utf8" }).split("\n").slice(0, -1);

  it("its certificates are read", async () => {
    const path = join(folder, "ann");
    ask("make", path);
    const [publicKey, secretKey] = ask("show", path);
    const secret = await readCertificate(`${path}_secret`);
    expect([secret.publicKey, secret.secretKey]).toEqual([publicKey, secretKey]);
    expect(await readCertificate(path)).toEqual({
      publicKey,
      metadata: { name: "Ann Example", email: "ann@example.com", organisation: "Ann's & Bob's, München # 1" },
    });
  });

  it("it loads ours, secret and public", async () => {
    const [path, made] = await ours();
    const [publicKey, secretKey, ...metadata] = ask("show", path);
    expect([publicKey, secretKey]).toEqual([made.publicKey, made.secretKey]);
    expect(metadata.sort()).toEqual(
      Object.entries(made.metadata)
        .map((pair) => pair.join("="))
        .sort(),
    );
    rmSync(`${path}_secret`);
    expect(ask("show", path).slice(0, 2)).toEqual([made.publicKey, "0".repeat(40)]);
  });
});

describe.skipIf(python.command === null)("pyzmq", () => {
  const ask = (code: string, ...args: string[]) =>
    execFileSync(python.command!, ["-c", `import sys, json, zmq.auth\n${code}`, ...args], {
      encoding: "utf8",
    });
  const LOAD = "print(json.dumps([key and key.decode() for key in zmq.auth.load_certificate(sys.argv[1])]))";

  it("its certificates are read", async () => {
    ask(
      `zmq.auth.create_certificates(sys.argv[1], "ann", {"name": "Ann # 1", "full name": 'Ann "A"'})`,
      folder,
    );
    const path = join(folder, "ann.key");
    const [publicKey, secretKey] = JSON.parse(ask(LOAD, `${path}_secret`));
    const secret = await readCertificate(`${path}_secret`);
    expect([secret.publicKey, secret.secretKey]).toEqual([publicKey, secretKey]);
    expect(secret.metadata).toEqual({ name: "Ann", "full name": 'Ann "A"' });
    expect(await readCertificate(path)).toEqual({ publicKey, metadata: {} });
  });

  it("it loads ours, one by one and a folder of them", async () => {
    const [path, made] = await ours();
    expect(JSON.parse(ask(LOAD, `${path}_secret`))).toEqual([made.publicKey, made.secretKey]);
    expect(JSON.parse(ask(LOAD, path))).toEqual([made.publicKey, null]);
    const all = ask(
      "print([key.decode() for key in zmq.auth.load_certificates(sys.argv[1])][0])",
      join(folder, "ours"),
    );
    expect(all.trim()).toBe(made.publicKey);
    expect(existsSync(`${path}_secret`)).toBe(true);
  });
});
