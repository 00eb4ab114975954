/**
 * tslab's kernel and enchannel-zmq-backend: a cell is executed, and its first output arrives. Either side has the
 * drop-in, each in a process of its own. Run in a folder where both are installed: see scripts/dependents.mjs.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { resolve } from "node:path";
import enchannel from "enchannel-zmq-backend";

/** Ports that were free a moment ago: a connection file names them before the kernel binds them. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => server.address().port);
  for (const server of servers) server.close();
  await Promise.all(servers.map((server) => once(server, "close")));
  return ports;
}

function request(type, content) {
  const header = { msg_id: randomUUID(), msg_type: type, version: "5.3", date: new Date().toISOString() };
  return { channel: "shell", header, parent_header: {}, metadata: {}, content, buffers: [] };
}

const names = ["shell_port", "iopub_port", "control_port", "stdin_port", "hb_port"];
const ports = await freePorts(names.length);
const connection = {
  ...Object.fromEntries(names.map((name, i) => [name, ports[i]])),
  ip: "127.0.0.1",
  transport: "tcp",
  key: randomUUID(),
  signature_scheme: "hmac-sha256",
};
writeFileSync("connection.json", JSON.stringify(connection));

const kernel = spawn(
  process.execPath,
  [resolve("node_modules/tslab/bin/tslab"), "kernel", "--config-path", resolve("connection.json")],
  { stdio: ["ignore", "inherit", "inherit"] },
);
const ended = once(kernel, "exit").then(([code, signal]) => {
  throw new Error(`the kernel ended early: ${code ?? signal}`);
});
process.once("SIGTERM", () => {
  kernel.kill("SIGKILL"); // our time is over
  process.exit(1);
});

try {
  const channel = await enchannel.createMainChannel(connection);
  /** What the kernel answers to a request, by `want`. */
  const answer = (to, want) =>
    new Promise((found) => {
      channel.subscribe((message) => {
        if (message.parent_header?.msg_id === to.header.msg_id && want(message)) found(message);
      });
    });
  const ask = (type, content, want) => {
    const message = request(type, content);
    const answered = answer(message, want);
    channel.next(message);
    return answered;
  };

  // As Jupyter's own clients do, the kernel is asked until its publisher is heard, too; then nothing may be lost.
  let heard = false;
  channel.subscribe((message) => {
    heard ||= message.channel === "iopub";
  });
  while (!heard) {
    const info = await Promise.race([
      ask("kernel_info_request", {}, (message) => message.channel === "shell"),
      ended,
    ]);
    assert.equal(info.header.msg_type, "kernel_info_reply");
  }

  const code = 'const words: string[] = ["first", "output"];\nconsole.log(words.join(" "));';
  const cell = { code, silent: false, store_history: true, user_expressions: {}, allow_stdin: false };
  const output = ask("execute_request", cell, ({ header }) => header.msg_type === "stream");
  const { content } = await Promise.race([output, ended]);
  assert.deepEqual(content, { name: "stdout", text: "first output\n" });
  channel.complete();
} finally {
  ended.catch(() => {}); // from here on it is to end
  kernel.kill("SIGKILL");
}
