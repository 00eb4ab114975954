/**
 * How a socket whose type does not wait handles a peer with a full queue: it emits an event, and closes the connection if
 * `onFull` says so.
 */

import type { Pipe } from "../engine/pipe.js";
import { ProtocolError } from "../wire/zmtp/protocol-error.js";
import { Overflow } from "./overflow.js";
import type { StrategyHost } from "./strategy.js";

/** The overflow handling of a socket, by its option `onFull`. */
export function overflowOf(host: StrategyHost): Overflow {
  return new Overflow(host.options, {
    tell: ({ peer }, action, { limit, value }) => host.tellLimit(peer, limit, action, value),
    close: (pipe) => pipe.fail(slowPeer(pipe)),
  });
}

function slowPeer(pipe: Pipe): ProtocolError {
  const name = pipe.peer?.socketType ?? "peer";
  return new ProtocolError(
    "slow-peer",
    `the ${name} reads too slowly: its queue is full (onFull: "disconnect")`,
    {
      rule: "J4",
      kind: "other",
    },
  );
}
