/**
 * A real libzmq peer in a process of its own, through the `zeromq` npm package. Jobs come as JSON lines on stdin, and
 * answers go out as JSON lines on stdout; ../peer-process.ts is the other end. Knows nothing of zwire.
 *
 * Job: { id, op: "run", type, verb: "bind" | "connect", endpoint, role: "send" | "receive" | "request" | "reply",
 * count, seed, sync, options }. Answers: { id, event: "ready", endpoint }, then { id, event: "done", received,
 * mismatch, milliseconds } or { id, event: "error", message }. { id, op: "go" } ends the SYNC messages of a publisher.
 */
import { createInterface } from "node:readline";
import * as zmq from "zeromq";
import { isSync, MessageCheck, MessageSource, SYNC } from "../messages.mjs";

const TYPES = {
  REQ: zmq.Request,
  REP: zmq.Reply,
  PUB: zmq.Publisher,
  SUB: zmq.Subscriber,
  PUSH: zmq.Push,
  PULL: zmq.Pull,
};
const going = new Map();

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function send(socket, job) {
  const source = new MessageSource(job.seed, job.count);
  if (job.sync) await untilGo(socket, job.id);
  for (let i = 0; i < job.count; i++) await socket.send(source.next());
  return { received: 0, mismatch: null };
}

/** PUB cannot tell when it has a subscriber, so it repeats SYNC until the test says that one has arrived. */
async function untilGo(socket, id) {
  let go = false;
  going.set(id, () => {
    go = true;
  });
  while (!go) {
    await socket.send(SYNC);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function receive(socket, job) {
  const check = new MessageCheck(job.seed, job.count);
  while (!check.complete) {
    const parts = await socket.receive();
    if (check.received === 0 && isSync(parts)) continue;
    check.take(parts);
  }
  return check;
}

async function request(socket, job) {
  const source = new MessageSource(job.seed, job.count);
  const check = new MessageCheck(job.seed + 1, job.count);
  while (!check.complete) {
    await socket.send(source.next());
    check.take(await socket.receive());
  }
  return check;
}

async function reply(socket, job) {
  const check = new MessageCheck(job.seed, job.count);
  const source = new MessageSource(job.seed + 1, job.count);
  while (!check.complete) {
    check.take(await socket.receive());
    await socket.send(source.next());
  }
  return check;
}

/** A socket of the type, with those of the options that it owns (zeromq.js refuses the others). */
function create(job) {
  const socket = new TYPES[job.type]();
  const options = { linger: 20000, receiveTimeout: 30000, sendTimeout: 30000, ...job.options };
  for (const [name, value] of Object.entries(options)) if (name in socket) socket[name] = value;
  return socket;
}

async function run(job) {
  const socket = create(job);
  try {
    if (job.type === "SUB") socket.subscribe();
    if (job.verb === "bind") await socket.bind(job.endpoint);
    else socket.connect(job.endpoint);
    say({ id: job.id, event: "ready", endpoint: socket.lastEndpoint });
    const started = performance.now();
    const { received, mismatch } = await { send, receive, request, reply }[job.role](socket, job);
    const milliseconds = Math.round(performance.now() - started);
    say({ id: job.id, event: "done", received, mismatch, milliseconds });
  } catch (error) {
    say({ id: job.id, event: "error", message: String(error) });
  } finally {
    socket.close();
  }
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const job = JSON.parse(line);
    if (job.op === "go") going.get(job.id)();
    else run(job);
  })
  .on("close", () => process.exit(0));

say({ id: 0, event: "ready", endpoint: `libzmq ${zmq.version}` });
