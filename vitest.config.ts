/**
 * How the tests run: everything above the transport once per engine (projects "native" and "portable"), the rest once
 * (project "unit"). Child processes inherit ZWIRE_ENGINE.
 *
 * Files named *.long.test.ts are matrices, soaks, floods and kill loops: `npm test` leaves them out. Those of ONE_ENGINE
 * it runs on the native engine only. ZWIRE_TESTS says which files run: "quick" (the default, what `npm test` runs), "long"
 * (what it leaves out), or "all". test/unit/engines.test.ts checks that "quick" and "long" together are "all".
 *
 * While working:
 *   npm run test:unit -- engine          unit tests of one folder or file
 *   npm run test:watch -- engine         the same, again after each change
 *   npx vitest run --project native push-pull         one file, on one engine
 *   npx vitest run --project portable test/conformance/tcp.test.ts -t "part of a title"
 * Tests run what is compiled: after a change in src/, `npm run build` first. With `--mode sources` they run src/, and only the
 * child processes that some start run what is compiled.
 */
import { tmpdir } from "node:os";
import { dirname, relative, resolve } from "node:path";
import { defineConfig } from "vitest/config";
import { isCompiled } from "./scripts/ready.mjs";

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

/**
 * What does not touch the stream of an engine, and why: `npm test` runs it on the native engine, "long" on the portable
 * one. Streams, framing, handshakes, delivery, limits and life cycles are not for this list.
 */
const ONE_ENGINE: Record<string, string[]> = {
  "memory that processes share, which the portable engine does not have: there the same programs use the socket": [
    "test/conformance/shared-memory.test.ts",
  ],
  "values of options: who has them, defaults, what is refused": [
    "test/conformance/context.test.ts",
    "test/conformance/option-accessors.test.ts",
    "test/conformance/option-numbers.test.ts",
    "test/conformance/options.test.ts",
  ],
  "the face of a socket: listeners, iteration, inproc within a thread": [
    "test/conformance/emitter.test.ts",
    "test/conformance/inproc.test.ts",
    "test/conformance/leaving-iteration.test.ts",
    "test/conformance/prometheus.test.ts",
  ],
  "takes messages from one socket and gives them to another": [
    "test/conformance/proxy.test.ts",
    "test/conformance/proxy-both-ways.test.ts",
    "test/conformance/proxy-running.test.ts",
  ],
  "every pair of types under each mechanism: CURVE and PLAIN are above the stream, and tested there on both": [
    "test/interop/security.test.ts",
  ],
  "calls and streams of zwire/rpc, which knows sockets by their public members": [
    "test/rpc/calls.test.ts",
    "test/rpc/client-heartbeats.test.ts",
    "test/rpc/client-servers.test.ts",
    "test/rpc/client-streams.test.ts",
    "test/rpc/client-wire.test.ts",
    "test/rpc/closing.test.ts",
    "test/rpc/fuzz.test.ts",
    "test/rpc/liveness.test.ts",
    "test/rpc/middleware.test.ts",
    "test/rpc/one-way.test.ts",
    "test/rpc/python-client.test.ts",
    "test/rpc/python-server.test.ts",
    "test/rpc/server-calls.test.ts",
    "test/rpc/server-wire.test.ts",
    "test/rpc/silence.test.ts",
    "test/rpc/streams.test.ts",
    "test/rpc/tracing.test.ts",
    "test/rpc/volume.test.ts",
  ],
  "zwire/zeromq, which is another face of the same sockets": [
    "test/zeromq/edges.test.ts",
    "test/zeromq/endpoints.test.ts",
    "test/zeromq/names.test.ts",
    "test/zeromq/programs.test.ts",
    "test/zeromq/repairs.test.ts",
  ],
  "tls+tcp, whose streams are node:tls over node:net under either engine": [
    "test/conformance/tls.test.ts",
    "test/conformance/tls-options.test.ts",
    "test/lifecycle/tls.test.ts",
    "test/security/tls.test.ts",
  ],
  "WebSockets that are over node:net under either engine, and another client of the same ones": [
    "test/conformance/http-server.test.ts",
    "test/conformance/websocket-tls.test.ts",
    "test/interop/jszmq.test.ts",
    "test/zeromq/websocket.test.ts",
  ],
  "udp, which is over node:dgram under either engine": [
    "test/conformance/udp-datagram.test.ts",
    "test/conformance/udp.test.ts",
    "test/conformance/udp-multicast.test.ts",
    "test/interop/udp.test.ts",
    "test/security/udp.test.ts",
  ],
  "how modules are loaded, and programs of ours": [
    "test/interop/command.test.ts",
    "test/interop/command-bench.test.ts",
    "test/interop/command-proxy.test.ts",
    "test/interop/command-recording.test.ts",
    "test/lifecycle/command.test.ts",
    "test/lifecycle/command-faults.test.ts",
    "test/lifecycle/demo.test.ts",
    "test/lifecycle/two-copies.test.ts",
  ],
};
const oneEngine = Object.values(ONE_ENGINE).flat();

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
  const later = name === "portable";
  return {
    plugins: [compiled],
    test: {
      server,
      name,
      include: which === "long" && later ? chosen(above).concat(oneEngine) : chosen(above),
      exclude: [...ONCE, ...left, ...(which === "quick" && later ? oneEngine : [])],
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

/** Whether the tests run on src/ itself, for positions in sources and for watching: `npx vitest --mode sources`. */
const onSources = /--mode[= ]sources/.test(process.argv.join(" "));
if (!onSources && !isCompiled()) throw new Error("src/ has changed: run `npm run build` first, or vitest with --mode sources");

/** Tests import what is compiled in place of src/: Node loads that by itself, in a third of the time. */
const compiled = {
  name: "compiled",
  enforce: "pre" as const,
  resolveId(id: string, importer: string | undefined) {
    if (onSources || !id.startsWith(".") || importer === undefined) return null;
    const [, module] = /^src[/\\](.*)\.js$/.exec(relative(import.meta.dirname, resolve(dirname(importer), id))) ?? [];
    return module === undefined ? null : resolve(import.meta.dirname, "compiled", `${module}.js`);
  },
};
const server = { deps: { external: [/[/\\]compiled[/\\]/] } };

/**
 * Pages in a real browser: only in "long" and "all". The second engine runs what depends on it: each class with each of its
 * peers.
 */
function browser(name: "native" | "portable") {
  const files = name === "native" ? "test/browser/**/*.test.ts" : "test/browser/classes.test.ts";
  const { test, ...rest } = engine(name);
  return {
    ...rest,
    test: { ...test, name: name === "native" ? "browser" : "browser-portable", include: which === "quick" ? [] : [files], exclude: [] },
  };
}

export default defineConfig({
  test: {
    // Three files at a time on two cores: what is left to do is mostly waiting, for children and for time to pass.
    maxWorkers: 3,
    projects: [
      {
        plugins: [compiled],
        test: {
          server,
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
      browser("native"),
      browser("portable"),
    ],
  },
});
