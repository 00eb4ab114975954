/**
 * PEER (RFC 51 §The PEER Socket Type; items N1 to N3, N6): as SERVER, with any number of other PEER sockets as its
 * peers. connectPeer() returns the number of the new peer at once.
 */

import { ZmqError } from "../../../base/errors.js";
import type { OptionsOf, PropertiesOf } from "../../../options/options.js";
import { optionsOf } from "../../../options/table.js";
import { PEER, type PeerStrategy } from "../../../patterns/strategies/draft/peer.js";
import { NumberedSocket } from "../../numbered-socket.js";
import { coreOf, defineOptions } from "../../socket.js";

const OPTIONS = optionsOf("PEER");

/** Options of Peer. */
export interface PeerOptions extends OptionsOf<"PEER"> {}

export interface Peer extends PropertiesOf<"PEER"> {}

/** Talks to other Peer sockets, and addresses each by its number. Either side may bind or connect. */
export class Peer extends NumberedSocket {
  constructor(options?: PeerOptions) {
    super(PEER, options, OPTIONS);
    if (new.target === Peer) Object.seal(this);
  }

  /**
   * Connects, and returns the number of the peer, which can be used at once.
   * @throws as Socket.connect; ZmqError EINVAL with `immediate`, which makes a peer only when the connection is made
   * (N6)
   */
  connectPeer(endpoint: string): number {
    const core = coreOf<PeerStrategy>(this);
    if (core.options.immediate) {
      throw new ZmqError("EINVAL", {
        address: endpoint,
        detail: "connectPeer() does not work with immediate: set it to false",
      });
    }
    return core.strategy.numberOf(() => this.connect(endpoint));
  }

  /**
   * Undoes connectPeer().
   * @throws ZmqError EHOSTUNREACH for a number that connectPeer() did not return, or that was disconnected before;
   * EBADF on a closed socket
   */
  disconnectPeer(routingId: number): void {
    const core = coreOf<PeerStrategy>(this);
    core.requireOpen();
    const pipe = core.strategy.find(routingId);
    if (pipe === undefined || !core.endpoints.disconnectPipe(pipe)) {
      throw new ZmqError("EHOSTUNREACH", { detail: `connectPeer() did not connect a peer ${routingId}` });
    }
  }
}

defineOptions(Peer, OPTIONS);
