/** What a row of option-table.ts says of an option, and how rows that resemble each other are made. */
import { Channel, Client, Datagram, Dish, Gather, Peer, Radio, Scatter, Server } from "../../src/draft.js";
import * as zwire from "../../src/index.js";

export const TYPES = {
  PAIR: zwire.Pair,
  PUB: zwire.Publisher,
  SUB: zwire.Subscriber,
  REQ: zwire.Request,
  REP: zwire.Reply,
  DEALER: zwire.Dealer,
  ROUTER: zwire.Router,
  PULL: zwire.Pull,
  PUSH: zwire.Push,
  XPUB: zwire.XPublisher,
  XSUB: zwire.XSubscriber,
  STREAM: zwire.Stream,
  SERVER: Server,
  CLIENT: Client,
  RADIO: Radio,
  DISH: Dish,
  GATHER: Gather,
  SCATTER: Scatter,
  PEER: Peer,
  CHANNEL: Channel,
  DGRAM: Datagram,
} as const;

export type TypeName = keyof typeof TYPES;
export const TYPE_NAMES = Object.keys(TYPES) as TypeName[];

export const all: readonly TypeName[] = TYPE_NAMES;
export const writable = all.filter((type) => !["SUB", "PULL", "DISH", "GATHER"].includes(type));
export const readable = all.filter((type) => !["PUB", "PUSH", "RADIO", "SCATTER"].includes(type));
export const topical: readonly TypeName[] = ["PUB", "SUB", "XPUB", "XSUB"];
export const conflating: readonly TypeName[] = ["DEALER", "PULL", "PUSH", "PUB", "SUB", "GATHER", "SCATTER"];

/** How an option is got and set by number. "flag" and "choice" are numbers of 32 bits. */
export type Kind =
  | "flag"
  | "int"
  | "long"
  | "text"
  | "list"
  | "choice"
  | "object"
  | "flag or object"
  | "function"
  | "optional int";

export interface Row {
  readonly name: string;
  /** Undefined: zwire's own, which has no number. */
  readonly number: number | undefined;
  readonly kind: Kind;
  readonly initial: unknown;
  /** What another default is, by type. */
  readonly initials?: Partial<Record<TypeName, unknown>>;
  readonly owners: readonly TypeName[];
  /** Taken by all who have it; the first is not the default. */
  readonly good: readonly unknown[];
  /** Of the right type and refused. */
  readonly bad: readonly unknown[];
  /** By number: read and written, or only one of them. Default both. */
  readonly access?: "read" | "write";
  /** A change acts at once. */
  readonly live?: boolean;
  /** Only the default is taken; why. */
  readonly refused?: boolean;
  /** The test of its effect: file under test, then the beginning of a title. */
  readonly proof?: `${string}: ${string}`;
}

export const MAX = 2 ** 31 - 1;
export const MIB = 1024 ** 2;
export const SAFE = Number.MAX_SAFE_INTEGER;

type Rest = Partial<Row>;

export function int(
  name: string,
  number: number | undefined,
  initial: number,
  minimum: number,
  rest: Rest,
): Row {
  const good = [initial === 7 ? 8 : 7, minimum, MAX];
  const bad = [minimum - 1, MAX + 1, 1.5, Number.NaN, Number.POSITIVE_INFINITY];
  return { name, number, kind: "int", initial, owners: all, good, bad, ...rest };
}

export function flag(name: string, number: number | undefined, owners: readonly TypeName[], rest: Rest): Row {
  return { name, number, kind: "flag", initial: false, owners, good: [true, false], bad: [], ...rest };
}

export function refused(name: string, number: number, kind: Kind, initial: unknown, bad: unknown): Row {
  return { name, number, kind, initial, owners: all, good: [initial], bad: [bad], refused: true };
}

/** A secret key in Z85, the one that libzmq's manual prints. */
export const A_KEY = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";
const LONG = "u".repeat(256);

const SECURED: Record<string, { good: unknown[]; bad: unknown[] }> = {
  security: {
    good: [{ mechanism: "plain", server: true }, { mechanism: "null", domain: "d" }, { mechanism: "null" }],
    bad: [
      { mechanism: "curve", server: true, secretKey: "x" },
      { mechanism: "null", domain: LONG },
    ],
  },
  plainUsername: { good: ["user", "", LONG.slice(1), null], bad: [LONG] },
  plainPassword: { good: ["secret", "", LONG.slice(1), null], bad: [LONG] },
  zapDomain: { good: ["global", LONG.slice(1), ""], bad: [LONG, "\u00e9".repeat(128)] },
  authenticate: { good: [() => "user", null], bad: [] },
  tls: {
    good: [{ servername: "example.com" }, {}, null],
    bad: [{ minVersion: "SSLv3" }, { ALPNProtocols: [] }],
  },
  metadata: {
    good: [new Map([["X-a", Buffer.from("b")]]), new Map()],
    bad: [{ a: "b" }, { "X-": "b" }, { "X-a": "" }, { "x-a": "b" }, { [`X-${LONG}`]: "b" }, { "X-a b": "c" }],
  },
  ipcFileMode: { good: [0o600, 0, 0o777, null], bad: [-1, 0o1000, 1.5, Number.NaN] },
};
const KEYS = {
  good: [A_KEY, null],
  bad: ["", A_KEY.slice(1), "~".repeat(40), "#".repeat(40), "0".repeat(40)],
};

export const SECURITY = "conformance/security.test.ts";
export const NOTICES = "conformance/notices.test.ts";

export function notice(name: string, number: number, owners: readonly TypeName[]): Row {
  const proof = `${NOTICES}: ${name} comes` as const;
  return {
    name,
    number,
    kind: "text",
    initial: null,
    owners,
    good: ["hi", "\0"],
    bad: [],
    access: "write",
    proof,
  };
}

export function secured(
  name: string,
  number: number | undefined,
  kind: Kind,
  initial: unknown,
  title: string,
): Row {
  const values = kind === "flag" ? { good: [true, false], bad: [] } : (SECURED[name] ?? KEYS);
  return { name, number, kind, initial, owners: all, ...values, proof: `${SECURITY}: ${title}` };
}

export function own(
  name: string,
  initial: number,
  minimum: number,
  owners: readonly TypeName[],
  proof: Row["proof"],
  maximum: number = MAX,
  live = false,
): Row {
  const [good, bad] = [
    [7, minimum, maximum],
    [minimum - 1, maximum + 1, 1.5],
  ];
  return { name, number: undefined, kind: "int", initial, owners, good, bad, live, proof };
}

export function list(name: string, number: number, good: unknown[], bad: unknown[], title: string): Row {
  const proof = `conformance/filters.test.ts: ${title}` as const;
  return {
    name,
    number,
    kind: "list",
    initial: [],
    owners: all,
    good: [good, []],
    bad: [bad],
    access: "write",
    proof,
  };
}
