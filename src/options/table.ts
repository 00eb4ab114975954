/**
 * The table of all options: groups of rows, and the socket types that have them. To add an option, add one row to one of
 * the classes in rows/. It needs a new group only if no group has its socket types.
 */

import { type Group, group, type Row, SOCKET_TYPES, type SocketType } from "./row.js";
import {
  ConnectionRows,
  DisconnectRows,
  HelloRows,
  HiccupRows,
  IdentityRows,
  ProbeRows,
} from "./rows/connections.js";
import { ForeignRows } from "./rows/foreign.js";
import { LimitRows } from "./rows/limits.js";
import { NetworkRows } from "./rows/network.js";
import {
  CopyingRows,
  FirstSubscribeRows,
  MatchingRows,
  PublisherRows,
  RequestRows,
  RouterRows,
  StreamRows,
  TopicRows,
  XPublisherRows,
  XSubscriberRows,
} from "./rows/patterns.js";
import { ConflateRows, QueueRows, ReceiveQueueRows, SendQueueRows } from "./rows/queues.js";
import { GssapiRows, SecurityRows } from "./rows/security.js";

const QUEUES = "Queues and time";
const CONNECTIONS = "Connections";
const PATTERNS = "Options of some socket types";
const UNSUPPORTED = "Options of libzmq that zwire refuses";

const DUPLEX = [
  "PAIR",
  "REQ",
  "REP",
  "DEALER",
  "ROUTER",
  "XPUB",
  "XSUB",
  "STREAM",
  "SERVER",
  "CLIENT",
  "PEER",
  "CHANNEL",
] as const;
const SENDING = [...DUPLEX, "PUB", "PUSH", "RADIO", "SCATTER"] as const;
const RECEIVING = [...DUPLEX, "SUB", "PULL", "DISH", "GATHER"] as const;

/** Every option, by purpose and by the socket types that have it. */
export const GROUPS = {
  queues: group(QUEUES, SOCKET_TYPES, new QueueRows()),
  sending: group(QUEUES, SENDING, new SendQueueRows()),
  receiving: group(QUEUES, RECEIVING, new ReceiveQueueRows()),
  conflate: group(QUEUES, ["DEALER", "PULL", "PUSH", "PUB", "SUB", "GATHER", "SCATTER"], new ConflateRows()),
  connections: group(CONNECTIONS, SOCKET_TYPES, new ConnectionRows()),
  identity: group(CONNECTIONS, ["REQ", "REP", "DEALER", "ROUTER"], new IdentityRows()),
  probe: group(CONNECTIONS, ["REQ", "DEALER", "ROUTER"], new ProbeRows()),
  hello: group(CONNECTIONS, ["REP", "DEALER", "ROUTER", "SERVER", "CLIENT", "PEER"], new HelloRows()),
  disconnect: group(CONNECTIONS, ["ROUTER", "SERVER", "PEER"], new DisconnectRows()),
  hiccup: group(CONNECTIONS, ["DEALER", "CLIENT", "PEER"], new HiccupRows()),
  limits: group("Limits for peers", SOCKET_TYPES, new LimitRows()),
  topics: group("Limits for peers", ["PUB", "SUB", "XPUB", "XSUB"], new TopicRows()),
  publisher: group("Limits for peers", ["PUB", "XPUB"], new PublisherRows()),
  copying: group(PATTERNS, ["PUB", "XPUB", "RADIO"], new CopyingRows()),
  matching: group(PATTERNS, ["PUB", "SUB", "XPUB"], new MatchingRows()),
  firstSubscribe: group(PATTERNS, ["PUB", "XPUB", "XSUB"], new FirstSubscribeRows()),
  xpublisher: group(PATTERNS, ["XPUB"], new XPublisherRows()),
  xsubscriber: group(PATTERNS, ["XSUB"], new XSubscriberRows()),
  router: group(PATTERNS, ["ROUTER"], new RouterRows()),
  stream: group(PATTERNS, ["STREAM"], new StreamRows()),
  request: group(PATTERNS, ["REQ"], new RequestRows()),
  network: group("tcp and ipc", SOCKET_TYPES, new NetworkRows()),
  security: group("Security", SOCKET_TYPES, new SecurityRows()),
  gssapi: group(UNSUPPORTED, SOCKET_TYPES, new GssapiRows()),
  foreign: group(UNSUPPORTED, SOCKET_TYPES, new ForeignRows()),
};

type Groups = typeof GROUPS;
type Fields<G> = G extends Group<SocketType, infer F> ? F : never;
type Of<G, Type> = G extends Group<infer Types, infer F> ? (Type extends Types ? F : never) : never;
type Intersection<Union> = (Union extends unknown ? (member: Union) => void : never) extends (
  all: infer All,
) => void
  ? All
  : never;

/** The options of a socket type as constructor fields. */
export type FieldsOf<Type extends SocketType> = Intersection<
  { [G in keyof Groups]: Of<Groups[G], Type> }[keyof Groups]
>;

/** The options of all socket types as constructor fields. */
export type AllFields = Intersection<Fields<Groups[keyof Groups]>>;

/** Name of an option. */
export type OptionName = { [G in keyof Groups]: keyof Fields<Groups[G]> }[keyof Groups];

/** Rows of the chosen groups by name. If two groups have the same option, their rows differ only in text and type. */
export function rowsOf(groups: readonly Group[]): Readonly<Record<string, Row>> {
  const rows: Record<string, Row> = {};
  for (const one of groups) for (const [name, row] of Object.entries(one.rows)) rows[name] ??= row;
  return rows;
}

/** Names of the options that a socket type has. */
export function namesOf(type: SocketType, groups: readonly Group[]): readonly string[] {
  return Object.keys(rowsOf(groups.filter(({ types }) => types.includes(type))));
}

/** Defaults of a socket type that differ from the common ones. */
export function ownDefaults(type: SocketType, groups: readonly Group[]): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [name, { initialOf }] of Object.entries(rowsOf(groups))) {
    if (initialOf !== undefined && Object.hasOwn(initialOf, type)) found[name] = initialOf[type];
  }
  return found;
}

const ALL: readonly Group[] = Object.values(GROUPS);

/** Every row by name. */
export const ROWS = rowsOf(ALL) as Readonly<Record<OptionName, Row>>;

/** Names of the options of a socket type. */
export function optionsOf(type: SocketType): readonly OptionName[] {
  return namesOf(type, ALL) as readonly OptionName[];
}

const DEFAULTS: ReadonlyMap<string, object> = new Map(
  SOCKET_TYPES.map((type) => [type, ownDefaults(type, ALL)]),
);

/** Defaults of a socket type that differ from those of the others. */
export function defaultsOf(type: string): object {
  return DEFAULTS.get(type) ?? {};
}
