/**
 * A live page: a Python process makes prices and takes orders; this service lets pages in, over WebSockets on the port of
 * the page; the page shows a table and a chart that move, and sends orders.
 *
 *   node examples/web/main.mjs [--port 8080]          or: npm run example:web
 *
 *   prices.py PUB ──tcp──► XSUB  main.mjs  XPUB   ──ws /prices──► SUB  page
 *   prices.py REP ◄──tcp── DEALER          ROUTER ◄──ws /orders── REQ  page
 *
 * Both pairs are a Proxy: it forwards messages, and the subscriptions of the pages the other way.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Dealer, Proxy, Router, XPublisher, XSubscriber } from "zwire";

const { values } = parseArgs({ options: { port: { type: "string", default: "8080" } } });
const { resolve } = createRequire(import.meta.url);
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

const python = ["python3", "/usr/bin/python3"].find(
  (command) => spawnSync(command, ["-c", "import zmq"]).status === 0,
);
if (python === undefined) {
  console.error("the prices come from Python with pyzmq: apt-get install python3-zmq, or pip install pyzmq");
  process.exit(1);
}

/** What the page loads: its own files, zwire/web, and a library for charts. */
const FILES = {
  "/": [here("page.html"), "text/html; charset=utf-8"],
  "/page.mjs": [here("page.mjs"), "text/javascript"],
  "/zwire/web.js": [join(dirname(resolve("zwire/package.json")), "dist/web.js"), "text/javascript"],
  "/echarts.js": [resolve("echarts/dist/echarts.esm.min.js"), "text/javascript"],
};

const web = createServer(async ({ url }, response) => {
  const file = FILES[new URL(url, "http://localhost").pathname];
  if (file === undefined) response.writeHead(404).end();
  else response.writeHead(200, { "content-type": file[1] }).end(await readFile(file[0]));
});
web.listen(Number(values.port), "127.0.0.1");
await once(web, "listening");
const address = `http://127.0.0.1:${web.address().port}`;

// A page that does not read loses old prices, and costs 1,000 of them at most. Pages of other sites are not let in.
const prices = new Proxy(new XSubscriber(), new XPublisher({ allowedOrigins: [address] }));
const orders = new Proxy(new Router({ allowedOrigins: [address] }), new Dealer());
const pricesFrom = await prices.frontEnd.bind("tcp://127.0.0.1:*");
const ordersTo = await orders.backEnd.bind("tcp://127.0.0.1:*");
await prices.backEnd.bind({ server: web, path: "/prices" });
await orders.frontEnd.bind({ server: web, path: "/orders" });
const running = [prices.run(), orders.run()];

const market = spawn(python, [here("prices.py"), pricesFrom, ordersTo], {
  stdio: ["ignore", "inherit", "inherit"],
});
console.log(`${address}  (prices and orders: process ${market.pid}; ^C ends both)`);

async function close() {
  market.kill();
  prices.terminate();
  orders.terminate();
  await Promise.allSettled(running);
  for (const { frontEnd, backEnd } of [prices, orders])
    await Promise.all([frontEnd.close({ linger: 0 }), backEnd.close({ linger: 0 })]);
  web.close();
  web.closeAllConnections();
}

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, close);
market.once("exit", (code, signal) => {
  if (signal === "SIGTERM") return;
  console.error(`prices.py ended: ${signal ?? code}`);
  process.exitCode = 1;
  void close();
});
