/**
 * Every option in one table: its name, default, what it accepts, and whether a change takes effect at once. Socket
 * types pick names from it; constructor fields and properties are checked by the same rule.
 */

import { parseAcceptFilter } from "./accept-filter.js";

/** Options of all sockets. Times are in milliseconds, sizes in octets, unless said otherwise. */
export interface SocketOptions {
  /** How long close() waits for unsent messages; -1 for ever, 0 drops them. Default 30000 (Subscriber: 0). */
  linger?: number;
  /** Wait before the first redial, plus a random part of the same length; 0 and -1 never redial. Default 100. */
  reconnectInterval?: number;
  /** Doubling wait up to this, without jitter; 0 keeps reconnectInterval. Default 0. */
  reconnectMaxInterval?: number;
  /** Largest part accepted; -1 for 2^31-1. A larger one closes the connection (E15). Default -1. */
  maxMessageSize?: number;
  /** Most parts accepted in one message; more close the connection. Default 65536. */
  maxMessageParts?: number;
  /** Largest message accepted, all parts together; -1 for 2^31-1. Default -1. */
  maxMultipartSize?: number;
  /** Time for greeting and handshake; 0 for ever. Default 30000. */
  handshakeInterval?: number;
  /** Time for one connection attempt; 0 leaves it to the system. Default 0. */
  connectTimeout?: number;
  /** Queue messages only for peers that are connected. Default false. */
  immediate?: boolean;
  /** Interval of PINGs to peers; 0 sends none. Default 0. */
  heartbeatInterval?: number;
  /** Silence after a PING that ends a connection; -1 is heartbeatInterval, 0 never ends one. Default -1. */
  heartbeatTimeout?: number;
  /** Silence after which the peer shall end the connection; at most 65500, in tenths of a second. Default 0: not said. */
  heartbeatTimeToLive?: number;
  /** SO_SNDBUF; -1 leaves the system's on tcp and asks for 1 MiB on ipc. Native engine only. Default -1. */
  sendBufferSize?: number;
  /** SO_RCVBUF; -1 leaves the system's. Native engine only. Default -1. */
  receiveBufferSize?: number;
  /** SO_KEEPALIVE: -1 leaves the system's, 0 off, 1 on. Default -1. */
  tcpKeepalive?: number;
  /** Keepalive probes before a connection is dead; -1 leaves the system's. Native engine only. Default -1. */
  tcpKeepaliveCount?: number;
  /** Seconds of silence before the first probe; -1 leaves the system's. Default -1. */
  tcpKeepaliveIdle?: number;
  /** Seconds between probes; -1 leaves the system's. Native engine only. Default -1. */
  tcpKeepaliveInterval?: number;
  /** Connections that may wait to be accepted. Default 100. */
  backlog?: number;
  /** Use IPv6; a wildcard bind is dual-stack then. Default false. */
  ipv6?: boolean;
  /** IP_TOS and IPV6_TCLASS of tcp connections, 0 to 255; 0 leaves the system's. Linux keeps the two lowest bits (ECN)
   * for itself. Native engine only. Default 0. */
  typeOfService?: number;
  /**
   * Network device that tcp sockets are bound to (SO_BINDTODEVICE), at most 15 octets. ENODEV from bind and connect
   * for one that does not exist. Native engine on Linux only. Default null.
   */
  interface?: string | null;
  /** How long what was sent may stay unacknowledged before tcp gives up (TCP_USER_TIMEOUT); 0 leaves it to the system.
   * Native engine on Linux only. Default 0. */
  tcpMaxRetransmitTimeout?: number;
  /** `host:port` of a SOCKS5 proxy that tcp connections are made through (R24). Host names go to it unresolved;
   * connectTimeout and handshakeInterval bound its answers. Default null. */
  socksProxy?: string | null;
  /** User name for the proxy, 1 to 255 octets; null offers the proxy no authentication. Default null. */
  socksUsername?: string | null;
  /** Password for the proxy, 1 to 255 octets. Needs socksUsername. Default null. */
  socksPassword?: string | null;
  /**
   * Addresses whose tcp connections are accepted, as `192.168.0.0/16`, `10.1.2.3`, `::1/128` (R12); others are closed
   * at once, with the event "accept:error". Empty: everybody. A string assigned is added to the list, null empties
   * it, an array replaces it. IPv6 ranges are for IPv6 peers, except below ::ffff:0:0/96. Default [].
   */
  tcpAcceptFilter?: readonly string[] | string | null;
  /**
   * User ids whose ipc connections are accepted (R19). Where one of the three ipcFilter lists is not empty, a peer
   * that is in none of them is closed at once, with the event "accept:error". Native engine on Linux only. Default [].
   */
  ipcFilterUserIds?: readonly number[];
  /** Group ids, compared with the primary group of the peer's process; see ipcFilterUserIds. Default []. */
  ipcFilterGroupIds?: readonly number[];
  /** Process ids; see ipcFilterUserIds. Default []. */
  ipcFilterProcessIds?: readonly number[];
  /**
   * Listening descriptor that bind takes over instead of making one, for tcp and ipc; -1 makes one (R25). The address
   * bound is the descriptor's, and an ipc path is never unlinked. unbind and close close the descriptor; it serves one
   * bind (EINVAL for a second one, and for what is no listening socket of the scheme). Native engine, or Linux.
   * Default -1.
   */
  useFd?: number;
}

/** Options of sockets that send. */
export interface WritableOptions {
  /** Messages queued per peer at most; 0 for no limit. Default 1000. */
  sendHighWaterMark?: number;
  /** Octets queued per peer at most, beside the message mark; 0 for no limit. Default 0. */
  sendHighWaterMarkBytes?: number;
  /** Time that a send waits for room; -1 for ever, 0 not at all. Default -1. */
  sendTimeout?: number;
  /** Sends that may wait for room at the same time; more reject with EAGAIN. Default 65536. */
  sendQueueLimit?: number;
}

/** Options of sockets that receive. */
export interface ReadableOptions {
  /** Messages received per peer and not yet read at which reading stops; 0 for no limit. Default 1000. */
  receiveHighWaterMark?: number;
  /** The same in octets; 0 for no limit. Default 0. */
  receiveHighWaterMarkBytes?: number;
  /** Time that a receive waits; -1 for ever, 0 not at all. Default -1. */
  receiveTimeout?: number;
}

/** Keep only the newest message (G14). */
export interface ConflateOptions {
  /** Keep only the newest message per peer; single-part messages only. Default false. */
  conflate?: boolean;
}

/** Options of Publisher. */
export interface PublisherOnlyOptions {
  /** Wait instead of dropping when a matching subscriber is full (J19). Default false. */
  noDrop?: boolean;
  /** Send to the subscribers that did not ask for it; set on both sides (J24). Default false. */
  invertMatching?: boolean;
}

/** Options of Subscriber. */
export interface SubscriberOnlyOptions {
  /** Receive what does not match; set on both sides (J24). Default false. */
  invertMatching?: boolean;
}

/** Options of Request. */
export interface RequestOnlyOptions {
  /** Identity told to the peer: 1 to 255 octets, not beginning with zero (C12). Default: none. */
  routingId?: string | Uint8Array | null;
  /** Mark requests with an id and ignore replies to others (H9). request() then keeps several in flight. Default false. */
  correlate?: boolean;
  /** Allow a new request before the reply to the last (H8). Default false. */
  relaxed?: boolean;
}

/** Every option with its value. */
export interface OptionValues
  extends Required<
    SocketOptions &
      WritableOptions &
      ReadableOptions &
      ConflateOptions &
      PublisherOnlyOptions &
      RequestOnlyOptions
  > {
  routingId: Buffer | null;
  tcpAcceptFilter: readonly string[];
}

/** Name of an option. */
export type OptionName = keyof OptionValues;

interface Rule {
  readonly initial: unknown;
  /** Returns the value to keep; throws TypeError or RangeError. */
  readonly check: (name: string, value: unknown, current: unknown) => unknown;
  /** Takes effect on connections that exist. */
  readonly live: boolean;
}

const INT32_MAX = 2 ** 31 - 1;

function integer(minimum: number, maximum: number) {
  return (name: string, value: unknown): number => {
    if (typeof value !== "number") throw new TypeError(`${name} must be a number; got ${describe(value)}`);
    if (!Number.isInteger(value) || value < minimum || value > maximum) {
      throw new RangeError(`${name} must be an integer from ${minimum} to ${maximum}; got ${value}`);
    }
    return value;
  };
}

function flag(name: string, value: unknown): boolean {
  if (typeof value !== "boolean")
    throw new TypeError(`${name} must be true or false; got ${describe(value)}`);
  return value;
}

function identity(name: string, value: unknown): Buffer | null {
  if (value === null) return null;
  if (typeof value !== "string" && !(value instanceof Uint8Array)) {
    throw new TypeError(`${name} must be a string, Uint8Array or null; got ${describe(value)}`);
  }
  const octets = typeof value === "string" ? Buffer.from(value) : Buffer.from(value);
  if (octets.length < 1 || octets.length > 255 || octets[0] === 0) {
    throw new RangeError(`${name} must have 1 to 255 octets and not begin with a zero octet`);
  }
  return octets;
}

/** A string of a bounded number of octets, or null. */
function text(maximum: number) {
  return (name: string, value: unknown): string | null => {
    if (value === null) return null;
    if (typeof value !== "string")
      throw new TypeError(`${name} must be a string or null; got ${describe(value)}`);
    const octets = Buffer.byteLength(value);
    if (octets < 1 || octets > maximum || value.includes("\0")) {
      throw new RangeError(`${name} must have 1 to ${maximum} octets, none of them zero`);
    }
    return value;
  };
}

function hostPort(name: string, value: unknown): string | null {
  const checked = text(512)(name, value);
  const port = checked === null ? 1 : Number(/^[^\s/]+:(\d{1,5})$/.exec(checked)?.[1]);
  if (!(port >= 1 && port <= 65535)) throw new RangeError(`${name} must be host:port; got "${checked}"`);
  return checked;
}

function acceptFilter(name: string, value: unknown, current: unknown): readonly string[] {
  if (value === null) return NONE;
  const list: unknown = typeof value === "string" ? [...(current as string[]), value] : value;
  if (!Array.isArray(list))
    throw new TypeError(`${name} must be an array of strings, a string or null; got ${describe(value)}`);
  for (const entry of list) {
    if (typeof entry !== "string") throw new TypeError(`${name} must hold strings; got ${describe(entry)}`);
    parseAcceptFilter(entry, name);
  }
  return Object.freeze([...list]);
}

function ids(minimum: number) {
  const one = integer(minimum, 2 ** 32 - 2);
  return (name: string, value: unknown): readonly number[] => {
    if (!Array.isArray(value)) throw new TypeError(`${name} must be an array; got ${describe(value)}`);
    return Object.freeze(value.map((entry) => one(`${name}[]`, entry)));
  };
}

function describe(value: unknown): string {
  return value === null ? "null" : typeof value;
}

const live = (initial: unknown, check: Rule["check"]): Rule => ({ initial, check, live: true });
const later = (initial: unknown, check: Rule["check"]): Rule => ({ initial, check, live: false });

const count = integer(0, INT32_MAX);
const timeout = integer(-1, INT32_MAX);
const bytes = integer(0, Number.MAX_SAFE_INTEGER);

/** Nobody may add to the default of all sockets. */
const NONE: readonly never[] = Object.freeze([]);

const RULES: Record<OptionName, Rule> = {
  linger: live(30000, timeout),
  reconnectInterval: later(100, timeout),
  reconnectMaxInterval: later(0, count),
  maxMessageSize: later(-1, integer(-1, INT32_MAX)),
  maxMessageParts: later(65536, integer(1, INT32_MAX)),
  maxMultipartSize: later(-1, integer(-1, INT32_MAX)),
  handshakeInterval: later(30000, count),
  connectTimeout: later(0, count),
  immediate: later(false, flag),
  heartbeatInterval: later(0, count),
  heartbeatTimeout: later(-1, timeout),
  heartbeatTimeToLive: later(0, integer(0, 65500)),
  sendBufferSize: later(-1, timeout),
  receiveBufferSize: later(-1, timeout),
  tcpKeepalive: later(-1, integer(-1, 1)),
  tcpKeepaliveCount: later(-1, timeout),
  tcpKeepaliveIdle: later(-1, timeout),
  tcpKeepaliveInterval: later(-1, timeout),
  backlog: later(100, count),
  ipv6: later(false, flag),
  typeOfService: later(0, integer(0, 255)),
  interface: later(null, text(15)),
  tcpMaxRetransmitTimeout: later(0, count),
  socksProxy: later(null, hostPort),
  socksUsername: later(null, text(255)),
  socksPassword: later(null, text(255)),
  tcpAcceptFilter: later(NONE, acceptFilter),
  ipcFilterUserIds: later(NONE, ids(0)),
  ipcFilterGroupIds: later(NONE, ids(0)),
  ipcFilterProcessIds: later(NONE, ids(1)),
  useFd: later(-1, timeout),
  sendHighWaterMark: live(1000, count),
  sendHighWaterMarkBytes: live(0, bytes),
  sendTimeout: live(-1, timeout),
  sendQueueLimit: live(65536, integer(1, INT32_MAX)),
  receiveHighWaterMark: live(1000, count),
  receiveHighWaterMarkBytes: live(0, bytes),
  receiveTimeout: live(-1, timeout),
  conflate: later(false, flag),
  noDrop: live(false, flag),
  invertMatching: live(false, flag),
  routingId: later(null, identity),
  correlate: live(false, flag),
  relaxed: live(false, flag),
};

const SOCKET: OptionName[] = [
  "linger",
  "reconnectInterval",
  "reconnectMaxInterval",
  "maxMessageSize",
  "maxMessageParts",
  "maxMultipartSize",
  "handshakeInterval",
  "connectTimeout",
  "immediate",
  "heartbeatInterval",
  "heartbeatTimeout",
  "heartbeatTimeToLive",
  "sendBufferSize",
  "receiveBufferSize",
  "tcpKeepalive",
  "tcpKeepaliveCount",
  "tcpKeepaliveIdle",
  "tcpKeepaliveInterval",
  "backlog",
  "ipv6",
  "typeOfService",
  "interface",
  "tcpMaxRetransmitTimeout",
  "socksProxy",
  "socksUsername",
  "socksPassword",
  "tcpAcceptFilter",
  "ipcFilterUserIds",
  "ipcFilterGroupIds",
  "ipcFilterProcessIds",
  "useFd",
];

/** Option names by group, for socket types to pick from. */
export const OPTION_GROUPS = {
  socket: SOCKET,
  writable: ["sendHighWaterMark", "sendHighWaterMarkBytes", "sendTimeout", "sendQueueLimit"] as OptionName[],
  readable: ["receiveHighWaterMark", "receiveHighWaterMarkBytes", "receiveTimeout"] as OptionName[],
};

/** A fresh set of values: the defaults. All sockets share one shape, which keeps reads on the hot path cheap. */
export function defaultOptions(): OptionValues {
  const values = {} as Record<string, unknown>;
  for (const name of Object.keys(RULES) as OptionName[]) values[name] = RULES[name].initial;
  return values as unknown as OptionValues;
}

/** Checks and stores one option; answers whether it takes effect at once. */
export function setOption(values: OptionValues, name: OptionName, value: unknown): boolean {
  const rule = RULES[name];
  (values as unknown as Record<string, unknown>)[name] = rule.check(name, value, values[name]);
  return rule.live;
}
