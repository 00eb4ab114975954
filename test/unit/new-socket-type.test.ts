/**
 * A new socket type is one strategy and one face: here a made-up one, which talks to whoever came first and to nobody
 * else. Its strategy says who gets a message, its face what a user may call.
 */
import { expect, it } from "vitest";
import { defineOptions } from "../../src/api/socket.js";
import { DuplexSocket } from "../../src/api/writable.js";
import type { Message, OutMessage } from "../../src/base/message.js";
import type { Pipe } from "../../src/engine/pipe.js";
import { optionsOf } from "../../src/options/table.js";
import {
  discard,
  type Receiving,
  type Sending,
  type SocketType,
  Strategy,
} from "../../src/patterns/strategy.js";
import { managed, texts } from "../support/helpers.js";

// The strategy: what would be src/patterns/strategies/first.ts.

class FirstStrategy extends Strategy implements Sending, Receiving {
  #first: Pipe | undefined = undefined;

  get canSend(): boolean {
    return this.#first?.hasRoom() ?? false;
  }

  send(message: OutMessage): boolean {
    return this.#first?.trySend(message) ?? false;
  }

  next(): Message | undefined {
    return this.host.inbound.next();
  }

  override attach(pipe: Pipe): void {
    if (this.#first === undefined) this.#first = pipe;
    else pipe.intercept = discard;
    this.host.roomForSends();
  }
}

// PAIR on the wire, so that two of them may talk.
const FIRST: SocketType<FirstStrategy> = { number: 99, name: "PAIR", strategy: FirstStrategy };

// The face: what would be src/api/sockets/first.ts.

// Those of PAIR; a type with a name of its own is added to SOCKET_TYPES and to its groups in src/options.
const OPTIONS = optionsOf("PAIR");

class First extends DuplexSocket {
  constructor(options?: { sendHighWaterMark?: number }) {
    super(FIRST, options, OPTIONS);
    if (new.target === First) Object.seal(this);
  }
}

defineOptions(First, OPTIONS);

it.each(["inproc://first", "tcp://127.0.0.1:*"])(
  "a new type sends, receives and waits for room over %s",
  async (at) => {
    const one = managed(new First({ sendHighWaterMark: 5 }));
    const other = managed(new First());
    const third = managed(new First());
    const endpoint = await one.bind(at);
    expect(one.trySend("nobody is there")).toBe(false);
    const early = one.send("early");
    other.connect(endpoint);
    expect(texts(await other.receive())).toEqual(["early"]);
    await early;
    await other.send(["two", "parts"]);
    expect(texts(await one.receive())).toEqual(["two", "parts"]);
    third.connect(endpoint);
    await one.connected({ count: 2 });
    await third.send("unheard");
    await other.send("heard");
    expect(texts(await one.receive())).toEqual(["heard"]);
    expect(one.stats).toMatchObject({ messagesSent: 1, messagesReceived: 2, peers: 2 });
  },
);

it("its options, its counters and its end are those of every type", async () => {
  const socket = new First({ sendHighWaterMark: 5 });
  expect(socket).toMatchObject({ sendHighWaterMark: 5, type: 99, closed: false, writable: false });
  expect(() => new First({ mandatory: true } as object)).toThrow('First has no option "mandatory"');
  const receiving = socket.receive();
  await Promise.all([socket.close(), expect(receiving).rejects.toMatchObject({ code: "EBADF" })]);
});
