/**
 * Every public export of "zwire/web": the sockets of "zwire" in a page, in a worker of one, in Deno and in Bun. They connect
 * over ws and wss, and bind and connect over inproc within the page.
 */

export {
  type BindOptions,
  type CloseOptions,
  type ConnectedOptions,
  type DisconnectPeerOptions,
  type DrainOptions,
  Socket,
} from "./api/socket.js";
export { Dealer, type DealerOptions } from "./api/sockets/dealer.js";
export { Pair, type PairOptions } from "./api/sockets/pair.js";
export { Publisher, type PublisherOptions } from "./api/sockets/publisher.js";
export { Pull, type PullOptions } from "./api/sockets/pull.js";
export { Push, type PushOptions } from "./api/sockets/push.js";
export { Reply, type ReplyOptions } from "./api/sockets/reply.js";
export { Request, type RequestOptions } from "./api/sockets/request.js";
export { Router, type RouterConnectOptions, type RouterOptions } from "./api/sockets/router.js";
export { Subscriber, type SubscriberOptions } from "./api/sockets/subscriber.js";
export { XPublisher, type XPublisherOptions } from "./api/sockets/xpublisher.js";
export { XSubscriber, type XSubscriberOptions } from "./api/sockets/xsubscriber.js";
export type { DisconnectReason } from "./base/dismissal.js";
export { ZmqError } from "./base/errors.js";
export type { Event, EventOfType, EventType, Peer, SocketEvents } from "./base/events.js";
export type { Message, MessageLike } from "./base/message.js";
export { json, text } from "./base/parts.js";
export type { CallOptions, RequestCallOptions } from "./base/waiting.js";
export { Context, type ContextOptions, context } from "./core/context.js";
export type { Drained } from "./core/drain.js";
export { Observer } from "./core/observer.js";
export type { PeerReference } from "./core/peer-calls.js";
export type { PeerStats } from "./core/peer-stats.js";
export type { Sendable } from "./core/sender.js";
export type { SocketStats } from "./core/stats.js";
export { version } from "./core/version.js";
export { type CurveKey, type CurveKeyPair, curveKeyPair, curvePublicKey } from "./security/crypto/keys.js";
export { z85Decode, z85Encode } from "./security/crypto/z85.js";
export type { SecuritySettings } from "./security/settings.js";
export type { SocketStreamOptions } from "./streams/options.js";
export { createDuplexStream, createReadableStream, createWritableStream } from "./streams/web.js";
export type { ReadableOptions, SocketOptions, WritableOptions } from "./web/instead/options/common.js";
export { loadCurve } from "./web/instead/security/crypto/x25519.js";
export { ProtocolError } from "./wire/zmtp/protocol-error.js";
