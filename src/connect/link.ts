/** A connection as a drain of its socket sees it. */
import type { Pipe } from "../engine/pipe.js";
import type { Link, SocketHost } from "../session/host.js";
import type { Connection } from "../session/owner.js";

/** @param peerKeeps see Link */
export function linkOf(host: SocketHost, session: Connection, pipe: Pipe, peerKeeps: boolean): Link {
  return {
    pipe,
    received: session.stream.received,
    partial: session.stream.partial || session.stream.unpacking === true,
    peerKeeps,
    end: () => {
      if (!session.endWriting(peerKeeps)) return false;
      host.detachPipe(pipe);
      return true;
    },
  };
}
