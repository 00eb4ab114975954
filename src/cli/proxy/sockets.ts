/**
 * The sockets that a proxy can have. REQ and REP wait for answers of their own, and messages of draft types have data besides
 * parts.
 */
import {
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Router,
  type Socket,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../index.js";
import type { SocketType } from "../../options/row.js";

interface Kind {
  readonly type: SocketType;
  make(options: Record<string, unknown>): Socket;
}

function everything(options: Record<string, unknown>): Subscriber {
  const socket = new Subscriber(options);
  // It hears no subscriptions of others, as XSUB does, so it takes all.
  socket.subscribe();
  return socket;
}

export const SOCKETS = {
  router: { type: "ROUTER", make: (options) => new Router(options) },
  dealer: { type: "DEALER", make: (options) => new Dealer(options) },
  xsub: { type: "XSUB", make: (options) => new XSubscriber(options) },
  xpub: { type: "XPUB", make: (options) => new XPublisher(options) },
  sub: { type: "SUB", make: everything },
  pub: { type: "PUB", make: (options) => new Publisher(options) },
  pull: { type: "PULL", make: (options) => new Pull(options) },
  push: { type: "PUSH", make: (options) => new Push(options) },
  pair: { type: "PAIR", make: (options) => new Pair(options) },
} as const satisfies Record<string, Kind>;

/** The name of a type on the command line. */
export type TypeName = keyof typeof SOCKETS;
