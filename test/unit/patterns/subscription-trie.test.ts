/** The subscription tree against a plain list of prefixes. */
import assert from "node:assert/strict";
import { describe, expect, it } from "vitest";
import { Subscriber, SubscriptionTrie } from "../../../src/patterns/topics/subscription-trie.js";
import { fractionsFrom } from "../../support/random.js";

describe("SubscriptionTrie", () => {
  it.each([
    ["close together", [0, 1, 2], 6],
    ["far apart", [0, 7, 40, 97, 130, 200, 255], 3],
    ["of every kind", Array.from({ length: 40 }, (_, i) => (i * 37) % 256), 2],
  ])(
    "agrees with a list of prefixes over random additions and removals, octets %s (J2, J3)",
    (_, octets, most) => {
      const next = fractionsFrom(42);
      const word = (): Buffer =>
        Buffer.from(
          Array.from({ length: Math.floor(next() * most) }, () => octets[Math.floor(next() * octets.length)]),
        );
      const trie = new SubscriptionTrie<number>();
      const subscribers = [0, 1, 2, 3].map((value) => new Subscriber(value));
      // The model: who holds a topic, by the topic. What matches a subject is looked up by each of its beginnings.
      const held = new Map<string, Set<number>>();
      const hex = (octets: Buffer): string => octets.toString("hex");
      for (let i = 0; i < 8000; i++) {
        const topic = word();
        const value = Math.floor(next() * 4);
        let holders = held.get(hex(topic));
        if (holders === undefined) held.set(hex(topic), (holders = new Set()));
        const before = holders.size;
        if (next() < 0.5) {
          const expected = holders.has(value) ? 0 : before + 1;
          assert.equal(trie.add(topic, subscribers[value]), expected);
          holders.add(value);
        } else {
          const expected = holders.delete(value) ? before - 1 : -1;
          assert.equal(trie.remove(topic, subscribers[value]), expected);
        }
        const subject = word();
        const expected = new Set<number>();
        for (let length = 0; length <= subject.length; length++) {
          for (const one of held.get(hex(subject.subarray(0, length))) ?? []) expected.add(one);
        }
        const answer = trie.match(subject);
        assert.deepEqual(new Set(answer), expected);
        assert.equal(answer.length, expected.size); // each once
        assert.deepEqual(trie.match(subject), answer); // and again, from what was kept
        assert.equal(trie.matches(subject), expected.size > 0);
      }
    },
  );

  it("takes 100,000 topics and topics of a megabyte without recursion (J26)", () => {
    const trie = new SubscriptionTrie<number>();
    for (let i = 0; i < 100_000; i++) trie.add(Buffer.from(`topic-${i}-`), new Subscriber(i));
    const long = Buffer.alloc(1024 * 1024, 97);
    const one = new Subscriber(-1);
    trie.add(long, one);
    expect(trie.match(Buffer.from("topic-77777-x"))).toEqual([77777]);
    expect(trie.matches(long)).toBe(true);
    expect(trie.matches(long.subarray(1))).toBe(false);
    expect(trie.remove(long, one)).toBe(0);
    expect(trie.matches(long)).toBe(false);
  });

  it("CVE-2021-20236: a chain of 20,000 topics, each the beginning of the next, overflows no stack", () => {
    const DEPTH = 20_000;
    const topic = Buffer.alloc(DEPTH, 0x74);
    const trie = new SubscriptionTrie<number>();
    const subscribers = Array.from({ length: DEPTH + 1 }, (_, length) => new Subscriber(length));
    // The longest first: each one after it splits the first edge.
    for (let length = DEPTH; length > 0; length--) trie.add(topic.subarray(0, length), subscribers[length]);
    expect(trie.match(topic)).toHaveLength(DEPTH);
    expect(trie.remove(topic, subscribers[DEPTH])).toBe(0);
    expect(trie.remove(topic, subscribers[DEPTH])).toBe(-1);
    // From the root on, so that each removal joins a node with a chain below it.
    for (let length = 1; length < DEPTH; length++)
      trie.remove(topic.subarray(0, length), subscribers[length]);
    expect(trie.matches(topic)).toBe(false);
  });
});
