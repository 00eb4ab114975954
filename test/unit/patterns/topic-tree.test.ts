/**
 * What changes of the topic tree cost, and what it keeps: proven by its own count of nodes visited and bytes copied, and
 * by looking at every node.
 */
import { describe, expect, it } from "vitest";
import { type TopicNode, TopicTree } from "../../../src/patterns/topics/topic-tree.js";
import { randomFrom } from "../../support/random.js";

class Topics extends TopicTree<true> {
  add(topic: Uint8Array): void {
    this.insert(topic).holders = true;
  }

  remove(topic: Uint8Array): boolean {
    const node = this.find(topic);
    if (node === undefined || node.holders === null) return false;
    node.holders = null;
    this.release(node);
    return true;
  }

  get topics(): string[] {
    return this.nodes.filter(({ holders }) => holders).map((node) => this.topicOf(node).toString("latin1"));
  }

  get nodes(): TopicNode<true, never>[] {
    const found = [this.root];
    for (const { sparse, dense } of found) {
      for (const child of sparse?.values() ?? dense ?? []) if (child !== undefined) found.push(child);
    }
    return found;
  }
}

/** What a piece of work costs. */
function costOf(tree: Topics, work: () => void): number {
  const before = tree.work;
  work();
  return tree.work - before;
}

describe("the cost of a change", () => {
  it("a short topic comes and goes at its own cost, however long a topic it is the beginning of", () => {
    const costs = [10_000, 1_000_000].map((length) => {
      const tree = new Topics();
      tree.add(Buffer.alloc(length, "a"));
      return costOf(tree, () => {
        for (let i = 0; i < 100; i++) {
          tree.add(Buffer.from("a"));
          tree.remove(Buffer.from("a"));
        }
      });
    });
    expect(costs[1]).toBe(costs[0]);
    expect(costs[0]).toBeLessThan(1000);
  });

  it("a topic comes and goes at its own cost, however many others there are", () => {
    const costs = [1000, 100_000].map((others) => {
      const tree = new Topics();
      for (let i = 0; i < others; i++) tree.add(Buffer.from(`topic ${i}.`));
      return costOf(tree, () => {
        for (let i = 0; i < 100; i++) {
          tree.add(Buffer.from(`topic ${i}!`));
          tree.remove(Buffer.from(`topic ${i}!`));
        }
      });
    });
    expect(costs[1] / costs[0]).toBeLessThan(1.5);
  });

  it("topics each the beginning of the next cost no more than their bytes, from either end", () => {
    const topic = Buffer.alloc(2000, "a");
    for (const [first, step] of [
      [1, 1],
      [2000, -1],
    ]) {
      const tree = new Topics();
      const each = (act: (part: Buffer) => void) => {
        for (let i = 0; i < 2000; i++) act(topic.subarray(0, first + i * step));
      };
      const bytes = (2000 * 2001) / 2;
      expect(costOf(tree, () => each((part) => tree.add(part)))).toBeLessThan(3 * bytes);
      expect(costOf(tree, () => each((part) => tree.remove(part)))).toBeLessThan(4 * bytes);
      expect(tree.nodes).toHaveLength(1);
    }
  });
});

describe("what is kept", () => {
  it("is the text of topics that are held, and nothing else, over random additions and removals", () => {
    const random = randomFrom(7);
    const tree = new Topics();
    const model = new Set<string>();
    for (let step = 0; step < 6000; step++) {
      const topic = Array.from({ length: random(7) }, () => "abc"[random(3)]).join("");
      if (random(2) === 0) {
        tree.add(Buffer.from(topic));
        model.add(topic);
      } else {
        expect(tree.remove(Buffer.from(topic))).toBe(model.delete(topic));
      }
      if (step % 100 > 0) continue;
      expect(tree.topics.sort()).toEqual([...model].sort());
      const wrong = tree.nodes.filter(
        ({ parent, text, end, owner, holders, children }) =>
          parent !== null &&
          ((holders === null && children < 2) || // no need for it
            !text.startsWith(parent.text.slice(0, parent.end)) ||
            owner.holders === null || // the text of one that is gone
            owner.text !== text ||
            (children === 0 && text.length !== end)),
      );
      expect(wrong).toEqual([]);
    }
  });
});
