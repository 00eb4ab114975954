/**
 * PEER (RFC 51 §The PEER Socket Type; items N1 to N3, N6): as SERVER towards any number of other PEER sockets, and
 * connecting tells the new peer's number at once.
 */

import { ZmqError } from "../../../base/errors.js";
import { defineOptions } from "../../../core/socket.js";
import type { Pipe } from "../../../engine/pipe.js";
import type { OptionsOf, PropertiesOf } from "../../../options/options.js";
import { optionsOf } from "../../../options/table.js";
import { ServerBase } from "./server.js";

const OPTIONS = optionsOf("PEER");

/** Options of Peer. */
export interface PeerOptions extends OptionsOf<"PEER"> {}

export interface Peer extends PropertiesOf<"PEER"> {}

/** Talks to other Peer sockets, each by its number, whoever dialled. */
export class Peer extends ServerBase {
  #attached: Pipe | undefined;

  constructor(options?: PeerOptions) {
    super(19, "PEER");
    this.applyOptions(options, OPTIONS);
    if (new.target === Peer) Object.seal(this);
  }

  /**
   * Connect, and tell the number by which the peer is addressed from now on.
   * @throws as Socket.connect; ZmqError EINVAL with `immediate`, because there is no peer before it has connected (N6)
   */
  connectPeer(endpoint: string): number {
    if (this.options.immediate) {
      throw new ZmqError("EINVAL", { address: endpoint, detail: "connectPeer() cannot work with immediate" });
    }
    this.#attached = undefined;
    this.connect(endpoint);
    return this.numbers.of(this.#attached as unknown as Pipe);
  }

  /**
   * Undo connectPeer(), by number.
   * @throws ZmqError EHOSTUNREACH for a number that it did not tell, or whose connection is undone already; EBADF
   */
  disconnectPeer(routingId: number): void {
    this.requireOpen();
    const pipe = this.numbers.find(routingId);
    if (pipe === undefined || !this.disconnectPipe(pipe)) {
      throw new ZmqError("EHOSTUNREACH", { detail: `no connected peer ${routingId}` });
    }
  }

  override attachPipe(pipe: Pipe): void {
    super.attachPipe(pipe);
    this.#attached ??= pipe; // the first is ours: connecting to an inproc name of our own attaches both ends
  }
}

defineOptions(Peer, OPTIONS);
