/**
 * What happens to a socket's connections, told under zeromq.js's event names, each with the peer it is about. Knows
 * nothing of how the events come about.
 */

import type { Buffer } from "./platform.js";

/** One connected peer. */
export interface Peer {
  /** Unique in this process, never reused. */
  readonly id: number;
  /** Remote endpoint, such as `tcp://127.0.0.1:50123`; the bound name for inproc. */
  readonly address: string;
  /** Endpoint of ours, bound or connected, by which it came. */
  readonly endpoint: string;
  /** ZMTP socket type that it announced, such as `PULL`. */
  readonly socketType: string;
  /** Identity that it announced; empty when none. */
  readonly routingId: Buffer;
  /** Properties of its READY command (RFC 37 §Connection Metadata), names as received. */
  readonly metadata: ReadonlyMap<string, Buffer>;
}

interface At {
  /** The endpoint bound or connected, or the remote address of an accepted connection. */
  readonly address: string;
  /** The endpoint of ours that it is about, bound or connected; the address unless said otherwise. */
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
  /** A peer is gone; `error` says why unless it closed in an orderly way. */
  disconnect: WithPeer & { readonly error?: Error };
  /** The handshake is complete: the peer can be talked to. */
  handshake: WithPeer;
  /** The other side broke the protocol, during or after the handshake. `error` is a ProtocolError. */
  "handshake:error:protocol": WithError & { readonly peer?: Peer };
  "handshake:error:auth": WithError;
  /** The handshake failed for another reason, such as a timeout or a lost connection. */
  "handshake:error:other": WithError;
  /**
   * A limit of the socket's options was reached or exceeded: `limit` is the option's name, `value` the number that does
   * so. Told once for what may come with every message; "paused" is told when reading stops until there is room.
   *
   * Over inproc `limit` may be "buffer": a message was dropped because its sender transferred or resized a buffer that it
   * had given to `send` before the message was read. `error` says so, with the code EFAULT.
   */
  limit: At & {
    readonly peer?: Peer;
    readonly limit: string;
    readonly action: "refused" | "closed" | "ignored" | "dropped" | "paused";
    readonly value?: number;
    readonly error?: Error;
  };
  /** The socket is closed; no event follows. */
  end: { readonly address: ""; readonly endpoint?: "" };
}

/** Name of an event. */
export type EventType = keyof SocketEvents;
/** An event of a certain name. */
export type EventOfType<E extends EventType> = SocketEvents[E] & {
  readonly type: E;
  /** The endpoint of ours, bound or connected; "" where the whole socket is meant. */
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
  "handshake:error:protocol",
  "handshake:error:auth",
  "handshake:error:other",
  "limit",
  "end",
];
