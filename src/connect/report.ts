/** The events about the beginning and the end of a connection, dialled or accepted. */
import { Dismissal } from "../base/dismissal.js";
import type { Peer, SocketEvents } from "../base/events.js";
import { TlsError } from "../base/tls.js";
import type { SocketHost } from "../session/host.js";
import type { Connection } from "../session/owner.js";
import { ProtocolError } from "../wire/zmtp/protocol-error.js";

/** The remote address of a connection, and the local endpoint to which it belonged. */
export interface Place {
  readonly address: string;
  readonly endpoint: string;
}

/**
 * Only emits the event: for a connection that sends lingering messages, whose pipe has left the socket's routing and must
 * not join it again.
 */
export function tellHandshake(host: SocketHost, peer: Peer): void {
  host.emitEvent("handshake", { address: peer.address, endpoint: peer.endpoint, peer });
}

/** Emits the event about a TLS handshake that failed before there was a session: that of wss. @returns whether it was one */
export function tellTls(host: SocketHost, place: Place, error: Error): boolean {
  if (!(error instanceof TlsError)) return false;
  host.emitEvent("handshake:error:tls", { ...place, error });
  return true;
}

/** The option whose timeout expired, by the code of a session's error. */
const TIMED_OUT: Partial<Record<string, "messageTimeout" | "idleTimeout">> = {
  "message-timeout": "messageTimeout",
  "idle-timeout": "idleTimeout",
};

/** What the event "disconnect" says about the end of a connection. */
export function whyEnded(error: Error | undefined): Pick<SocketEvents["disconnect"], "error" | "reason"> {
  return error instanceof Dismissal ? { reason: error.reason } : { error };
}

/** Emits the events about the end of a connection. */
export function reportEnd(
  host: SocketHost,
  session: Connection,
  place: Place,
  wasReady: boolean,
  error: Error | undefined,
): void {
  const { peer } = session;
  const overdue = error instanceof ProtocolError ? TIMED_OUT[error.code] : undefined;
  if (overdue !== undefined) {
    const at = { ...place, address: peer?.address ?? place.address, peer };
    host.emitEvent("limit", { ...at, limit: overdue, action: "closed" });
  } else if (error instanceof ProtocolError && error.code !== "heartbeat-timeout") {
    const at = { ...place, address: peer?.address ?? place.address, error };
    if (error.kind === "auth") host.emitEvent("handshake:error:auth", at);
    else if (error.kind === "other") host.emitEvent("handshake:error:other", at);
    else host.emitEvent("handshake:error:protocol", { ...at, peer });
  } else if (!wasReady && error instanceof TlsError) {
    host.emitEvent("handshake:error:tls", { ...place, error });
  } else if (!wasReady) {
    const lost = error ?? new Error("the peer closed the connection during the handshake");
    host.emitEvent("handshake:error:other", { ...place, error: lost });
  }
  if (wasReady && peer !== undefined) host.emitEvent("disconnect", { ...place, peer, ...whyEnded(error) });
}
