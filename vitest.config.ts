/**
 * How the tests run: everything above the transport once per engine (projects "native" and "portable"), the rest once
 * (project "unit"). Child processes inherit ZWIRE_ENGINE.
 *
 * Files named *.long.test.ts are matrices, soaks, floods and kill loops: `npm test` leaves them out. ZWIRE_TESTS says
 * which files run: "quick" (the default), "long", or "all".
 *
 * While working:
 *   npm run test:unit -- engine          unit tests of one folder or file
 *   npm run test:watch -- engine         the same, again after each change
 *   npx vitest run --project native push-pull         one file, on one engine
 *   npx vitest run --project portable test/conformance/tcp.test.ts -t "part of a title"
 * Child processes run what is compiled: after a change in src/, `npm run build` before tests that start some.
 */
import { tmpdir } from "node:os";
import { defineConfig } from "vitest/config";

/** Compiles, is about processes or threads, or asks for words only, and so is the same on any engine. */
const ONCE = [
  "test/conformance/inproc-threads.test.ts",
  "test/conformance/inproc-thread-names.test.ts",
  "test/conformance/inproc-thread-ends.test.ts",
  "test/zeromq/surface.test.ts",
  "test/zeromq/types.test.ts",
  "test/security/rig.test.ts",
  "test/rpc/types.test.ts",
  "test/rpc/command.test.ts",
  "test/rpc/examples.test.ts",
  "test/rpc/spawn-python.test.ts",
  "test/rpc/zwire-rpc-py.test.ts",
];

const above = ["conformance", "interop", "lifecycle", "rpc", "security", "zeromq"].map(
  (room) => `test/${room}/**/*.test.ts`,
);

/** What every test file needs first. */
const setupFiles = ["test/support/setup.ts"];
const LONG = "**/*.long.test.ts";
const which = process.env.ZWIRE_TESTS ?? "quick";
if (!["quick", "long", "all"].includes(which)) throw new Error(`ZWIRE_TESTS is quick, long or all; got ${which}`);
/** What a project leaves out, besides what it names itself. */
const left = which === "quick" ? [LONG] : [];
/** The files of some patterns that run now. */
function chosen(patterns: string[]): string[] {
  return which === "long" ? patterns.map((pattern) => pattern.replace(/(\.long)?\.test\.ts$/, ".long.test.ts")) : patterns;
}

function engine(name: "native" | "portable") {
  return {
    test: {
      name,
      include: chosen(above),
      exclude: [...ONCE, ...left],
      pool: "forks" as const,
      setupFiles,
      // --expose-gc: tests that measure memory first drop what is garbage.
      execArgv: ["--expose-gc"],
      // ipc://* makes its directories here (R15), not in the project: many tests end a process in the middle.
      env: { ZWIRE_ENGINE: name, TMPDIR: tmpdir(), ZWIRE_BUGS: "throw" },
      testTimeout: 120_000,
      hookTimeout: 60_000,
    },
  };
}

export default defineConfig({
  test: {
    // Two files at a time: the machine may have two cores, and most files run a child process beside them.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "unit",
          include: chosen(["unit", "vectors", "fuzz", "sim"].map((room) => `test/${room}/**/*.test.ts`).concat(ONCE)),
          exclude: left,
          // A failed assertion of zwire fails the test, and not its connection alone.
          env: { ZWIRE_BUGS: "throw" },
          pool: "forks",
          setupFiles,
          execArgv: ["--expose-gc"],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      engine("native"),
      engine("portable"),
    ],
  },
});
