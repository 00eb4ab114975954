/**
 * The options of zeromq.js: the libzmq number, kind and access of each property, and the values that libzmq treats
 * differently from zwire's own options. Knows sockets only as `Target`.
 */
import { Buffer, emitWarning } from "../../base/platform.js";
import { keyText } from "../../security/settings.js";
import { calling, failure } from "../errors.js";
import { keptHint, SOCKET_HINTS } from "./hints.js";
import { SecurityStore } from "./security.js";

/** Suffix of the methods get…Option and set…Option for an option. */
export type Kind = "Bool" | "Int32" | "Uint32" | "Int64" | "Uint64" | "String";

type Access = "rw" | "r" | "w";

/** One property. */
export interface OptionProperty {
  readonly name: string;
  readonly kind: Kind;
  readonly id: number;
  readonly access: Access;
  /** Names of the values, by number, if the property has them. */
  readonly names?: readonly (string | null)[];
}

const property = (name: string, kind: Kind, id: number, access: Access = "rw"): OptionProperty => ({
  name,
  kind,
  id,
  access,
});

export const SOCKET_PROPERTIES: readonly OptionProperty[] = [
  property("affinity", "Uint64", 4),
  property("rate", "Int32", 8),
  property("recoveryInterval", "Int32", 9),
  property("type", "Int32", 16, "r"),
  property("linger", "Int32", 17),
  property("reconnectInterval", "Int32", 18),
  property("backlog", "Int32", 19),
  property("reconnectMaxInterval", "Int32", 21),
  property("maxMessageSize", "Int64", 22),
  property("lastEndpoint", "String", 32, "r"),
  property("tcpKeepalive", "Int32", 34),
  property("tcpKeepaliveCount", "Int32", 35),
  property("tcpKeepaliveIdle", "Int32", 36),
  property("tcpKeepaliveInterval", "Int32", 37),
  property("tcpAcceptFilter", "String", 38),
  property("immediate", "Bool", 39),
  property("ipv6", "Bool", 42),
  { ...property("securityMechanism", "Int32", 43, "r"), names: [null, "plain", "curve", "gssapi"] },
  property("plainServer", "Bool", 44),
  property("plainUsername", "String", 45),
  property("plainPassword", "String", 46),
  property("curveServer", "Bool", 47),
  property("curvePublicKey", "String", 48),
  property("curveSecretKey", "String", 49),
  property("curveServerKey", "String", 50),
  property("zapDomain", "String", 55),
  property("typeOfService", "Int32", 57),
  property("handshakeInterval", "Int32", 66),
  property("socksProxy", "String", 68),
  property("heartbeatInterval", "Int32", 75),
  property("heartbeatTimeToLive", "Int32", 76),
  property("heartbeatTimeout", "Int32", 77),
  property("connectTimeout", "Int32", 79),
  property("tcpMaxRetransmitTimeout", "Int32", 80),
  property("threadSafe", "Bool", 81, "r"),
  property("multicastMaxTransportDataUnit", "Int32", 84),
  property("vmciBufferSize", "Uint64", 85),
  property("vmciBufferMinSize", "Uint64", 86),
  property("vmciBufferMaxSize", "Uint64", 87),
  property("vmciConnectTimeout", "Int32", 88),
  property("interface", "String", 92),
  property("zapEnforceDomain", "Bool", 93),
  property("loopbackFastPath", "Bool", 94),
];

export const WRITABLE_PROPERTIES: readonly OptionProperty[] = [
  property("sendBufferSize", "Int32", 11),
  property("sendHighWaterMark", "Int32", 23),
  property("sendTimeout", "Int32", 28),
  property("multicastHops", "Int32", 25),
];

export const READABLE_PROPERTIES: readonly OptionProperty[] = [
  property("receiveBufferSize", "Int32", 12),
  property("receiveHighWaterMark", "Int32", 24),
  property("receiveTimeout", "Int32", 27),
];

/** Options that only some types have. */
export const OWN_PROPERTIES = {
  routingId: property("routingId", "String", 5),
  mandatory: property("mandatory", "Bool", 33),
  probeRouter: property("probeRouter", "Bool", 51, "w"),
  correlate: property("correlate", "Bool", 52, "w"),
  relaxed: property("relaxed", "Bool", 53, "w"),
  conflate: property("conflate", "Bool", 54, "w"),
  handover: property("handover", "Bool", 56, "w"),
  noDrop: property("noDrop", "Bool", 69, "w"),
  manual: property("manual", "Bool", 71, "w"),
  welcomeMessage: property("welcomeMessage", "String", 72, "w"),
  notify: property("notify", "Bool", 73, "w"),
  invertMatching: property("invertMatching", "Bool", 74),
} satisfies Record<string, OptionProperty>;

/** Options that affect existing connections. Setting any other one after bind or connect warns. */
const LIVE: ReadonlySet<number> = new Set([17, 23, 24, 27, 28, 33, 51, 52, 53, 56]);

/** A socket or context of the core, whose options are read and set. */
export interface Target {
  getBoolOption(id: number): boolean;
  getInt32Option(id: number): number;
  getUint32Option(id: number): number;
  getInt64Option(id: number): number;
  getUint64Option(id: number): number;
  getStringOption(id: number): string | null;
  setBoolOption(id: number, value: boolean): void;
  setInt32Option(id: number, value: number): void;
  setUint32Option(id: number, value: number): void;
  setInt64Option(id: number, value: number): void;
  setUint64Option(id: number, value: number): void;
  setStringOption(id: number, value: string | Uint8Array | null): void;
  readonly readable?: boolean;
  readonly writable?: boolean;
}

/** Any object with accessors by number: subclasses of zeromq.js's classes may override them. */
type ByNumber = Record<string, (id: number, value?: unknown) => unknown>;

/**
 * Adds option properties to a prototype. Like every member of zeromq.js's classes, they are not enumerable.
 * @param warn called before an option is set that affects only new connections; warns after bind or connect
 */
export function defineOptionProperties(
  prototype: object,
  properties: readonly OptionProperty[],
  warn: (target: object) => void = () => {},
): void {
  for (const { name, kind, id, access, names } of properties) {
    const get = function (this: ByNumber): unknown {
      const value = this[`get${kind}Option`](id);
      return names === undefined ? value : names[value as number];
    };
    const set = function (this: ByNumber, value: unknown): void {
      if (!LIVE.has(id)) warn(this);
      this[`set${kind}Option`](id, value);
    };
    Object.defineProperty(prototype, name, {
      ...(access === "w" ? {} : { get }),
      ...(access === "r" ? {} : { set }),
      enumerable: false,
      configurable: false,
    });
  }
}

type Value = number | boolean | string | Uint8Array | null;

/** Converts like the native module: truncates numbers to their size. @throws TypeError */
export function convert(kind: Kind, value: unknown): Value {
  if (kind === "Bool") {
    if (typeof value !== "boolean") throw new TypeError("Option value must be a boolean");
    return value;
  }
  if (kind === "String") {
    if (value !== null && typeof value !== "string" && !(value instanceof Uint8Array)) {
      throw new TypeError("Option value must be a string or buffer");
    }
    return value;
  }
  if (typeof value !== "number") throw new TypeError("Option value must be a number");
  if (kind === "Int32") return value | 0;
  if (kind === "Uint32") return value >>> 0;
  const whole = Math.trunc(value) || 0;
  if (kind === "Int64") return Math.min(Math.max(whole, -(2 ** 63)), 2 ** 63);
  if (whole > Number.MAX_SAFE_INTEGER) {
    emitWarning("Value is larger than Number.MAX_SAFE_INTEGER and may have been rounded inaccurately.");
  }
  return Math.min(Math.max(whole, 0), 2 ** 64);
}

/** @throws TypeError */
export function checkId(id: unknown): number {
  if (typeof id !== "number") throw new TypeError("Identifier must be a number");
  return id | 0;
}

/** Reads an option of the core. */
export function readCore(target: Target, kind: Kind, id: number): Value {
  return calling(() => target[`get${kind}Option`](id));
}

/** Sets an option of the core. */
export function writeCore(target: Target, kind: Kind, id: number, value: Value): void {
  calling(() => (target[`set${kind}Option`] as (id: number, value: Value) => void).call(target, id, value));
}

/** A libzmq option that the core does not have in the same form. */
interface Exception {
  readonly kinds: readonly Kind[];
  /** Value before it is set. A value that was set is returned unchanged. */
  readonly initial?: Value;
  /** Whether libzmq accepts the value. */
  readonly accepts?: (value: number) => boolean;
  /** The value for the core, if any. */
  readonly core?: (value: number) => number;
}

const INT: readonly Kind[] = ["Bool", "Int32", "Uint32"];
const LONG: readonly Kind[] = ["Int64", "Uint64"];
const natural = (value: number): boolean => value >= 0;

/** Options that are stored here as they were set, because the core gets another value. */
const EXCEPTIONS: ReadonlyMap<number, Exception> = new Map<number, Exception>([
  // Any negative number means no limit.
  [22, { kinds: LONG, initial: -1, core: (value) => Math.min(Math.max(value, -1), Number.MAX_SAFE_INTEGER) }],
  // The kernel uses the low byte.
  [57, { kinds: INT, initial: 0, accepts: natural, core: (value) => value & 255 }],
  // Only three bits have a meaning.
  [109, { kinds: INT, initial: 0, core: (value) => value & 7 }],
]);

const REPLY_NOTIFY: Exception = { kinds: INT, accepts: (value) => value >= 0 && value <= 3 };

/** Options of vmci: setting one fails with EINVAL, as in a libzmq built without vmci. */
const ABSENT: ReadonlySet<number> = new Set([85, 86, 87, 88]);
/** Options that may not be null, because libzmq requires at least one byte. */
const NEVER_NULL: ReadonlySet<number> = new Set([5, 95]);

/** Options with a message. libzmq stores them on every type; they take effect only on the types that have them in zwire. */
const NOTICES: ReadonlyMap<number, string> = new Map([
  [110, "helloMessage"],
  [111, "disconnectMessage"],
  [114, "hiccupMessage"],
]);
/** Of Radio and Datagram. Elsewhere it is a hint. */
const MULTICAST_HOPS = 25;
/** ROUTER_NOTIFY: every type can read it. A Reply accepts it without effect, because a notification is not a request. */
const ROUTER_NOTIFY = 97;
const REPLY = 4;

/** Options whose value may be bytes that are not text. */
const BYTES_OPTIONS: ReadonlySet<number> = new Set([5, 6, 7, 61, 72, 110, 111, 114]);

/** libzmq reads bytes as text, and an empty value as null. */
function asText(value: Value): Value {
  if (!(value instanceof Uint8Array)) return value;
  return value.length === 0 ? null : Buffer.from(value).toString();
}

/** The options of one socket, by number. */
export class OptionStore {
  /** Security settings, passed to the core when it needs them. */
  readonly security = new SecurityStore((value) => calling(() => keyText("key", value) as string));
  readonly #core: Target;
  readonly #kept = new Map<number, number>();

  constructor(core: Target) {
    this.#core = core;
  }

  get(kind: Kind, id: number): Value {
    const hint = SOCKET_HINTS.get(id);
    if (hint !== undefined) {
      checkSize(kind, id);
      return asKind(kind, this.#kept.get(id) ?? (hint.initial as number));
    }
    const exception = EXCEPTIONS.get(id);
    if (exception !== undefined) {
      if (!exception.kinds.includes(kind)) throw failure("EINVAL");
      return asKind(kind, this.#kept.get(id) ?? (exception.initial as number));
    }
    if (this.security.owns(id)) {
      const value = this.security.get(kind, id);
      return typeof value === "number" ? asKind(kind, value) : value;
    }
    if (id === ROUTER_NOTIFY && !("routerNotify" in this.#core)) {
      if (!INT.includes(kind)) throw failure("EINVAL");
      return asKind(kind, this.#kept.get(id) ?? 0);
    }
    if (id === 33 || ABSENT.has(id)) throw failure("EINVAL");
    // RCVMORE is always 0, because messages are received whole. EVENTS says which calls would not wait.
    if (id === 13) return asKind(kind, 0);
    if (id === 15)
      return asKind(kind, Number(this.#core.readable ?? false) | (Number(this.#core.writable ?? false) << 1));
    return readCore(this.#core, kind, id);
  }

  set(kind: Kind, id: number, value: Value): void {
    const hint = SOCKET_HINTS.get(id);
    if (hint !== undefined) {
      checkSize(kind, id);
      const acts = id === MULTICAST_HOPS && hint.name in this.#core;
      const kept = keptHint(hint, Number(value), acts);
      if (kept === undefined) throw failure("EINVAL");
      this.#kept.set(id, kept);
      // libzmq takes any number; the system knows none above 255.
      if (id === MULTICAST_HOPS && hint.name in this.#core)
        this.#core.setInt32Option(id, Math.min(kept, 255));
      return;
    }
    const exception = EXCEPTIONS.get(id);
    if (exception !== undefined) this.#keep(exception, kind, id, Number(value));
    else if (this.security.owns(id)) this.security.set(kind, id, value);
    else if (id === ROUTER_NOTIFY && readCore(this.#core, "Int32", 16) === REPLY)
      this.#keep(REPLY_NOTIFY, kind, id, Number(value));
    else if (kind === "String" && NOTICES.has(id) && !((NOTICES.get(id) as string) in this.#core)) return;
    else if (ABSENT.has(id)) throw failure("EINVAL");
    else if (NEVER_NULL.has(id) && (value === null || value.toString() === "")) throw failure("EINVAL");
    else if ((id === 75 || id === 77) && Number(value) < 0) throw failure("EINVAL");
    // Sent to the peer, and stored, in tenths of a second.
    else if (id === 76) writeCore(this.#core, kind, id, ((Number(value) / 100) | 0) * 100);
    // A number below 1 has no effect.
    else if (id === 113 && Number(value) < 0) writeCore(this.#core, kind, id, 0);
    else writeCore(this.#core, kind, id, BYTES_OPTIONS.has(id) ? value : asText(value));
  }

  #keep({ kinds, accepts, core }: Exception, kind: Kind, id: number, value: number): void {
    if (!kinds.includes(kind) || accepts?.(value) === false) throw failure("EINVAL");
    if (core !== undefined) writeCore(this.#core, kind, id, kind === "Bool" ? value !== 0 : core(value));
    this.#kept.set(id, value);
  }
}

const AFFINITY = 4;

/** @throws Error EINVAL if a hint has another size */
function checkSize(kind: Kind, id: number): void {
  if (!(id === AFFINITY ? LONG : INT).includes(kind)) throw failure("EINVAL");
}

function asKind(kind: Kind, value: number): number | boolean {
  if (kind === "Bool") return value !== 0;
  if (kind === "Uint32") return value >>> 0;
  if (Number.isSafeInteger(value) && (kind !== "Uint64" || value >= 0)) return value;
  // The largest unsigned 64-bit number is not representable as a double: 2^64 is its rounded form.
  const whole = value < 2 ** 64 ? BigInt(value) : 2n ** 64n - 1n;
  return Number(kind === "Uint64" ? BigInt.asUintN(64, whole) : BigInt.asIntN(64, whole));
}
