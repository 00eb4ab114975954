/**
 * Makes a socket's connections: ZMTP sessions, or raw sessions, which carry bytes without framing.
 */
import type { OptionValues } from "../options/options.js";
import type { Stream } from "../transport/contract/transport.js";
import type { Connection, SessionOwner } from "./owner.js";
import { RawSession } from "./raw-session.js";
import { Session } from "./session.js";

export type { Connection, SessionEnd, SessionOwner } from "./owner.js";

/** @param options the socket's options as they were at bind or connect */
export function openConnection(
  raw: boolean,
  owner: SessionOwner,
  stream: Stream,
  options: OptionValues,
): Connection {
  return raw ? new RawSession(owner, stream, options.handshakeInterval) : new Session(owner, stream, options);
}
