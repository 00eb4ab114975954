/**
 * Every public export of "zwire", and nothing else.
 */
export { Context, type ContextOptions, context } from "./context.js";
export type { Sendable } from "./directions.js";
export type { CallOptions } from "./engine/turns.js";
export { ZmqError } from "./errors.js";
export {
  type Event,
  type EventOfType,
  type EventType,
  Observer,
  type Peer,
  type SocketEvents,
} from "./events.js";
export type { Message, MessageLike } from "./message.js";
export type { ReadableOptions, SecurityOptions, SocketOptions, WritableOptions } from "./options.js";
export type { ProxyTraffic } from "./proxy/direction.js";
export { Proxy, type ProxyOptions, type ProxyState, type ProxyStatistics } from "./proxy.js";
export type { AuthenticationRequest } from "./security/authenticator.js";
export type { Authenticate, AuthenticationAnswer } from "./security/callback.js";
export { type CurveKey, type CurveKeyPair, curveKeyPair, curvePublicKey } from "./security/keys.js";
export type { SecuritySettings } from "./security/settings.js";
export { z85Decode, z85Encode } from "./security/z85.js";
export { type CloseOptions, type ConnectedOptions, Socket, type SocketStats } from "./socket.js";
export { Dealer, type DealerOptions } from "./sockets/dealer.js";
export { Pair, type PairOptions } from "./sockets/pair.js";
export { Publisher, type PublisherOptions } from "./sockets/publisher.js";
export { Pull, type PullOptions } from "./sockets/pull.js";
export { Push, type PushOptions } from "./sockets/push.js";
export { Reply, type ReplyOptions } from "./sockets/reply.js";
export { Request, type RequestOptions } from "./sockets/request.js";
export { Router, type RouterConnectOptions, type RouterOptions } from "./sockets/router.js";
export { Stream, type StreamConnectOptions, type StreamOptions } from "./sockets/stream.js";
export { Subscriber, type SubscriberOptions } from "./sockets/subscriber.js";
export { XPublisher, type XPublisherOptions } from "./sockets/xpublisher.js";
export { XSubscriber, type XSubscriberOptions } from "./sockets/xsubscriber.js";
export { engine, version } from "./version.js";
export { ProtocolError } from "./zmtp/protocol-error.js";
