/**
 * Interop matrix: zwire as each of the six types, over tcp and ipc, binding and dialling, against libzmq through
 * zeromq.js and through pyzmq. Each cell moves many messages (REQ/REP: each way) of 0 bytes to 16 MiB and 1 to
 * 20 parts, and compares every byte and the order. The peers live in child processes (support/peers).
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Publisher, Pull, Push, Reply, Request, Subscriber } from "../../../src/index.js";
import { managed, temporaryDirectory } from "../helpers.js";
import { isSync, MessageCheck, MessageSource } from "../messages.mjs";
import { type Job, type JobOptions, type PeerKind, PeerProcess } from "../peer-process.js";
import { findPython } from "../python.js";

const PEERS: Record<string, { type: JobOptions["type"]; role: JobOptions["role"] }> = {
  PUSH: { type: "PULL", role: "receive" },
  PULL: { type: "PUSH", role: "send" },
  PUB: { type: "SUB", role: "receive" },
  SUB: { type: "PUB", role: "send" },
  REQ: { type: "REP", role: "reply" },
  REP: { type: "REQ", role: "request" },
};
type TypeName = keyof typeof PEERS;

let seeds = 1;

function create(type: TypeName) {
  // PUB drops above its high-water marks (J4); without any, nothing may be lost.
  if (type === "PUB") return new Publisher({ sendHighWaterMark: 0, sendHighWaterMarkBytes: 0 });
  if (type === "PUSH") return new Push();
  if (type === "PULL") return new Pull();
  if (type === "REQ") return new Request();
  if (type === "REP") return new Reply();
  const subscriber = new Subscriber();
  subscriber.subscribe();
  return subscriber;
}

/** zwire's part of a cell: sends or checks `count` messages. */
async function play(socket: ReturnType<typeof create>, seed: number, count: number, job: Job) {
  const source = new MessageSource(seed, count);
  if (socket instanceof Push || socket instanceof Publisher) {
    if (socket instanceof Publisher) await socket.waitForSubscribers(1, { timeout: 20_000 });
    for (let i = 0; i < count; i++) await socket.send(source.next());
    return null;
  }
  const check = new MessageCheck(socket instanceof Request ? seed + 1 : seed, count);
  if (socket instanceof Request) {
    while (!check.complete) {
      await socket.send(source.next());
      check.take(await socket.receive());
    }
  } else if (socket instanceof Reply) {
    const replies = new MessageSource(seed + 1, count);
    while (!check.complete) {
      check.take(await socket.receive());
      await socket.send(replies.next());
    }
  } else {
    await collect(socket, check, job);
  }
  return check;
}

async function collect(socket: Pull | Subscriber, check: MessageCheck, job: Job) {
  let going = false;
  while (!check.complete) {
    const parts = await socket.receive();
    if (check.received > 0 || !isSync(parts)) check.take(parts);
    else if (!going) {
      going = true;
      job.go();
    }
  }
}

interface Cell {
  readonly type: TypeName;
  readonly transport: "tcp" | "ipc";
  readonly verb: "bind" | "connect";
  readonly count: number;
}

async function runCell(peer: PeerProcess, { type, transport, verb, count }: Cell) {
  const socket = managed(create(type));
  const seed = seeds++ * 2;
  const options = { sendHighWaterMark: type === "SUB" ? 0 : 1000 };
  const common = { ...PEERS[type], seed, count, sync: type === "SUB", options };
  let job: Job;
  if (verb === "bind") {
    const endpoint = await socket.bind(transport === "tcp" ? "tcp://127.0.0.1:*" : "ipc://*");
    job = await peer.run({ ...common, verb: "connect", endpoint });
  } else {
    const endpoint = transport === "tcp" ? "tcp://127.0.0.1:*" : `ipc://${join(temporaryDirectory(), "s")}`;
    job = await peer.run({ ...common, verb: "bind", endpoint });
    socket.connect(job.endpoint);
  }
  const check = await play(socket, seed, count, job);
  const result = await job.done;
  expect(result.mismatch).toBeNull();
  if (PEERS[type].role !== "send") expect(result.received).toBe(count);
  if (check !== null) {
    expect(check.mismatch).toBeNull();
    expect(check.received).toBe(count);
  }
}

/** The whole matrix as tests. @param count messages in each cell */
export function interopMatrix(count: number): void {
  const python = findPython();
  if (python.command === null) console.log(`interop with pyzmq is skipped: ${python.reason}`);

  for (const kind of ["zeromq.js", "pyzmq"] as PeerKind[]) {
    describe.skipIf(kind === "pyzmq" && python.command === null)(`interop with ${kind}`, () => {
      let peer: PeerProcess;
      beforeAll(async () => {
        peer = await PeerProcess.start(kind);
      });
      afterAll(() => peer?.stop());

      for (const transport of ["tcp", "ipc"] as const) {
        for (const verb of ["bind", "connect"] as const) {
          for (const type of Object.keys(PEERS)) {
            const what = verb === "bind" ? "binds" : "dials";
            it(`${type} ${what} ${transport}: ${count} messages, whole and in order`, async () => {
              await runCell(peer, { type, transport, verb, count });
            });
          }
        }
      }
    });
  }
}
