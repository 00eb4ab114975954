/**
 * libzmq's option numbers (zmq.h) over the options by name: what `getInt32Option(17)` means. A number of 32 bits
 * serves Bool, Int32 and Uint32, one of 64 bits Int64 and Uint64, as in libzmq, where only the size is checked.
 */

import { ZmqError } from "../base/errors.js";
import { Buffer } from "../base/platform.js";
import { parseProperty } from "../security/properties.js";
import { routingId } from "./rules.js";

/** How libzmq stores an option. */
export type NumberKind = "int" | "long" | "binary";

type Value = number | bigint | string | Uint8Array | null;

/** An option behind a number. A missing half means write-only or read-only. */
export interface NumberedOption {
  readonly kind: NumberKind;
  readonly read?: (target: Target) => Value;
  readonly write?: (target: Target, value: Value) => void;
}

/** A socket or context, by property names. */
export type Target = Record<string, unknown> & NumberedActions;

/** What some numbers do that are no options in truth. Only sockets that can do it have the method. */
export interface NumberedActions {
  /** @internal SUBSCRIBE (6) and UNSUBSCRIBE (7) */
  subscribe?(topic: Uint8Array): void;
  /** @internal */
  unsubscribe?(topic: Uint8Array): void;
  /** @internal CONNECT_ROUTING_ID (61): the name of the next peer connected to (I11) */
  nextRoutingId?: Buffer | null;
}

/** @throws ZmqError EINVAL for an option that this type does not have (U2) */
function owned(target: Target, name: string): void {
  if (!(name in target)) throw new ZmqError("EINVAL", { detail: `this socket has no option "${name}"` });
}

function option(kind: NumberKind, name: string): NumberedOption {
  return {
    kind,
    read: (target) => {
      owned(target, name);
      return target[name] as Value;
    },
    write: (target, value) => {
      owned(target, name);
      (target as Record<string, unknown>)[name] = value;
    },
  };
}

function flag(name: string): NumberedOption {
  const { read, write } = option("int", name) as Required<NumberedOption>;
  return {
    kind: "int",
    read: (target) => Number(read(target)),
    write: (target, value) => write(target, isSet(name, value) as unknown as Value),
  };
}

function isSet(name: string, value: Value): boolean {
  if (value === 0 || value === 1) return value === 1;
  throw new ZmqError("EINVAL", { detail: `${name} must be 0 or 1; got ${value}` });
}

/** As flag(), where libzmq takes any number that is not negative, and means 1 by it. */
function lenientFlag(name: string): NumberedOption {
  const { kind, read, write } = flag(name) as Required<NumberedOption>;
  return { kind, read, write: (target, value) => write(target, sign(value)) };
}

/** Any number but 0 is 1. */
function anyFlag(name: string): NumberedOption {
  const { kind, read, write } = flag(name) as Required<NumberedOption>;
  return { kind, read, write: (target, value) => write(target, Number(value !== 0)) };
}

function sign(value: Value): Value {
  return typeof value === "number" ? Math.sign(value) : value;
}

/** One of several names, by its place among them. */
function choice(name: string, names: readonly string[]): NumberedOption {
  const { read, write } = option("int", name) as Required<NumberedOption>;
  return {
    kind: "int",
    read: (target) => names.indexOf(read(target) as string),
    write: (target, value) => write(target, names[value as number] ?? value),
  };
}

const int = (name: string): NumberedOption => option("int", name);
const long = (name: string): NumberedOption => option("long", name);
const binary = (name: string): NumberedOption => option("binary", name);
const readOnly = ({ kind, read }: NumberedOption): NumberedOption => ({ kind, read });
const writeOnly = ({ kind, write }: NumberedOption): NumberedOption => ({ kind, write });

/** A list of ids: each setting adds one. Those of users and groups have no sign, those of processes have one. */
function idList(name: string, unsigned: boolean): NumberedOption {
  return {
    kind: "int",
    write: (target, value) => {
      owned(target, name);
      const id = unsigned ? (value as number) >>> 0 : value;
      (target as Record<string, unknown>)[name] = [...(target[name] as number[]), id];
    },
  };
}

/** XPUB_VERBOSE and XPUB_VERBOSER: two flags in libzmq, one choice here. */
function verbosity(level: "allSubs" | "allSubsUnsubs"): NumberedOption {
  return {
    kind: "int",
    write: (target, value) => {
      owned(target, "verbosity");
      (target as Record<string, unknown>).verbosity = isSet("verbosity", sign(value)) ? level : null;
    },
  };
}

/** XPUB_MANUAL_LAST_VALUE sets XPUB_MANUAL, too, to whatever it is set to. */
function manualLastValue(): NumberedOption {
  const { kind, write } = lenientFlag("manualLastValue") as Required<NumberedOption>;
  return {
    kind,
    write: (target, value) => {
      write(target, value);
      (target as Record<string, unknown>).manual = target.manualLastValue;
    },
  };
}

function topicAction(name: "subscribe" | "unsubscribe"): NumberedOption {
  return {
    kind: "binary",
    write: (target, value) => {
      const action = target[name];
      if (action === undefined) throw new ZmqError("EINVAL", { detail: `this socket cannot ${name}` });
      action.call(target, Buffer.from((value ?? "") as string));
    },
  };
}

function refused(kind: NumberKind, reason: string): NumberedOption {
  const refuse = (): never => {
    throw new ZmqError("ENOTSUP", { detail: reason });
  };
  return { kind, read: refuse, write: refuse };
}

/** GSSAPI name types by libzmq's number. */
const NAME_TYPES = ["hostBased", "userName", "krb5Principal"];

/** Options of sockets by number. */
export const SOCKET_OPTION_NUMBERS: ReadonlyMap<number, NumberedOption> = new Map([
  [4, long("affinity")],
  [5, binary("routingId")],
  [6, topicAction("subscribe")],
  [7, topicAction("unsubscribe")],
  [8, int("rate")],
  [9, int("recoveryInterval")],
  [11, int("sendBufferSize")],
  [12, int("receiveBufferSize")],
  [13, refused("int", "RCVMORE: messages are received whole")],
  [14, refused("int", "FD: a socket has no descriptor to poll; await receive() or send()")],
  [15, refused("int", "EVENTS: nothing is to be polled; use tryReceive() and trySend()")],
  [16, readOnly(int("type"))],
  [17, int("linger")],
  [18, int("reconnectInterval")],
  [19, int("backlog")],
  [21, int("reconnectMaxInterval")],
  [22, long("maxMessageSize")],
  [23, int("sendHighWaterMark")],
  [24, int("receiveHighWaterMark")],
  [25, int("multicastHops")],
  [27, int("receiveTimeout")],
  [28, int("sendTimeout")],
  [31, ipv4Only()],
  [32, readOnly(binary("lastEndpoint"))],
  [33, lenientFlag("mandatory")],
  [34, int("tcpKeepalive")],
  [35, int("tcpKeepaliveCount")],
  [36, int("tcpKeepaliveIdle")],
  [37, int("tcpKeepaliveInterval")],
  [38, acceptFilter()],
  [39, flag("immediate")],
  [40, verbosity("allSubs")],
  [41, refused("int", "ROUTER_RAW: use Stream")],
  [42, flag("ipv6")],
  [43, mechanism()],
  [44, flag("plainServer")],
  [45, binary("plainUsername")],
  [46, binary("plainPassword")],
  [47, flag("curveServer")],
  [48, binary("curvePublicKey")],
  [49, binary("curveSecretKey")],
  [50, binary("curveServerKey")],
  [51, writeOnly(lenientFlag("probeRouter"))],
  [52, writeOnly(lenientFlag("correlate"))],
  [53, writeOnly(lenientFlag("relaxed"))],
  [54, writeOnly(flag("conflate"))],
  [55, binary("zapDomain")],
  [56, writeOnly(lenientFlag("handover"))],
  [57, int("typeOfService")],
  [58, idList("ipcFilterProcessIds", false)],
  [59, idList("ipcFilterUserIds", true)],
  [60, idList("ipcFilterGroupIds", true)],
  [61, connectRoutingId()],
  [62, flag("gssapiServer")],
  [63, binary("gssapiPrincipal")],
  [64, binary("gssapiServicePrincipal")],
  [65, flag("gssapiPlainText")],
  [66, int("handshakeInterval")],
  [68, binary("socksProxy")],
  [69, writeOnly(lenientFlag("noDrop"))],
  [71, writeOnly(lenientFlag("manual"))],
  [72, writeOnly(binary("welcomeMessage"))],
  [73, writeOnly(flag("notify"))],
  [74, lenientFlag("invertMatching")],
  [75, int("heartbeatInterval")],
  [76, int("heartbeatTimeToLive")],
  [77, int("heartbeatTimeout")],
  [78, verbosity("allSubsUnsubs")],
  [79, int("connectTimeout")],
  [80, int("tcpMaxRetransmitTimeout")],
  [81, threadSafe()],
  [84, int("multicastMaxTransportDataUnit")],
  [85, long("vmciBufferSize")],
  [86, long("vmciBufferMinSize")],
  [87, long("vmciBufferMaxSize")],
  [88, int("vmciConnectTimeout")],
  [89, int("useFd")],
  [90, choice("gssapiPrincipalNameType", NAME_TYPES)],
  [91, choice("gssapiServicePrincipalNameType", NAME_TYPES)],
  [92, binary("interface")],
  [93, flag("zapEnforceDomain")],
  [94, flag("loopbackFastPath")],
  [95, ownMetadata()],
  [97, int("routerNotify")],
  [98, manualLastValue()],
  [99, binary("socksUsername")],
  [100, writeOnly(binary("socksPassword"))],
  [108, writeOnly(lenientFlag("onlyFirstSubscribe"))],
  [109, int("reconnectStop")],
  [110, writeOnly(binary("helloMessage"))],
  [111, writeOnly(binary("disconnectMessage"))],
  [112, int("priority")],
  [113, writeOnly(int("busyPoll"))],
  [114, writeOnly(binary("hiccupMessage"))],
  [115, writeOnly(anyFlag("verboseUnsubscribe"))],
  [116, readOnly(int("topicsCount"))],
]);

/** Options of contexts by number. 3 and 4 name one thing to read and another to set. */
export const CONTEXT_OPTION_NUMBERS: ReadonlyMap<number, NumberedOption> = new Map([
  [1, int("ioThreads")],
  [2, int("maxSockets")],
  [3, { kind: "int", read: int("maxSocketsLimit").read, write: int("threadPriority").write }],
  [4, writeOnly(int("threadSchedulingPolicy"))],
  [5, int("maxMessageSize")],
  [42, flag("ipv6")],
  [70, flag("blocky")],
]);

function ipv4Only(): NumberedOption {
  return {
    kind: "int",
    read: (target) => Number(!target.ipv6),
    write: (target, value) => {
      (target as Record<string, unknown>).ipv6 = !isSet("ipv4Only", value);
    },
  };
}

const MECHANISMS = [null, "plain", "curve", "gssapi"];

function mechanism(): NumberedOption {
  return { kind: "int", read: (target) => MECHANISMS.indexOf(target.securityMechanism as string | null) };
}

function threadSafe(): NumberedOption {
  return { kind: "int", read: (target) => Number(target.threadSafe) };
}

/** TCP_ACCEPT_FILTER: each setting adds a range, an empty text clears (R12). */
function acceptFilter(): NumberedOption {
  const { kind, write } = binary("tcpAcceptFilter") as Required<NumberedOption>;
  return { kind, write: (target, value) => write(target, value === "" ? null : value) };
}

/** METADATA: each setting adds a property, `X-name:value` (C17). */
function ownMetadata(): NumberedOption {
  return {
    kind: "binary",
    write: (target, value) => {
      owned(target, "metadata");
      const [name, text] = parseProperty(Buffer.from((value ?? "") as string).toString());
      const before = target.metadata as ReadonlyMap<string, Buffer>;
      (target as Record<string, unknown>).metadata = new Map([...before, [name, Buffer.from(text)]]);
    },
  };
}

function connectRoutingId(): NumberedOption {
  return {
    kind: "binary",
    write: (target, value) => {
      owned(target, "nextRoutingId");
      target.nextRoutingId = routingId("connectRoutingId", value);
    },
  };
}
