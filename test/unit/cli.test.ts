/** The command `zwire`: dispatch, and `keygen` with its files. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
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

  it("writes a pair to files, the secret one for the owner alone, and prints the public key only", async () => {
    const before = process.umask(0o002);
    try {
      const path = join(folder, "server");
      const { code, out, error } = await run("keygen", path);
      expect({ code, error }).toEqual({ code: 0, error: "" });
      const { publicKey, secretKey } = JSON.parse(readFileSync(path, "utf8"));
      expect(curvePublicKey(secretKey)).toBe(publicKey);
      expect(readFileSync(`${path}.pub`, "utf8")).toBe(`${publicKey}\n`);
      expect([modeOf(path), modeOf(`${path}.pub`)]).toEqual([0o600, 0o644]);
      expect(out).toBe(`public key: ${publicKey}\n`);
      expect(readdirSync(folder).sort()).toEqual(["server", "server.pub"]);
    } finally {
      process.umask(before);
    }
  });

  it("--show-secret prints the secret key too", async () => {
    const path = join(folder, "server");
    const { out } = await run("keygen", path, "--show-secret");
    expect(LINES.exec(out)?.[2]).toBe(JSON.parse(readFileSync(path, "utf8")).secretKey);
  });

  it.each(["server", "server.pub"])("does not replace %s, unless told to", async (there) => {
    const path = join(folder, "server");
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
    expect([modeOf(path), modeOf(`${path}.pub`)]).toEqual([0o600, 0o644]);
    const { publicKey, secretKey } = JSON.parse(readFileSync(path, "utf8"));
    expect(curvePublicKey(secretKey)).toBe(publicKey);
    expect(readFileSync(`${path}.pub`, "utf8")).toBe(`${publicKey}\n`);
    expect(readdirSync(folder).sort()).toEqual(["server", "server.pub"]);
  });

  it("a folder that is not there is told, without a secret", async () => {
    const { code, out, error } = await run("keygen", join(folder, "none", "server"));
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(error).toContain("ENOENT");
    expect(existsSync(join(folder, "none"))).toBe(false);
  });

  it.each([["a", "b"], ["--frobnicate"], ["--force"], [""], ["--force=yes", "x"]])(
    "a wrong command line is exit code 2: %s %s",
    async (...args) => {
      const result = await run("keygen", ...args.filter((one) => one !== undefined));
      expect(result).toMatchObject({
        code: 2,
        out: "",
        error: expect.stringContaining("zwire keygen [file]"),
      });
    },
  );

  it("is the package's command", () => {
    const root = fileURLToPath(new URL("../../", import.meta.url));
    const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const program = join(root, bin.zwire);
    expect(readFileSync(program, "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(execFileSync(process.execPath, [program, "keygen"], { encoding: "utf8" })).toMatch(LINES);
  });
});
