/**
 * Options as an application sees them, in groups for socket types to pick from. What each accepts is in
 * option-rules.ts, a socket's values are in option-values.ts, libzmq's numbers in option-numbers.ts.
 */
import type { Buffer } from "../base/platform.js";
import type { Authenticate } from "../security/callback.js";
import type { CurveKey } from "../security/crypto/keys.js";
import type { SecuritySettings, SecurityValues } from "../security/settings.js";

/** What sockets are told by their context; see Context. */
export interface SocketContext {
  /** Sockets that may be open at once. */
  maxSockets: number;
  /** Default of the sockets' `ipv6`. */
  ipv6: boolean;
  /** false: sockets do not linger unless told to (S11). */
  blocky: boolean;
  /** Largest part of sockets that set no maxMessageSize of their own. */
  maxMessageSize: number;
}

/** Options of all sockets. Times are in milliseconds, sizes in octets, unless said otherwise. */
export interface SocketOptions extends SecurityOptions, ForeignOptions {
  /** Whose inproc names and limits the socket has. Constructor field only. Default: the process's own context. */
  context?: SocketContext;
  /** How long close() waits for unsent messages; -1 for ever, 0 drops them. Default 30000 (Subscriber: 0). */
  linger?: number;
  /** Wait before the first redial, plus a random part of the same length; 0 and -1 never redial. Default 100. */
  reconnectInterval?: number;
  /** Doubling wait up to this, without jitter; 0 keeps reconnectInterval. Default 0. */
  reconnectMaxInterval?: number;
  /**
   * When an endpoint is given up instead of dialled again, with the event "close": the sum of 1 (the connection is
   * refused), 2 (a connection ends before its handshake is done) and 4 (disconnect() has been called, what is unsent
   * lingers, and the connection is refused). Default 0.
   */
  reconnectStop?: number;
  /** Largest part accepted; -1 for the context's limit, which is 2^31-1. A larger one closes the connection (E15). Default -1. */
  maxMessageSize?: number;
  /** Most parts of one message: more close the connection of the peer that sends them, and a send throws a RangeError. Default 65536. */
  maxMessageParts?: number;
  /**
   * Bytes that the queues of all peers may hold together, received and unsent each by itself; 0 for no limit. Above it
   * nothing is read from peers, and nothing taken for peers, that have 64 KiB and more queued; event "limit". What a
   * publisher sends to many peers counts once. Default 268435456 (256 MiB).
   */
  maxQueuedBytes?: number;
  /** Largest message accepted, all parts together; -1 for 2^31-1. Default -1. */
  maxMultipartSize?: number;
  /** Time for greeting and handshake; 0 for ever. Default 30000. */
  handshakeInterval?: number;
  /** Time for one connection attempt, the look-up and every address of a name included; 0 leaves it to the system.
   * Addresses are tried in turn, the next after a failure or 250 ms of silence (RFC 8305). Default 0. */
  connectTimeout?: number;
  /** Queue messages only for peers that are connected. Default false. */
  immediate?: boolean;
  /**
   * How often a message is sent again whose connection the peer ended in its middle, in a row; then it is dropped, with the
   * event "limit", because what a peer refuses (maxMessageSize) would block all behind it. 0 drops it at the first end,
   * -1 never. A connection that took 8 MiB more of it than those before, that ended before the message had begun, or that
   * could not be made, begins the count anew: so a restarting peer loses nothing. Native engine only: the portable one
   * counts what was being written as taken. Default 3.
   */
  maxResends?: number;
  /**
   * Interval of PINGs to peers; 0 sends none. -1, the default: every 30000 over tcp to peers of ZMTP 3.1, where a connection
   * can die without a word; none over ipc and inproc.
   */
  heartbeatInterval?: number;
  /**
   * Silence after a PING that ends a connection; -1 is heartbeatInterval where that is set, and else 120000; 0 never ends
   * one. Default -1.
   */
  heartbeatTimeout?: number;
  /** Silence after which the peer shall end the connection; told in tenths of a second, and never more than 65500 (F10). Default 0: not said. */
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
  /**
   * Milliseconds in which a message that has begun to arrive comes to its end, or goes on at 256 bytes a second at least;
   * else the connection is closed, with the event "limit". Time in which the socket itself does not read does not count.
   * Not for inproc and Stream. 0 waits for ever. Default 120000.
   */
  messageTimeout?: number;
  /**
   * Milliseconds without a message or a subscription in either direction after which a connection to a bound endpoint is
   * closed, with the event "limit"; PINGs do not count. Not for inproc and Stream, nor for connections that the socket
   * dialled. 0 lets them stay. Default 0.
   */
  idleTimeout?: number;
  /**
   * Connections to bound endpoints that a socket has at once; one more is closed as it comes, with the event "limit". 0
   * for no limit. Default 65536.
   */
  maxConnections?: number;
  /**
   * Connections to bound endpoints whose handshake is not complete; for one more, the oldest is closed where it has taken
   * a tenth of handshakeInterval, and else the new one. 0 for no limit. Default 1024.
   */
  maxHandshakes?: number;
  /**
   * Connections at once from one tcp address (of IPv6, from one network of 64 bits); ipc has no addresses. 0 for no limit.
   * Default 0.
   */
  maxConnectionsPerAddress?: number;
  /** Connections that one tcp address may make per second, and as many at once; 0 for no limit. Default 0. */
  maxConnectionRate?: number;
  /** Use IPv6; a wildcard bind is dual-stack then. Default: the context's, which is false. */
  ipv6?: boolean;
  /** IP_TOS and IPV6_TCLASS of tcp connections, 0 to 255; 0 leaves the system's. Linux keeps the two lowest bits (ECN)
   * for itself. Native engine only. Default 0. */
  typeOfService?: number;
  /**
   * Network device that tcp sockets are bound to (SO_BINDTODEVICE), at most 15 octets. ENODEV from bind and connect
   * for one that does not exist. Native engine on Linux only. Default null.
   */
  interface?: string | null;
  /**
   * SO_PRIORITY of tcp connections; 0 leaves the system's. EPERM from bind and connect above 6 without CAP_NET_ADMIN.
   * Native engine on Linux only. Default 0.
   */
  priority?: number;
  /**
   * SO_BUSY_POLL of tcp connections, in microseconds; 0 leaves the system's. EPERM from bind and connect where raising
   * it needs CAP_NET_ADMIN. Native engine on Linux only. Default 0.
   */
  busyPoll?: number;
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
  /**
   * Permissions of the socket file that bind makes for an ipc path, such as 0o600; nobody can connect before it has
   * them. null leaves them to the process's umask. Not for abstract names and useFd (EINVAL). Default null.
   */
  ipcFileMode?: number | null;
  /**
   * Properties of this socket that peers see as `peer.metadata` (C16). Names are `X-` and up to 253 letters, digits or
   * `-_.+`; values are not empty; at most 48 of them and 32 KiB. null for none. Reads as a Map of Buffers. Default: none.
   */
  metadata?: Readonly<Record<string, string | Uint8Array>> | ReadonlyMap<string, string | Uint8Array> | null;
}

/**
 * How connections over tcp and ipc are secured, and who is let in; inproc does not leave the process and has none of
 * it. `security` says all in one value and takes the place of whatever was set; the others are zeromq.js's names for its
 * parts. Settings that contradict each other throw a TypeError that names both; what is missing is an EINVAL of bind and
 * connect. The role is a setting, and not who binds (B5).
 */
export interface SecurityOptions {
  /** Mechanism, role and keys in one value. Default `{ mechanism: "null" }`. */
  security?: SecuritySettings;
  /** PLAIN server: every client is asked for (`authenticate`, or the ZAP handler; O9). Default false. */
  plainServer?: boolean;
  /** PLAIN client: user name, at most 255 octets. Sent in clear. Default null. */
  plainUsername?: string | null;
  /** PLAIN client: password, at most 255 octets. Sent in clear. Default null. */
  plainPassword?: string | null;
  /** CURVE server. Needs curveSecretKey. Default false. */
  curveServer?: boolean;
  /** Public half of curveSecretKey, from which it follows: may be left out. Reads as Z85. Default null. */
  curvePublicKey?: CurveKey | null;
  /** Our long-term secret key. Reads as Z85; hidden where the socket is inspected or turned into JSON. Default null. */
  curveSecretKey?: CurveKey | null;
  /** CURVE client: the server's public key. Needs curveSecretKey. Reads as Z85. Default null. */
  curveServerKey?: CurveKey | null;
  /** ZAP domain (RFC 27), at most 255 octets; with NULL or CURVE it makes asking a condition of getting in (Q10, Q11). Default "". */
  zapDomain?: string;
  /** Refuse (EINVAL) to bind or connect without a zapDomain (Q13). Default false. */
  zapEnforceDomain?: boolean;
  /**
   * Server: decides about each peer, in place of the ZAP handler, which is not asked then. See AuthenticationAnswer. A
   * throw, a rejection, an answer that is none and one that comes too late let nobody in. Default null.
   */
  authenticate?: Authenticate | null;
  /** Time for an answer of `authenticate`; 0 leaves it to handshakeInterval. Default 10000. */
  authenticateTimeout?: number;
  /** GSSAPI is not supported: anything but the defaults throws ENOTSUP. */
  gssapiServer?: boolean;
  gssapiPrincipal?: string | null;
  gssapiServicePrincipal?: string | null;
  gssapiPlainText?: boolean;
  gssapiPrincipalNameType?: "hostBased" | "userName" | "krb5Principal";
  gssapiServicePrincipalNameType?: "hostBased" | "userName" | "krb5Principal";
}

/** libzmq's options that mean nothing here. They read as libzmq's defaults; anything else throws ENOTSUP. */
export interface ForeignOptions {
  affinity?: number;
  rate?: number;
  recoveryInterval?: number;
  multicastHops?: number;
  multicastMaxTransportDataUnit?: number;
  vmciBufferSize?: number;
  vmciBufferMinSize?: number;
  vmciBufferMaxSize?: number;
  vmciConnectTimeout?: number;
  loopbackFastPath?: boolean;
}

/** Options of sockets that send. */
export interface WritableOptions {
  /** Messages queued per peer at most; 0 for no limit. Default 1000. */
  sendHighWaterMark?: number;
  /**
   * Bytes queued per peer at most, beside the message mark (over inproc each part counts 112 more); 0 for no limit.
   * Default: 33554432 (32 MiB) for Publisher, XPublisher and Radio, which drop above it; else 0.
   */
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
  /**
   * The same in bytes, each part counted with 112 more, and what has come of a message without its end counted too; 0 for
   * no limit. Default 16777216 (16 MiB).
   */
  receiveHighWaterMarkBytes?: number;
  /** Time that a receive waits; -1 for ever, 0 not at all. Default -1. */
  receiveTimeout?: number;
  /** Remember of each message received from now on who sent it, for `peerOf(message)`. Default false. */
  messagePeers?: boolean;
}

/** Keep only the newest message (G14). */
export interface ConflateOptions {
  /** Keep only the newest message per peer; single-part messages only. Default false. */
  conflate?: boolean;
}

/**
 * What to do with a message for a peer whose queue is full: wait until it has room, drop this message for it, drop the
 * oldest ones that wait for it, or close its connection. Of what is being written nothing is dropped. Dropping is told
 * once until the peer has room again, closing each time: event "limit"; `stats.dropped` counts.
 */
export type OnFull = "wait" | "dropNewest" | "dropOldest" | "disconnect";

/** Options of sockets that send copies to many peers. */
export interface NoDropOptions {
  /** See OnFull. A send that waits for one peer waits with its copies for all. Default "dropNewest". */
  onFull?: OnFull;
  /** Another name for `onFull: "wait"`; a TypeError where it contradicts onFull (J19, N12). Default false. */
  noDrop?: boolean;
}

/** Options of sockets that subscribe, or are subscribed to. */
export interface TopicOptions {
  /**
   * Bytes of a topic at most, 1 to 268435456. A longer one of a peer is ignored, with the event "limit"; one of our own
   * is refused. Default 16384.
   */
  maxTopicLength?: number;
}

/** Options of sockets that pass on subscriptions. */
export interface FirstSubscribeOptions {
  /**
   * Whether a message of several parts is looked through for subscriptions only when its first part is one; false looks
   * at each part (J17). Default true.
   */
  onlyFirstSubscribe?: boolean;
}

/** Options of Publisher. */
export interface PublisherOnlyOptions extends NoDropOptions, TopicOptions, FirstSubscribeOptions {
  /**
   * Topics that all peers together may be subscribed to; 0 for no limit. Each counts once for each peer that holds it, and
   * once more for each 256 bytes. A subscription beyond it is ignored, with the event "limit". Default 250000.
   */
  maxTopics?: number;
  /** The same for one peer, so that none can take what is meant for all; 0 for no limit. Default 100000. */
  maxTopicsPerPeer?: number;
  /** Send to the subscribers that did not ask for it; set on both sides (J24). Default false. */
  invertMatching?: boolean;
}

/** Options of Subscriber. */
export interface SubscriberOnlyOptions extends TopicOptions {
  /** Receive what does not match; set on both sides (J24). Default false. */
  invertMatching?: boolean;
}

/** Options of sockets that have an identity. */
export interface IdentityOptions {
  /** Identity told to the peer: 1 to 255 bytes (C12). Default: none. */
  routingId?: string | Uint8Array | null;
}

/** Options of sockets that may have to tell a Router that they are there. */
export interface ProbeOptions {
  /** Send one empty message to each peer as the first (I14). Default false. */
  probeRouter?: boolean;
}

/** Options of sockets that may greet: in one part, over every transport. */
export interface HelloOptions {
  /**
   * Message of one part that each peer gets before any other, on each connection. What is bound or connected later goes by
   * it. Not for peers that are Request or Reply, to whom it says nothing. null or empty for none. Default null.
   */
  helloMessage?: string | Uint8Array | null;
}

/** Options of sockets that tell their peers apart. */
export interface DisconnectOptions {
  /**
   * Message of one part that is received, as if from the peer, when one that has connected to us is gone: its last. Not
   * after unbind() or close(). What is bound later goes by it. null or empty for none. Default null.
   */
  disconnectMessage?: string | Uint8Array | null;
}

/** Options of sockets that may be told of a lost connection. */
export interface HiccupOptions {
  /**
   * Message of one part that is received when a connection that we have made is lost and will be made again; not over
   * inproc, where none is. What is connected later goes by it. null or empty for none. Default null.
   */
  hiccupMessage?: string | Uint8Array | null;
}

/** Options of XPublisher. */
export interface XPublisherOnlyOptions {
  /**
   * Subscriptions take effect only by subscribe() and unsubscribe() of the socket itself, and each one and each end of one
   * is delivered, also when its peer leaves (J20). Default false.
   */
  manual?: boolean;
  /**
   * As `manual`, which true sets, too; and the first message sent after a subscription was read goes to its subscriber
   * alone, if it matches: the last value for who is new. subscribe() comes before that message (J22). Default false.
   */
  manualLastValue?: boolean;
  /** Which subscriptions are delivered: null only new topics, "allSubs" every subscription, "allSubsUnsubs" every cancellation too (J14). Default null. */
  verbosity?: null | "allSubs" | "allSubsUnsubs";
  /** Message sent to each new peer before any other (J23); null or empty for none. Default null. */
  welcomeMessage?: string | Uint8Array | null;
}

/** Options of XSubscriber. */
export interface XSubscriberOnlyOptions extends TopicOptions, FirstSubscribeOptions {
  /** Send every end of a subscription upstream, not only the last of its topic (J7). Default false. */
  verboseUnsubscribe?: boolean;
}

/** Options of Router. */
export interface RouterOnlyOptions {
  /**
   * Reject a message to an unknown peer with EHOSTUNREACH, and wait for a full one, instead of dropping (I4, I5). Sends
   * keep their order: one that waits for its peer holds back those behind it; `trySend` or a timeout does not. Default false.
   */
  mandatory?: boolean;
  /**
   * See OnFull. null: "wait" with `mandatory`, else "dropNewest" (I5). Default null.
   */
  onFull?: OnFull | null;
  /**
   * A new peer takes over a routing id that is in use, and the old connection is closed (I9), instead of being ignored
   * (I8). Two live peers of one name then take it from each other as often as they redial. Default false.
   */
  handover?: boolean;
  /**
   * Receive a message of the peer's name and an empty part when a connection is made (1), lost (2), or both (3), on
   * whichever side it was made; 0 for neither. Not after unbind(), disconnect() or close(). What is bound or connected
   * later goes by it. Default 0.
   */
  routerNotify?: number;
}

/** Options of Stream. */
export interface StreamOnlyOptions {
  /** Deliver an empty message when a connection is made or lost (M2). Default true. */
  notify?: boolean;
}

/** Options of Request. */
export interface RequestOnlyOptions {
  /** Mark requests with an id and ignore replies to others (H9). request() then keeps several in flight. Default false. */
  correlate?: boolean;
  /** Allow a new request before the reply to the last (H8). Default false. */
  relaxed?: boolean;
}

/** Every option with its value. */
export interface OptionValues
  extends Required<
      Omit<SocketOptions, "context" | "tcpAcceptFilter" | "metadata" | keyof SecurityValues> &
        WritableOptions &
        ReadableOptions &
        ConflateOptions &
        Omit<PublisherOnlyOptions, "onFull"> &
        XPublisherOnlyOptions &
        XSubscriberOnlyOptions &
        ProbeOptions &
        HelloOptions &
        DisconnectOptions &
        HiccupOptions &
        Omit<RouterOnlyOptions, "onFull"> &
        StreamOnlyOptions &
        IdentityOptions &
        RequestOnlyOptions
    >,
    SecurityValues {
  onFull: OnFull | null;
  routingId: Buffer | null;
  welcomeMessage: Buffer | null;
  helloMessage: Buffer | null;
  disconnectMessage: Buffer | null;
  hiccupMessage: Buffer | null;
  tcpAcceptFilter: readonly string[];
  metadata: ReadonlyMap<string, Buffer>;
}

/** Name of an option. */
export type OptionName = Exclude<keyof OptionValues, "authenticator">;

const SECURITY: OptionName[] = [
  "security",
  "authenticate",
  "authenticateTimeout",
  "plainServer",
  "plainUsername",
  "plainPassword",
  "curveServer",
  "curvePublicKey",
  "curveSecretKey",
  "curveServerKey",
  "zapDomain",
  "zapEnforceDomain",
  "gssapiServer",
  "gssapiPrincipal",
  "gssapiServicePrincipal",
  "gssapiPlainText",
  "gssapiPrincipalNameType",
  "gssapiServicePrincipalNameType",
];

const FOREIGN: OptionName[] = [
  "affinity",
  "rate",
  "recoveryInterval",
  "multicastHops",
  "multicastMaxTransportDataUnit",
  "vmciBufferSize",
  "vmciBufferMinSize",
  "vmciBufferMaxSize",
  "vmciConnectTimeout",
  "loopbackFastPath",
];

const SOCKET: OptionName[] = [
  "linger",
  "reconnectInterval",
  "reconnectMaxInterval",
  "reconnectStop",
  "maxMessageSize",
  "maxMessageParts",
  "maxQueuedBytes",
  "maxMultipartSize",
  "handshakeInterval",
  "connectTimeout",
  "immediate",
  "maxResends",
  "heartbeatInterval",
  "heartbeatTimeout",
  "heartbeatTimeToLive",
  "sendBufferSize",
  "receiveBufferSize",
  "tcpKeepalive",
  "tcpKeepaliveCount",
  "tcpKeepaliveIdle",
  "tcpKeepaliveInterval",
  "tcpMaxRetransmitTimeout",
  "typeOfService",
  "interface",
  "priority",
  "busyPoll",
  "backlog",
  "messageTimeout",
  "idleTimeout",
  "maxConnections",
  "maxHandshakes",
  "maxConnectionsPerAddress",
  "maxConnectionRate",
  "ipv6",
  "socksProxy",
  "socksUsername",
  "socksPassword",
  "tcpAcceptFilter",
  "ipcFilterUserIds",
  "ipcFilterGroupIds",
  "ipcFilterProcessIds",
  "useFd",
  "ipcFileMode",
  "metadata",
  ...SECURITY,
  ...FOREIGN,
];

/** Option names by group, for socket types to pick from. */
export const OPTION_GROUPS = {
  socket: SOCKET,
  writable: ["sendHighWaterMark", "sendHighWaterMarkBytes", "sendTimeout", "sendQueueLimit"] as OptionName[],
  readable: [
    "receiveHighWaterMark",
    "receiveHighWaterMarkBytes",
    "receiveTimeout",
    "messagePeers",
  ] as OptionName[],
};

/** Options as properties of a socket: all but the ones that only a constructor takes. */
export type OptionProperties<Options> = Required<Omit<Options, "context">>;
