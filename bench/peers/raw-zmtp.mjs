/**
 * Many connections that cost their process little: bare node:net sockets that say what a DEALER says. The same for
 * every server that is measured with them.
 */
import { connect } from "node:net";
import { address } from "./address.mjs";
import { done, job, Meter, parentSays, Samples, tellParent } from "./side.mjs";

/** Connections that are made before the server is weighed. */
const WARM = 100;
/** Connections that are being made at the same time: fewer than a listener's backlog. */
const AT_ONCE = 50;

function property(name, value) {
  const octets = Buffer.alloc(1 + name.length + 4 + value.length);
  octets[0] = name.length;
  octets.write(name, 1);
  octets.writeUInt32BE(value.length, 1 + name.length);
  octets.write(value, 5 + name.length);
  return octets;
}

/** Greeting (ZMTP 3.1, NULL) and READY. */
function hello() {
  const greeting = Buffer.alloc(64);
  greeting[0] = 0xff;
  greeting[9] = 0x7f;
  greeting.set([3, 1], 10);
  greeting.write("NULL", 12);
  const body = Buffer.concat([
    Buffer.from("\x05READY"),
    property("Socket-Type", "DEALER"),
    property("Identity", ""),
  ]);
  return Buffer.concat([greeting, Buffer.from([0x04, body.length]), body]);
}

const HELLO = hello();
/** One frame of one message. */
const QUESTION = Buffer.concat([Buffer.from([0, job.size]), Buffer.alloc(job.size, 0x5a)]);

/** One connection, once the server has greeted it. Its answers are counted in bytes after the handshake. */
function open() {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...address(job.endpoint), noDelay: true }, () => socket.write(HELLO));
    let greeted = false;
    let have = 0;
    const one = { socket, answered: () => {} };
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server closed a connection")));
    socket.on("data", (chunk) => {
      have += chunk.length;
      if (!greeted) {
        // 64 bytes of greeting, a READY of less than 256: its length is in the second byte of its frame.
        one.start = one.start === undefined ? chunk : Buffer.concat([one.start, chunk]);
        if (have < 66 || have < 66 + one.start[65]) return;
        have -= 66 + one.start[65];
        one.start = null;
        greeted = true;
        resolve(one);
      }
      for (; have >= QUESTION.length; have -= QUESTION.length) one.answered();
    });
  });
}

async function openMany(count) {
  const all = [];
  while (all.length < count) {
    const batch = Array.from({ length: Math.min(AT_ONCE, count - all.length) }, open);
    all.push(...(await Promise.all(batch)));
  }
  return all;
}

const roles = {
  /** Connections that say nothing. */
  async connect() {
    await openMany(WARM);
    tellParent({ event: "warm" });
    await parentSays("go");
    const meter = new Meter();
    meter.start();
    await openMany(job.connections);
    tellParent({ event: "connected" });
    await parentSays("finish");
    done(meter.stop());
  },

  /** Each asks once a second, the questions spread evenly over it, and expects its answer. */
  async "once-a-second"() {
    const all = await openMany(job.connections);
    const seconds = Math.ceil(job.count / job.connections);
    const samples = new Samples(seconds * all.length);
    const meter = new Meter();
    meter.start();
    const begin = performance.now();
    let answers = 0;
    let asked = 0;
    while (asked < seconds * all.length) {
      const due = Math.min(
        seconds * all.length,
        Math.floor(((performance.now() - begin) / 1000) * all.length),
      );
      for (; asked < due; asked++) {
        const one = all[asked % all.length];
        const before = performance.now();
        one.answered = () => {
          answers++;
          samples.add(performance.now() - before);
        };
        one.socket.write(QUESTION);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const last = performance.now();
    while (answers < asked && performance.now() - last < 2000)
      await new Promise((resolve) => setTimeout(resolve, 10));
    done({ ...meter.stop(), messages: answers, unanswered: asked - answers, latency: samples.summary() });
  },
};

await roles[job.role]();
