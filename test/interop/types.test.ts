/**
 * Interop of the types beside the six of matrix.test.ts: zwire as each of them, over tcp and ipc, binding and dialling,
 * against libzmq through zeromq.js, drafts included, and for some types through pyzmq. Each cell moves thousands of
 * messages of 0 octets to 64 KiB, of several parts where the type has them, and compares every octet and the order.
 * Both ends play the roles of support/roles.mjs.
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Client, Dish, Gather, Radio, Scatter, Server } from "../../src/draft.js";
import * as zwire from "../../src/index.js";
import { managed, temporaryDirectory } from "../support/helpers.js";
import { type Job, type PeerKind, PeerProcess, type PeerType } from "../support/peer-process.js";
import { findPython } from "../support/python.js";
import { ROLES, type RoleJob, type RoleName } from "../support/roles.mjs";

const COUNT = 3000;

/** One end of a cell: a type, its role, and the role's fields. */
interface End extends Omit<RoleJob, "count" | "seed" | "expected"> {
  readonly type: PeerType;
  readonly role: RoleName;
  readonly options?: Readonly<Record<string, number | string>>;
  /** Dials by the name that its envelope has, and so need not wait for the peer. */
  readonly names?: boolean;
}

interface Cell {
  readonly ours: End;
  readonly theirs: End;
  readonly pyzmq?: boolean;
}

const TYPES: Partial<Record<PeerType, new (options: object) => zwire.Socket>> = {
  PAIR: zwire.Pair,
  REQ: zwire.Request,
  REP: zwire.Reply,
  DEALER: zwire.Dealer,
  ROUTER: zwire.Router,
  PUB: zwire.Publisher,
  SUB: zwire.Subscriber,
  XPUB: zwire.XPublisher,
  XSUB: zwire.XSubscriber,
  STREAM: zwire.Stream,
  SERVER: Server,
  CLIENT: Client,
  RADIO: Radio,
  DISH: Dish,
  GATHER: Gather,
  SCATTER: Scatter,
};

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

const CELLS: readonly Cell[] = [
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

/** Seeds of the two directions: where messages go one way only, both ends use the first. */
let seeds = 1_000_000;

function jobs({ ours, theirs }: Cell, verb: "bind" | "connect") {
  const seed = seeds;
  seeds += 2;
  const bothWays = ours.role === "exchange" || ours.role === "stream";
  const answering = theirs.role === "exchange";
  const common = { count: COUNT, big: false };
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

function create(end: End): zwire.Socket {
  const Type = TYPES[end.type] as new (options: object) => zwire.Socket;
  const timeouts: Record<string, number> = {};
  if (!["SUB", "DISH", "GATHER"].includes(end.type)) timeouts.sendTimeout = 20_000;
  if (!["PUB", "RADIO", "SCATTER"].includes(end.type)) timeouts.receiveTimeout = 20_000;
  const socket = managed(new Type({ ...timeouts, ...end.options }));
  if (socket instanceof zwire.Subscriber) socket.subscribe();
  if (socket instanceof Dish) socket.join(end.group as string);
  return socket;
}

function dial(socket: zwire.Socket, endpoint: string, connectAs: string | undefined): void {
  if (socket instanceof zwire.Router && connectAs !== undefined)
    socket.connect(endpoint, { routingId: connectAs });
  else socket.connect(endpoint);
}

async function run(peer: PeerProcess, cell: Cell, transport: "tcp" | "ipc", verb: "bind" | "connect") {
  const { mine, their } = jobs(cell, verb) as { mine: Mine; their: Mine };
  const socket = create(mine);
  const endpoint = transport === "tcp" ? "tcp://127.0.0.1:*" : `ipc://${join(temporaryDirectory(), "s")}`;
  let job: Job;
  if (verb === "bind") {
    job = await peer.run({ ...their, verb: "connect", endpoint: await socket.bind(endpoint) });
  } else {
    job = await peer.run({ ...their, verb: "bind", endpoint });
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
  if (mine.role !== "send" && mine.role !== "publish") expect(own.received).toBe(COUNT);
  if (their.role !== "send" && their.role !== "publish") expect(result.received).toBe(COUNT);
}

function label({ ours, theirs }: Cell): string {
  const how = [ours, theirs].some((end) => end.learn === 1) ? ", generated names" : "";
  return `${ours.type} with a ${theirs.type} of libzmq${how}`;
}

const python = findPython();
if (python.command === null) console.log(`interop with pyzmq is skipped: ${python.reason}`);

for (const kind of ["zeromq.js", "pyzmq"] as PeerKind[]) {
  describe.skipIf(kind === "pyzmq" && python.command === null)(`interop with ${kind}`, () => {
    let peer: PeerProcess;
    beforeAll(async () => {
      peer = await PeerProcess.start(kind);
    });
    afterAll(() => peer?.stop());

    const cells = kind === "pyzmq" ? CELLS.filter((cell) => cell.pyzmq) : CELLS;
    for (const transport of ["tcp", "ipc"] as const) {
      for (const verb of ["bind", "connect"] as const) {
        for (const cell of cells) {
          const what = verb === "bind" ? "binds" : "dials";
          it(`${label(cell)}: ${what} ${transport}, ${COUNT} messages, whole and in order`, async () => {
            await run(peer, cell, transport, verb);
          });
        }
      }
    }
  });
}
