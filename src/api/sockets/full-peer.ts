/**
 * What a socket does about a peer whose queue is full, where its type does not wait: tells of it, and closes the
 * connection where it is told to.
 */

import type { Socket } from "../../core/socket.js";
import type { Pipe } from "../../engine/pipe.js";
import { Overflow } from "../../patterns/overflow.js";
import { ProtocolError } from "../../wire/zmtp/protocol-error.js";

/** The overflow of a socket, by its option `onFull`. */
export function overflowOf(socket: Socket): Overflow {
  return new Overflow(socket.options, {
    tell: (pipe, action) => {
      const { limit, value } = pipe.reached;
      socket.tellLimit(pipe.peer, limit, action, value);
    },
    close: (pipe) => pipe.fail(slowPeer(pipe)),
  });
}

function slowPeer(pipe: Pipe): ProtocolError {
  const name = pipe.peer?.socketType ?? "peer";
  return new ProtocolError("slow-peer", `the ${name} does not read what it is sent`, {
    rule: "J4",
    kind: "other",
  });
}
