/**
 * All socket types in one table, for checklists that each of them passes. Knows zwire only by its public types.
 */
import * as draft from "../../src/draft.js";
import * as zwire from "../../src/index.js";

/** A socket of any type, by what some of them can do. */
export type AnySocket = zwire.Socket & {
  send(message: unknown, options?: object): Promise<void>;
  sendMany(messages: Iterable<unknown>, options?: object): Promise<void>;
  trySend(message: unknown, options?: object): boolean;
  receive(options?: object): Promise<unknown[]>;
  receiveMany(max?: number, options?: object): Promise<unknown[][]>;
  tryReceive(): unknown[] | undefined;
  [Symbol.asyncIterator](): AsyncIterator<unknown[], undefined>;
  [option: string]: unknown;
};

/** What a checklist has to know of a type. */
export interface TypeRow {
  readonly make: (options?: object) => AnySocket;
  /** libzmq's number. */
  readonly number: number;
  readonly sends: boolean;
  readonly receives: boolean;
  /** What send takes beside the message, and a message of sendMany is then a pair. */
  readonly to?: object;
  /** An option of another type. */
  readonly foreign: string;
  /** An endpoint that it can bind. */
  readonly endpoint: string;
  /** A type that it talks to. */
  readonly partner: string;
  /** The same endpoint connected twice is one connection (G15). */
  readonly single: boolean;
  /** A send without a peer waits (G16); else it succeeds or fails at once. */
  readonly waits: boolean;
  /** Methods of this type only. */
  readonly own: readonly string[];
}

// biome-ignore lint/suspicious/noExplicitAny: constructors of twenty types
type AnyType = new (options?: any) => zwire.Socket;

function row(Type: AnyType, number: number, flags: string, partner: string, foreign: string): TypeRow {
  const to: Record<string, object> = { "#": { routingId: 1 }, "@": { group: "g" } };
  return {
    make: (options) => new Type(options) as AnySocket,
    number,
    sends: flags.includes("s"),
    receives: flags.includes("r"),
    single: flags.includes("1"),
    waits: flags.includes("w"),
    to: flags.includes("#") ? to["#"] : flags.includes("@") ? to["@"] : undefined,
    foreign,
    endpoint: number === 18 ? "udp://127.0.0.1:*" : "tcp://127.0.0.1:*",
    partner,
    own: OWN[number] ?? [],
  };
}

const OWN: Record<number, string[]> = {
  1: ["waitForSubscribers"],
  2: ["subscribe", "unsubscribe"],
  3: ["request"],
  9: ["subscribe", "unsubscribe"],
  15: ["join", "leave"],
  19: ["connectPeer"],
};

/** Methods that only some types have. */
export const OWN_METHODS: readonly string[] = [...new Set(Object.values(OWN).flat())];

/** Flags: s sends, r receives, w a send without a peer waits, 1 one connection per endpoint, # by number, @ by group. */
export const ALL_TYPES: Readonly<Record<string, TypeRow>> = {
  REQ: row(zwire.Request, 3, "srw1", "REP", "conflate"),
  REP: row(zwire.Reply, 4, "sr", "REQ", "probeRouter"),
  DEALER: row(zwire.Dealer, 5, "srw1", "ROUTER", "correlate"),
  ROUTER: row(zwire.Router, 6, "sr", "DEALER", "conflate"),
  PUB: row(zwire.Publisher, 1, "s1", "SUB", "correlate"),
  SUB: row(zwire.Subscriber, 2, "r1", "PUB", "noDrop"),
  XPUB: row(zwire.XPublisher, 9, "sr", "XSUB", "conflate"),
  XSUB: row(zwire.XSubscriber, 10, "sr", "XPUB", "invertMatching"),
  PUSH: row(zwire.Push, 8, "sw", "PULL", "relaxed"),
  PULL: row(zwire.Pull, 7, "r", "PUSH", "sendTimeout"),
  PAIR: row(zwire.Pair, 0, "srw", "PAIR", "routingId"),
  STREAM: row(zwire.Stream, 11, "sr", "", "mandatory"),
  CLIENT: row(draft.Client, 13, "srw", "SERVER", "routingId"),
  SERVER: row(draft.Server, 12, "sr#", "CLIENT", "mandatory"),
  RADIO: row(draft.Radio, 14, "s@", "DISH", "receiveTimeout"),
  DISH: row(draft.Dish, 15, "r", "RADIO", "sendHighWaterMark"),
  SCATTER: row(draft.Scatter, 17, "sw", "GATHER", "probeRouter"),
  GATHER: row(draft.Gather, 16, "r", "SCATTER", "manual"),
  PEER: row(draft.Peer, 19, "sr#", "PEER", "handover"),
  CHANNEL: row(draft.Channel, 20, "srw", "CHANNEL", "notify"),
  DGRAM: row(draft.Datagram, 18, "sr", "", "conflate"),
};

/** Names of the types that have connections: all but DGRAM. */
export const CONNECTED_TYPES: readonly string[] = Object.keys(ALL_TYPES).filter((type) => type !== "DGRAM");

/** Names of all types. */
export const TYPE_NAMES: readonly string[] = Object.keys(ALL_TYPES);
