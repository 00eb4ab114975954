/**
 * Section S: what a socket throws away at its end, or at the end of an endpoint or a connection, it tells: by the event
 * "drop" and in `stats`.
 */
import { describe, expect, it } from "vitest";
import { Dealer, Pull, Push, Request, Router, type Socket, Subscriber } from "../../src/index.js";
import { managed, rawConnected, record, standing, TRANSPORTS, until, within } from "../support/helpers.js";
import { pair, pushToNobody, pushToRaw } from "../support/pairs.js";
import { message } from "../support/raw-peer.js";

/** The events "drop" of a socket, by their numbers, and whether "end" came after them. */
function drops(socket: Socket): { told: object[]; ended: () => boolean } {
  const told: object[] = [];
  let ended = false;
  socket.on("drop", ({ address, unread, unsent }) => {
    if (ended) throw new Error('"drop" after "end"');
    told.push({ address, unread, unsent });
  });
  socket.on("end", () => {
    ended = true;
  });
  return { told, ended: () => ended };
}

describe.each(TRANSPORTS)("over $name", ({ endpoint }) => {
  it("close() tells how many received messages nobody had read", async () => {
    const { push, pull } = await pair(endpoint());
    const { told, ended } = drops(pull);
    for (let i = 0; i < 100; i++) await push.send(`${i}`);
    await until(() => pull.stats.receiveQueue === 100, "all messages are received");
    for (let i = 0; i < 17; i++) await pull.receive();
    await within(pull.close(), "close");
    expect(told).toEqual([{ address: "", unread: 83, unsent: 0 }]);
    expect(ended()).toBe(true);
    expect(pull.stats).toMatchObject({ messagesReceived: 17, droppedUnread: 83, droppedUnsent: 0 });
    expect(pull.stats).toMatchObject({ receiveQueue: 0, receivedBytes: 0 });
  });

  it("a socket that has handed over everything tells of nothing", async () => {
    const { push, pull } = await pair(endpoint());
    const told = [drops(push).told, drops(pull).told];
    await push.send("x");
    await pull.receive();
    await within(Promise.all([push.close(), pull.close()]), "close");
    expect(told).toEqual([[], []]);
    for (const { stats } of [push, pull]) expect(stats).toMatchObject({ droppedUnread: 0, droppedUnsent: 0 });
  });

  it("disconnect() tells how many messages of this peer were unread (S13)", async () => {
    const push = managed(new Push());
    const pull = managed(new Pull());
    const { told } = drops(pull);
    const actual = await push.bind(endpoint());
    pull.connect(actual);
    await push.connected();
    for (let i = 0; i < 10; i++) await push.send("x");
    await until(() => pull.stats.receiveQueue === 10, "all messages are received");
    pull.disconnect(actual);
    await until(() => told.length > 0, "the event");
    expect(pull.stats).toMatchObject({ receiveQueue: 0, droppedUnread: 10 });
    await within(pull.close(), "close");
    expect(told).toEqual([{ address: actual, unread: 10, unsent: 0 }]);
  });
});

it("close() tells what was unsent when the linger time was over (S9)", async () => {
  const { push } = await pushToNobody({ reconnectInterval: 10 });
  const { told } = drops(push);
  for (let i = 0; i < 7; i++) await push.send("gone");
  await within(push.close({ linger: 30 }), "close");
  expect(told).toEqual([{ address: "", unread: 0, unsent: 7 }]);
  expect(push.stats).toMatchObject({ droppedUnsent: 7, outboundQueue: 0 });
});

it("over inproc, too, for a name that nobody has bound", async () => {
  const push = managed(new Push());
  const { told } = drops(push);
  push.connect(`inproc://nobody-${process.pid}`);
  for (let i = 0; i < 3; i++) await push.send("gone");
  await within(push.close({ linger: 0 }), "close");
  expect(told).toEqual([{ address: "", unread: 0, unsent: 3 }]);
});

it("unbind() tells what a peer that does not read had not got", async () => {
  const push = managed(new Push({ linger: 0 }));
  const { told } = drops(push);
  const actual = await push.bind("tcp://127.0.0.1:*");
  const peer = await rawConnected(actual, { type: "PULL" });
  peer.pause();
  await push.connected();
  while (push.trySend(Buffer.alloc(100_000)));
  const unsent = await standing(() => push.stats.outboundQueue, "the kernel has its share");
  await within(push.unbind(actual), "unbind");
  expect(told).toEqual([{ address: actual, unread: 0, unsent }]);
  expect(push.stats).toMatchObject({ outboundQueue: 0, droppedUnsent: unsent });
});

it("the queue of a bound socket goes with its connection, and the event names the peer (G4)", async () => {
  const push = managed(new Push());
  const events = record(push);
  const peer = await rawConnected(await push.bind("tcp://127.0.0.1:*"), { type: "PULL" });
  peer.pause();
  await push.connected();
  const [known] = push.peers;
  while (push.trySend(Buffer.alloc(100_000)));
  const unsent = await standing(() => push.stats.outboundQueue, "the kernel has its share");
  const told = new Promise<{ peer?: { id: number }; unread: number; unsent: number }>((resolve) =>
    push.once("drop", resolve),
  );
  peer.close();
  const event = await within(told, "the event");
  expect(event).toMatchObject({ unread: 0, peer: { id: known.id } });
  expect(event.unsent).toBeGreaterThan(0);
  expect(event.unsent).toBeLessThanOrEqual(unsent);
  expect(push.stats.droppedUnsent).toBe(event.unsent);
  expect(events.names).toContain("disconnect");
});

it("the queue of a socket that connected stays, and nothing is told", async () => {
  const { push, peer } = await pushToRaw({ reconnectInterval: 10 });
  const { told } = drops(push);
  peer.pause();
  while (push.trySend(Buffer.alloc(100_000)));
  peer.close();
  await until(() => push.peers.length === 0, "the peer has gone");
  expect(told).toEqual([]);
  expect(push.stats.droppedUnsent).toBe(0);
});

it("what arrives while a closed socket lingers is counted, too", async () => {
  const dealer = managed(new Dealer());
  const { told } = drops(dealer);
  const peer = await rawConnected(await dealer.bind("tcp://127.0.0.1:*"), { type: "DEALER" });
  await dealer.connected();
  peer.pause();
  while (dealer.trySend(Buffer.alloc(100_000)));
  const closing = dealer.close({ linger: 20_000 });
  peer.write(message("late"));
  await until(() => dealer.stats.receivedBytes > 0, "it has arrived");
  peer.resume();
  await within(closing, "close");
  expect(told).toEqual([{ address: "", unread: 1, unsent: 0 }]);
});

it("a reply, a routed message and a publication count, each once", async () => {
  const router = managed(new Router());
  const request = managed(new Request());
  request.connect(await router.bind("tcp://127.0.0.1:*"));
  await request.send("q");
  const [id, empty] = await router.receive();
  await router.send([id, empty, "a"]);
  await until(() => request.stats.receiveQueue === 1, "the reply is there");
  await request.close();
  expect(request.stats.droppedUnread).toBe(1);

  const subscriber = managed(new Subscriber());
  subscriber.subscribe("a");
  const peer = await rawConnected(await subscriber.bind("tcp://127.0.0.1:*"), { type: "PUB" });
  await subscriber.connected();
  peer.write(Buffer.concat([message("a1"), message("b1"), message("a2")]));
  await until(() => subscriber.stats.receiveQueue === 2, "what is wanted has come");
  await subscriber.close();
  expect(subscriber.stats.droppedUnread).toBe(2);
});
