/**
 * PEER (RFC 51 §The PEER Socket Type; items N1 to N3, N6): as SERVER towards any number of other PEER sockets, and
 * connecting tells the new peer's number at once.
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

/** Talks to other Peer sockets, each by its number, whoever dialled. */
export class Peer extends NumberedSocket {
  constructor(options?: PeerOptions) {
    super(PEER, options, OPTIONS);
    if (new.target === Peer) Object.seal(this);
  }

  /**
   * Connect, and tell the number by which the peer is addressed from now on.
   * @throws as Socket.connect; ZmqError EINVAL with `immediate`, because there is no peer before it has connected (N6)
   */
  connectPeer(endpoint: string): number {
    const core = coreOf<PeerStrategy>(this);
    if (core.options.immediate) {
      throw new ZmqError("EINVAL", { address: endpoint, detail: "connectPeer() cannot work with immediate" });
    }
    return core.strategy.numberOf(() => this.connect(endpoint));
  }

  /**
   * Undo connectPeer(), by number.
   * @throws ZmqError EHOSTUNREACH for a number that it did not tell, or whose connection is undone already; EBADF
   */
  disconnectPeer(routingId: number): void {
    const core = coreOf<PeerStrategy>(this);
    core.requireOpen();
    const pipe = core.strategy.find(routingId);
    if (pipe === undefined || !core.endpoints.disconnectPipe(pipe)) {
      throw new ZmqError("EHOSTUNREACH", { detail: `no connected peer ${routingId}` });
    }
  }
}

defineOptions(Peer, OPTIONS);
