/** A Router and a Dealer that have talked, and sockets to which more is given than their kernels take. */
import { expect } from "vitest";
import * as zwire from "../../src/index.js";
import { type EventRecord, managed, record, texts, turns } from "./helpers.js";

export const SOON = { timeout: 10_000 };
export const LARGE = Buffer.alloc(1 << 20);

export interface Pairing {
  readonly router: zwire.Router;
  readonly dealer: zwire.Dealer;
  readonly endpoint: string;
  readonly events: EventRecord;
  readonly theirs: EventRecord;
}

/** A Router that is bound, and a Dealer "ann" that has dialled it; they have talked. */
export async function pairing(at = "tcp://127.0.0.1:*", options: zwire.RouterOptions = {}): Promise<Pairing> {
  const router = managed(new zwire.Router(options));
  const dealer = managed(new zwire.Dealer({ routingId: "ann", reconnectInterval: 10, linger: 0 }));
  const [events, theirs] = [record(router), record(dealer)];
  const endpoint = await router.bind(at);
  dealer.connect(endpoint);
  await dealer.send("hello", SOON);
  expect(texts(await router.receive(SOON))).toEqual(["ann", "hello"]);
  await router.send(["ann", "back"]);
  await dealer.receive(SOON);
  return { router, dealer, endpoint, events, theirs };
}

/** Sends to "ann" until so many messages wait that the kernels do not take. */
export async function stuff(router: zwire.Router, least = 3): Promise<number> {
  while (router.stats.outboundQueue < least) {
    await router.send(["ann", LARGE], SOON);
    await turns(2);
  }
  return router.stats.outboundQueue;
}

/** Sends until so many messages wait. @returns how many wait */
export async function fillPush(push: zwire.Push, least = 3): Promise<number> {
  while (push.stats.outboundQueue < least) {
    await push.send(LARGE, SOON);
    await turns(2);
  }
  return push.stats.outboundQueue;
}

/** What waits is dropped and counted, less what kernels have taken meanwhile. */
export function expectDropped(socket: zwire.Socket, waiting: number): void {
  expect(socket.stats.droppedUnsent).toBeGreaterThan(0);
  expect(socket.stats.droppedUnsent).toBeLessThanOrEqual(waiting);
}
