/**
 * What a publisher gathers for many subscribers at once must be what each would have got by itself: same messages, same
 * order, same marks. Pipes with a link that takes bytes or is blocked, simulated turns, a plain model beside it.
 */
import { describe, expect, it } from "vitest";
import { Budget } from "../../../src/engine/budget.js";
import { readLength } from "../../../src/engine/frame-header.js";
import type { PipeLink, PipeOutlet } from "../../../src/engine/linked-pipe.js";
import type { Batch } from "../../../src/engine/outgoing/batch.js";
import type { Pipe } from "../../../src/engine/pipe.js";
import { StreamPipe } from "../../../src/engine/stream-pipe.js";
import type { OnFull } from "../../../src/options/options.js";
import { Overflow } from "../../../src/patterns/overflow.js";
import { Distributor } from "../../../src/patterns/topics/distributor.js";
import { Subscriptions } from "../../../src/patterns/topics/subscriptions.js";
import { randomFrom } from "../../support/random.js";

const MARK = 40;

/** Runs what was added when told that the turn is over. */
class Turn {
  #gathering: { endOfTurn(): void }[] = [];
  add(one: { endOfTurn(): void }): void {
    this.#gathering.push(one);
  }
  end(): void {
    const all = this.#gathering;
    this.#gathering = [];
    for (const one of all) one.endOfTurn();
    if (this.#gathering.length > 0) throw new Error("the end of a turn began another");
  }
}

/** Stands for a session and a kernel that takes everything, or nothing while blocked. */
class Link implements PipeLink, PipeOutlet {
  blocked = false;
  writes = 0;
  readonly #pipe: StreamPipe;
  #pending: Batch | null = null;
  #octets: Buffer[] = [];

  constructor(pipe: StreamPipe) {
    this.#pipe = pipe;
  }

  flush(): void {
    while (this.#pending === null) {
      const batch = this.#pipe.takeBatch();
      if (batch === null) return;
      this.#pending = batch;
      if (!this.blocked) this.#take();
    }
  }

  unblock(): void {
    this.blocked = false;
    if (this.#pending !== null) this.#take();
    this.flush();
  }

  #take(): void {
    this.writes++;
    // Copied: the batch's memory is used again.
    for (const segment of (this.#pending as Batch).seal()) this.#octets.push(Buffer.from(segment));
    this.#pending = null;
    this.#pipe.taken();
  }

  /** Messages written since the last call, parts joined by "|". */
  messages(): string[] {
    const octets = Buffer.concat(this.#octets);
    this.#octets = [];
    const messages: string[] = [];
    let parts: string[] = [];
    for (let at = 0; at < octets.length; ) {
      const long = (octets[at] & 2) !== 0;
      const length = long ? readLength(octets, at + 1) : octets[at + 1];
      const body = at + (long ? 9 : 2);
      parts.push(octets.toString("latin1", body, body + length));
      if ((octets[at] & 1) === 0) {
        messages.push(parts.join("|"));
        parts = [];
      }
      at = body + length;
    }
    return messages;
  }

  sendSubscription(): void {}
  pauseReading(): void {}
  resumeReading(): void {}
  fail(): void {}
}

function setUp(options: { onFull?: OnFull; mark?: number; markBytes?: number; total?: number } = {}) {
  const turn = new Turn();
  const limits = {
    sendHighWaterMark: options.mark ?? 0,
    sendHighWaterMarkBytes: options.markBytes ?? 0,
    receiveHighWaterMark: 0,
    receiveHighWaterMarkBytes: 0,
    conflate: false,
    onFull: options.onFull ?? null,
    invertMatching: false,
    maxResends: 3,
    maxQueuedBytes: options.total ?? 0,
  };
  const owner = {
    received: new Budget(limits),
    unsent: new Budget(limits),
    borrows: false,
    carries: false,
    topics: null,
    pipeHeldBack() {},
    pipeReadable() {},
    pipeWritable() {},
    pipeSharesMemory() {},
    pipeSubscription() {},
  };
  const told: string[] = [];
  const subscriptions = new Subscriptions(
    { maxTopics: 0, maxTopicsPerPeer: 0, maxTopicLength: 1000 },
    { defer: setImmediate },
    () => expect.fail("there is no limit"),
  );
  const overflow = new Overflow(limits, {
    tell: (pipe, action) => told.push(`${action} ${pipe.reached.limit}`),
    close: (pipe) => leave(pipe),
  });
  const distributor = new Distributor(subscriptions, limits, owner, overflow);
  const leave = (pipe: Pipe) => {
    distributor.left();
    subscriptions.remove(pipe);
  };
  const peer = (...topics: string[]) => {
    const pipe = new StreamPipe(owner, limits, turn);
    const link = new Link(pipe);
    pipe.link(link, link);
    subscriptions.add(pipe);
    for (const topic of topics) subscriptions.subscribe(pipe, Buffer.from(topic));
    return { pipe, link };
  };
  return { turn, limits, owner, told, overflow, subscriptions, distributor, peer, leave };
}

describe("distributor", () => {
  it("the first message of a quiet turn goes at once, what follows with one write for each subscriber", () => {
    const { turn, distributor, peer } = setUp();
    const peers = [peer(""), peer(""), peer("")];
    distributor.send(Buffer.from("first"));
    for (const { link } of peers) expect(link.messages()).toEqual(["first"]);
    for (let i = 0; i < 500; i++) distributor.send([Buffer.from("more"), Buffer.from(`${i}`)]);
    for (const { link } of peers) expect(link.messages()).toEqual([]);
    turn.end();
    const more = Array.from({ length: 500 }, (_, i) => `more|${i}`);
    for (const { link } of peers) {
      expect(link.messages()).toEqual(more);
      expect(link.writes).toBe(2);
    }
  });

  it("after a turn with many messages the next one gathers from its first on", () => {
    const { turn, distributor, peer } = setUp();
    const peers = [peer(""), peer("")];
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 100; i++) distributor.send(Buffer.from(`${round} ${i}`));
      turn.end();
    }
    turn.end();
    for (const { link } of peers) expect(link.writes).toBe(4); // one more in the first round only
  });

  it("marks hold while messages are gathered, and what is too many is dropped for each alone (G5, J4)", () => {
    const { turn, told, overflow, distributor, peer } = setUp({ mark: MARK });
    const slow = peer("");
    const fast = peer("");
    for (let i = 0; i < 5; i++) distributor.send(Buffer.from("warm"));
    turn.end();
    slow.link.messages();
    fast.link.messages();
    slow.link.blocked = true;
    for (let i = 0; i < 3 * MARK; i++) {
      distributor.send(Buffer.from(`${i}`));
      expect(slow.pipe.outboundLength).toBeLessThanOrEqual(MARK);
    }
    turn.end();
    const all = Array.from({ length: 3 * MARK }, (_, i) => `${i}`);
    expect(fast.link.messages()).toEqual(all);
    slow.link.unblock();
    expect(slow.link.messages()).toEqual(all.slice(0, MARK));
    expect(overflow.dropped).toBe(2 * MARK);
    expect(told).toEqual(["dropped sendHighWaterMark"]);
  });

  it("with noDrop nobody gets a message that one has no room for (J19)", () => {
    const { turn, overflow, distributor, peer } = setUp({ mark: MARK, onFull: "wait" });
    const slow = peer("");
    const fast = peer("");
    slow.link.blocked = true;
    let accepted = 0;
    for (let i = 0; i < 3 * MARK; i++) if (distributor.send(Buffer.from(`${i}`))) accepted++;
    turn.end();
    expect(accepted).toBe(MARK);
    expect(fast.link.messages()).toHaveLength(MARK);
    slow.link.unblock();
    expect(slow.link.messages()).toHaveLength(MARK);
    expect(overflow.dropped).toBe(0);
  });

  it("a mark in octets counts what is gathered, and a change of a mark takes effect at once (G7)", () => {
    const { turn, limits, distributor, peer } = setUp({ markBytes: 1000 });
    const peers = [peer(""), peer("")];
    for (const { link } of peers) link.blocked = true;
    for (let i = 0; i < 100; i++) distributor.send(Buffer.alloc(98)); // 100 bytes with the header
    for (const { pipe } of peers) expect(pipe.outboundLength).toBe(10);
    limits.sendHighWaterMarkBytes = 1500;
    for (let i = 0; i < 100; i++) distributor.send(Buffer.alloc(98));
    for (const { pipe } of peers) expect(pipe.outboundLength).toBe(15);
    limits.sendHighWaterMarkBytes = 0;
    limits.sendHighWaterMark = 20;
    for (let i = 0; i < 3; i++) distributor.send(Buffer.alloc(98));
    limits.sendHighWaterMark = 19;
    for (let i = 0; i < 100; i++) distributor.send(Buffer.alloc(98));
    for (const { pipe } of peers) expect(pipe.outboundLength).toBe(19);
    turn.end();
  });

  it.each([3, 700, 5000, 40_000])(
    "many peers that do not read hold messages of %i bytes in common, and let go of them when they read or leave",
    (size) => {
      const { turn, owner, distributor, peer, leave } = setUp();
      const peers = Array.from({ length: 20 }, () => peer(""));
      for (const { link } of peers) link.blocked = true;
      const all = Array.from({ length: 500 }, (_, i) => `${i} ${"x".repeat(size)}`);
      for (const [i, body] of all.entries()) {
        distributor.send(
          i % 3 === 0 ? [Buffer.from(body.slice(0, 2)), Buffer.from(body.slice(2))] : Buffer.from(body),
        );
        if (i % 7 === 0) turn.end();
      }
      turn.end();
      for (const { pipe } of peers) expect(pipe.outboundLength).toBe(500);
      const each = 500 * size;
      // What is short, or was sent before there was a backlog, each has for itself.
      if (size >= 700) expect(owner.unsent.held).toBeLessThan(2 * each + 20 * 70 * 2100);
      if (size >= 700) expect(owner.unsent.held).toBeGreaterThan(each / 2);
      const gone = peers.splice(0, 10);
      for (const { pipe } of gone) {
        leave(pipe);
        pipe.discardOutbound();
      }
      const parts = all.map((body, i) => (i % 3 === 0 ? `${body.slice(0, 2)}|${body.slice(2)}` : body));
      for (const { link } of peers) {
        link.unblock();
        expect(link.messages()).toEqual(parts);
      }
      expect(owner.unsent.held).toBe(0);
    },
  );

  it("with dropOldest a peer that does not read gets the newest, whatever their sizes, and is told of once", () => {
    const { turn, told, overflow, owner, distributor, peer } = setUp({ mark: MARK, onFull: "dropOldest" });
    const slow = [peer(""), peer(""), peer("one")];
    for (const { link } of slow) link.blocked = true;
    const all = Array.from(
      { length: 20 * MARK },
      (_, i) => `one ${i} ${"x".repeat([0, 300, 3000, 20_000][i % 4])}`,
    );
    for (const [i, body] of all.entries()) {
      distributor.send(i % 5 === 0 ? [Buffer.from(body), Buffer.from("more")] : Buffer.from(body));
      if (i % 9 === 0) turn.end();
    }
    turn.end();
    const parts = all.map((body, i) => (i % 5 === 0 ? `${body}|more` : body));
    expect(told).toEqual(slow.map(() => "dropped sendHighWaterMark"));
    for (const { link, pipe } of slow) {
      expect(pipe.outboundLength).toBe(MARK);
      link.unblock();
      const got = link.messages();
      expect(got).toEqual([parts[0], ...parts.slice(-(MARK - 1))]); // the first was being written
    }
    expect(overflow.dropped).toBe(slow.length * (all.length - MARK));
    expect(owner.unsent.held).toBe(0);
  });

  it("with dropOldest the newest gets through also where all that is queued is being written", () => {
    const { turn, distributor, peer } = setUp({ mark: MARK, onFull: "dropOldest" });
    const { link, pipe } = peer("");
    for (let i = 0; i < 2; i++) distributor.send(Buffer.from(`${i}`)); // a turn with many: the next gathers
    turn.end();
    link.messages();
    link.blocked = true;
    for (let i = 0; i < MARK; i++) distributor.send(Buffer.from(`a${i}`));
    turn.end();
    for (let i = 0; i < 5; i++) distributor.send(Buffer.from(`b${i}`));
    expect(pipe.outboundLength).toBe(MARK + 1);
    link.unblock();
    expect(link.messages().slice(-2)).toEqual([`a${MARK - 1}`, "b4"]);
  });

  it("with disconnect a full peer is parted with, and the others get everything", () => {
    const { turn, told, owner, distributor, peer } = setUp({ mark: MARK, onFull: "disconnect" });
    const slow = peer("");
    const fast = peer("");
    slow.link.blocked = true;
    for (let i = 0; i < 3 * MARK; i++) distributor.send(Buffer.from(`${i}`));
    turn.end();
    expect(told).toEqual(["closed sendHighWaterMark"]);
    expect(slow.pipe.outboundLength).toBe(0);
    expect(fast.link.messages()).toHaveLength(3 * MARK);
    expect(owner.unsent.held).toBe(0);
  });

  it("what all peers hold has a limit, above which those who hold little still get everything", () => {
    const total = 4_000_000;
    const { turn, told, owner, distributor, peer } = setUp({ total });
    const topics = Array.from({ length: 50 }, (_, i) => `${String.fromCharCode(200 + i)}`);
    const slow = topics.map((topic) => peer(topic));
    const good = peer("good");
    for (const { link } of slow) link.blocked = true;
    for (let i = 0; i < 200; i++) {
      for (const topic of topics) distributor.send([Buffer.from(topic), Buffer.alloc(5000)]);
      distributor.send([Buffer.from("good"), Buffer.alloc(5000)]);
      turn.end();
    }
    expect(owner.unsent.held).toBeLessThan(total + 50 * 80_000);
    expect(told).toEqual(slow.map(() => "dropped maxQueuedBytes"));
    expect(good.link.messages()).toHaveLength(200);
    for (const { link } of slow) link.unblock();
    expect(owner.unsent.held).toBe(0);
    for (const topic of topics) distributor.send([Buffer.from(topic), Buffer.from("again")]);
    turn.end();
    for (const { link } of slow) expect(link.messages().at(-1)).toMatch(/again/);
  });

  it("a peer that goes in the middle of a turn has been given what was sent before", () => {
    const { turn, distributor, peer, leave } = setUp();
    const [one, other] = [peer(""), peer("")];
    for (let i = 0; i < 10; i++) distributor.send(Buffer.from(`${i}`));
    leave(one.pipe);
    expect(one.pipe.outboundLength).toBe(9); // the first went at once
    for (let i = 10; i < 20; i++) distributor.send(Buffer.from(`${i}`));
    turn.end();
    expect(one.link.messages()).toEqual(Array.from({ length: 10 }, (_, i) => `${i}`));
    expect(other.link.messages()).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
  });

  it("keeps the order with what is sent to a pipe directly", () => {
    const { turn, distributor, peer } = setUp();
    const peers = [peer(""), peer("")];
    for (let i = 0; i < 5; i++) distributor.send(Buffer.from(`${i}`));
    peers[0].pipe.trySend(Buffer.from("welcome"));
    for (let i = 5; i < 9; i++) distributor.send(Buffer.from(`${i}`));
    turn.end();
    expect(peers[0].link.messages()).toEqual(["0", "1", "2", "3", "4", "welcome", "5", "6", "7", "8"]);
    expect(peers[1].link.messages()).toHaveLength(9);
  });

  it.each(Array.from({ length: 8 }, (_, i) => i + 1))(
    "agrees with a plain model over topics, marks, turns and blocked peers (seed %i) (J2, J3, J4)",
    (seed) => {
      const random = randomFrom(seed);
      const { turn, subscriptions, distributor, peer } = setUp({ mark: MARK });
      const topics = ["", "a", "b", "ab", "b"];
      const peers = Array.from({ length: 5 }, (_, i) => ({
        ...peer(topics[i]),
        topics: new Set([topics[i]]),
        expected: [] as string[],
        /** Messages it holds while blocked. */
        held: 0,
      }));
      for (let step = 0; step < 4000; step++) {
        const what = random(40);
        const one = peers[random(peers.length)];
        if (what === 0) {
          turn.end(); // all is written: what is held from now on is what comes from now on
          one.link.blocked = true;
          one.held = one.pipe.outboundLength;
        } else if (what === 1) {
          one.link.unblock();
          one.held = 0;
        } else if (what < 4) {
          turn.end();
        } else if (what === 4) {
          const topic = topics[random(topics.length)];
          if (random(2) === 0) {
            one.topics.add(topic);
            subscriptions.subscribe(one.pipe, Buffer.from(topic));
          } else if (one.topics.delete(topic)) {
            subscriptions.cancel(one.pipe, Buffer.from(topic));
          }
        } else {
          const body = `${["a", "ab", "b", "c"][random(4)]}${"x".repeat(random(3) === 0 ? random(1500) : 3)}${step}`;
          for (const each of peers) {
            if (![...each.topics].some((topic) => body.startsWith(topic))) continue;
            if (each.link.blocked && each.held >= MARK) continue;
            if (each.link.blocked) each.held++;
            each.expected.push(body);
          }
          distributor.send(Buffer.from(body));
        }
      }
      turn.end();
      for (const { link, expected } of peers) {
        link.unblock();
        expect(link.messages()).toEqual(expected);
      }
    },
  );
});
