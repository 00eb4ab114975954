/**
 * Every name of zeromq.js that "zwire/zeromq" exports.
 */
export { curveKeyPair } from "../security/crypto/keys.js";
export { Context, context } from "./context.js";
export type { Event, EventOfType, EventSubscriber, EventType } from "./events.js";
export { Observer } from "./observer.js";
export { Proxy } from "./proxy.js";
export { Socket } from "./socket.js";
export {
  Dealer,
  type Message,
  type MessageLike,
  Pair,
  Publisher,
  Pull,
  Push,
  type Readable,
  Reply,
  Request,
  Router,
  type RouterConnectOptions,
  type SocketOptions,
  Stream,
  type StreamConnectOptions,
  Subscriber,
  type Writable,
  XPublisher,
  XSubscriber,
} from "./types.js";

/** The libzmq version whose features this entry offers. Programs check it to see what they can use. */
export const version: string = "4.3.5";

/** Optional features of libzmq, and whether zwire has them. */
export const capability: Partial<{
  ipc: boolean;
  pgm: boolean;
  tipc: boolean;
  norm: boolean;
  curve: boolean;
  gssapi: boolean;
  draft: boolean;
}> = { ipc: true, pgm: false, tipc: false, norm: false, curve: true, gssapi: false, draft: true };
