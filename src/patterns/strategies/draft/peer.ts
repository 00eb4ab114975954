/**
 * PEER (RFC 51 §The PEER Socket Type; items N1 to N3, N6): like SERVER, but its peers are PEER sockets too, and `connect`
 * returns the number of the new peer at once.
 */

import type { Pipe } from "../../../engine/pipe.js";
import type { SocketType } from "../../strategy.js";
import { ServerStrategy } from "./server.js";

export class PeerStrategy extends ServerStrategy {
  #attached: Pipe | undefined = undefined;

  /** The number of the pipe that `connect` attaches. */
  numberOf(connect: () => void): number {
    this.#attached = undefined;
    connect();
    return this.numbers.of(this.#attached as unknown as Pipe);
  }

  override attach(pipe: Pipe): void {
    super.attach(pipe);
    this.#attached ??= pipe; // keep the first: connecting to an inproc name that this socket bound attaches both ends
  }
}

export const PEER: SocketType<PeerStrategy> = {
  number: 19,
  name: "PEER",
  strategy: PeerStrategy,
  threadSafe: true,
};
