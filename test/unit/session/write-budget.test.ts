/** How far writing runs ahead of reading: simulated, no clock. */
import { describe, expect, it } from "vitest";
import { WriteBudget } from "../../../src/session/write-budget.js";

/** Writes all that may be written. */
function spend(budget: WriteBudget): number {
  const messages = budget.left;
  budget.wrote(messages);
  return messages;
}

/** A time in which so many messages were read. */
function window(budget: WriteBudget, read: number): void {
  budget.windowBegins();
  if (read > 0) budget.read(read);
  budget.windowEnds();
}

describe("WriteBudget", () => {
  it("lets as many messages follow as were read, and never more than at first", () => {
    const budget = new WriteBudget();
    const first = spend(budget);
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThanOrEqual(256); // a mark of 1000 has room for what is on the way, both ways
    budget.read(25);
    expect(spend(budget)).toBe(25);
    budget.read(100_000);
    expect(spend(budget)).toBe(first);
  });

  it("leaves a peer that never answers alone after a few times of waiting", () => {
    const budget = new WriteBudget();
    let windows = 0;
    while (budget.left !== Number.POSITIVE_INFINITY && windows < 10) {
      spend(budget);
      window(budget, 0);
      windows++;
    }
    expect(windows).toBe(3);
  });

  it("waits for a peer that answers, also when it has not for once", () => {
    const budget = new WriteBudget();
    spend(budget);
    window(budget, 100);
    spend(budget);
    window(budget, 0);
    expect(budget.left).toBeLessThanOrEqual(256);
    spend(budget);
    budget.read(10);
    expect(spend(budget)).toBe(10);
  });

  it("gives twice as much to a peer that answers every second message, so that it never runs dry", () => {
    const budget = new WriteBudget();
    spend(budget);
    window(budget, 0);
    spend(budget);
    budget.read(10);
    expect(spend(budget)).toBe(20);
  });

  it("takes a peer that begins to answer late for one that answers", () => {
    const budget = new WriteBudget();
    for (let i = 0; i < 3; i++) {
      spend(budget);
      window(budget, 0);
    }
    expect(budget.left).toBe(Number.POSITIVE_INFINITY);
    for (let i = 0; i < 100 && budget.left === Number.POSITIVE_INFINITY; i++) {
      budget.read(100);
      budget.wrote(100);
    }
    expect(budget.left).toBeLessThanOrEqual(256);
  });
});
