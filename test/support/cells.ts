/**
 * Cells of the interop matrices: zwire as one type and libzmq, in a process of its own, as a type that fits, both in the
 * roles of roles.mjs. Knows zwire only by its public types.
 */
import { join } from "node:path";
import { expect } from "vitest";
import { Dish } from "../../src/draft.js";
import * as zwire from "../../src/index.js";
import { managed, temporaryDirectory } from "./helpers.js";
import { TYPES, type TypeName } from "./option-rows.js";
import type { Job, PeerOptions, PeerProcess, PeerType } from "./peer-process.js";
import { ROLES, type RoleJob, type RoleName } from "./roles.mjs";

/** One end of a cell: a type, its role, and the role's fields. */
export interface End extends Omit<RoleJob, "count" | "seed" | "expected"> {
  readonly type: PeerType;
  readonly role: RoleName;
  readonly options?: PeerOptions;
  /** Dials by the name that its envelope has, and so need not wait for the peer. */
  readonly names?: boolean;
}

export interface Cell {
  readonly ours: End;
  readonly theirs: End;
  readonly pyzmq?: boolean;
}

// What publishers send above their mark is dropped (J4, N12); without one, nothing may be lost.
const endless = { sendHighWaterMark: 0 };
const dealer: End = { type: "DEALER", role: "exchange", options: { routingId: "dealer" } };
const anyDealer: End = { type: "DEALER", role: "exchange" };
const router: End = { type: "ROUTER", role: "exchange", envelope: ["dealer"], waits: true };
const anyRouter: End = { type: "ROUTER", role: "exchange", learn: 1, waits: true };
const serving: End = { type: "ROUTER", role: "reply", learn: 2 }; // the name and the delimiter
const delimiting: End = { type: "DEALER", role: "exchange", envelope: [""] };
const req: End = { type: "REQ", role: "request" };
const rep: End = { type: "REP", role: "reply" };
const pair: End = { type: "PAIR", role: "exchange" };
const xpub: End = { type: "XPUB", role: "publish", options: endless };
const pub: End = { type: "PUB", role: "send", sync: true, options: endless };
const xsub: End = { type: "XSUB", role: "subscribe" };
const sub: End = { type: "SUB", role: "receive" };
const push: End = { type: "PUSH", role: "send" };
const pull: End = { type: "PULL", role: "receive" };
const stream: End = { type: "STREAM", role: "stream" };
const client: End = { type: "CLIENT", role: "exchange", single: true };
const server: End = { type: "SERVER", role: "exchange", single: true, numbered: true, waits: true };
const radio: End = { type: "RADIO", role: "send", single: true, group: "g", sync: true, options: endless };
const dish: End = { type: "DISH", role: "receive", single: true, group: "g" };
const scatter: End = { type: "SCATTER", role: "send", single: true };
const gather: End = { type: "GATHER", role: "receive", single: true };

function peerRouter(own: string, other: string): End {
  const options = { routingId: own };
  return { type: "ROUTER", role: "exchange", envelope: [other], waits: true, names: true, options };
}

/** The types beside the six of the matrix of messages. */
export const CELLS: readonly Cell[] = [
  { ours: dealer, theirs: router, pyzmq: true },
  { ours: router, theirs: dealer, pyzmq: true },
  { ours: anyDealer, theirs: anyRouter },
  { ours: anyRouter, theirs: anyDealer },
  { ours: anyDealer, theirs: anyDealer },
  { ours: delimiting, theirs: rep },
  { ours: rep, theirs: delimiting },
  { ours: req, theirs: serving },
  { ours: serving, theirs: req },
  { ours: peerRouter("zwire", "libzmq"), theirs: peerRouter("libzmq", "zwire") },
  { ours: pair, theirs: pair, pyzmq: true },
  { ours: xpub, theirs: xsub, pyzmq: true },
  { ours: xsub, theirs: xpub, pyzmq: true },
  { ours: xpub, theirs: sub },
  { ours: sub, theirs: xpub },
  { ours: pub, theirs: xsub },
  { ours: xsub, theirs: pub },
  { ours: stream, theirs: stream },
  { ours: client, theirs: server },
  { ours: server, theirs: client },
  { ours: radio, theirs: dish },
  { ours: dish, theirs: radio },
  { ours: scatter, theirs: gather },
  { ours: gather, theirs: scatter },
];

/** The six. */
export const BASIC_CELLS: readonly Cell[] = [
  { ours: push, theirs: pull, pyzmq: true },
  { ours: pull, theirs: push, pyzmq: true },
  { ours: req, theirs: rep, pyzmq: true },
  { ours: rep, theirs: req, pyzmq: true },
  { ours: pub, theirs: sub, pyzmq: true },
  { ours: sub, theirs: pub, pyzmq: true },
];

/** How a cell is run. */
export interface CellOptions {
  readonly transport: "tcp" | "ipc" | "ws";
  /** What zwire does. */
  readonly verb: "bind" | "connect";
  readonly count: number;
  /** With two messages of 16 MiB. Default false. */
  readonly big?: boolean;
  /** Further options of zwire's socket and of the peer's. */
  readonly ourOptions?: object;
  readonly theirOptions?: PeerOptions;
}

/** Seeds of the two directions: where messages go one way only, both ends use the first. */
let seeds = 1_000_000;

function jobs({ ours, theirs }: Cell, { verb, count, big = false }: CellOptions) {
  const seed = seeds;
  seeds += 2;
  const bothWays = ours.role === "exchange" || ours.role === "stream";
  const answering = theirs.role === "exchange";
  const common = { count, big };
  const mine = { ...ours, ...common, seed, ...(bothWays && { expected: seed + 1 }) };
  const their = { ...theirs, ...common, seed, ...((bothWays || answering) && { seed: seed + 1 }) };
  // A REP answers with the seed after that of the requests, whichever end it is.
  if (ours.role === "reply" && answering) Object.assign(mine, { seed: seed + 1 });
  if (theirs.role === "reply") Object.assign(their, { seed });
  if (answering || theirs.role === "stream") {
    Object.assign(their, { expected: ours.role === "reply" ? seed + 2 : seed });
  }
  const names = (end: End, dials: boolean) =>
    end.names && dials ? { connectAs: end.envelope?.[0], waits: false } : {};
  return {
    mine: { ...mine, ...names(ours, verb === "connect") },
    their: { ...their, ...names(theirs, verb === "bind") },
  };
}

type Mine = RoleJob & End & { connectAs?: string };

function create(end: End, options: object): zwire.Socket {
  const Type = TYPES[end.type as TypeName] as new (options: object) => zwire.Socket;
  const timeouts: Record<string, number> = {};
  if (!["PULL", "SUB", "DISH", "GATHER"].includes(end.type)) timeouts.sendTimeout = 20_000;
  if (!["PUSH", "PUB", "RADIO", "SCATTER"].includes(end.type)) timeouts.receiveTimeout = 20_000;
  // Nor a mark in bytes, which libzmq's side does not have.
  if (end.options === endless) timeouts.sendHighWaterMarkBytes = 0;
  const socket = managed(new Type({ ...timeouts, ...end.options, ...options }));
  if (socket instanceof zwire.Subscriber) socket.subscribe();
  if (socket instanceof Dish) socket.join(end.group as string);
  return socket;
}

function dial(socket: zwire.Socket, endpoint: string, connectAs: string | undefined): void {
  if (socket instanceof zwire.Router && connectAs !== undefined)
    socket.connect(endpoint, { routingId: connectAs });
  else socket.connect(endpoint);
}

/** Runs one cell, and compares every byte and the order. */
export async function runCell(peer: PeerProcess, cell: Cell, options: CellOptions): Promise<void> {
  const { transport, verb, count, ourOptions = {}, theirOptions } = options;
  const { mine, their } = jobs(cell, options) as { mine: Mine; their: Mine };
  const keepMs = theirOptions === undefined ? 0 : 1000;
  const theirJob = { ...their, keepMs, options: { ...their.options, ...theirOptions } };
  const socket = create(mine, ourOptions);
  const endpoint =
    transport === "ipc" ? `ipc://${join(temporaryDirectory(), "s")}` : `${transport}://127.0.0.1:*`;
  let job: Job;
  if (verb === "bind") {
    job = await peer.run({ ...theirJob, verb: "connect", endpoint: await socket.bind(endpoint) });
  } else {
    job = await peer.run({ ...theirJob, verb: "bind", endpoint });
    dial(socket, job.endpoint, mine.connectAs);
  }
  const failed = job.done.then(
    () => new Promise<never>(() => {}),
    (error) => Promise.reject(error),
  );
  const signals = { gone: () => job.heard(), heard: () => job.go() };
  const own = await Promise.race([ROLES[mine.role](socket, mine, signals), failed]);
  const result = await job.done;
  expect(own.mismatch).toBeNull();
  expect(result.mismatch).toBeNull();
  if (mine.role !== "send" && mine.role !== "publish") expect(own.received).toBe(count);
  if (their.role !== "send" && their.role !== "publish") expect(result.received).toBe(count);
}

/** What a cell is, for a title. */
export function label({ ours, theirs }: Cell): string {
  const how = [ours, theirs].some((end) => end.learn === 1) ? ", generated names" : "";
  return `${ours.type} with a ${theirs.type} of libzmq${how}`;
}
