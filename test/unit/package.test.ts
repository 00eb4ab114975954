/**
 * What a consumer gets: the packed files in a folder of their own, without compiler, install script or development
 * packages. One copy of the classes for import and require; the portable engine where no addon is found.
 */
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pack } from "../support/pack.js";

const ROOT = resolve(fileURLToPath(import.meta.url), "../../..");
/** Whether this Node can load an ES module by require(): then the other way has to be asked for. */
const REQUIRES = process.allowedNodeEnvironmentFlags.has("--experimental-require-module");
const home = mkdtempSync(join(tmpdir(), "zwire-consumer-"));
const installed = join(home, "node_modules", "zwire");

function node(...args: string[]): string {
  const env = { ...process.env, ZWIRE_ENGINE: "", NODE_OPTIONS: "" };
  return execFileSync(process.execPath, args, {
    cwd: home,
    encoding: "utf8",
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

beforeAll(() => {
  const { filename } = pack(ROOT, "--ignore-scripts", "--pack-destination", home);
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["xzf", join(home, filename), "-C", installed, "--strip-components=1"]);
  rmSync(join(installed, "prebuilds"), { recursive: true, force: true });
  const loader = join("node_modules", "node-gyp-build");
  cpSync(join(ROOT, loader), join(home, loader), { recursive: true });
  writeFileSync(join(home, "package.json"), '{ "type": "module" }');
}, 60_000);

afterAll(() => rmSync(home, { recursive: true, force: true }));

const TALK = `
  const pull = new Pull(), push = new Push();
  push.connect(await pull.bind("tcp://127.0.0.1:*"));
  await push.send("hello");
  console.log(engine(), String(await pull.receive()));
  await push.close();
  await pull.close();
`;

/** A secret server, a client that knows it; prints what arrives, or what went wrong. */
const SECRET_TALK = `
  const { curveKeyPair, Pull, Push } = require("zwire");
  const [ours, theirs] = [curveKeyPair(), curveKeyPair()];
  (async () => {
    const pull = new Pull({ security: { mechanism: "curve", server: true, secretKey: ours.secretKey } });
    const push = new Push({ security: { mechanism: "curve", secretKey: theirs.secretKey, serverKey: ours.publicKey } });
    push.on("handshake:error:other", ({ error }) => { console.log(error.code); process.exit(); });
    push.connect(await pull.bind("tcp://127.0.0.1:*"));
    await push.send(["hello", Buffer.alloc(100000, "x")]);
    const [text, large] = await pull.receive();
    console.log(String(text), large.length);
    await push.close();
    await pull.close();
  })();
`;

describe("the package", () => {
  it("has no install script, and asks npm not to compile", () => {
    const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    expect(manifest.gypfile).toBe(false);
    expect(Object.keys(manifest.scripts).filter((name) => /install|prepare/.test(name))).toEqual([]);
    expect(Object.keys(manifest.dependencies)).toEqual(["libsodium", "node-gyp-build"]);
    expect(manifest.optionalDependencies).toBeUndefined();
    expect(Object.keys(manifest.peerDependencies)).toEqual(["@opentelemetry/api", "sodium-native"]);
    expect(manifest.peerDependenciesMeta["sodium-native"].optional).toBe(true);
    expect(manifest.peerDependenciesMeta["@opentelemetry/api"].optional).toBe(true);
    expect(existsSync(join(installed, "src"))).toBe(false);
    expect(existsSync(join(installed, "build"))).toBe(false);
  });

  it("depends on no package with an install script, which pnpm would refuse", () => {
    const { packages } = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
    type Locked = { dev?: boolean; peer?: boolean; hasInstallScript?: boolean };
    const locked = Object.entries(packages as Record<string, Locked>);
    const ours = locked.filter(([path, { dev, peer }]) => path !== "" && !dev && !peer);
    expect(ours.map(([path]) => path)).toEqual(
      expect.arrayContaining(["node_modules/libsodium", "node_modules/node-gyp-build"]),
    );
    const scripted = (entries: typeof locked): string[] =>
      entries.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path);
    expect(scripted(ours)).toEqual([]);
    expect(scripted(locked)).toContain("node_modules/msgpackr-extract"); // so would it be found
  });

  it("contains msgpackr's code, which loads nothing, with version and licence", () => {
    const folder = join(ROOT, "node_modules", "msgpackr");
    const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const words = (text: string): string => text.replace(/[\s*]+/g, " ");
    const licence = words(readFileSync(join(folder, "LICENSE"), "utf8")).trim();
    for (const file of ["dist/shared/messagepack.js", "dist/cjs/messagepack.cjs", "THIRD-PARTY-NOTICES.md"]) {
      const text = readFileSync(join(installed, file), "utf8");
      expect(text, file).toContain(`msgpackr ${version}`);
      expect(words(text), file).toContain(licence);
      expect(text, file).not.toContain("msgpackr-extract");
    }
    const code = readFileSync(join(ROOT, "vendor/msgpackr.js"), "utf8");
    expect(code).not.toMatch(/^import\b|\bimport\(|\brequire\b|\bprocess\b|sourceMappingURL/m);
  });

  it("has nothing that yarn or pnpm would take for an addon to be built", () => {
    expect(existsSync(join(installed, "binding.gyp"))).toBe(false);
    expect(readdirSync(installed).filter((name) => /^(native|src|CMake)/.test(name))).toEqual([]);
  });

  it("is built before it is packed (fresh-clone.long.test.ts packs a clone)", () => {
    const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    expect(manifest.scripts.prepack).toBe("node scripts/ready.mjs --quiet");
  });

  it("without addon and compiler uses the portable engine, with no error, and can say why", () => {
    writeFileSync(join(home, "talk.mjs"), `import { engine, Pull, Push } from "zwire";${TALK}`);
    expect(node("talk.mjs")).toBe("portable hello\n");
    writeFileSync(
      join(home, "why.mjs"),
      'import { addonError } from "zwire"; console.log(addonError()?.message);',
    );
    expect(node("why.mjs")).toMatch(/^No native build was found for platform=/);
  });

  it("loads a crypto library for CURVE only, and needs no native one (P8)", () => {
    writeFileSync(join(home, "secret.cjs"), SECRET_TALK);
    expect(node("secret.cjs")).toBe("ERR_MODULE_NOT_FOUND\n"); // all else here runs without it
    cpSync(join(ROOT, "node_modules", "libsodium"), join(home, "node_modules", "libsodium"), {
      recursive: true,
    });
    expect(node("--throw-deprecation", "secret.cjs")).toBe("hello 100000\n");
    rmSync(join(home, "node_modules", "libsodium"), { recursive: true });
  });

  it("with a prebuilt addon uses the native engine", () => {
    const prebuilt = join(installed, "prebuilds", `${process.platform}-${process.arch}`);
    mkdirSync(prebuilt, { recursive: true });
    cpSync(join(ROOT, "build", "Release", "zwire.node"), join(prebuilt, "zwire.node"));
    expect(node("talk.mjs")).toBe("native hello\n");
    expect(node("why.mjs")).toBe("undefined\n");
    rmSync(join(installed, "prebuilds"), { recursive: true });
  });

  it("gives require() and import the same classes, without a warning", () => {
    const program = `const required = require("zwire");
      import("zwire").then((imported) => console.log(required.Push === imported.Push, new required.Push() instanceof imported.Socket));`;
    writeFileSync(join(home, "both.cjs"), program);
    expect(node("--throw-deprecation", "both.cjs")).toBe("true true\n");
  });

  it.each([
    ["zwire/zeromq", "Push"],
    ["zwire/zeromq/draft", "Client"],
    ["zwire/zeromq/draft.js", "Client"],
  ])("gives require() and import the same classes of %s", (entry, name) => {
    const program = `const required = require("${entry}");
      import("${entry}").then((imported) => console.log(required.${name} === imported.${name}, typeof new required.${name}().send));`;
    writeFileSync(join(home, "entry.cjs"), program);
    expect(node("entry.cjs")).toBe("true function\n");
  });

  it.each(["zwire", "zwire/draft", "zwire/zeromq", "zwire/zeromq/draft", "zwire/rpc"])(
    "calls what %s exports by its name, however it is loaded",
    (entry) => {
      const program = `
        const misnamed = (module) => Object.entries(module).filter(([name, value]) =>
          typeof value === "function" && name !== "default" && value.name !== name).map(([name]) => name);
        import("${entry}").then((imported) =>
          console.log(JSON.stringify([Object.keys(imported).length > 4, misnamed(imported), misnamed(require("${entry}"))])));`;
      writeFileSync(join(home, "names.cjs"), program);
      for (const flag of ["--no-warnings", "--no-experimental-require-module"].slice(0, REQUIRES ? 2 : 1))
        expect(node("--no-warnings", flag, "names.cjs")).toBe("[true,[],[]]\n");
    },
  );

  it("has the command zwire-rpc, and the file for Python where spawnPython looks for it", () => {
    const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    expect(node(join(installed, manifest.bin["zwire-rpc"]), "--help")).toMatch(/^zwire-rpc: /);
    expect(readFileSync(join(installed, "examples/python/zwire_rpc.py"), "utf8")).toContain("class Server");
  });

  /** As Jest does, and Node.js before it could load ES modules so. */
  const OLD_REQUIRE = "--no-experimental-require-module";

  it("has a CommonJS build for what cannot require() ES modules, with the same exports", () => {
    const entries = ["zwire", "zwire/draft", "zwire/rpc", "zwire/zeromq", "zwire/zeromq/draft"];
    const program = `const entries = ${JSON.stringify(entries)};
      (async () => {
        for (const entry of entries) {
          const required = require(entry);
          if (!require.resolve(entry).endsWith(".cjs")) throw new Error(require.resolve(entry));
          const names = (all) => Object.keys(all).sort().join();
          if (names(required) !== names(await import(entry))) throw new Error(entry);
        }
        const { Push } = require("zwire");
        if (require("zwire/rpc").connect.length === 0 || !(new Push() instanceof require("zwire").Socket)) throw new Error();
        console.log("same");
      })();`;
    writeFileSync(join(home, "names.cjs"), program);
    expect(node(OLD_REQUIRE, "names.cjs")).toBe("same\n");
  });

  it("finds the addon, libsodium and the file for Python from the CommonJS build, too", () => {
    const prebuilt = join(installed, "prebuilds", `${process.platform}-${process.arch}`);
    mkdirSync(prebuilt, { recursive: true });
    cpSync(join(ROOT, "build", "Release", "zwire.node"), join(prebuilt, "zwire.node"));
    const libsodium = join(home, "node_modules", "libsodium");
    cpSync(join(ROOT, "node_modules", "libsodium"), libsodium, { recursive: true });
    writeFileSync(
      join(home, "old.cjs"),
      `const { engine, Pull, Push } = require("zwire"); (async () => {${TALK}})();`,
    );
    expect(node(OLD_REQUIRE, "old.cjs")).toBe("native hello\n");
    expect(node(OLD_REQUIRE, "secret.cjs")).toBe("hello 100000\n");
    rmSync(libsodium, { recursive: true });
    rmSync(join(installed, "prebuilds"), { recursive: true });
  });

  it("calls between require() and import of zwire/rpc", () => {
    const program = `const { serve } = require("zwire/rpc");
      import("zwire/rpc").then(async ({ connect }) => {
        const server = await serve("tcp://127.0.0.1:*", { add: (a, b) => a + b });
        const api = connect(server.endpoint);
        console.log(await api.add(1, 2));
        await api.$close();
        await server.close();
      });`;
    writeFileSync(join(home, "rpc.cjs"), program);
    expect(node("rpc.cjs")).toBe("3\n");
  });

  it("lets a program of zeromq.js run with one import changed", () => {
    const program = `
      import * as zmq from "zwire/zeromq";
      const [server, client] = [new zmq.Reply(), new zmq.Request()];
      await server.bind("tcp://127.0.0.1:*");
      client.connect(server.lastEndpoint);
      await client.send("4");
      const [question] = await server.receive();
      await server.send(question * 2);
      console.log(zmq.version, String(await client.receive()));`;
    writeFileSync(join(home, "migrated.mjs"), program);
    expect(node("migrated.mjs")).toBe("4.3.5 8\n");
  });

  it.each(["mts", "cts"])("has types for a .%s program", (extension) => {
    const program = `
      import { type Message, Push, Pull, Request, Subscriber, ZmqError } from "zwire";
      import * as zmq from "zwire/zeromq";
      import { Client } from "zwire/zeromq/draft";
      async function main(): Promise<void> {
        await using push = new Push({ sendHighWaterMark: 5, linger: 0 });
        push.sendTimeout = 10;
        const sent: Promise<void> = push.send(["a", Buffer.alloc(1), 1, null], { timeout: 1 });
        const pull = new Pull();
        pull.on("message", (parts: Message) => parts[0].toString());
        pull.on("disconnect", (event) => event.peer.routingId.length + (event.error instanceof ZmqError ? 1 : 0));
        for await (const [first] of pull) first.readUInt8(0);
        const [answer]: Message = await new Request().request("x");
        new Subscriber().subscribe("a", answer);
        // @ts-expect-error a Pull does not send
        pull.send("x");
        // @ts-expect-error a Push has no such option
        new Push({ receiveHighWaterMark: 1 });
        await sent;
        const compatible = new zmq.Router({ mandatory: true });
        const parts: zmq.Message[] = await compatible.receive();
        new Client().send(parts[0]);
      }
      void main();`;
    writeFileSync(join(home, `types.${extension}`), program);
    const compile = [
      join(ROOT, "node_modules", "typescript", "bin", "tsc"),
      "--noEmit",
      "--strict",
      "--skipLibCheck",
    ];
    compile.push("--module", "nodenext", "--target", "es2023", "--lib", "es2023,esnext.disposable");
    compile.push(
      "--typeRoots",
      join(ROOT, "node_modules", "@types"),
      "--types",
      "node",
      `types.${extension}`,
    );
    let output = "";
    try {
      output = node(...compile);
    } catch (error) {
      output = (error as { stdout: string }).stdout;
    }
    expect(output).toBe("");
  });
});
