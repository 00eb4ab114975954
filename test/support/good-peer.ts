/**
 * A server with a good peer beside whatever a test does to it: the good peer's messages must come whole and in order
 * all the while, its connection must stay, and memory must not grow. Knows zwire only by its public types.
 */
import { expect } from "vitest";
import { Pull, Push } from "../../src/index.js";
import { type AnyEvent, type EventRecord, managed, record, until } from "./helpers.js";

/** Bytes that the resident set may grow by while a test runs. */
const MEMORY = 48 * 1024 ** 2;
/** Messages that the good peer sends at a time. */
const BURST = 20;

/** The event that says why a connection was closed. */
export async function reason(events: EventRecord, nth = 1): Promise<AnyEvent> {
  const event = await events.next("handshake:error:", nth);
  expect(event.error).toBeInstanceOf(Error);
  expect(event.error!.message.length).toBeGreaterThan(5);
  expect(event.address).toMatch(/^(tcp:\/\/127\.0\.0\.1:|ipc:\/\/)/);
  return event;
}

/**
 * A PULL with a good peer whose numbered messages come without a gap for as long as the test runs.
 * @param options of the PULL; its handshakeInterval counts for `endpoint` only. @param goodOptions of the good peer, @param endpoint that is bound
 */
export async function besideGoodPeer(options = {}, goodOptions = {}, endpoint = "tcp://127.0.0.1:*") {
  const pull = managed(new Pull({ ...options, handshakeInterval: 20_000 }));
  const events = record(pull);
  const good = managed(new Push(goodOptions));
  const goodEvents = record(good);
  good.connect(await pull.bind("tcp://127.0.0.1:*"));
  // What hurries bad peers must not hurry the good one: it has an endpoint of its own.
  Object.assign(pull, { handshakeInterval: 20_000, ...options });
  const bound = await pull.bind(endpoint);
  await pull.connected({ timeout: 20_000 });
  const state = { sent: 0, received: 0, foreign: 0, running: true };
  const sending = (async () => {
    while (state.running) {
      await good.send([`good ${state.sent++}`, "x".repeat(state.sent % 1000)]);
      // By the clock: it sends all the while, and leaves time for what the test does.
      if (state.sent % BURST === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  const receiving = (async () => {
    for (;;) {
      const [head, tail] = await pull.receive();
      const number = state.received;
      if (!head.toString().startsWith("good ")) state.foreign++;
      else if (head.toString() !== `good ${number}` || tail.length !== (number + 1) % 1000) {
        throw new Error(`the good peer's message ${number} came as ${head}`);
      } else state.received++;
      if (!state.running && state.received === state.sent) return;
    }
  })();
  // Both are seen by unharmed(). A test that fails before it must not leave a second failure behind.
  sending.catch(() => {});
  receiving.catch(() => {});
  globalThis.gc!();
  const before = process.memoryUsage().rss;
  return {
    pull,
    events,
    endpoint: bound,
    state,
    /** The good peer has lost nothing, is still connected, and memory has grown by no more than so many bytes. */
    async unharmed(memory = MEMORY) {
      const reached = state.sent;
      await until(() => state.received > reached, "the good peer goes on");
      state.running = false;
      await sending;
      await good.send([`good ${state.sent++}`, "x".repeat(state.sent % 1000)]);
      await receiving;
      expect(goodEvents.of("disconnect")).toHaveLength(0);
      expect(pull.peers.map((peer) => peer.socketType)).toContain("PUSH");
      const grown = (): number => process.memoryUsage().rss - before;
      if (grown() >= memory) globalThis.gc!(); // it takes long, and can only lessen what is held
      expect(grown()).toBeLessThan(memory);
    },
  };
}
