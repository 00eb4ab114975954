/** Which of several addresses is reached, on a simulated event loop (RFC 8305). */
import { describe, expect, it } from "vitest";
import { EventLoop } from "../../src/base/deadline.js";
import { firstConnection, interleaved } from "../../src/transport/staggered.js";
import { ManualLoop } from "../support/manual-loop.js";

type Answer = { readonly afterMs: number; readonly fails?: boolean } | "silent";

/** Attempts that are answered as a table says. */
function setUp(answers: Record<string, Answer>, totalMs = 0, oneByOne = false) {
  const clock = new ManualLoop();
  const begun: [string, number][] = [];
  const calledOff: string[] = [];
  const discarded: string[] = [];
  const abort = new AbortController();
  const attempt = (host: string, signal: AbortSignal) => {
    begun.push([host, clock.now()]);
    return new Promise<string>((resolve, reject) => {
      signal.addEventListener("abort", () => {
        calledOff.push(host);
        reject(signal.reason);
      });
      const answer = answers[host];
      if (answer === "silent") return;
      clock.timer(answer.afterMs, () =>
        answer.fails ? reject(new Error(`${host} refuses`)) : resolve(host),
      );
    });
  };
  let outcome: unknown = "pending";
  const limits = { totalMs, oneByOne };
  firstConnection(new EventLoop(clock), Object.keys(answers), limits, abort.signal, attempt, (late) =>
    discarded.push(late),
  ).then(
    (host) => (outcome = host),
    (error) => (outcome = error),
  );
  const run = async (ms: number): Promise<void> => {
    for (let i = 0; i < ms; i++) {
      clock.run(1);
      for (let j = 0; j < 5; j++) await null;
    }
  };
  return { run, begun, calledOff, discarded, abort, outcome: () => outcome, clock };
}

describe("several addresses", () => {
  it("the next is tried after 250 ms of silence, and the first that answers wins", async () => {
    const { run, begun, calledOff, outcome, clock } = setUp({ a: "silent", b: "silent", c: { afterMs: 10 } });
    await run(520);
    expect(outcome()).toBe("c");
    expect(begun.map(([host]) => host)).toEqual(["a", "b", "c"]);
    for (const [i, [, at]] of begun.entries()) expect(at).toBeGreaterThanOrEqual(i * 250);
    expect(calledOff).toEqual(["a", "b"]);
    expect(clock.timers).toBe(0);
  });

  it("the next is tried at once after a failure", async () => {
    const { run, begun, outcome } = setUp({ a: { afterMs: 5, fails: true }, b: { afterMs: 5 } });
    await run(20);
    expect(outcome()).toBe("b");
    expect(begun[1][1]).toBeLessThan(20);
  });

  it("an earlier one that is slow may still win", async () => {
    const { run, calledOff, outcome } = setUp({ a: { afterMs: 300 }, b: { afterMs: 500 } });
    await run(320);
    expect(outcome()).toBe("a");
    expect(calledOff).toEqual(["b"]);
  });

  it("all failing gives the last failure", async () => {
    const { run, outcome } = setUp({ a: { afterMs: 400, fails: true }, b: { afterMs: 1, fails: true } });
    await run(420);
    expect(outcome()).toMatchObject({ message: "a refuses" });
  });

  it("everyone has a turn within a short time limit", async () => {
    const { run, begun } = setUp({ a: "silent", b: "silent", c: "silent" }, 120);
    await run(120);
    expect(begun).toHaveLength(3);
  });

  it("one of several is given up after a while, one alone is left to the system", async () => {
    const several = setUp({ a: "silent", b: "silent" });
    await several.run(21_000);
    expect(several.outcome()).toMatchObject({ code: "ETIMEDOUT" });
    const alone = setUp({ a: "silent" });
    await alone.run(21_000);
    expect(alone.outcome()).toBe("pending");
  });

  it("one by one, no two attempts run at a time", async () => {
    const { run, begun, calledOff, outcome } = setUp({ a: "silent", b: { afterMs: 10 } }, 300, true);
    await run(90);
    expect(begun).toHaveLength(1);
    await run(40);
    expect(calledOff).toEqual(["a"]);
    expect(outcome()).toBe("b");
  });

  it("the signal ends all of them with its reason", async () => {
    const { run, abort, calledOff, outcome, clock } = setUp({ a: "silent", b: "silent" });
    await run(300);
    abort.abort(new Error("enough"));
    await run(5);
    expect(outcome()).toMatchObject({ message: "enough" });
    expect(calledOff).toEqual(["a", "b"]);
    expect(clock.timers).toBe(0);
  });
});

it("families take turns, beginning with that of the first address (RFC 8305, section 4)", () => {
  expect(interleaved(["::1", "::2", "::3", "1.1.1.1", "2.2.2.2"])).toEqual([
    "::1",
    "1.1.1.1",
    "::2",
    "2.2.2.2",
    "::3",
  ]);
  expect(interleaved(["1.1.1.1", "2.2.2.2", "3.3.3.3"])).toEqual(["1.1.1.1", "2.2.2.2", "3.3.3.3"]);
});
