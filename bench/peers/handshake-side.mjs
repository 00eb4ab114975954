/**
 * A process of ../handshakes.mjs: the CURVE server, or the one that dials it. Jobs: { role: "server", library } and
 * { role: "dialler", way, endpoint }. The server answers round trips, and measures itself between "start" and "stop";
 * the dialler answers "count" with how many it has done.
 */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { clientOptions, serverOptions } from "./keys.mjs";

const job = JSON.parse(process.argv[2]);
/** Connections under way at a time. */
const AT_ONCE = 16;
process.on("disconnect", () => process.exit(1));

async function server() {
  const library = await import(job.library);
  const reply = new library.Reply({ ...serverOptions, linger: 0 });
  await reply.bind("tcp://127.0.0.1:*");
  let began = 0;
  let cpu;
  process.on("message", (word) => {
    if (word === "start") {
      cpu = process.cpuUsage();
      began = performance.now();
      return;
    }
    const { user, system } = process.cpuUsage(cpu);
    const seconds = (performance.now() - began) / 1000;
    const peakRss = process.resourceUsage().maxRSS * 1024;
    process.send({ seconds, cpuSeconds: (user + system) / 1e6, peakRss });
  });
  process.send({ endpoint: reply.lastEndpoint });
  for await (const [question] of reply) await reply.send(question);
}

/** Greeting and HELLO of a client that knows the server's key: what zwire says first. */
async function recordedHello(zwire) {
  const listener = createServer();
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const push = new zwire.Push({ ...clientOptions, linger: 0 });
  push.connect(`tcp://127.0.0.1:${listener.address().port}`);
  const [socket] = await once(listener, "connection");
  const greeting = Buffer.alloc(64);
  greeting[0] = 0xff;
  greeting.set([0x7f, 3, 1], 9);
  greeting.write("CURVE", 12);
  socket.write(greeting);
  let octets = Buffer.alloc(0);
  while (octets.length < 64 + 202) octets = Buffer.concat([octets, (await once(socket, "data"))[0]]);
  socket.destroy();
  listener.close();
  await push.close();
  return octets;
}

let sources = 0;

/** One connection: says its bytes, and leaves when `enough` bytes came back or the far side ends. */
function visit(port, octets, enough) {
  return new Promise((resolve) => {
    const n = sources++ % 60_000;
    const from = process.platform === "linux" ? `127.1.${Math.floor(n / 250)}.${1 + (n % 250)}` : undefined;
    const socket = connect({ host: "127.0.0.1", port, localAddress: from });
    let have = 0;
    socket.once("connect", () => {
      if (octets.length > 0) socket.write(octets);
      else socket.resetAndDestroy();
    });
    socket.on("data", (chunk) => {
      have += chunk.length;
      if (have >= enough) socket.resetAndDestroy();
    });
    socket.once("end", () => socket.destroy());
    socket.once("error", () => {}); // ends as well
    socket.once("close", resolve);
  });
}

async function ways(port) {
  const zwire = await import("zwire");
  if (job.way === "tcp") return () => visit(port, Buffer.alloc(0), 1);
  if (job.way === "handshakes") {
    return async () => {
      const request = new zwire.Request({ ...clientOptions, linger: 0 });
      request.connect(job.endpoint);
      await request.connected();
      await request.close();
    };
  }
  const hello = await recordedHello(zwire);
  if (job.way === "hello") return () => visit(port, hello, 64 + 170);
  const stranger = Buffer.from(hello);
  stranger.fill(0x5a, stranger.length - 80); // a box that opens with no key
  return () => visit(port, stranger, Number.POSITIVE_INFINITY);
}

async function dialler() {
  const visitOnce = await ways(Number(job.endpoint.split(":").at(-1)));
  let count = 0;
  process.on("message", () => process.send({ count }));
  const forever = async () => {
    for (;;) {
      await visitOnce();
      count++;
    }
  };
  for (let i = 0; i < AT_ONCE; i++) forever();
  setTimeout(() => process.send({ begun: true }), 1000);
}

await (job.role === "server" ? server() : dialler());
