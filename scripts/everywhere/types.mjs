/** Versions of TypeScript and of Node's types, in each way to resolve modules. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../ready.mjs";
import { folder, install, run, VERSIONS } from "./tools.mjs";

/** TypeScript, @types/node, module, moduleResolution, and what kind of module the program is. */
const CORNERS = [
  ["5.0.4", "20", "node16", "node16", "cjs"],
  ["5.0.4", "22", "esnext", "bundler", "esm"],
  ["5.4.5", "20", "commonjs", "node10", "cjs"],
  ["5.4.5", "22", "node16", "node16", "esm"],
  ["5.9.3", "24", "nodenext", "nodenext", "cjs"],
  ["5.9.3", "25", "esnext", "bundler", "esm"],
  ["6.0.3", "25", "node16", "node16", "cjs"],
  ["6.0.3", "26", "nodenext", "nodenext", "esm"],
  ["7.0.2", "20", "esnext", "bundler", "esm"],
  ["7.0.2", "25", "nodenext", "nodenext", "cjs"],
  ["7.0.2", "26", "nodenext", "nodenext", "esm"],
];

const PROGRAM = `import { type Message, Push, Pull, Request, Subscriber, ZmqError, engine } from "zwire";
import { Client } from "zwire/draft";
import { connect, serve } from "zwire/rpc";
import * as zmq from "zwire/zeromq";

export async function main(): Promise<string> {
  const push = new Push({ sendHighWaterMark: 5, linger: 0 });
  push.sendTimeout = 10;
  const sent: Promise<void> = push.send(["a", Buffer.alloc(1), 1, null], { timeout: 1 });
  const pull = new Pull();
  pull.on("message", (parts: Message) => parts[0].toString());
  pull.once("disconnect", (event) => event.peer.routingId.length + (event.error instanceof ZmqError ? 1 : 0));
  for await (const [first] of pull) first.readUInt8(0);
  const [answer]: Message = await new Request().request("x");
  new Subscriber().subscribe("a", answer);
  // @ts-expect-error a Pull does not send
  pull.send("x");
  // @ts-expect-error a Push has no such option
  new Push({ receiveHighWaterMark: 1 });
  await sent;
  const parts: zmq.Message[] = await new zmq.Router({ mandatory: true }).receive();
  await new Client().send(parts[0]);
  const server = await serve("tcp://127.0.0.1:*", { add: (a: number, b: number) => a + b });
  const api = connect<{ add(a: number, b: number): number }>(server.endpoint);
  const sum: number = await api.add(1, 2);
  return engine() + sum;
}
`;

/**
 * Compiles with all declarations checked, but only what concerns zwire counts: an old TypeScript finds faults in newer
 * declarations of Node's.
 */
async function compile(command, cwd) {
  try {
    await run(command, { cwd });
  } catch (error) {
    const found = error.printed.split("\n").filter((line) => / error TS\d+:/.test(line));
    const others = found.filter((line) => /^node_modules\/(@types|undici-types)\//.test(line));
    if (found.length === 0 || others.length < found.length) throw error;
    return `${others.length} errors in Node's own declarations, none in zwire's`;
  }
}

/** Every entry's declarations, and sockets where Node's own declarations want an emitter, as ES modules. */
function putChecks(path) {
  cpSync(join(root, "test", "dependents", "declarations.mts"), join(path, "declarations.mts"));
  const check = readFileSync(join(root, "test", "unit", "declarations.check.ts"), "utf8");
  const packed = check.replace('"../../dist/index.js"', '"zwire"');
  if (packed === check) throw new Error("declarations.check.ts does not import ../../dist/index.js any more");
  writeFileSync(join(path, "check.mts"), packed);
  return ["declarations.mts", "check.mts"];
}

export function typeCells(tarball) {
  return CORNERS.map(([typescript, types, module, resolution, kind]) => {
    const name = `TypeScript ${typescript}, types ${types}, ${resolution}, ${kind}`;
    const attempt = async () => {
      const path = folder(name, { type: kind === "esm" ? "module" : "commonjs" });
      await install(
        path,
        [tarball, `typescript@${typescript}`, `@types/node@${VERSIONS.types[types]}`],
        "--ignore-scripts",
      );
      writeFileSync(join(path, "main.ts"), PROGRAM);
      const files = ["main.ts", ...(kind === "esm" ? putChecks(path) : [])];
      const strict = "--noEmit --strict --skipLibCheck false --target es2022 --lib es2023 --types node".split(
        " ",
      );
      if (resolution === "node10") strict.push("--esModuleInterop");
      const how = ["--module", module, "--moduleResolution", resolution];
      const program = join(path, "node_modules/typescript/bin/tsc");
      return compile([process.execPath, program, ...strict, ...how, ...files], path);
    };
    return { name, run: attempt };
  });
}
