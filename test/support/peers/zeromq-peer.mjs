/**
 * A real libzmq peer in a process of its own, through the `zeromq` npm package. Jobs come as JSON lines on stdin, and
 * answers go out as JSON lines on stdout; ../peer-process.ts is the other end. Knows nothing of zwire.
 *
 * Job: { id, op: "run", type, verb: "bind" | "connect", endpoint, connectAs, role, options } and the fields of the role
 * (../roles.mjs). Answers: { id, event: "ready", endpoint }, { id, event: "heard" } at the first SYNC, then { id,
 * event: "done", received, mismatch, milliseconds } or { id, event: "error", message }. { id, op: "go" } ends the SYNC
 * messages of a publisher. { id, op: "zap", users, keys } starts a ZAP handler, or tells it other rules; answered with
 * "ready".
 */
import { createInterface } from "node:readline";
import * as zmq from "zeromq";
import { ROLES } from "../roles.mjs";

const TYPES = {
  PAIR: zmq.Pair,
  REQ: zmq.Request,
  REP: zmq.Reply,
  DEALER: zmq.Dealer,
  ROUTER: zmq.Router,
  PUB: zmq.Publisher,
  SUB: zmq.Subscriber,
  XPUB: zmq.XPublisher,
  XSUB: zmq.XSubscriber,
  PUSH: zmq.Push,
  PULL: zmq.Pull,
  STREAM: zmq.Stream,
};
const DRAFTS = ["Server", "Client", "Radio", "Dish", "Gather", "Scatter"];
const gone = new Set();
const PATIENCE_MS = 30_000;

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** A socket of the type, with those of the options that it owns (zeromq.js refuses the others). */
async function create(job) {
  if (!(job.type in TYPES)) {
    // Loaded only when needed: it warns that drafts may change.
    const draft = await import("zeromq/draft.js");
    for (const name of DRAFTS) TYPES[name.toUpperCase()] = draft.default[name];
  }
  const socket = new TYPES[job.type]();
  const options = { linger: 20000, receiveTimeout: PATIENCE_MS, sendTimeout: PATIENCE_MS, ...job.options };
  for (const [name, value] of Object.entries(options)) if (name in socket) socket[name] = value;
  return socket;
}

async function open(socket, job) {
  if (job.type === "SUB") socket.subscribe();
  if (job.type === "DISH") socket.join(job.group);
  if (job.verb === "bind") await socket.bind(job.endpoint);
  else if (job.connectAs === undefined) socket.connect(job.endpoint);
  else socket.connect(job.endpoint, { routingId: job.connectAs });
  say({ id: job.id, event: "ready", endpoint: socket.lastEndpoint });
}

/**
 * zeromq.js rejects with EAGAIN, long before its timeout, where libzmq called a socket readable that has nothing to read:
 * asked again then.
 */
function patient(socket) {
  const receive = async () => {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await socket.receive();
      } catch (error) {
        if (error.code !== "EAGAIN" || socket.closed || Date.now() > deadline - 1000) throw error;
      }
    }
  };
  const send = (message, ...options) => socket.send(own(message), ...options);
  return { receive, send };
}

/** Copies: over ws libzmq masks the memory itself that a client sends, and the pool's parts are used again. */
function own(message) {
  const copy = (part) => (part instanceof Uint8Array ? Buffer.from(part) : part);
  return Array.isArray(message) ? message.map(copy) : copy(message);
}

async function run(job) {
  const signals = { gone: () => gone.has(job.id), heard: () => say({ id: job.id, event: "heard" }) };
  let socket;
  try {
    socket = await create(job);
    await open(socket, job);
    const started = performance.now();
    const { received, mismatch } = await ROLES[job.role](patient(socket), job, signals);
    const milliseconds = Math.round(performance.now() - started);
    say({ id: job.id, event: "done", received, mismatch, milliseconds });
  } catch (error) {
    say({ id: job.id, event: "error", message: String(error) });
  } finally {
    setTimeout(() => socket?.close(), job.keepMs ?? 0); // by the clock: what its peer reads meanwhile it cannot know
  }
}

let zapRules;

/** RFC 27: status 200 or 400 by the rules. */
async function zap(job) {
  const known = zapRules !== undefined;
  zapRules = { users: job.users ?? {}, keys: job.keys };
  if (known) return;
  const handler = new zmq.Router();
  await handler.bind("inproc://zeromq.zap.01");
  serveZap(handler);
}

async function serveZap(handler) {
  for await (const [peer, , version, request, , , , mechanism, ...credentials] of handler) {
    const { users, keys } = zapRules;
    let accepted = true;
    if (String(mechanism) === "PLAIN") accepted = users[String(credentials[0])] === String(credentials[1]);
    if (String(mechanism) === "CURVE" && keys !== undefined) accepted = keys.includes(z85(credentials[0]));
    const answer = accepted ? ["200", "OK", "user"] : ["400", "no", ""];
    await handler.send([peer, "", version, request, ...answer, ""]);
  }
}

const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

function z85(octets) {
  let text = "";
  for (let at = 0; at < octets.length; at += 4) {
    for (let value = octets.readUInt32BE(at), power = 85 ** 4; power >= 1; power /= 85) {
      text += DIGITS[Math.floor(value / power) % 85];
    }
  }
  return text;
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const job = JSON.parse(line);
    if (job.op === "go") gone.add(job.id);
    else if (job.op === "zap") zap(job).then(() => say({ id: job.id, event: "ready" }));
    else run(job);
  })
  .on("close", () => process.exit(0));

say({ id: 0, event: "ready", endpoint: `libzmq ${zmq.version}` });
