/**
 * Every public export of "zwire", and nothing else.
 */

export { type Authenticating, authenticators } from "./access/authenticators.js";
export {
  type Certificate,
  type CertificateFiles,
  generateCertificate,
  type ReadCertificateOptions,
  readCertificate,
  type SecretCertificate,
  type WriteCertificateOptions,
  writeCertificate,
} from "./access/certificate.js";
export {
  KeyDirectory,
  type KeyDirectoryEvents,
  type KeyDirectoryOptions,
  type KeyEvent,
  keyDirectory,
} from "./access/key-directory.js";
export {
  PasswordFile,
  type PasswordFileEvents,
  type Passwords,
  passwordFile,
} from "./access/passwords.js";
export { Authenticator, type AuthenticatorStartOptions } from "./access/zap-authenticator.js";
export type { Borrowed } from "./api/borrowed.js";
export { Proxy, type ProxyOptions, type ProxyState, type ProxyStatistics } from "./api/proxy.js";
export type { ProxyTraffic } from "./api/proxy-direction.js";
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
export { Stream, type StreamConnectOptions, type StreamOptions } from "./api/sockets/stream.js";
export { Subscriber, type SubscriberOptions } from "./api/sockets/subscriber.js";
export { XPublisher, type XPublisherOptions } from "./api/sockets/xpublisher.js";
export { XSubscriber, type XSubscriberOptions } from "./api/sockets/xsubscriber.js";
export type { DisconnectReason } from "./base/dismissal.js";
export { ZmqError } from "./base/errors.js";
export type {
  Event,
  EventOfType,
  EventType,
  Peer,
  SocketEvents,
} from "./base/events.js";
export type { HttpRequest } from "./base/http.js";
export type { Message, MessageLike } from "./base/message.js";
export { json, text } from "./base/parts.js";
export { type TlsCertificate, TlsError, type TlsNames, type TlsPeer } from "./base/tls.js";
export type { CallOptions, RequestCallOptions } from "./base/waiting.js";
export { Context, type ContextOptions, context } from "./core/context.js";
export type { Drained } from "./core/drain.js";
export type { ConnectOptions, HttpEndpoint } from "./core/endpoint-calls.js";
export { Observer } from "./core/observer.js";
export type { PeerReference } from "./core/peer-calls.js";
export { type PeerRates, type PeerStats, peerRates } from "./core/peer-stats.js";
export type { Loan, Sendable } from "./core/sender.js";
export type { LoanHolding, SocketStats } from "./core/stats.js";
export { addonError, engine, version } from "./core/version.js";
export { type Monitor, type MonitorOptions, openMonitor } from "./monitor/monitor.js";
export { type PrometheusOptions, prometheusContentType, prometheusText } from "./monitor/prometheus.js";
export type { MonitorEvent, MonitorSnapshot, SeenPeer, SeenSocket } from "./monitor/snapshot.js";
export type { ReadableOptions, SecurityOptions, SocketOptions, WritableOptions } from "./options/common.js";
export type { PerMessageDeflate } from "./options/network-rules.js";
export type { AuthenticationRequest } from "./security/authenticator.js";
export type { Authenticate, AuthenticationAnswer } from "./security/callback.js";
export { type CurveKey, type CurveKeyPair, curveKeyPair, curvePublicKey } from "./security/crypto/keys.js";
export { z85Decode, z85Encode } from "./security/crypto/z85.js";
export type { SecuritySettings } from "./security/settings.js";
export type { TlsIdentity, TlsMaterial, TlsOptions, TlsVersion } from "./security/tls/settings.js";
export { createDuplex, createReadable, createWritable, type NodeStreamOptions } from "./streams/node.js";
export type { SocketStreamOptions } from "./streams/options.js";
export { createDuplexStream, createReadableStream, createWritableStream } from "./streams/web.js";
export {
  type Codec,
  CodecError,
  type CodecOptions,
  type ValueLike,
  type ValueMessage,
  type ValueReceiver,
  type ValueRequester,
  type ValueSender,
  type ValueSocket,
  withCodec,
} from "./values/codec.js";
export { ProtocolError } from "./wire/zmtp/protocol-error.js";
