/**
 * Messages over bare node:tls, as a program would send them that knows how: with the header of a ZMTP frame each, corked, so that
 * one write holds many small ones, and no faster than the socket drains. The receiver makes a Buffer of each message, a view
 * where it came in one piece, and calls a function with it. It checks nothing, has no queue and no limits.
 */
import { once } from "node:events";
import { connect, createServer } from "node:tls";
import { address } from "./address.mjs";
import { done, job, Meter, parentSays, tellParent } from "./side.mjs";

/** Bytes that are written at once: what a TLS record holds four times. */
const CORKED_BYTES = 64 * 1024;
const header = job.size > 255 ? Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 0]) : Buffer.from([0, job.size]);
if (job.size > 255) header.writeUIntBE(job.size, 3, 6);
const octets = header.length + job.size;
const total = job.warmup + job.count;

/** Joins a frame that came in several pieces. */
class Pieces {
  #memory = null;
  #filled = 0;

  get begun() {
    return this.#memory !== null;
  }

  /** Takes what it needs of a chunk, from an index on. Returns where the rest begins. */
  fill(chunk, from, take) {
    this.#memory ??= Buffer.allocUnsafeSlow(octets);
    const end = Math.min(chunk.length, from + octets - this.#filled);
    this.#filled += chunk.copy(this.#memory, this.#filled, from, end);
    if (this.#filled === octets) {
      take(this.#memory.subarray(header.length));
      this.#memory = null;
      this.#filled = 0;
    }
    return end;
  }
}

function receive() {
  const meter = new Meter();
  let taken = 0;
  const take = (message) => {
    if (message.length !== job.size) throw new Error(`a message of ${message.length} octets`);
    if (taken++ === job.warmup) meter.start();
    if (taken === total) done({ ...meter.stop(), messages: job.count });
  };
  const server = createServer({ ...job.tls, minVersion: "TLSv1.3", noDelay: true }, (socket) => {
    const frame = new Pieces();
    socket.on("data", (chunk) => {
      let at = frame.begun ? frame.fill(chunk, 0, take) : 0;
      for (; at + octets <= chunk.length; at += octets) {
        const length = header.length === 2 ? chunk[at + 1] : chunk.readUIntBE(at + 3, 6);
        take(chunk.subarray(at + header.length, at + header.length + length));
      }
      if (at < chunk.length) frame.fill(chunk, at, take);
    });
  });
  server.listen(address(job.endpoint), () => {
    tellParent({ event: "ready", endpoint: `tls+tcp://127.0.0.1:${server.address().port}` });
  });
}

async function send() {
  const { ca } = job.tls;
  const socket = connect({ ...address(job.endpoint), ca, minVersion: "TLSv1.3", noDelay: true });
  await once(socket, "secureConnect");
  const body = Buffer.alloc(job.size, 0x5a);
  const meter = new Meter();
  for (let sent = 0; sent < total; ) {
    socket.cork();
    for (let bytes = 0; bytes < CORKED_BYTES && sent < total; bytes += octets) {
      if (sent++ === job.warmup) meter.start();
      socket.write(header);
      socket.write(body);
    }
    socket.uncork();
    if (socket.writableNeedDrain) await once(socket, "drain");
  }
  await parentSays("finish");
  done(meter.stop());
}

({ receive, send })[job.role]();
