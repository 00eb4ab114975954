/**
 * Runtimes that are not Node get the engine that works there. Bun and Deno themselves are cells of `npm run test:everywhere`; here
 * Node is made to look like them.
 */
import { expect, it } from "vitest";
import { smoke } from "../support/smoke/runtime.js";

const asModule = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;

it("Node itself gets the addon", async () => {
  expect(await smoke(process.execPath)).toBe("native");
});

it.each(["bun", "deno"])("where process.versions names %s the addon is not touched", async (name) => {
  const code = `Object.defineProperty(process.versions, ${JSON.stringify(name)}, { value: "1.0.0" });`;
  expect(await smoke(process.execPath, "--import", asModule(code))).toBe("portable");
});

it("inproc works within the thread where channels cannot be read at once", async () => {
  const code = `
    import { createRequire, syncBuiltinESMExports } from "node:module";
    const threads = createRequire("file:///")("node:worker_threads");
    threads.receiveMessageOnPort = () => { throw new TypeError("not here"); };
    syncBuiltinESMExports();`;
  expect(await smoke(process.execPath, "--import", asModule(code))).toBe("native");
});
