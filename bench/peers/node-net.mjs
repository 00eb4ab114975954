/**
 * A round trip over bare node:net, with as many bytes as a REQ and a REP socket put on the wire: what Node itself
 * needs, and so the floor for any library over it.
 */
import { connect, createServer } from "node:net";
import { address } from "./address.mjs";
import { done, job, Meter, parentSays, Samples, tellParent } from "./side.mjs";

/** ZMTP: an empty delimiter frame, then the body's frame. */
const octets = 2 + (job.size > 255 ? 9 : 2) + job.size;

/** Calls back for each message that is complete. */
function onMessage(socket, arrived) {
  let have = 0;
  socket.on("data", (chunk) => {
    have += chunk.length;
    for (; have >= octets; have -= octets) arrived();
  });
}

function reply() {
  const meter = new Meter();
  const message = Buffer.alloc(octets);
  let served = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    onMessage(socket, () => {
      if (served++ === job.warmup) meter.start();
      socket.write(message);
    });
  });
  server.listen(address(job.endpoint), () => {
    const bound = server.address();
    const endpoint = typeof bound === "string" ? `ipc://${bound}` : `tcp://127.0.0.1:${bound.port}`;
    tellParent({ event: "ready", endpoint });
  });
  parentSays("finish").then(() => done(meter.stop()));
}

function request() {
  const message = Buffer.alloc(octets);
  const samples = new Samples(job.count);
  const meter = new Meter();
  let before = 0;
  let asked = 0;
  const socket = connect({ ...address(job.endpoint), noDelay: true });
  const ask = () => {
    if (asked++ === job.warmup) meter.start();
    before = performance.now();
    socket.write(message);
  };
  onMessage(socket, () => {
    if (asked > job.warmup) samples.add(performance.now() - before);
    if (asked < job.warmup + job.count) ask();
    else done({ ...meter.stop(), messages: job.count, latency: samples.summary() });
  });
  socket.once("connect", ask);
}

({ reply, request })[job.role]();
