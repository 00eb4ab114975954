/**
 * A web service whose Python part is Python: it checks Python sources with Python's own parser, in two worker processes.
 *
 *   node examples/rpc-web/main.mjs [--port 8080] [--check]
 *
 *   browser, curl ──http──► main.mjs ──zwire/rpc over ipc──► checker.py, checker.py
 *
 * POST /check answers with findings as JSON. GET /survey?package=asyncio streams one server-sent event per file while
 * Python works, and leaving the page stops the work. A worker that dies is started again and nobody notices.
 * `--check` makes the service call itself, compares the answers and exits 0 or 1.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { RemoteError, spawnPython, TimeoutExpired } from "zwire/rpc";
import { page } from "./page.mjs";
import { selfCheck } from "./self-check.mjs";

const { values } = parseArgs({
  options: { port: { type: "string", default: "0" }, check: { type: "boolean", default: false } },
});
const MAX_SOURCE = 1024 * 1024;

const python = await spawnPython(fileURLToPath(new URL("checker.py", import.meta.url)), {
  workers: 2,
  restart: true,
  pythonArgs: ["-B"], // leave no __pycache__ behind
  // A check may run twice: one whose worker dies goes to the other.
  client: { timeout: 10_000, idempotent: ["check"] },
});
python.on("exit", ({ pid, signal, code }) => console.log(`worker ${pid} ended: ${signal ?? code}`));
python.on("restart", ({ pid }) => console.log(`worker ${pid} took its place`));

async function bodyOf(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_SOURCE) throw Object.assign(new Error("at most 1 MiB of source"), { status: 413 });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function json(response, status, value) {
  response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(value)}\n`);
}

/** One event per item. A reader that is slow slows Python down; one that leaves ends the stream on both sides. */
async function survey(url, response) {
  const stream = python.api.$stream("survey", [url.searchParams.get("package") ?? ""]);
  response.once("close", () => stream.return());
  for await (const item of stream) {
    if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream" });
    if (!response.write(`data: ${JSON.stringify(item)}\n\n`)) await once(response, "drain");
  }
  response.end("event: end\ndata: {}\n\n");
}

async function answer(request, response) {
  const url = new URL(request.url, "http://localhost");
  const route = `${request.method} ${url.pathname}`;
  if (route === "GET /") response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
  else if (route === "POST /check") json(response, 200, await python.api.check(await bodyOf(request)));
  else if (route === "GET /survey") await survey(url, response);
  else if (route === "GET /workers") json(response, 200, python.workers);
  else json(response, 404, { error: "there are /, /check, /survey and /workers" });
}

function statusOf(error) {
  if (error.status !== undefined) return error.status;
  if (error instanceof RemoteError) return 400; // Python refused what it was given
  return error instanceof TimeoutExpired ? 504 : 502;
}

const web = createServer((request, response) => {
  answer(request, response).catch((error) => {
    if (response.headersSent) response.destroy();
    else json(response, statusOf(error), { error: error.message });
  });
});

async function close() {
  web.close();
  web.closeAllConnections();
  await python.close();
}

web.listen(Number(values.port), "127.0.0.1");
await once(web, "listening");
const address = `http://127.0.0.1:${web.address().port}`;
console.log(`${address}  (two Python workers: ${python.workers.map(({ pid }) => pid).join(", ")})`);

if (values.check) {
  process.exitCode = (await selfCheck(address, python)) ? 0 : 1;
  await close();
} else {
  console.log(
    `try: curl --data-binary @some.py ${address}/check; curl -N '${address}/survey?package=asyncio'`,
  );
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, close);
}
