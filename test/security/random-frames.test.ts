/**
 * Random frames behind a good handshake, to every socket type: commands and messages that are nearly right. Nothing of
 * it throws where a peer's bytes are read (the test runner fails on any exception that nobody catches), and a good peer
 * is welcome beside it.
 */
import { expect, it, onTestFinished, vi } from "vitest";
import * as zwire from "../../src/index.js";
import { Handshake } from "../../src/wire/zmtp/handshake.js";
import { managed, rawConnected, rawDial, record, turns, until } from "../support/helpers.js";
import { frame, greeting } from "../support/raw-peer.js";
import { Fuzzer } from "../support/rpc-fuzzer.js";
import { ALL_TYPES, CONNECTED_TYPES } from "../support/types.js";

const SEED = Number(process.env.ZWIRE_RPC_SEED ?? 4711);
const NAMES = [
  "PING",
  "PONG",
  "SUBSCRIBE",
  "CANCEL",
  "JOIN",
  "LEAVE",
  "READY",
  "ERROR",
  "MESSAGE",
  "HELLO",
  "x",
  "",
];

/** One frame: a command, a part, or either of them bent. */
function randomFrame(fuzzer: Fuzzer): Buffer {
  const data = Buffer.concat([
    fuzzer.pick([Buffer.of(), Buffer.of(0), Buffer.of(1), Buffer.of(255)]),
    fuzzer.bytes(40),
  ]);
  const name = fuzzer.pick(NAMES);
  const body = Buffer.concat([
    Buffer.of(fuzzer.pick([name.length, 0, 255, name.length + 3])),
    Buffer.from(name),
    data,
  ]);
  const command = fuzzer.below(2) === 0;
  return frame(command ? body : data, {
    command,
    more: !command && fuzzer.below(3) === 0,
    long: fuzzer.below(5) === 0 ? true : undefined,
  });
}

const TYPES = CONNECTED_TYPES.filter((type) => type !== "STREAM");

it.each(TYPES)("%s reads random frames, and a good peer is welcome beside them", async (type) => {
  const fuzzer = new Fuzzer(SEED);
  const { make, receives, partner } = ALL_TYPES[type];
  const socket = managed(make());
  const events = record(socket);
  const endpoint = await socket.bind("tcp://127.0.0.1:*");
  for (let connection = 0; connection < 4; connection++) {
    const bad = await rawConnected(endpoint, { type: partner });
    for (let i = 0; i < 100; i++) bad.write(randomFrame(fuzzer));
    await turns(20);
    if (receives) while (socket.tryReceive() !== undefined);
    bad.close();
    await until(() => socket.stats.peers === 0, "the bad peer is gone");
  }
  await rawConnected(endpoint, { type: partner });
  await events.next("handshake", 5);
  expect(socket.closed).toBe(false);
});

it("a fault of ours in reading a handshake ends that connection, with an event, and nobody else's", async () => {
  const socket = managed(new zwire.Pull());
  const events = record(socket);
  const endpoint = await socket.bind("tcp://127.0.0.1:*");
  const fault = new SyntaxError("cannot convert 1e+21 to a BigInt");
  const reading = vi.spyOn(Handshake.prototype, "receive").mockImplementationOnce(() => {
    throw fault;
  });
  onTestFinished(() => reading.mockRestore());
  const bad = await rawDial(endpoint);
  bad.write(greeting());
  const { error } = await events.next("handshake:error:protocol");
  expect(error).toMatchObject({ code: "undecodable", cause: fault });
  await bad.closed();
  await rawConnected(endpoint, { type: "PUSH" });
  await events.next("handshake");
});
