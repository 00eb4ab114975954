/**
 * Stands for options/groups.ts: the options that mean something in a page, which has no server, no tcp, no ipc and no memory
 * in common with other programs. Only Node has a page about options, so that titles are missing.
 */
import { group, SOCKET_TYPES } from "../../../options/row.js";
import {
  ConnectionRows,
  DisconnectRows,
  HelloRows,
  HiccupRows,
  IdentityRows,
  ProbeRows,
} from "../../../options/rows/connections.js";
import { LimitRows } from "../../../options/rows/limits.js";
import {
  CopyingRows,
  FirstSubscribeRows,
  MatchingRows,
  PublisherRows,
  RequestRows,
  RouterRows,
  TopicRows,
  XPublisherRows,
  XSubscriberRows,
} from "../../../options/rows/patterns.js";
import {
  ConflatePerTopicRows,
  ConflateRows,
  QueueRows,
  ReceiveQueueRows,
  SendQueueRows,
} from "../../../options/rows/queues.js";
import { SecurityRows, ServerRows } from "../../../options/rows/security.js";

const DUPLEX = ["PAIR", "REQ", "REP", "DEALER", "ROUTER", "XPUB", "XSUB"] as const;
const SENDING = [...DUPLEX, "PUB", "PUSH"] as const;
const RECEIVING = [...DUPLEX, "SUB", "PULL"] as const;

/** Every option of a page, by purpose and by the socket types that have it. */
export const GROUPS = {
  queues: group("", SOCKET_TYPES, new QueueRows()),
  sending: group("", SENDING, new SendQueueRows()),
  receiving: group("", RECEIVING, new ReceiveQueueRows()),
  conflate: group("", ["DEALER", "PULL", "PUSH", "PUB", "SUB"], new ConflateRows()),
  conflatePerTopic: group("", ["PUB", "SUB", "XPUB", "XSUB"], new ConflatePerTopicRows()),
  connections: group("", SOCKET_TYPES, new ConnectionRows()),
  identity: group("", ["REQ", "REP", "DEALER", "ROUTER"], new IdentityRows()),
  probe: group("", ["REQ", "DEALER", "ROUTER"], new ProbeRows()),
  hello: group("", ["REP", "DEALER", "ROUTER"], new HelloRows()),
  disconnect: group("", ["ROUTER"], new DisconnectRows()),
  hiccup: group("", ["DEALER"], new HiccupRows()),
  limits: group("", SOCKET_TYPES, new LimitRows()),
  topics: group("", ["PUB", "SUB", "XPUB", "XSUB"], new TopicRows()),
  publisher: group("", ["PUB", "XPUB"], new PublisherRows()),
  copying: group("", ["PUB", "XPUB"], new CopyingRows()),
  matching: group("", ["PUB", "SUB", "XPUB"], new MatchingRows()),
  firstSubscribe: group("", ["PUB", "XPUB", "XSUB"], new FirstSubscribeRows()),
  xpublisher: group("", ["XPUB"], new XPublisherRows()),
  xsubscriber: group("", ["XSUB"], new XSubscriberRows()),
  router: group("", ["ROUTER"], new RouterRows()),
  request: group("", ["REQ"], new RequestRows()),
  security: group("", SOCKET_TYPES, new SecurityRows()),
  /** No socket has them, but the settings of security are kept together. */
  server: group("", [], new ServerRows()),
};
