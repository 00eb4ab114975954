/**
 * A Pull that takes over the listening descriptor it was started with (R25), as under socket activation. In its first
 * role it makes the descriptor, starts itself anew with it, closes its own copy, and does nothing more (if it ended,
 * the pipe from the test would end with it).
 * Arguments: `make` or `serve`, and `tcp`, `tls` or a path (`@name` in the abstract namespace).
 */
import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { onLine, Pull, say } from "./zwire.mjs";

const [role, where] = process.argv.slice(2);
const DESCRIPTOR = 3;
const OVER_TCP = new Map([
  ["tcp", "tcp://127.0.0.1:*"],
  ["tls", "tls+tcp://127.0.0.1:*"],
]);
const wanted = OVER_TCP.get(where) ?? "ipc://elsewhere";

if (role === "make") {
  const server = createServer();
  const address = OVER_TCP.has(where) ? { host: "127.0.0.1", port: 0 } : { path: where.replace(/^@/, "\0") };
  server.listen(address, () => {
    const { fd } = server._handle;
    const stdio = ["inherit", "inherit", "inherit", fd];
    spawn(process.execPath, [fileURLToPath(import.meta.url), "serve", where], { stdio }).once("spawn", () => {
      closeSync(fd); // behind the back of node:net, which would unlink the path
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });
  });
} else {
  process.stdin.on("end", () => process.exit(0)); // the test is over
  const pull = new Pull({ useFd: DESCRIPTOR });
  const endpoint = await pull.bind(wanted);
  const again = await pull.bind(wanted).catch((error) => error);
  say({ bound: endpoint, engine: pull.engine, again: again.code });
  onLine(async ({ close }) => {
    if (close === "unbind") await pull.unbind(endpoint);
    else await pull.close();
    say({ closed: true });
  });
  for await (const [part] of pull) say({ message: String(part) });
}
