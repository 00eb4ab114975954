/** What sides of all kinds need. */
import { existsSync, openSync, readFileSync, writeSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/**
 * Heartbeats of sockets that live as long as the soak. A process that gets no time for seconds is not dead, and the end of its
 * connection may lose messages (docs/delivery.md, rule 4).
 */
export const HEARTBEATS = { heartbeatInterval: 1000, heartbeatTimeout: 60_000 };

/** Bursts of twenty, and then a pause: all kinds share a machine, and new processes must get their time, too. */
export const breathe = (count) => (count % 20 === 0 ? pause(2) : undefined);

/** Runs until it throws, or the socket is closed. */
export function going(c, work) {
  work().catch((error) => {
    if (error.code !== "EBADF") c.fail(error);
  });
}

/** The last number that has come, in a file for the next life of a peer: none may come twice. */
export class LastNumber {
  #fd;
  #last;
  #note = Buffer.alloc(4);

  constructor(c) {
    const file = `${c.path}.last`;
    // The first life may have been killed before it wrote anything.
    const before = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
    this.#last = before.length === 4 ? before.readUInt32LE() : -1;
    this.#fd = openSync(file, before.length === 4 ? "r+" : "w");
  }

  came(number) {
    if (number <= this.#last) throw new Error(`message ${number} came again: ${this.#last} had come`);
    this.#last = number;
    this.#note.writeUInt32LE(number);
    writeSync(this.#fd, this.#note, 0, 4, 0);
  }
}
