/**
 * The socket types of zeromq.js: each adds a number and options to Socket. The interfaces declare the members of each type;
 * the members themselves are on Socket and, for options, on the prototypes.
 */

import { Dealer as CoreDealer } from "../api/sockets/dealer.js";
import { Pair as CorePair } from "../api/sockets/pair.js";
import { Publisher as CorePublisher } from "../api/sockets/publisher.js";
import { Pull as CorePull } from "../api/sockets/pull.js";
import { Push as CorePush } from "../api/sockets/push.js";
import { Router as CoreRouter } from "../api/sockets/router.js";
import { Stream as CoreStream } from "../api/sockets/stream.js";
import { Subscriber as CoreSubscriber } from "../api/sockets/subscriber.js";
import { XPublisher as CoreXPublisher } from "../api/sockets/xpublisher.js";
import { XSubscriber as CoreXSubscriber } from "../api/sockets/xsubscriber.js";
import type { Buffer } from "../base/platform.js";
import type { Context } from "./context.js";
import { LockstepReply, LockstepRequest } from "./lockstep.js";
import {
  defineOptionProperties,
  type OptionProperty,
  OWN_PROPERTIES,
  READABLE_PROPERTIES,
  WRITABLE_PROPERTIES,
} from "./settings/options.js";
import { Socket, warnIfLate } from "./socket.js";
import { registerType } from "./state.js";

/** One part of a received message. */
export type Message = Buffer;

/** One part of a message to be sent. Anything else is sent as String(x); null is an empty part. */
export type MessageLike = ArrayBufferView | ArrayBuffer | SharedArrayBuffer | string | number | null;

/** A socket that sends messages of type M, with additional arguments O. */
export interface Writable<
  M extends MessageLike | MessageLike[] = MessageLike | MessageLike[],
  O extends [...object[]] = [],
> {
  /** Of Radio and Datagram: networks that a multicast datagram may pass. Others keep it and read it back. */
  multicastHops: number;
  sendBufferSize: number;
  sendHighWaterMark: number;
  sendTimeout: number;
  /**
   * Send one message. Resolves when a peer's queue has taken it. May be called any number of times at once; calls keep
   * their order. Rejects with EAGAIN when sendTimeout is over.
   */
  send(message: M, ...options: O): Promise<void>;
}

type ReceiveType<T> = T extends { receive(): Promise<infer U> } ? U : never;

/** A socket that receives messages of type M. */
export interface Readable<M extends object[] = Message[]> {
  receiveBufferSize: number;
  receiveHighWaterMark: number;
  receiveTimeout: number;
  /**
   * The next message; waits for it. May be called any number of times at once; calls are served in order. Rejects with
   * EAGAIN when receiveTimeout is over or the socket closes.
   */
  receive(): Promise<M>;
  /** Messages until the socket closes. Leaving the loop does not close it. */
  [Symbol.asyncIterator](): AsyncIterator<ReceiveType<this>, undefined>;
}

/** Read-only properties. */
type ReadOnlyName =
  | "type"
  | "lastEndpoint"
  | "securityMechanism"
  | "threadSafe"
  | "events"
  | "context"
  | "closed"
  | "readable"
  | "writable";

/**
 * Options that only zwire has, as constructor fields. docs/options.md describes them. Their defaults here match libzmq: no
 * limits in bytes, and copies for a full peer are dropped.
 */
export interface OwnOptions {
  maxQueuedBytes?: number;
  sendHighWaterMarkBytes?: number;
  receiveHighWaterMarkBytes?: number;
  maxMessageParts?: number;
  maxMultipartSize?: number;
  maxResends?: number;
  onFull?: "wait" | "dropNewest" | "dropOldest" | "disconnect";
}

/** Constructor fields of a socket type: its options, and the context. */
export type SocketOptions<S extends Socket> = {
  [K in keyof S as K extends ReadOnlyName
    ? never
    : S[K] extends (...args: never[]) => unknown
      ? never
      : K]?: S[K];
} & OwnOptions & { context?: Context };

export class Pair extends Socket {
  constructor(options?: SocketOptions<Pair>) {
    super(0, options);
  }
}
export interface Pair extends Writable, Readable {}

export class Publisher extends Socket {
  declare noDrop: boolean;
  declare conflate: boolean;
  declare invertMatching: boolean;

  constructor(options?: SocketOptions<Publisher>) {
    super(1, options);
  }
}
export interface Publisher extends Writable {}

const SUBSCRIBE = 6;
const UNSUBSCRIBE = 7;

export class Subscriber extends Socket {
  declare conflate: boolean;
  declare invertMatching: boolean;

  constructor(options?: SocketOptions<Subscriber>) {
    super(2, options);
  }

  /** Receive messages that start with one of the prefixes; without argument, all. */
  subscribe(...prefixes: Array<Buffer | string>): void {
    this.#each(SUBSCRIBE, prefixes);
  }

  /** Undo one call of subscribe() for each prefix. Ignores a prefix without a subscription. */
  unsubscribe(...prefixes: Array<Buffer | string>): void {
    this.#each(UNSUBSCRIBE, prefixes);
  }

  #each(option: number, prefixes: Array<Buffer | string>): void {
    if (prefixes.length === 0) this.setStringOption(option, null);
    else for (const prefix of prefixes) this.setStringOption(option, prefix);
  }
}
export interface Subscriber extends Readable {}

export class Request extends Socket {
  declare routingId: string | null;
  declare probeRouter: boolean;
  declare correlate: boolean;
  declare relaxed: boolean;

  constructor(options?: SocketOptions<Request>) {
    super(3, options);
  }
}
export interface Request extends Readable, Writable {}

export class Reply extends Socket {
  declare routingId: string | null;

  constructor(options?: SocketOptions<Reply>) {
    super(4, options);
  }
}
export interface Reply extends Readable, Writable {}

export class Dealer extends Socket {
  declare routingId: string | null;
  declare probeRouter: boolean;
  declare conflate: boolean;

  constructor(options?: SocketOptions<Dealer>) {
    super(5, options);
  }
}
export interface Dealer extends Readable, Writable {}

const CONNECT_ROUTING_ID = 61;

/** Options of one connect(). */
export interface RouterConnectOptions {
  /** Name by which to address the peer. Replaces the name that it announces. */
  routingId?: string;
}

export class Router extends Socket {
  declare routingId: string | null;
  declare mandatory: boolean;
  declare probeRouter: boolean;
  declare handover: boolean;

  constructor(options?: SocketOptions<Router>) {
    super(6, options);
  }

  override connect(address: string, options: RouterConnectOptions = {}): void {
    if (options.routingId) this.setStringOption(CONNECT_ROUTING_ID, options.routingId);
    super.connect(address);
  }
}
export interface Router extends Readable, Writable {}

export class Pull extends Socket {
  constructor(options?: SocketOptions<Pull>) {
    super(7, options);
  }
}
export interface Pull extends Readable {
  conflate: boolean;
}

export class Push extends Socket {
  constructor(options?: SocketOptions<Push>) {
    super(8, options);
  }
}
export interface Push extends Writable {
  conflate: boolean;
}

const XPUB_VERBOSE = 40;
const XPUB_VERBOSER = 78;

export class XPublisher extends Socket {
  declare noDrop: boolean;
  declare manual: boolean;
  declare welcomeMessage: string | null;
  declare invertMatching: boolean;

  constructor(options?: SocketOptions<XPublisher>) {
    super(9, options);
  }

  /** Which subscriptions are received: null only new ones, "allSubs" all, "allSubsUnsubs" all cancellations too. */
  set verbosity(value: null | "allSubs" | "allSubsUnsubs") {
    this.setBoolOption(
      value === "allSubs" ? XPUB_VERBOSE : XPUB_VERBOSER,
      value === "allSubsUnsubs" || value === "allSubs",
    );
  }
}
export interface XPublisher extends Readable, Writable {}

export class XSubscriber extends Socket {
  constructor(options?: SocketOptions<XSubscriber>) {
    super(10, options);
  }
}
export interface XSubscriber extends Readable, Writable {}

/** Options of one connect(). */
export interface StreamConnectOptions {
  /** Name of the connection. */
  routingId?: string;
}

export class Stream extends Socket {
  declare notify: boolean;

  constructor(options?: SocketOptions<Stream>) {
    super(11, options);
  }

  override connect(address: string, options: StreamConnectOptions = {}): void {
    if (options.routingId) this.setStringOption(CONNECT_ROUTING_ID, options.routingId);
    super.connect(address);
  }
}
export interface Stream extends Readable<[Message, Message]>, Writable<[MessageLike, MessageLike]> {}

/** Adds its options to a type. */
export function defineType(type: { prototype: object }, properties: readonly OptionProperty[]): void {
  defineOptionProperties(type.prototype, properties, warnIfLate);
}

const BOTH = [...WRITABLE_PROPERTIES, ...READABLE_PROPERTIES];
const own = OWN_PROPERTIES;

defineType(Pair, BOTH);
defineType(Publisher, [...WRITABLE_PROPERTIES, own.noDrop, own.conflate, own.invertMatching]);
defineType(Subscriber, [...READABLE_PROPERTIES, own.conflate, own.invertMatching]);
defineType(Request, [...BOTH, own.routingId, own.probeRouter, own.correlate, own.relaxed]);
defineType(Reply, [...BOTH, own.routingId]);
defineType(Dealer, [...BOTH, own.routingId, own.probeRouter, own.conflate]);
defineType(Router, [...BOTH, own.routingId, own.mandatory, own.probeRouter, own.handover]);
defineType(Pull, [...READABLE_PROPERTIES, own.conflate]);
defineType(Push, [...WRITABLE_PROPERTIES, own.conflate]);
defineType(XPublisher, [...BOTH, own.noDrop, own.manual, own.welcomeMessage, own.invertMatching]);
defineType(XSubscriber, BOTH);
defineType(Stream, [...BOTH, own.notify]);

registerType(0, (options) => new CorePair(options));
registerType(1, (options) => new CorePublisher(options));
registerType(2, (options) => new CoreSubscriber(options));
registerType(3, (options) => new LockstepRequest(options));
registerType(4, (options) => new LockstepReply(options));
registerType(5, (options) => new CoreDealer(options));
registerType(6, (options) => new CoreRouter(options));
registerType(7, (options) => new CorePull(options));
registerType(8, (options) => new CorePush(options));
registerType(9, (options) => new CoreXPublisher(options));
registerType(10, (options) => new CoreXSubscriber(options));
registerType(11, (options) => new CoreStream(options));
