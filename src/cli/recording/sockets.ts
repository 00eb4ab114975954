/**
 * The sockets that can be recorded and replayed, by the names of their commands.
 */
import { Channel, Client, Dish, Gather, Peer, Radio, Scatter, Server } from "../../draft.js";
import {
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Router,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../index.js";
import type { SocketType } from "../../options/row.js";
import { UsageError } from "../errors.js";
import { dish, numbered, type Plug, plain, radio } from "../messages/plug.js";

type Options = Record<string, unknown>;

/** What a command line gives besides options. */
export interface Wanted {
  /** Topics; everything if there is none. */
  readonly subscribe: readonly string[];
  readonly join: readonly string[];
}

/** A kind of socket. */
export interface SocketKind {
  readonly type: SocketType;
  create(options: Options, wanted: Wanted): Plug;
}

/** Types whose messages go both ways. */
const BOTH: Readonly<Record<string, SocketKind>> = {
  dealer: { type: "DEALER", create: (options) => plain(new Dealer(options)) },
  router: { type: "ROUTER", create: (options) => plain(new Router(options)) },
  pair: { type: "PAIR", create: (options) => plain(new Pair(options)) },
  channel: { type: "CHANNEL", create: (options) => plain(new Channel(options)) },
  client: { type: "CLIENT", create: (options) => plain(new Client(options)) },
  server: { type: "SERVER", create: (options) => numbered(new Server(options)) },
  peer: { type: "PEER", create: (options) => numbered(new Peer(options)) },
};

/** Types that receive, without those that would have to answer each message. */
export const RECEIVERS: Readonly<Record<string, SocketKind>> = {
  sub: {
    type: "SUB",
    create: (options, { subscribe }) => {
      const socket = new Subscriber(options);
      socket.subscribe(...subscribe);
      return plain(socket);
    },
  },
  xsub: {
    type: "XSUB",
    create: (options, { subscribe }) => {
      const socket = new XSubscriber(options);
      for (const topic of subscribe.length === 0 ? [""] : subscribe) void socket.send(`\x01${topic}`);
      return plain(socket);
    },
  },
  pull: { type: "PULL", create: (options) => plain(new Pull(options)) },
  gather: { type: "GATHER", create: (options) => plain(new Gather(options)) },
  dish: {
    type: "DISH",
    create: (options, { join }) => {
      if (join.length === 0) throw new UsageError("A dish needs --join, with the name of a group.");
      const socket = new Dish(options);
      socket.join(...join);
      return dish(socket);
    },
  },
  ...BOTH,
};

/** Types that send, without those that would wait for an answer to each message. */
export const SENDERS: Readonly<Record<string, SocketKind>> = {
  pub: { type: "PUB", create: (options) => plain(new Publisher(options)) },
  xpub: { type: "XPUB", create: (options) => plain(new XPublisher(options)) },
  push: { type: "PUSH", create: (options) => plain(new Push(options)) },
  scatter: { type: "SCATTER", create: (options) => plain(new Scatter(options)) },
  radio: { type: "RADIO", create: (options) => radio(new Radio(options)) },
  ...BOTH,
};

/** @throws UsageError for another name than those of the table */
export function kindOf(table: Readonly<Record<string, SocketKind>>, name: string): SocketKind {
  if (Object.hasOwn(table, name)) return table[name];
  const text = `The type of socket must be one of ${Object.keys(table).join(", ")}; got "${name}".`;
  throw new UsageError(text);
}
