/**
 * One channel in simulated time: credit, the grant rule, heartbeats, silence.
 */
import { describe, expect, it } from "vitest";
import { Channel, type ChannelRules } from "../../../src/rpc/channel.js";

const RULES: ChannelRules = { window: 100, heartbeat: 5000, lostAfter: Infinity };

/** Integers below n, the same for the same seed. */
function numbers(seed: number): (n: number) => number {
  let state = seed * 7919 + 1;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

function channel(rules: Partial<ChannelRules> = {}, now = 0): Channel {
  return new Channel({ ...RULES, ...rules }, now);
}

describe("sending", () => {
  it("a channel starts with a credit of one, and grants add up (T11, T12)", () => {
    const one = channel();
    expect(one.maySend).toBe(true);
    one.spend();
    expect(one.maySend).toBe(false);
    expect([one.grant([2], 0), one.grant([1, "more"], 0), one.grant([0], 0)]).toEqual([true, true, true]);
    for (let i = 0; i < 3; i++) one.spend();
    expect(one.maySend).toBe(false);
  });

  it.each([
    [null],
    [7],
    [[]],
    [["1"]],
    [[-1]],
    [[1.5]],
    [[Number.NaN]],
    [[Infinity]],
    [[10n]],
    [{ 0: 1 }],
    ["9"],
  ])("the grant %o is ignored (T14)", (args) => {
    const one = channel();
    one.spend();
    expect(one.grant(args, 0)).toBe(false);
    expect(one.maySend).toBe(false);
  });

  it("huge grants do not overflow", () => {
    const one = channel();
    for (let i = 0; i < 100; i++) one.grant([Number.MAX_SAFE_INTEGER], 0);
    one.spend();
    expect(one.maySend).toBe(true);
  });
});

describe("receiving", () => {
  it("nothing is granted before the first answer (T15)", () => {
    const one = channel();
    expect([one.wanted(), one.wanted()]).toEqual([0, 0]);
    one.arrived(0);
    one.taken();
    expect(one.wanted()).toBe(100);
    expect(one.wanted()).toBe(0);
  });

  it.each([1, 2, 3, 10, 100, 101])(
    "a window of %i is never exceeded, and at most one grant is unused (T16)",
    (window) => {
      const one = channel({ window });
      const random = numbers(window);
      let credit = 1;
      let queued = 0;
      let taken = 0;
      /** Credit at which each grant begins to be used. */
      const unused: number[] = [];
      for (let round = 0; taken < 3000; round++) {
        const wanted = one.wanted();
        if (wanted > 0) {
          unused.push(wanted);
          credit += wanted;
        }
        expect(credit + queued).toBeLessThanOrEqual(window);
        // Never a stand-still: something is there, or may come.
        expect(credit + queued).toBeGreaterThan(0);
        for (let n = random(window + 2); n > 0 && credit > 0; n--) {
          credit--;
          queued++;
          expect(one.arrived(0)).toBe(true);
        }
        // A grant is used once less credit is left than it brought.
        while (unused.length > 0 && credit < unused.reduce((sum, size) => sum + size, 0)) unused.shift();
        expect(unused.length).toBeLessThanOrEqual(1);
        for (let n = random(window + 2); n > 0 && queued > 0; n--) {
          queued--;
          one.taken();
          taken++;
        }
        expect(round).toBeLessThan(100_000);
      }
    },
  );

  it("more than the window unread is too much", () => {
    const one = channel({ window: 3 });
    expect([1, 2, 3, 4].map(() => one.arrived(0))).toEqual([true, true, true, false]);
  });
});

describe("heartbeats", () => {
  it("one is begun after each interval without any, and not before", () => {
    const one = channel({}, 1000);
    expect([one.tick(5999), one.tick(6000), one.tick(6001), one.tick(11_000)]).toEqual([
      "nothing",
      "heartbeat",
      "nothing",
      "heartbeat",
    ]);
  });

  it("a peer with heartbeats each second is answered each time, and no heartbeat is begun (T19)", () => {
    const one = channel();
    for (let now = 1000; now <= 60_000; now += 1000) {
      expect(one.tick(now - 1)).toBe("nothing");
      expect(one.heartbeat(now)).toBe(true);
    }
  });

  it("the answer to one that was begun is not answered: two such peers come to rest", () => {
    const [client, server] = [channel(), channel({ heartbeat: 0 })];
    for (let now = 5000; now <= 100_000; now += 5000) {
      expect(client.tick(now)).toBe("heartbeat");
      expect(server.heartbeat(now)).toBe(true);
      expect(client.heartbeat(now)).toBe(false);
      expect(server.tick(now)).toBe("nothing");
    }
  });

  it("a Python server of any interval hears from us at least once in each of its own", () => {
    for (const interval of [500, 1000, 4900, 5000, 5100, 12_000]) {
      const one = channel();
      let lastHeard = 0;
      for (let now = 100; now <= 120_000; now += 100) {
        if (now % interval === 0) {
          // Its check: now > last + 2 * interval
          expect(now - lastHeard).toBeLessThanOrEqual(2 * interval);
          if (one.heartbeat(now)) lastHeard = now;
        }
        if (one.tick(now) === "heartbeat") lastHeard = now;
      }
    }
  });

  it("a channel is lost after lostAfter of silence, counted from the last event (T20)", () => {
    const one = channel({ heartbeat: 1000, lostAfter: 3000 });
    expect(one.tick(2999)).not.toBe("lost");
    one.touched(2999);
    one.heartbeat(4000);
    one.grant([1], 5000);
    one.arrived(6000);
    expect([one.tick(8999), one.tick(9000)]).toEqual(["heartbeat", "lost"]);
  });

  it("a peer that has sent heartbeats is suspect after three intervals of silence", () => {
    const one = channel();
    expect(one.suspect(1_000_000)).toBe(false);
    one.heartbeat(1000);
    expect(one.peerInterval).toBe(1000);
    expect([one.suspect(15_999), one.suspect(16_000)]).toEqual([false, true]);
    one.heartbeat(21_000);
    expect(one.peerInterval).toBe(20_000);
    expect([one.suspect(80_999), one.suspect(81_000)]).toEqual([false, true]);
  });
});
