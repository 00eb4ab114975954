/**
 * How the tests run: everything above the transport once per engine (projects "native" and "portable"), the rest once
 * (project "unit"). Child processes inherit ZWIRE_ENGINE.
 */
import { tmpdir } from "node:os";
import { defineConfig } from "vitest/config";

/** Compiles, or is about processes, and so is the same on any engine. */
const ONCE = [
  "test/zeromq/types.test.ts",
  "test/rpc/types.test.ts",
  "test/rpc/command.test.ts",
  "test/rpc/examples.test.ts",
  "test/rpc/spawn-python.test.ts",
  "test/rpc/types.test.ts",
  "test/rpc/zwire-rpc-py.test.ts",
];

const above = ["conformance", "interop", "lifecycle", "rpc", "zeromq"].map((room) => `test/${room}/**/*.test.ts`);

function engine(name: "native" | "portable") {
  return {
    test: {
      name,
      include: above,
      exclude: ONCE,
      pool: "forks" as const,
      // --expose-gc: tests that measure memory first drop what is garbage.
      execArgv: ["--expose-gc"],
      // ipc://* makes its directories here (R15), not in the project: many tests end a process in the middle.
      env: { ZWIRE_ENGINE: name, TMPDIR: tmpdir() },
      testTimeout: 60_000,
      hookTimeout: 30_000,
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
          include: ["unit", "vectors", "fuzz"].map((room) => `test/${room}/**/*.test.ts`).concat(ONCE),
          pool: "forks",
          testTimeout: 20_000,
        },
      },
      engine("native"),
      engine("portable"),
    ],
  },
});
