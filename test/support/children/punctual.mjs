/**
 * A peer that acts while the test's own event loop stands still, and leaves a file when it has: the test may stand still
 * until that is there. Arguments: what to do, endpoint, path of the file. It acts some milliseconds after it said so.
 */
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { Pull, Push, Reply, Subscriber, say } from "./zwire.mjs";

const [act, endpoint, mark] = process.argv.slice(2);
const DELAY_MS = 60;

const done = () => writeFileSync(mark, "");
const later = (run) => {
  say({ event: "armed" });
  setTimeout(run, DELAY_MS);
};

/** Greeting and READY of a PUSH, as octets. */
function hello() {
  const greeting = Buffer.alloc(64);
  greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1]);
  greeting.write("NULL", 12);
  const body = Buffer.from("\x05READY\x0bSocket-Type\x00\x00\x00\x04PUSH", "latin1");
  return Buffer.concat([greeting, Buffer.from([4, body.length]), body]);
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
  pull() {
    later(() => {
      const pull = new Pull();
      pull.once("connect", () => setTimeout(done, 20));
      pull.connect(endpoint);
    });
  },
  subscribe() {
    later(() => {
      const subscriber = new Subscriber();
      subscriber.subscribe("");
      subscriber.once("connect", () => setTimeout(done, 20));
      subscriber.connect(endpoint);
      subscriber.on("message", ([text]) => say({ event: "message", text: `${text}` }));
    });
  },
  /** A handshake that begins late. */
  hello() {
    const socket = connect(Number(endpoint.split(":").at(-1)), "127.0.0.1", () =>
      later(() => socket.write(hello(), () => setTimeout(done, 20))),
    );
  },
};
acts[act]();
