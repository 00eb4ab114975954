/**
 * Every stable option of libzmq and every option of zwire, as a table: number, type, default, owners, values that are
 * taken and refused, and the test that shows its effect. Written from spec/zeromq-js.md §2 and spec/zmtp.md §3, not
 * from src, so that the two can differ.
 */
import { Channel, Client, Dish, Gather, Peer, Radio, Scatter, Server } from "../../src/draft.js";
import * as zwire from "../../src/index.js";

export const TYPES = {
  PAIR: zwire.Pair,
  PUB: zwire.Publisher,
  SUB: zwire.Subscriber,
  REQ: zwire.Request,
  REP: zwire.Reply,
  DEALER: zwire.Dealer,
  ROUTER: zwire.Router,
  PULL: zwire.Pull,
  PUSH: zwire.Push,
  XPUB: zwire.XPublisher,
  XSUB: zwire.XSubscriber,
  STREAM: zwire.Stream,
  SERVER: Server,
  CLIENT: Client,
  RADIO: Radio,
  DISH: Dish,
  GATHER: Gather,
  SCATTER: Scatter,
  PEER: Peer,
  CHANNEL: Channel,
} as const;

export type TypeName = keyof typeof TYPES;
export const TYPE_NAMES = Object.keys(TYPES) as TypeName[];

const all: readonly TypeName[] = TYPE_NAMES;
const writable = all.filter((type) => !["SUB", "PULL", "DISH", "GATHER"].includes(type));
const readable = all.filter((type) => !["PUB", "PUSH", "RADIO", "SCATTER"].includes(type));
const topical: readonly TypeName[] = ["PUB", "SUB", "XPUB", "XSUB"];
const conflating: readonly TypeName[] = ["DEALER", "PULL", "PUSH", "PUB", "SUB", "GATHER", "SCATTER"];

/** How an option is got and set by number. "flag" and "choice" are numbers of 32 bits. */
export type Kind =
  | "flag"
  | "int"
  | "long"
  | "text"
  | "list"
  | "choice"
  | "object"
  | "function"
  | "optional int";

export interface Row {
  readonly name: string;
  /** Undefined: zwire's own, which has no number. */
  readonly number: number | undefined;
  readonly kind: Kind;
  readonly initial: unknown;
  /** What another default is, by type. */
  readonly initials?: Partial<Record<TypeName, unknown>>;
  readonly owners: readonly TypeName[];
  /** Taken by all who have it; the first is not the default. */
  readonly good: readonly unknown[];
  /** Of the right type and refused. */
  readonly bad: readonly unknown[];
  /** By number: read and written, or only one of them. Default both. */
  readonly access?: "read" | "write";
  /** A change acts at once. */
  readonly live?: boolean;
  /** Only the default is taken; why. */
  readonly refused?: boolean;
  /** The test of its effect: file under test, then the beginning of a title. */
  readonly proof?: `${string}: ${string}`;
}

const MAX = 2 ** 31 - 1;
const MIB = 1024 ** 2;
const SAFE = Number.MAX_SAFE_INTEGER;

type Rest = Partial<Row>;

function int(name: string, number: number | undefined, initial: number, minimum: number, rest: Rest): Row {
  const good = [initial === 7 ? 8 : 7, minimum, MAX];
  const bad = [minimum - 1, MAX + 1, 1.5, Number.NaN, Number.POSITIVE_INFINITY];
  return { name, number, kind: "int", initial, owners: all, good, bad, ...rest };
}

function flag(name: string, number: number | undefined, owners: readonly TypeName[], rest: Rest): Row {
  return { name, number, kind: "flag", initial: false, owners, good: [true, false], bad: [], ...rest };
}

function refused(name: string, number: number, kind: Kind, initial: unknown, bad: unknown): Row {
  return { name, number, kind, initial, owners: all, good: [initial], bad: [bad], refused: true };
}

/** A secret key in Z85, the one that libzmq's manual prints. */
export const A_KEY = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";
const LONG = "u".repeat(256);

const SECURED: Record<string, { good: unknown[]; bad: unknown[] }> = {
  security: {
    good: [{ mechanism: "plain", server: true }, { mechanism: "null", domain: "d" }, { mechanism: "null" }],
    bad: [
      { mechanism: "curve", server: true, secretKey: "x" },
      { mechanism: "null", domain: LONG },
    ],
  },
  plainUsername: { good: ["user", "", LONG.slice(1), null], bad: [LONG] },
  plainPassword: { good: ["secret", "", LONG.slice(1), null], bad: [LONG] },
  zapDomain: { good: ["global", LONG.slice(1), ""], bad: [LONG, "\u00e9".repeat(128)] },
  authenticate: { good: [() => "user", null], bad: [] },
  metadata: {
    good: [new Map([["X-a", Buffer.from("b")]]), new Map()],
    bad: [{ a: "b" }, { "X-": "b" }, { "X-a": "" }, { "x-a": "b" }, { [`X-${LONG}`]: "b" }, { "X-a b": "c" }],
  },
  ipcFileMode: { good: [0o600, 0, 0o777, null], bad: [-1, 0o1000, 1.5, Number.NaN] },
};
const KEYS = {
  good: [A_KEY, null],
  bad: ["", A_KEY.slice(1), "~".repeat(40), "#".repeat(40), "0".repeat(40)],
};

const SECURITY = "conformance/security.test.ts";
const LIFE = "conformance/life-cycle.test.ts";
const REDIALLING = "conformance/redialling.test.ts";
const KNOWN = "conformance/peers-known.test.ts";
const OS = "conformance/os-options.test.ts";
const COMMON = "conformance/common.test.ts";
const CONNECTIONS = "conformance/common-connections.test.ts";
const HEARTBEAT = "conformance/heartbeat.test.ts";
const ROUTING = "interop/routing.test.ts";
const SUBSCRIPTIONS = "interop/subscriptions.test.ts";
const STREAM = "unit/stream.test.ts";
const EFFECTS = "conformance/option-effects.test.ts";
const TOPICS = "conformance/topics.test.ts";
const NOTICES = "conformance/notices.test.ts";
const MANUAL = "conformance/xpub-manual.test.ts";

const ROUTING_IDS = ["me", "\0zero", "n".repeat(255)];

/** Every option of sockets. */
export const OPTIONS: readonly Row[] = [
  int("sendHighWaterMark", 23, 1000, 0, {
    owners: writable,
    live: true,
    proof: `${COMMON}: a mark changed`,
  }),
  int("receiveHighWaterMark", 24, 1000, 0, {
    owners: readable,
    live: true,
    proof: `${CONNECTIONS}: above the`,
  }),
  int("sendTimeout", 28, -1, -1, { owners: writable, live: true, proof: `${COMMON}: sendTimeout and` }),
  int("receiveTimeout", 27, -1, -1, {
    owners: readable,
    live: true,
    proof: `${COMMON}: sendTimeout and`,
  }),
  int("linger", 17, 30000, -1, {
    initials: { SUB: 0, XSUB: 0, DISH: 0 },
    live: true,
    proof: `${LIFE}: linger n waits`,
  }),
  flag("immediate", 39, all, { proof: `${REDIALLING}: with immediate nothing` }),
  flag("conflate", 54, conflating, { access: "write", proof: `${COMMON}: a conflating pair` }),
  int("maxMessageSize", 22, -1, -1, {
    kind: "long",
    good: [7, -1, 0, SAFE],
    bad: [-2, 1.5, SAFE + 1],
    proof: "conformance/framing.test.ts: a frame above",
  }),
  {
    name: "routingId",
    number: 5,
    kind: "text",
    initial: null,
    owners: ["REQ", "REP", "DEALER", "ROUTER"],
    good: ROUTING_IDS,
    bad: ["", "n".repeat(256)],
    proof: `${ROUTING}: our routingId`,
  },
  flag("mandatory", 33, ["ROUTER"], { live: true, proof: `${ROUTING}: a full` }),
  flag("handover", 56, ["ROUTER"], {
    access: "write",
    live: true,
    proof: `${ROUTING}: libzmq's routingId`,
  }),
  flag("probeRouter", 51, ["REQ", "DEALER", "ROUTER"], {
    access: "write",
    live: true,
    proof: `${ROUTING}: our %s with probeRouter`,
  }),
  flag("correlate", 52, ["REQ"], {
    access: "write",
    live: true,
    proof: "conformance/req-rep.test.ts: with correlate",
  }),
  flag("relaxed", 53, ["REQ"], {
    access: "write",
    live: true,
    proof: "conformance/req-rep.test.ts: with relaxed",
  }),
  {
    name: "onFull",
    number: undefined,
    kind: "choice",
    initial: null,
    initials: { PUB: "dropNewest", XPUB: "dropNewest", RADIO: "dropNewest" },
    owners: ["PUB", "XPUB", "RADIO", "ROUTER"],
    good: ["dropOldest", "disconnect", "wait", "dropNewest"],
    bad: ["", "drop"],
    live: true,
    proof: "conformance/full-peers.test.ts: with dropOldest it gets",
  },
  flag("noDrop", 69, ["PUB", "XPUB", "RADIO"], {
    access: "write",
    live: true,
    proof: "conformance/pub-sub.test.ts: with noDrop",
  }),
  flag("manual", 71, ["XPUB"], { access: "write", live: true, proof: `${EFFECTS}: with manual` }),
  {
    // 98 sets manual, too: tested by itself.
    ...flag("manualLastValue", undefined, ["XPUB"], { live: true, proof: `${MANUAL}: with manualLastValue` }),
    good: [false, true],
  },
  flag("onlyFirstSubscribe", 108, ["PUB", "XPUB", "XSUB"], {
    initial: true,
    good: [false, true],
    access: "write",
    live: true,
    proof: "conformance/xpub-xsub.test.ts: a message that begins otherwise",
  }),
  flag("verboseUnsubscribe", 115, ["XSUB"], {
    access: "write",
    live: true,
    proof: "conformance/xpub-xsub.test.ts: with verboseUnsubscribe",
  }),
  {
    name: "verbosity",
    number: undefined, // XPUB_VERBOSE (40) and XPUB_VERBOSER (78): tested by themselves
    kind: "choice",
    initial: null,
    owners: ["XPUB"],
    good: ["allSubs", "allSubsUnsubs", null],
    bad: ["", "all"],
    live: true,
    proof: `${SUBSCRIPTIONS}: with allSubsUnsubs`,
  },
  {
    name: "welcomeMessage",
    number: 72,
    kind: "text",
    initial: null,
    owners: ["XPUB"],
    good: ["hello", "", "\0"],
    bad: [],
    access: "write",
    live: true,
    proof: `${SUBSCRIPTIONS}: the welcome message is`,
  },
  int("routerNotify", 97, 0, 0, {
    owners: ["ROUTER"],
    good: [3, 0, 1, 2],
    bad: [-1, 4, 1.5],
    proof: `${NOTICES}: routerNotify tells`,
  }),
  notice("helloMessage", 110, ["REP", "DEALER", "ROUTER", "SERVER", "CLIENT", "PEER"]),
  notice("disconnectMessage", 111, ["ROUTER", "SERVER", "PEER"]),
  notice("hiccupMessage", 114, ["DEALER", "CLIENT", "PEER"]),
  flag("notify", 73, ["STREAM"], {
    initial: true,
    good: [false, true],
    access: "write",
    live: true,
    proof: `${EFFECTS}: without notify`,
  }),
  flag("invertMatching", 74, ["PUB", "XPUB", "SUB"], {
    live: true,
    proof: "conformance/pub-sub.test.ts: with invertMatching",
  }),

  int("reconnectInterval", 18, 100, -1, { proof: `${REDIALLING}: the wait` }),
  int("reconnectMaxInterval", 21, 0, 0, { proof: `${REDIALLING}: with a maximum` }),
  int("reconnectStop", 109, 0, 0, {
    good: [7, 0, 4],
    bad: [-1, 8, 1.5],
    proof: `${REDIALLING}: reconnectStop`,
  }),
  int("connectTimeout", 79, 0, 0, { proof: "conformance/tcp.test.ts: connectTimeout" }),
  int("handshakeInterval", 66, 30000, 0, { proof: `${REDIALLING}: a peer that does not finish` }),
  int("heartbeatInterval", 75, -1, -1, { proof: `${HEARTBEAT}: a PING goes out` }),
  int("heartbeatTimeout", 77, -1, -1, { proof: `${HEARTBEAT}: without an answer` }),
  int("heartbeatTimeToLive", 76, 0, 0, {
    good: [7, 0, 6_553_599],
    bad: [-1, 6_553_600, 1.5],
    proof: `${HEARTBEAT}: heartbeatTimeToLive`,
  }),
  int("backlog", 19, 100, 0, { proof: "conformance/tcp.test.ts: backlog" }),
  int("useFd", 89, -1, -1, { proof: `${OS}: a %s descriptor` }),

  // zwire has the two on every socket, as libzmq has; zeromq.js only on those of the direction.
  int("sendBufferSize", 11, -1, -1, { proof: `${STREAM}: ` }),
  int("receiveBufferSize", 12, -1, -1, { proof: `${STREAM}: ` }),
  int("tcpKeepalive", 34, -1, -1, { good: [1, 0, -1], bad: [-2, 2, 0.5], proof: `${STREAM}: ` }),
  int("tcpKeepaliveCount", 35, -1, -1, { proof: `${STREAM}: ` }),
  int("tcpKeepaliveIdle", 36, -1, -1, { proof: `${STREAM}: ` }),
  int("tcpKeepaliveInterval", 37, -1, -1, { proof: `${STREAM}: ` }),
  int("priority", 112, 0, 0, { proof: `${OS}: reach SO_PRIORITY` }),
  int("busyPoll", 113, 0, 0, { access: "write", proof: `${OS}: reach SO_BUSY_POLL` }),
  int("tcpMaxRetransmitTimeout", 80, 0, 0, { proof: `${OS}: %i reaches TCP_USER_TIMEOUT` }),
  int("typeOfService", 57, 0, 0, {
    good: [7, 0, 255],
    bad: [-1, 256, 1.5],
    proof: `${OS}: 0, the default`,
  }),
  flag("ipv6", 42, all, { proof: "conformance/tcp.test.ts: with ipv6" }),
  {
    name: "interface",
    number: 92,
    kind: "text",
    initial: null,
    owners: all,
    good: ["lo", "d".repeat(15)],
    bad: ["", "d".repeat(16), "a\0b"],
    proof: `${OS}: sockets are bound to the device`,
  },
  {
    name: "socksProxy",
    number: 68,
    kind: "text",
    initial: null,
    owners: all,
    good: ["127.0.0.1:1080", "proxy.example:1", "[::1]:65535"],
    bad: ["", "host", "host:0", "host:65536", ":1080"],
    proof: "conformance/socks.test.ts: messages pass",
  },
  {
    name: "socksUsername",
    number: 99,
    kind: "text",
    initial: null,
    owners: all,
    good: ["user", "u".repeat(255)],
    bad: ["", "u".repeat(256)],
    proof: "conformance/socks.test.ts: a user without",
  },
  {
    name: "socksPassword",
    number: 100,
    kind: "text",
    initial: null,
    owners: all,
    good: ["secret", "p".repeat(255)],
    bad: ["", "p".repeat(256)],
    access: "write",
    proof: "conformance/socks.test.ts: a wrong password",
  },
  list("tcpAcceptFilter", 38, ["10.0.0.0/8"], ["10.0.0.0/33"], "one peer is let in"),
  list("ipcFilterProcessIds", 58, [1234], [0], "a peer is let in"),
  list("ipcFilterUserIds", 59, [1234], [-1], "a peer is let in"),
  list("ipcFilterGroupIds", 60, [1234], [-1], "a peer is let in"),

  secured("security", undefined, "object", { mechanism: "null" }, "all of it by"),
  secured("plainServer", 44, "flag", false, "PLAIN"),
  secured("plainUsername", 45, "text", null, "PLAIN"),
  secured("plainPassword", 46, "text", null, "PLAIN"),
  secured("curveServer", 47, "flag", false, "CURVE"),
  secured("curvePublicKey", 48, "text", null, "CURVE"),
  secured("curveSecretKey", 49, "text", null, "CURVE"),
  secured("curveServerKey", 50, "text", null, "CURVE"),
  {
    ...secured("zapDomain", 55, "text", "", ""),
    proof: "conformance/zap.test.ts: with a domain",
  },
  secured("zapEnforceDomain", 93, "flag", false, "zapEnforceDomain"),
  secured("authenticate", undefined, "function", null, "authenticate decides"),
  { ...own("authenticateTimeout", 10000, 0, all, `${SECURITY}: an answer of authenticate that`) },
  { ...secured("metadata", undefined, "object", new Map(), ""), proof: `${KNOWN}: metadata` }, // METADATA (95): tested by itself
  {
    ...secured("ipcFileMode", undefined, "optional int", null, ""),
    proof: "conformance/socket-files.test.ts: ipcFileMode is what",
  },

  flag("messagePeers", undefined, readable, { live: true, proof: `${KNOWN}: with messagePeers` }),
  own("maxMessageParts", 65536, 1, all, "conformance/framing.test.ts: maxMessageParts"),
  own("maxMultipartSize", -1, -1, all, `${EFFECTS}: maxMultipartSize`, SAFE),
  {
    ...own("sendHighWaterMarkBytes", 0, 0, writable, `${COMMON}: the second mark`, SAFE, true),
    initials: { PUB: 32 * MIB, XPUB: 32 * MIB, RADIO: 32 * MIB },
  },
  {
    name: "sharedMemory",
    number: undefined,
    kind: "flag",
    initial: true,
    owners: all,
    good: [false, true],
    bad: [],
    proof: "conformance/shared-memory.test.ts: sharedMemory",
  },
  {
    name: "sharedMemorySize",
    number: undefined,
    kind: "int",
    initial: MIB,
    owners: all,
    good: [4 * MIB, 65536, 64 * MIB, 100_000],
    bad: [65535, 64 * MIB + 1, 1.5, Number.NaN],
    proof: "conformance/shared-memory.test.ts: sharedMemorySize",
  },
  {
    name: "spinMicroseconds",
    number: undefined,
    kind: "int",
    initial: 0,
    owners: all,
    good: [50, 0, 10_000],
    bad: [-1, 10_001, 0.5, Number.NaN],
    proof: "conformance/shared-memory.test.ts: spinMicroseconds",
  },
  own("idleTimeout", 0, 0, all, "security/idle-timeout.test.ts: idleTimeout"),
  own("messageTimeout", 120000, 0, all, "security/message-timeout.test.ts: messageTimeout"),
  own("maxConnections", 65536, 0, all, "security/connections.test.ts: maxConnections", MAX, true),
  own("maxHandshakes", 1024, 0, all, "security/connections.test.ts: maxHandshakes", MAX, true),
  own(
    "maxConnectionsPerAddress",
    0,
    0,
    all,
    "security/connections.test.ts: maxConnectionsPerAddress",
    MAX,
    true,
  ),
  own("maxConnectionRate", 0, 0, all, "security/connections.test.ts: maxConnectionRate", MAX, true),
  own("maxResends", 3, -1, all, "conformance/resends.test.ts: maxResends", MAX, true),
  own("maxQueuedBytes", 256 * MIB, 0, all, "security/memory-receive.test.ts: maxQueuedBytes", SAFE, true),
  own(
    "receiveHighWaterMarkBytes",
    16 * MIB,
    0,
    readable,
    `${CONNECTIONS}: the receive mark in octets`,
    SAFE,
    true,
  ),
  own("maxTopics", 250_000, 0, ["PUB", "XPUB"], `${TOPICS}: in %s form: topics above`, MAX, true),
  own("maxTopicsPerPeer", 100_000, 0, ["PUB", "XPUB"], `${TOPICS}: in %s form: topics above`, MAX, true),
  own("maxTopicLength", 16384, 1, topical, `${TOPICS}: in %s form: a topic above`, 2 ** 28, true),
  own("sendQueueLimit", 65536, 1, writable, "lifecycle/send-order.test.ts: a full send queue", MAX, true),

  refused("affinity", 4, "long", 0, 1),
  refused("rate", 8, "int", 100, 101),
  refused("recoveryInterval", 9, "int", 10000, 1),
  refused("multicastHops", 25, "int", 1, 2),
  refused("multicastMaxTransportDataUnit", 84, "int", 1500, 9000),
  refused("vmciBufferSize", 85, "long", 0, 1),
  refused("vmciBufferMinSize", 86, "long", 0, 1),
  refused("vmciBufferMaxSize", 87, "long", 0, 1),
  refused("vmciConnectTimeout", 88, "int", -1, 5),
  refused("loopbackFastPath", 94, "flag", false, true),
  refused("gssapiServer", 62, "flag", false, true),
  refused("gssapiPrincipal", 63, "text", null, "principal"),
  refused("gssapiServicePrincipal", 64, "text", null, "principal"),
  refused("gssapiPlainText", 65, "flag", false, true),
  refused("gssapiPrincipalNameType", 90, "choice", "hostBased", "userName"),
  refused("gssapiServicePrincipalNameType", 91, "choice", "hostBased", "krb5Principal"),
];

function notice(name: string, number: number, owners: readonly TypeName[]): Row {
  const proof = `${NOTICES}: ${name} comes` as const;
  return {
    name,
    number,
    kind: "text",
    initial: null,
    owners,
    good: ["hi", "\0"],
    bad: [],
    access: "write",
    proof,
  };
}

function secured(name: string, number: number | undefined, kind: Kind, initial: unknown, title: string): Row {
  const values = kind === "flag" ? { good: [true, false], bad: [] } : (SECURED[name] ?? KEYS);
  return { name, number, kind, initial, owners: all, ...values, proof: `${SECURITY}: ${title}` };
}

function own(
  name: string,
  initial: number,
  minimum: number,
  owners: readonly TypeName[],
  proof: Row["proof"],
  maximum: number = MAX,
  live = false,
): Row {
  const [good, bad] = [
    [7, minimum, maximum],
    [minimum - 1, maximum + 1, 1.5],
  ];
  return { name, number: undefined, kind: "int", initial, owners, good, bad, live, proof };
}

function list(name: string, number: number, good: unknown[], bad: unknown[], title: string): Row {
  const proof = `conformance/filters.test.ts: ${title}` as const;
  return {
    name,
    number,
    kind: "list",
    initial: [],
    owners: all,
    good: [good, []],
    bad: [bad],
    access: "write",
    proof,
  };
}
