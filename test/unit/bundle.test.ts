/**
 * A program that a bundler has put into one file, with rolldown, which Vite uses: it runs by itself on the portable engine
 * and says why, and with the addon beside it on the native one. docs/bundling.md tells of the other bundlers.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../support/helpers.js";

const ROOT = resolve(fileURLToPath(import.meta.url), "../../..");

const PROGRAM = `import { addonError, curveKeyPair, engine, Pull, Push } from "zwire";
  async function main() {
    const [server, client] = [curveKeyPair(), curveKeyPair()];
    const pull = new Pull({ security: { mechanism: "curve", server: true, secretKey: server.secretKey } });
    const push = new Push({ security: { mechanism: "curve", serverKey: server.publicKey, ...client } });
    push.connect(await pull.bind("tcp://127.0.0.1:*"));
    await push.send("hello");
    console.log(JSON.stringify({ said: String(await pull.receive()), engine: engine(), why: addonError()?.message }));
    await Promise.all([push.close(), pull.close()]);
  }
  main();`;

/** Bundles the program into a folder of its own; the file. */
async function bundle(format: "es" | "cjs"): Promise<string> {
  const home = temporaryDirectory();
  const input = join(ROOT, "test", "unit", "bundled-program.mjs"); // where zwire is found by its name; never written
  const build = await rolldown({
    input,
    platform: "node",
    external: (id) => isBuiltin(id),
    plugins: [
      {
        name: "program",
        load: (id) => (id === input ? PROGRAM : null),
        resolveId: (id) => (id === input ? id : null),
      },
    ],
  });
  const file = join(home, format === "es" ? "main.mjs" : "main.cjs");
  const { output } = await build.write({ file, format, codeSplitting: false });
  expect(output).toHaveLength(1);
  return file;
}

function run(file: string): object {
  const env = { ...process.env, ZWIRE_ENGINE: "", NODE_OPTIONS: "" };
  return JSON.parse(execFileSync(process.execPath, [file], { env, encoding: "utf8" }));
}

it.each(["es", "cjs"] as const)(
  "one file (%s) runs, says why it is portable, and takes an addon beside it",
  async (format) => {
    const file = await bundle(format);
    const why = `${file} is a bundle with neither zwire in a node_modules above it nor zwire.node beside it`;
    expect(run(file)).toEqual({ said: "hello", engine: "portable", why });

    const addon = join(file, "..", "zwire.node");
    writeFileSync(addon, "no addon");
    expect(run(file)).toMatchObject({
      said: "hello",
      engine: "portable",
      why: expect.stringContaining(addon),
    });

    copyFileSync(join(ROOT, "build", "Release", "zwire.node"), addon);
    expect(run(file)).toEqual({ said: "hello", engine: "native" });
  },
);
