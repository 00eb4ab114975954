/**
 * All options: groups of rows, and the socket types that have them. To add an option, add one row to one of the classes in
 * rows/. It needs a new group only if no group has its socket types.
 */

import { group, SOCKET_TYPES } from "./row.js";
import {
  ConnectionRows,
  DisconnectRows,
  HelloRows,
  HiccupRows,
  IdentityRows,
  ProbeRows,
} from "./rows/connections.js";
import { ForeignRows } from "./rows/foreign.js";
import { AdmissionRows, LimitRows } from "./rows/limits.js";
import { NetworkRows } from "./rows/network.js";
import {
  CopyingRows,
  FirstSubscribeRows,
  LastValueRows,
  MatchingRows,
  MulticastRows,
  PublisherRows,
  RequestRows,
  RouterRows,
  StreamRows,
  TopicRows,
  XPublisherRows,
  XSubscriberRows,
} from "./rows/patterns.js";
import {
  BorrowRows,
  ConflatePerTopicRows,
  ConflateRows,
  LoanRows,
  QueueRows,
  ReceiveQueueRows,
  SendQueueRows,
} from "./rows/queues.js";
import { GssapiRows, SecurityRows, ServerRows } from "./rows/security.js";
import { TlsRows } from "./rows/tls.js";

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
  "DGRAM",
] as const;
const SENDING = [...DUPLEX, "PUB", "PUSH", "RADIO", "SCATTER"] as const;
const RECEIVING = [...DUPLEX, "SUB", "PULL", "DISH", "GATHER"] as const;

/** Every option, by purpose and by the socket types that have it. */
export const GROUPS = {
  queues: group(QUEUES, SOCKET_TYPES, new QueueRows()),
  sending: group(QUEUES, SENDING, new SendQueueRows()),
  loans: group(QUEUES, SENDING, new LoanRows()),
  receiving: group(QUEUES, RECEIVING, new ReceiveQueueRows()),
  borrowing: group(QUEUES, RECEIVING, new BorrowRows()),
  conflate: group(QUEUES, ["DEALER", "PULL", "PUSH", "PUB", "SUB", "GATHER", "SCATTER"], new ConflateRows()),
  conflatePerTopic: group(QUEUES, ["PUB", "SUB", "XPUB", "XSUB"], new ConflatePerTopicRows()),
  connections: group(CONNECTIONS, SOCKET_TYPES, new ConnectionRows()),
  identity: group(CONNECTIONS, ["REQ", "REP", "DEALER", "ROUTER"], new IdentityRows()),
  probe: group(CONNECTIONS, ["REQ", "DEALER", "ROUTER"], new ProbeRows()),
  hello: group(CONNECTIONS, ["REP", "DEALER", "ROUTER", "SERVER", "CLIENT", "PEER"], new HelloRows()),
  disconnect: group(CONNECTIONS, ["ROUTER", "SERVER", "PEER"], new DisconnectRows()),
  hiccup: group(CONNECTIONS, ["DEALER", "CLIENT", "PEER"], new HiccupRows()),
  limits: group("Limits for peers", SOCKET_TYPES, new LimitRows()),
  admission: group("Limits for peers", SOCKET_TYPES, new AdmissionRows()),
  topics: group("Limits for peers", ["PUB", "SUB", "XPUB", "XSUB"], new TopicRows()),
  publisher: group("Limits for peers", ["PUB", "XPUB"], new PublisherRows()),
  copying: group(PATTERNS, ["PUB", "XPUB", "RADIO"], new CopyingRows()),
  lastValue: group(PATTERNS, ["PUB", "XPUB"], new LastValueRows()),
  matching: group(PATTERNS, ["PUB", "SUB", "XPUB"], new MatchingRows()),
  firstSubscribe: group(PATTERNS, ["PUB", "XPUB", "XSUB"], new FirstSubscribeRows()),
  xpublisher: group(PATTERNS, ["XPUB"], new XPublisherRows()),
  xsubscriber: group(PATTERNS, ["XSUB"], new XSubscriberRows()),
  router: group(PATTERNS, ["ROUTER"], new RouterRows()),
  multicast: group(PATTERNS, ["RADIO", "DGRAM"], new MulticastRows()),
  stream: group(PATTERNS, ["STREAM"], new StreamRows()),
  request: group(PATTERNS, ["REQ"], new RequestRows()),
  network: group("tcp and ipc", SOCKET_TYPES, new NetworkRows()),
  security: group("Security", SOCKET_TYPES, new SecurityRows()),
  server: group("Security", SOCKET_TYPES, new ServerRows()),
  tls: group("Security", SOCKET_TYPES, new TlsRows()),
  gssapi: group(UNSUPPORTED, SOCKET_TYPES, new GssapiRows()),
  foreign: group(UNSUPPORTED, SOCKET_TYPES, new ForeignRows()),
};
