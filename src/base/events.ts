/**
 * The events of a socket: what happens to its endpoints and connections, under zeromq.js's event names.
 */

import type { DisconnectReason } from "./dismissal.js";
import type { Buffer } from "./platform.js";
import type { TlsError, TlsPeer } from "./tls.js";

/** One connected peer. */
export interface Peer {
  /** Unique in this process, never reused. */
  readonly id: number;
  /** Remote endpoint, such as `tcp://127.0.0.1:50123`; the bound name for inproc. */
  readonly address: string;
  /** Local endpoint, bound or connected, of its connection. */
  readonly endpoint: string;
  /** ZMTP socket type that the peer announced, such as `PULL`. */
  readonly socketType: string;
  /** Routing id that the peer announced; empty if none. */
  readonly routingId: Buffer;
  /** Properties of its READY command (RFC 37 §Connection Metadata), names as received. */
  readonly metadata: ReadonlyMap<string, Buffer>;
  /** Under CURVE the public key that it has proved to have, 32 bytes; absent under other mechanisms. */
  readonly publicKey?: Buffer;
  /** The TLS connection to it, with its certificate; absent for other transports. */
  readonly tls?: TlsPeer;
}

interface At {
  /** The bound or connected endpoint, or the remote address of an accepted connection. */
  readonly address: string;
  /** The local endpoint, bound or connected; equal to `address` if absent. */
  readonly endpoint?: string;
}
interface WithPeer extends At {
  readonly peer: Peer;
}
interface WithError extends At {
  readonly error: Error;
}

/** Payload of each event by name. */
export interface SocketEvents {
  /** A connection was accepted; the handshake follows. */
  accept: At;
  "accept:error": WithError;
  /** The endpoint is bound. */
  bind: At;
  "bind:error": WithError;
  /** The transport is connected; the handshake follows. */
  connect: At;
  /** A connection attempt has begun. */
  "connect:delay": At;
  /** The next attempt follows after `interval` ms; `error` says why the last one failed. */
  "connect:retry": At & { readonly interval: number; readonly error?: Error };
  /** A listener or connection was closed by us. */
  close: At & { readonly peer?: Peer };
  "close:error": WithError;
  /**
   * A peer is gone; `error` says why, unless the peer closed the connection in an orderly way. `reason` is the call of
   * this side that ended the connection.
   */
  disconnect: WithPeer & { readonly error?: Error; readonly reason?: DisconnectReason };
  /** The handshake is complete: messages can pass. */
  handshake: WithPeer;
  /** From now on, messages to this peer go through memory that both processes share (ipc, `sharedMemory`). */
  memory: WithPeer;
  /** The other side broke the protocol, during or after the handshake. `error` is a ProtocolError. */
  "handshake:error:protocol": WithError & { readonly peer?: Peer };
  "handshake:error:auth": WithError;
  /** TLS failed, before the other side could say anything: `error` says whose certificate is refused, and why. */
  "handshake:error:tls": At & { readonly error: TlsError };
  /** The handshake failed for another reason, such as a timeout or a lost connection. */
  "handshake:error:other": WithError;
  /**
   * A limit of the socket's options was reached or exceeded: `limit` is the option's name, `value` the offending number.
   * A limit that every message may exceed is reported once; "paused" is reported when reading stops until there is room.
   *
   * Over inproc `limit` may be "buffer": a message was dropped because its sender transferred or resized a buffer that it
   * had given to `send` before the message was read. `error` says so, with the code EFAULT.
   *
   * Over udp `limit` may be "datagram": one that came was no message, or the system refused to send one. `error` says which.
   */
  limit: At & {
    readonly peer?: Peer;
    readonly limit: string;
    readonly action: "refused" | "closed" | "ignored" | "dropped" | "paused";
    readonly value?: number;
    readonly error?: Error;
  };
  /**
   * Messages were thrown away because a socket, an endpoint or a connection came to its end: `unread` were received, and
   * nobody had read them; `unsent` were accepted for sending. `address` is "" if it is the end of the socket.
   */
  drop: At & { readonly peer?: Peer; readonly unread: number; readonly unsent: number };
  /** The socket is closed; no event follows. */
  end: { readonly address: ""; readonly endpoint?: "" };
}

/** Name of an event. */
export type EventType = keyof SocketEvents;
/** An event of a certain name. */
export type EventOfType<E extends EventType> = SocketEvents[E] & {
  readonly type: E;
  /** The local endpoint, bound or connected; "" if the event concerns the whole socket. */
  readonly endpoint: string;
};
/** Any event. */
export type Event = { [E in EventType]: EventOfType<E> }[EventType];

export const EVENT_TYPES: readonly EventType[] = [
  "accept",
  "accept:error",
  "bind",
  "bind:error",
  "connect",
  "connect:delay",
  "connect:retry",
  "close",
  "close:error",
  "disconnect",
  "handshake",
  "memory",
  "handshake:error:protocol",
  "handshake:error:auth",
  "handshake:error:tls",
  "handshake:error:other",
  "limit",
  "drop",
  "end",
];
