/**
 * The rule of each option: its default, what it accepts, and whether a change takes effect at once. Constructor
 * fields, properties and numbers are checked by the same rule. Knows nothing of what an option does.
 */

import { parseAcceptFilter } from "../base/accept-filter.js";
import { ZmqError } from "../base/errors.js";
import { Buffer } from "../base/platform.js";
import { NO_PROPERTIES, parseProperties } from "../security/properties.js";
import {
  credential,
  describeSecurity,
  domainOf,
  keyText,
  OPEN,
  parseSecurity,
  type SecurityValues,
  setSecurity,
  setSecurityOption,
} from "../security/settings.js";

/** One option's rule. */
export interface Rule {
  readonly initial: unknown;
  /** Returns the value to keep; `before` is the present one. Throws TypeError, RangeError or ZmqError. */
  readonly check: (name: string, value: unknown, before: unknown) => unknown;
  /** Takes effect on connections that exist. */
  readonly live: boolean;
  /** Keeps a checked value that has to do with other options. May throw a TypeError. */
  readonly store?: (values: SecurityValues, name: string, value: unknown) => void;
  /** The value as the application reads it, where that is not what is kept. */
  readonly read?: (values: SecurityValues) => unknown;
}

const INT32_MAX = 2 ** 31 - 1;
const MIB = 1024 * 1024;
const ROUTING_ID_MAX = 255;
/** Of bytes: below what one string can hold. */
const LONGEST_TOPIC = 2 ** 28;
const INTERFACE_MAX = 15;

function describe(value: unknown): string {
  return value === null ? "null" : typeof value;
}

/** A whole number in a range. */
export function integer(minimum: number, maximum: number) {
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

/** Octets of a text or a view, copied; null for null. */
function octets(name: string, value: unknown): Buffer | null {
  if (value === null) return null;
  if (typeof value !== "string" && !(value instanceof Uint8Array)) {
    throw new TypeError(`${name} must be a string, Uint8Array or null; got ${describe(value)}`);
  }
  return typeof value === "string" ? Buffer.from(value) : Buffer.from(value);
}

/** A message of one part, or null for none: libzmq's "none" is an empty one. */
function notice(name: string, value: unknown): Buffer | null {
  const message = octets(name, value);
  return message?.length === 0 ? null : message;
}

/**
 * Checks a routing id (C12): 1 to 255 bytes of any value.
 * @throws TypeError, RangeError
 */
export function routingId(name: string, value: unknown): Buffer | null {
  const id = octets(name, value);
  if (id !== null && (id.length < 1 || id.length > ROUTING_ID_MAX)) {
    throw new RangeError(`${name} must have 1 to ${ROUTING_ID_MAX} bytes`);
  }
  return id;
}

/** A text of limited length, or null for none. */
function text(maximum: number, what: string) {
  return (name: string, value: unknown): string | null => {
    if (value === null) return null;
    if (typeof value !== "string")
      throw new TypeError(`${name} must be a string or null; got ${describe(value)}`);
    const length = Buffer.byteLength(value);
    if (length < 1 || length > maximum || value.includes("\0")) {
      throw new RangeError(`${name} must be ${what} of 1 to ${maximum} octets, or null for none`);
    }
    return value;
  };
}

const PROXY = /^(?:\[[0-9A-Fa-f:.]+\]|[^\s:/[\]]+):(\d{1,5})$/;

function hostPort(name: string, value: unknown): string | null {
  const checked = text(300, "host:port")(name, value);
  const port = checked === null ? 1 : Number(PROXY.exec(checked)?.[1] ?? 0);
  if (port < 1 || port > 65535) throw new RangeError(`${name} must be host:port; got "${checked}"`);
  return checked;
}

/** Nobody may add to the default of all sockets. */
const NONE: readonly never[] = Object.freeze([]);

function ids(minimum: number) {
  const one = integer(minimum, 2 ** 32 - 2);
  return (name: string, value: unknown): readonly number[] => {
    if (!Array.isArray(value)) throw new TypeError(`${name} must be an array; got ${describe(value)}`);
    return Object.freeze(value.map((id, at) => one(`${name}[${at}]`, id)));
  };
}

function oneOf(...choices: (string | null)[]) {
  return (name: string, value: unknown): string | null => {
    if (choices.includes(value as string)) return value as string | null;
    const listed = choices.map((choice) => JSON.stringify(choice)).join(", ");
    if (typeof value !== "string" && value !== null) {
      throw new TypeError(`${name} must be one of ${listed}; got ${describe(value)}`);
    }
    throw new RangeError(`${name} must be one of ${listed}; got ${JSON.stringify(value)}`);
  };
}

/** An option that only has its default here: anything else is refused, never ignored. */
function refused(initial: string | number | boolean | null, reason: string): Rule {
  const check = (name: string, value: unknown): unknown => {
    if (value === initial) return value;
    const expected = initial === null ? "string" : typeof initial;
    const wrongType = typeof value !== expected && !(initial === null && value instanceof Uint8Array);
    if (wrongType) throw new TypeError(`${name} must be a ${expected}; got ${describe(value)}`);
    throw new ZmqError("ENOTSUP", { detail: `${name}: ${reason}` });
  };
  return { initial, check, live: false };
}

const live = (initial: unknown, check: Rule["check"]): Rule => ({ initial, check, live: true });
const later = (initial: unknown, check: Rule["check"]): Rule => ({ initial, check, live: false });

const count = integer(0, INT32_MAX);
const timeout = integer(-1, INT32_MAX);
const bytes = integer(0, Number.MAX_SAFE_INTEGER);

const NO_THREADS = "zwire has no I/O threads to choose from";
const NO_MULTICAST = "pgm and norm are not supported";
const NO_VMCI = "vmci is not supported";
const NO_GSSAPI = "the GSSAPI mechanism is not supported";

/** Security options: what they contradict is looked for when they are set. */
const secured = (initial: unknown, check: Rule["check"]): Rule => ({
  initial,
  check,
  live: false,
  store: setSecurityOption,
});

/** Every option's rule by name. */
export const RULES = {
  linger: live(30000, timeout),
  reconnectInterval: later(100, timeout),
  reconnectMaxInterval: later(0, count),
  reconnectStop: later(0, integer(0, 7)),
  maxMessageSize: later(-1, integer(-1, Number.MAX_SAFE_INTEGER)),
  maxMessageParts: later(65536, integer(1, INT32_MAX)),
  maxQueuedBytes: live(256 * MIB, bytes),
  maxMultipartSize: later(-1, integer(-1, Number.MAX_SAFE_INTEGER)),
  handshakeInterval: later(30000, count),
  connectTimeout: later(0, count),
  immediate: later(false, flag),
  maxResends: live(3, timeout),
  heartbeatInterval: later(-1, timeout),
  heartbeatTimeout: later(-1, timeout),
  heartbeatTimeToLive: later(0, integer(0, 6_553_599)), // U3; what is sent is capped (F10)
  sendBufferSize: later(-1, timeout),
  receiveBufferSize: later(-1, timeout),
  tcpKeepalive: later(-1, integer(-1, 1)),
  tcpKeepaliveCount: later(-1, timeout),
  tcpKeepaliveIdle: later(-1, timeout),
  tcpKeepaliveInterval: later(-1, timeout),
  tcpMaxRetransmitTimeout: later(0, count),
  typeOfService: later(0, integer(0, 255)),
  interface: later(null, text(INTERFACE_MAX, "an interface name")),
  priority: later(0, count),
  busyPoll: later(0, count),
  backlog: later(100, count),
  messageTimeout: later(120000, count),
  idleTimeout: later(0, count),
  maxConnections: live(65536, count),
  maxHandshakes: live(1024, count),
  maxConnectionsPerAddress: live(0, count),
  maxConnectionRate: live(0, count),
  ipv6: later(false, flag),
  socksProxy: later(null, hostPort),
  socksUsername: later(null, text(255, "a user name")),
  socksPassword: later(null, text(255, "a password")),
  ipcFilterUserIds: later(NONE, ids(0)),
  ipcFilterGroupIds: later(NONE, ids(0)),
  ipcFilterProcessIds: later(NONE, ids(1)),
  useFd: later(-1, timeout),
  sendHighWaterMark: live(1000, count),
  sendHighWaterMarkBytes: live(0, bytes),
  sendTimeout: live(-1, timeout),
  sendQueueLimit: live(65536, integer(1, INT32_MAX)),
  receiveHighWaterMark: live(1000, count),
  receiveHighWaterMarkBytes: live(16 * MIB, bytes),
  receiveTimeout: live(-1, timeout),
  messagePeers: live(false, flag),
  conflate: later(false, flag),
  onFull: live(null, oneOf(null, "wait", "dropNewest", "dropOldest", "disconnect")),
  // Kept as onFull.
  noDrop: {
    initial: false,
    check: flag,
    live: true,
    store: (values, name, value) => setNoDrop(values as unknown as { onFull: string | null }, name, value),
    read: (values) => (values as unknown as { onFull: string | null }).onFull === "wait",
  },
  invertMatching: live(false, flag),
  maxTopics: live(250_000, count),
  maxTopicsPerPeer: live(100_000, count),
  maxTopicLength: live(16384, integer(1, LONGEST_TOPIC)),
  onlyFirstSubscribe: live(true, flag),
  verboseUnsubscribe: live(false, flag),
  manual: live(false, flag),
  manualLastValue: {
    initial: false,
    check: flag,
    live: true,
    store: (values, _name, value) => {
      const options = values as unknown as Record<string, unknown>;
      options.manualLastValue = value;
      if (value === true) options.manual = true;
    },
  },
  verbosity: live(null, oneOf(null, "allSubs", "allSubsUnsubs")),
  welcomeMessage: live(null, octets),
  routingId: later(null, routingId),
  correlate: live(false, flag),
  relaxed: live(false, flag),
  mandatory: live(false, flag),
  handover: live(false, flag),
  probeRouter: live(false, flag),
  notify: live(true, flag),
  helloMessage: later(null, notice),
  disconnectMessage: later(null, notice),
  hiccupMessage: later(null, notice),
  routerNotify: later(0, integer(0, 3)),
  // What is kept under this name is what connections go by; see secure().
  security: {
    initial: OPEN,
    check: parseSecurity,
    live: false,
    store: setSecurity,
    read: describeSecurity,
  },
  plainServer: secured(false, flag),
  plainUsername: secured(null, credential),
  plainPassword: secured(null, credential),
  curveServer: secured(false, flag),
  curvePublicKey: secured(null, keyText),
  curveSecretKey: secured(null, keyText),
  curveServerKey: secured(null, keyText),
  zapDomain: secured("", domainOf),
  zapEnforceDomain: later(false, flag),
  authenticate: secured(null, callback),
  authenticateTimeout: later(10000, count),
  metadata: {
    initial: NO_PROPERTIES,
    check: (name, value) => parseProperties(name, value, true),
    live: false,
    read: (values) => new Map((values as unknown as { metadata: Map<string, Buffer> }).metadata),
  },
  ipcFileMode: later(null, fileMode),
  gssapiServer: refused(false, NO_GSSAPI),
  gssapiPrincipal: refused(null, NO_GSSAPI),
  gssapiServicePrincipal: refused(null, NO_GSSAPI),
  gssapiPlainText: refused(false, NO_GSSAPI),
  gssapiPrincipalNameType: refused("hostBased", NO_GSSAPI),
  gssapiServicePrincipalNameType: refused("hostBased", NO_GSSAPI),
  affinity: refused(0, NO_THREADS),
  rate: refused(100, NO_MULTICAST),
  recoveryInterval: refused(10000, NO_MULTICAST),
  multicastHops: refused(1, NO_MULTICAST),
  multicastMaxTransportDataUnit: refused(1500, NO_MULTICAST),
  vmciBufferSize: refused(0, NO_VMCI),
  vmciBufferMinSize: refused(0, NO_VMCI),
  vmciBufferMaxSize: refused(0, NO_VMCI),
  vmciConnectTimeout: refused(-1, NO_VMCI),
  loopbackFastPath: refused(false, "it is an option of Windows that zwire does not use"),
  tcpAcceptFilter: later(NONE, acceptFilter),
} satisfies Record<string, Rule>;

/** @throws TypeError where full peers are dealt with in a third way */
function setNoDrop(values: { onFull: string | null }, name: string, value: unknown): void {
  const { onFull } = values;
  if (value === false) {
    if (onFull === "wait") values.onFull = "dropNewest";
    return;
  }
  if (onFull === "dropOldest" || onFull === "disconnect") {
    throw new TypeError(`${name}: true and onFull: "${onFull}" contradict each other`);
  }
  values.onFull = "wait";
}

function callback(name: string, value: unknown): unknown {
  if (value === null || typeof value === "function") return value;
  throw new TypeError(`${name} must be a function or null; got ${describe(value)}`);
}

const permissions = integer(0, 0o777);

function fileMode(name: string, value: unknown): number | null {
  return value === null ? null : permissions(name, value);
}

/** A string adds an entry, null takes all away, an array replaces them. */
function acceptFilter(name: string, value: unknown, before: unknown): readonly string[] {
  if (value === null) return NONE;
  const added = Array.isArray(value) ? value : [value];
  for (const one of added) {
    if (typeof one !== "string") {
      throw new TypeError(`${name} must be a string, an array of strings or null; got ${describe(one)}`);
    }
    parseAcceptFilter(one, name);
  }
  return Object.freeze(typeof value === "string" ? [...(before as string[]), value] : [...added]);
}
