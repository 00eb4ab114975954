/**
 * What a socket does about a peer whose queue is full, where its type does not wait: tells the application, and closes
 * the connection where `onFull` says so.
 */

import type { Pipe } from "../engine/pipe.js";
import { ProtocolError } from "../wire/zmtp/protocol-error.js";
import { Overflow } from "./overflow.js";
import type { StrategyHost } from "./strategy.js";

/** The overflow of a socket, by its option `onFull`. */
export function overflowOf(host: StrategyHost): Overflow {
  return new Overflow(host.options, {
    tell: (pipe, action) => {
      const { limit, value } = pipe.reached;
      host.tellLimit(pipe.peer, limit, action, value);
    },
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
