/**
 * A peer that acts while the test's own event loop stands still, and leaves a file when it has: the test may stand still
 * until that is there. Arguments: what to do, endpoint, path of the file. It acts some milliseconds after it said so.
 */
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { Push, Reply, Subscriber, say } from "./zwire.mjs";

const [act, endpoint, mark] = process.argv.slice(2);
const DELAY_MS = 60;

const done = () => writeFileSync(mark, "");
const later = (run) => {
  say({ event: "armed" });
  setTimeout(run, DELAY_MS);
};

/** All that a peer of a type says at the beginning, as bytes: a SUB wants everything, a DISH the group "g". */
function hello(type) {
  const greeting = Buffer.alloc(64);
  greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1]);
  greeting.write("NULL", 12);
  const length = String.fromCharCode(type.length);
  // A DEALER's name is "me".
  const name = type === "DEALER" ? "\x08Identity\0\0\0\x02me" : "";
  const body = Buffer.from(`\x05READY\x0bSocket-Type\0\0\0${length}${type}${name}`, "latin1");
  const ready = Buffer.concat([Buffer.from([4, body.length]), body]);
  const wish = { SUB: "\x04\x0a\x09SUBSCRIBE", DISH: "\x04\x06\x04JOINg" }[type] ?? "";
  return Buffer.concat([greeting, ready, Buffer.from(wish, "latin1")]);
}

/** Dials, and tells what it hears that is printable. */
function dial(connected) {
  const at = endpoint.startsWith("ipc:")
    ? { path: endpoint.slice("ipc://".length) }
    : { port: Number(endpoint.split(":").at(-1)), host: "127.0.0.1" };
  const socket = connect(at, () => connected(socket));
  socket.on("data", (chunk) =>
    say({ event: "heard", text: chunk.toString("latin1").replace(/[^a-z ]/g, "") }),
  );
}

const acts = {
  /** Answers the one question. */
  async reply() {
    const reply = new Reply();
    reply.connect(endpoint);
    const [question] = await reply.receive();
    later(async () => {
      await reply.send(`re: ${question}`);
      setTimeout(done, 20);
    });
  },
  async push() {
    const push = new Push();
    push.connect(endpoint);
    await push.connected();
    later(async () => {
      await push.send("came");
      setTimeout(done, 20);
    });
  },
  /** A handshake of a connection that stands begins late. */
  hello() {
    dial((socket) => later(() => socket.write(hello("PUSH"), () => setTimeout(done, 20))));
  },
  /** A connection begins late; all that the peer says is there with it. */
  PULL: () => later(() => dial((socket) => socket.write(hello("PULL"), () => setTimeout(done, 20)))),
  SUB: () => later(() => dial((socket) => socket.write(hello("SUB"), () => setTimeout(done, 20)))),
  DEALER: () => later(() => dial((socket) => socket.write(hello("DEALER"), () => setTimeout(done, 20)))),
  DISH: () => later(() => dial((socket) => socket.write(hello("DISH"), () => setTimeout(done, 20)))),
  /** One that dials late, and answers what it is told. */
  subscriber: () =>
    later(async () => {
      const subscriber = new Subscriber();
      subscriber.subscribe();
      subscriber.connect(endpoint);
      setTimeout(done, 20);
      for await (const [text] of subscriber) say({ event: "heard", text: String(text) });
    }),
};
acts[act]();
