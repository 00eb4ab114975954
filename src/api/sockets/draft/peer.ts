/**
 * PEER (RFC 51 §The PEER Socket Type; items N1 to N3, N6): as SERVER, with any number of other PEER sockets as its
 * peers. connectPeer() returns the number of the new peer at once.
 */

import { ZmqError } from "../../../base/errors.js";
import type { PeerReference } from "../../../core/peer-calls.js";
import type { OptionsOf, PropertiesOf } from "../../../options/options.js";
import { optionsOf } from "../../../options/table.js";
import { PEER, type PeerStrategy } from "../../../patterns/strategies/draft/peer.js";
import { NumberedSocket } from "../../numbered-socket.js";
import { coreOf, type DisconnectPeerOptions, defineOptions } from "../../socket.js";

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
   * As on any socket; of a number it undoes connectPeer(), and sends what is unsent within `linger`, by default the socket's.
   * @throws as Socket.disconnectPeer; ZmqError EHOSTUNREACH for a number that no peer has
   */
  override disconnectPeer(peer: PeerReference, options?: DisconnectPeerOptions): boolean {
    if (typeof peer !== "number") return super.disconnectPeer(peer, options);
    const core = coreOf<PeerStrategy>(this);
    core.requireOpen();
    const pipe = core.strategy.named(peer);
    // One that is not connected yet may get what waits for it.
    if (options === undefined && pipe?.linked === false && core.endpoints.disconnectPipe(pipe)) return true;
    if (!super.disconnectPeer(peer, { linger: core.options.linger, ...options }))
      throw new ZmqError("EHOSTUNREACH", { detail: `no peer has the number ${peer}` });
    return true;
  }
}

defineOptions(Peer, OPTIONS);
