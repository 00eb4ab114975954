/** Jest in its modes, ts-jest as NestJS sets it up, and vitest: a test in each that uses zwire. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../ready.mjs";
import { ALL, folder, install, once, putPrograms, run, VERSIONS } from "./tools.mjs";

/**
 * The smoke program as a test. The worker thread is outside of the test runner, and loads zwire by
 * itself: over tcp, because Jest's `process`, a copy, hears nothing of other threads.
 */
const TEST = `test("zwire works", async () => {
  const worker = { program: process.cwd() + "/worker.cjs", endpoint: "tcp://127.0.0.1:*" };
  const { done, engine } = await smoke({ zwire, rpc }, worker);
  expect(done).toEqual(${JSON.stringify([...ALL, "threads"])});
  expect(engine).toBe("native");
}, 60_000);\n`;
const REQUIRE = `const zwire = require("zwire"), rpc = require("zwire/rpc"), smoke = require("./smoke.cjs");\n`;
const IMPORT = `import * as zwire from "zwire";\nimport * as rpc from "zwire/rpc";\nimport smoke from "./smoke.cjs";\n`;

/** With decorators and their metadata, as in a NestJS service. */
const SERVICE = `import { type Message, Pull, Push, Socket } from "zwire";
import { serve } from "zwire/rpc";

function Injectable(): ClassDecorator { return () => undefined; }

@Injectable()
class Jobs {
  constructor(private readonly push: Push, private readonly pull: Pull) {}
  async pass(text: string): Promise<string> {
    this.push.connect(await this.pull.bind("tcp://127.0.0.1:*"));
    await this.push.send(text);
    const [first]: Message = await this.pull.receive({ timeout: 10_000 });
    await Promise.all([this.push.close(), this.pull.close()]);
    return first.toString();
  }
}

test("a service with decorators", async () => {
  const push = new Push();
  expect(push).toBeInstanceOf(Socket);
  expect(await new Jobs(push, new Pull()).pass("hello")).toBe("hello");
  const server = await serve("tcp://127.0.0.1:*", { add: (a: number, b: number) => a + b });
  await server.close();
});
`;
const NEST = {
  module: "commonjs",
  target: "ES2023",
  emitDecoratorMetadata: true,
  experimentalDecorators: true,
  esModuleInterop: true,
  strict: true,
  skipLibCheck: true,
  ignoreDeprecations: "5.0",
};

const jestFolder = once(async (tarball) => {
  const path = folder("jest");
  await install(path, [tarball, ...VERSIONS.jest], "--ignore-scripts");
  putPrograms(path);
  writeFileSync(join(path, "default.test.js"), REQUIRE + TEST);
  writeFileSync(join(path, "module.test.mjs"), IMPORT + TEST);
  writeFileSync(join(path, "service.test.ts"), SERVICE);
  writeFileSync(join(path, "tsconfig.json"), JSON.stringify({ compilerOptions: NEST }));
  const byTsJest = { preset: "ts-jest", testEnvironment: "node", testMatch: ["**/service.test.ts"] };
  writeFileSync(join(path, "ts-jest.json"), JSON.stringify(byTsJest));
  const asModules = {
    testMatch: ["**/module.test.mjs"],
    transform: {},
    moduleFileExtensions: ["mjs", "cjs", "js", "json"],
  };
  writeFileSync(join(path, "modules.json"), JSON.stringify(asModules));
  return path;
});

function jest(name, nodeArgs, ...args) {
  return {
    name,
    run: async (tarball) => {
      const cwd = await jestFolder(tarball);
      const program = join(cwd, "node_modules/jest/bin/jest.js");
      // A handle that stays open keeps Jest from ending: the time-out fails the cell.
      const said = await run(
        [
          "/bin/sh",
          "-c",
          'exec "$@" 2>&1', // exec: a time-out ends Jest, and not a shell around it
          "sh",
          process.execPath,
          ...nodeArgs,
          program,
          "--ci",
          "--detectOpenHandles",
          ...args,
        ],
        { cwd, seconds: 180 },
      );
      if (/open handle/.test(said)) throw new Error(said);
      return "no open handles";
    },
  };
}

const vitest = {
  name: "vitest",
  run: async (tarball) => {
    const path = folder("vitest");
    await install(path, [tarball]);
    putPrograms(path);
    writeFileSync(join(path, "a.test.mjs"), IMPORT + TEST);
    const program = join(root, "node_modules/vitest/vitest.mjs");
    await run([process.execPath, program, "run", "--globals", "--root", path], { cwd: path });
  },
};

export function testRunnerCells(tarball) {
  const cells = [
    jest("Jest, as it comes (CommonJS)", [], "default.test.js"),
    jest("Jest, ES modules", ["--experimental-vm-modules"], "-c", "modules.json"),
    jest("ts-jest with decorators (NestJS)", [], "-c", "ts-jest.json"),
    vitest,
  ];
  return cells.map(({ name, run: attempt }) => ({ name, run: () => attempt(tarball) }));
}
