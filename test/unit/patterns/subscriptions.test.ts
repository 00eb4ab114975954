/** Subscriptions of many peers: what leaving costs a turn, and the limits. Turns of the event loop are simulated. */
import { describe, expect, it } from "vitest";
import type { Pipe } from "../../../src/engine/pipe.js";
import { Subscriptions, type TopicLimits } from "../../../src/patterns/topics/subscriptions.js";

/** Nothing of a pipe is asked for. */
const newPipe = (): Pipe => ({}) as Pipe;

function setUp(limits: Partial<TopicLimits> = {}) {
  const later: (() => void)[] = [];
  const exceeded: [Pipe, string, number][] = [];
  const subscriptions = new Subscriptions(
    { maxTopics: 0, maxTopicsPerPeer: 0, maxTopicLength: 16384, ...limits },
    { defer: (run) => later.push(run) },
    (...event) => exceeded.push(event),
  );
  const join = (...topics: string[]): Pipe => {
    const pipe = newPipe();
    subscriptions.add(pipe);
    for (const topic of topics) subscriptions.subscribe(pipe, Buffer.from(topic));
    return pipe;
  };
  const turn = (): void => {
    for (const run of later.splice(0)) run();
  };
  return { subscriptions, exceeded, join, turn, later };
}

const many = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix} ${i}`);

/** Most topics that may go in one turn. */
const SLICE = 4000;

describe("peers that leave", () => {
  it("are named by no answer at once, and what they held goes a slice a turn, all of them together", () => {
    const { subscriptions, join, turn, later } = setUp();
    const stays = join("every 7", "only 1");
    const leaving = [
      join(...many("every", 20_000)),
      join(...many("mine", 20_000)),
      join(...many("every", 9)),
    ];
    let gone = 0;
    const last: string[] = [];
    const ended = {
      topic: (topic: Buffer, isLast: boolean) => {
        gone++;
        if (!isLast) last.push(topic.toString());
      },
      told: () => {},
    };
    for (const pipe of leaving) subscriptions.clear(pipe, ended);
    expect(subscriptions.subscribers).toBe(1);
    expect(subscriptions.match(Buffer.from("every 7"))).toEqual([stays]);
    expect(subscriptions.match(Buffer.from("every 8"))).toEqual([]);
    expect(subscriptions.match(Buffer.from("mine 19999"))).toEqual([]);
    let turns = 0;
    for (let before = 0; later.length > 0; turns++) {
      expect(gone - before).toBeLessThanOrEqual(SLICE);
      before = gone;
      turn();
    }
    expect(turns).toBeGreaterThan(10);
    expect(gone).toBe(40_009);
    // Those that somebody else still had when they went.
    expect(last).toContain("every 7");
    expect(last.length).toBeLessThanOrEqual(10);
    expect(subscriptions.topics).toBe(2);
    expect(subscriptions.match(Buffer.from("only 1"))).toEqual([stays]);
  });

  it("a few topics go at once", () => {
    const { subscriptions, join } = setUp();
    const pipe = join("a", "b", "ab");
    const ended: string[] = [];
    subscriptions.clear(pipe, { topic: (topic) => ended.push(`${topic}`), told: () => ended.push("told") });
    expect(ended.sort()).toEqual(["a", "ab", "b", "told"]);
    expect(subscriptions.topics).toBe(0);
  });

  it("a pipe with another peer holds what that one asks for, while the rest of the first one's goes", () => {
    const { subscriptions, join, turn, later } = setUp();
    const pipe = join(...many("t", 10_000));
    subscriptions.clear(pipe);
    expect(subscriptions.subscribe(pipe, Buffer.from("t 9999"))).toBe("further"); // nobody was told that it ended
    expect(subscriptions.match(Buffer.from("t 9999"))).toEqual([pipe]);
    expect(subscriptions.match(Buffer.from("t 9998"))).toEqual([]);
    while (later.length > 0) turn();
    expect(subscriptions.topics).toBe(1);
    expect(subscriptions.match(Buffer.from("t 9999"))).toEqual([pipe]);
    expect(subscriptions.cancel(pipe, Buffer.from("t 9999"))).toBe(true);
  });

  it("what is left of a pipe's former peer can be told at once", () => {
    const { subscriptions, join } = setUp();
    const pipe = join(...many("t", 10_000));
    let gone = 0;
    subscriptions.clear(pipe, { topic: () => gone++, told: () => {} });
    expect(gone).toBeLessThanOrEqual(SLICE);
    subscriptions.settle(pipe);
    expect([gone, subscriptions.topics]).toEqual([10_000, 0]);
  });

  it("long topics that lie one within the other are more to remove, and fewer go in one turn", () => {
    const { subscriptions, join, turn, later } = setUp();
    const chain = Array.from({ length: 3000 }, (_, i) => "a".repeat(i + 1));
    const pipe = join(...chain.reverse());
    let gone = 0;
    subscriptions.clear(pipe, { topic: () => gone++, told: () => {} });
    expect(gone).toBeLessThan(100);
    while (later.length > 0) turn();
    expect([gone, subscriptions.topics]).toEqual([3000, 0]);
  });

  it("nothing is told or removed once the socket is closed", () => {
    const { subscriptions, join, turn, later } = setUp();
    const pipe = join(...many("t", 10_000));
    let told = 0;
    subscriptions.clear(pipe, { topic: () => told++, told: () => {} });
    const before = told;
    subscriptions.close();
    while (later.length > 0) turn();
    expect(told).toBe(before);
    expect(subscriptions.subscribe(pipe, Buffer.from("t"))).toBe("known");
  });
});

describe("limits", () => {
  it("maxTopics counts all peers, maxTopicsPerPeer each; each is told once a peer, and what is held stays", () => {
    const { subscriptions, exceeded, join } = setUp({ maxTopics: 5, maxTopicsPerPeer: 3 });
    const [a, b] = [join("1", "2", "3"), join("1")];
    const ask = (pipe: Pipe, topic: string) => subscriptions.subscribe(pipe, Buffer.from(topic));
    expect([ask(a, "4"), ask(a, "5"), ask(a, "3")]).toEqual(["refused", "refused", "known"]);
    expect(exceeded).toEqual([[a, "maxTopicsPerPeer", 4]]);
    expect([ask(b, "2"), ask(b, "3"), ask(b, "4"), ask(b, "1")]).toEqual([
      "further",
      "refused",
      "refused",
      "known",
    ]);
    expect(exceeded.slice(1)).toEqual([[b, "maxTopics", 6]]);
    expect(subscriptions.topics).toBe(3);
    subscriptions.cancel(a, Buffer.from("3"));
    expect(ask(b, "3")).toBe("first");
    subscriptions.remove(a);
    expect(ask(join(), "4")).toBe("first");
  });

  it("a topic counts once more for each 256 bytes", () => {
    const { subscriptions, exceeded, join } = setUp({ maxTopics: 100, maxTopicsPerPeer: 10 });
    const pipe = join("x".repeat(2560 - 257)); // 9
    expect(subscriptions.subscribe(pipe, Buffer.alloc(256))).toBe("refused");
    expect(exceeded).toEqual([[pipe, "maxTopicsPerPeer", 11]]);
    expect(subscriptions.subscribe(pipe, Buffer.alloc(255))).toBe("first");
    subscriptions.cancel(pipe, Buffer.from("x".repeat(2560 - 257)));
    expect(subscriptions.subscribe(pipe, Buffer.alloc(256))).toBe("first");
  });

  it("maxTopicLength is in bytes", () => {
    const { subscriptions, exceeded, join } = setUp({ maxTopicLength: 10 });
    const pipe = join("0123456789");
    expect(subscriptions.subscribe(pipe, Buffer.alloc(11))).toBe("refused");
    expect(exceeded).toEqual([[pipe, "maxTopicLength", 11]]);
    expect(subscriptions.topics).toBe(1);
  });
});
