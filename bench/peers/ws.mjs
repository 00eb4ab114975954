/**
 * The package ws by itself, for the rows over WebSockets: what a program with no more than that would have. It says what ZWS
 * 2.0 needs to be said, a first message and a byte in front of each, so that it can also send to a Pull.
 */
import { WebSocket, WebSocketServer } from "ws";
import { done, job, Meter, parentSays, tellParent } from "./side.mjs";
import { Counter } from "./workload.mjs";

const PROTOCOL = "ZWS2.0";
const IDENTITY = Buffer.alloc(1);
/** Messages between two waits for room. */
const CHUNK = 512;

const ways = {
  /** As the API is meant: each message is a write of its own. */
  send(socket, message, count, sent) {
    for (let i = 1; i < count; i++) socket.send(message);
    socket.send(message, sent);
  },

  /** With one write for many messages, which needs the socket inside. */
  "send, corked"(socket, message, count, sent) {
    socket._socket.cork();
    ways.send(socket, message, count, sent);
    socket._socket.uncork();
  },
};

async function receive() {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
  const counter = new Counter(1);
  server.on("connection", (socket) => {
    let greeted = false;
    socket.send(IDENTITY);
    socket.on("message", (message) => {
      if (greeted) counter.take([message.subarray(1)]);
      greeted = true;
    });
  });
  server.once("listening", () =>
    tellParent({ event: "ready", endpoint: `ws://127.0.0.1:${server.address().port}/` }),
  );
  done(await counter.figures);
}

async function send() {
  const way = ways[job.send];
  const socket = new WebSocket(job.endpoint, PROTOCOL, { perMessageDeflate: false });
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  socket.send(IDENTITY);
  const message = Buffer.alloc(1 + job.size, 0x5a);
  message[0] = 0;
  const all = async (count) => {
    for (let left = count; left > 0; left -= CHUNK) {
      await new Promise((sent) => way(socket, message, Math.min(CHUNK, left), sent));
    }
  };
  await all(job.warmup);
  const meter = new Meter();
  meter.start();
  await all(job.count);
  await parentSays("finish");
  done(meter.stop());
}

await { receive, send }[job.role]();
