/** The command `zwire`: dispatch, and `keygen` with its files. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { readCertificate } from "../../src/access/certificate.js";
import { main } from "../../src/cli/main.js";
import { version } from "../../src/core/version.js";
import { curvePublicKey } from "../../src/security/crypto/keys.js";

const home = mkdtempSync(join(tmpdir(), "zwire-cli-"));
let folder: string;
let count = 0;

beforeEach(() => {
  folder = mkdtempSync(join(home, `${count++}-`));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

async function run(...args: string[]) {
  const result = { code: -1, out: "", error: "" };
  result.code = await main(args, {
    out: (text) => (result.out += text),
    error: (text) => (result.error += text),
    drained: async () => {},
  });
  return result;
}

const modeOf = (path: string) => statSync(path).mode & 0o777;
const LINES = /^public key: (\S{40})\nsecret key: (\S{40})\n$/;

describe("dispatch", () => {
  it("lists the commands, and says which there is none of", async () => {
    expect(await run("--help")).toMatchObject({ code: 0, out: expect.stringContaining("keygen"), error: "" });
    expect(await run()).toMatchObject({ code: 2, out: "", error: expect.stringContaining("keygen") });
    for (const name of ["frobnicate", "toString", "__proto__", ""]) {
      expect(await run(name)).toMatchObject({
        code: 2,
        out: "",
        error: expect.stringContaining(`"${name}"`),
      });
    }
    expect(await run("--version")).toEqual({ code: 0, out: `${version}\n`, error: "" });
  });

  it("--help of a command is its own", async () => {
    expect(await run("keygen", "--help")).toMatchObject({
      code: 0,
      out: expect.stringContaining("--show-secret"),
    });
  });
});

describe("zwire keygen", () => {
  it("prints a pair, and makes no file", async () => {
    const { code, out, error } = await run("keygen");
    expect({ code, error }).toEqual({ code: 0, error: "" });
    const [, publicKey, secretKey] = LINES.exec(out) as RegExpExecArray;
    expect(curvePublicKey(secretKey)).toBe(publicKey);
    expect((await run("keygen")).out).not.toBe(out);
  });

  it("writes a pair to certificates, the secret one for the owner alone, and prints the public key only", async () => {
    const before = process.umask(0o002);
    try {
      const path = join(folder, "server.key");
      const { code, out, error } = await run("keygen", path);
      expect({ code, error }).toEqual({ code: 0, error: "" });
      const { publicKey, secretKey } = await readCertificate(`${path}_secret`, { secret: true });
      expect(curvePublicKey(secretKey)).toBe(publicKey);
      expect(await readCertificate(path)).toEqual({ publicKey, metadata: {} });
      expect([modeOf(path), modeOf(`${path}_secret`)]).toEqual([0o644, 0o600]);
      expect(out).toBe(`public key: ${publicKey}\n`);
      expect(readdirSync(folder).sort()).toEqual(["server.key", "server.key_secret"]);
    } finally {
      process.umask(before);
    }
  });

  it("--show-secret prints the secret key too, --meta goes into both files", async () => {
    const path = join(folder, "ann.key");
    const { out } = await run(
      "keygen",
      path,
      "--show-secret",
      "--meta",
      "name=Ann = A",
      "--meta",
      "city=Köln",
    );
    const { publicKey, secretKey, metadata } = await readCertificate(`${path}_secret`, { secret: true });
    expect(out).toBe(
      `public key: ${publicKey}\nsecret key: ${secretKey}\nmetadata name: Ann = A\nmetadata city: Köln\n`,
    );
    expect(metadata).toEqual({ name: "Ann = A", city: "Köln" });
    expect((await readCertificate(path)).metadata).toEqual(metadata);
  });

  it.each(["server.key", "server.key_secret"])("does not replace %s, unless told to", async (there) => {
    const path = join(folder, "server.key");
    writeFileSync(join(folder, there), "mine", { mode: 0o644 });
    const refused = await run("keygen", path);
    expect(refused).toEqual({
      code: 1,
      out: "",
      error: `zwire keygen: ${join(folder, there)} exists already. Use --force to replace it.\n`,
    });
    expect(readdirSync(folder)).toEqual([there]);
    expect(readFileSync(join(folder, there), "utf8")).toBe("mine");
    expect((await run("keygen", path, "--force")).code).toBe(0);
    expect([modeOf(path), modeOf(`${path}_secret`)]).toEqual([0o644, 0o600]);
    const { publicKey, secretKey } = await readCertificate(`${path}_secret`, { secret: true });
    expect(curvePublicKey(secretKey)).toBe(publicKey);
    expect((await readCertificate(path)).publicKey).toBe(publicKey);
    expect(readdirSync(folder).sort()).toEqual(["server.key", "server.key_secret"]);
  });

  it("--from shows a certificate of others, and writes its public half again", async () => {
    const theirs = join(import.meta.dirname, "../vectors/certificates/czmq.cert");
    const { publicKey, metadata } = await readCertificate(theirs);
    const said = Object.entries(metadata)
      .map(([name, value]) => `metadata ${name}: ${value}\n`)
      .join("");
    for (const file of [theirs, `${theirs}_secret`])
      expect(await run("keygen", "--from", file)).toEqual({
        code: 0,
        out: `public key: ${publicKey}\n${said}`,
        error: "",
      });
    const { secretKey } = await readCertificate(`${theirs}_secret`);
    expect((await run("keygen", "--from", `${theirs}_secret`, "--show-secret")).out).toContain(
      `secret key: ${secretKey}\n`,
    );
    expect(
      (await run("keygen", "--from", theirs, join(folder, "public.key"), "--meta", "name=Other")).code,
    ).toBe(0);
    expect(readdirSync(folder)).toEqual(["public.key"]);
    expect(await readCertificate(join(folder, "public.key"))).toEqual({
      publicKey,
      metadata: { ...metadata, name: "Other" },
    });
    writeFileSync(join(folder, "no.key"), "curve\n    public-key = x\n");
    expect(await run("keygen", "--from", join(folder, "no.key"))).toMatchObject({
      code: 1,
      out: "",
      error: expect.stringContaining("no.key:2: public-key must be a key"),
    });
  });

  it("a folder that is not there is told, without a secret", async () => {
    const { code, out, error } = await run("keygen", join(folder, "none", "server"));
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(error).toContain("ENOENT");
    expect(existsSync(join(folder, "none"))).toBe(false);
  });

  it.each([
    ["a", "b"],
    ["--frobnicate"],
    ["--force"],
    [""],
    ["--force=yes", "x"],
    ["--meta", "a=b"],
    ["x", "--meta", "a"],
    ["x", "--meta", "a b=c"],
    ["--from", ""],
  ])("a wrong command line is exit code 2: %s %s", async (...args) => {
    const result = await run("keygen", ...args.filter((one) => one !== undefined));
    expect(result).toMatchObject({
      code: 2,
      out: "",
      error: expect.stringContaining("zwire keygen [name]"),
    });
  });

  it("is the package's command", () => {
    const root = fileURLToPath(new URL("../../", import.meta.url));
    const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const program = join(root, bin.zwire);
    expect(readFileSync(program, "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(execFileSync(process.execPath, [program, "keygen"], { encoding: "utf8" })).toMatch(LINES);
  });
});
