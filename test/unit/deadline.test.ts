/** Deadlines on a simulated event loop that is busy, or is not. */
import { describe, expect, it } from "vitest";
import { EventLoop, LONGEST_MS, timerMs } from "../../src/base/deadline.js";
import { ManualLoop } from "../support/manual-loop.js";

function setUp() {
  const clock = new ManualLoop();
  return { clock, loop: new EventLoop(clock) };
}

describe("deadlines", () => {
  it("a wait that nothing ends is over in time", () => {
    const { clock, loop } = setUp();
    let due = 0;
    loop.deadline(100, () => due++);
    clock.run(99);
    expect(due).toBe(0);
    clock.run(2);
    expect(due).toBe(1);
    clock.run(500);
    expect(due).toBe(1);
    expect(clock.timers).toBe(0);
  });

  it("an answer that came while the loop was busy ends the wait before the deadline does", () => {
    const { clock, loop } = setUp();
    let due = 0;
    const deadline = loop.deadline(500, () => due++);
    clock.run(20);
    clock.block(1000);
    clock.inbox.push(() => deadline.cancel());
    clock.run(200);
    expect(due).toBe(0);
  });

  it("also one that lies in the kernel when the deadline fires in time", () => {
    const { clock, loop } = setUp();
    let due = 0;
    const deadline = loop.deadline(10, () => due++);
    clock.run(9);
    clock.inbox.push(() => deadline.cancel());
    clock.run(5);
    expect(due).toBe(0);
  });

  it("an answer that follows from what the first poll reads comes in time, too", () => {
    const { clock, loop } = setUp();
    let due = 0;
    const deadline = loop.deadline(500, () => due++);
    clock.block(1000);
    clock.inbox.push(() => clock.inbox.push(() => deadline.cancel()));
    clock.run(200);
    expect(due).toBe(0);
  });

  it("a busy loop does not prolong a wait without end: no answer is no answer", () => {
    const { clock, loop } = setUp();
    let due = 0;
    loop.deadline(500, () => due++);
    clock.block(1000);
    clock.turn();
    expect(due).toBe(0);
    clock.turn();
    expect(due).toBe(1);
  });

  it("a handshake that began while the loop was busy is waited for, one that is silent is not", () => {
    const { clock, loop } = setUp();
    let due = 0;
    const deadline = loop.deadline(500, () => due++);
    clock.block(1000);
    const step = (left: number) => (): void => {
      loop.handshakeMoved();
      if (left > 0) setTimeoutIn(clock, 8, step(left - 1));
      else deadline.cancel();
    };
    clock.inbox.push(step(5));
    clock.run(90);
    expect(due).toBe(0);

    loop.deadline(500, () => due++);
    clock.block(1000);
    clock.inbox.push(() => loop.handshakeMoved());
    clock.run(15);
    expect(due).toBe(0);
    clock.run(15);
    expect(due).toBe(1);
  });

  it("handshakes without end hold up a late deadline for a bounded time", () => {
    const { clock, loop } = setUp();
    let due = 0;
    loop.deadline(500, () => due++);
    clock.block(1000);
    let waited = 0;
    while (due === 0 && waited < 1000) {
      loop.handshakeMoved();
      clock.run(1);
      waited++;
    }
    expect(waited).toBeLessThan(200);
  });

  it("a deadline that was cancelled never comes", () => {
    const { clock, loop } = setUp();
    let due = 0;
    const deadline = loop.deadline(10, () => due++);
    deadline.cancel();
    clock.run(50);
    expect(due).toBe(0);
    expect(clock.timers).toBe(0);
  });

  it("what is longer than a timer can wait is cut, and does not fire at once", () => {
    expect(timerMs(2 ** 31)).toBe(LONGEST_MS);
    expect(timerMs(Number.POSITIVE_INFINITY)).toBe(LONGEST_MS);
    expect(timerMs(-5)).toBe(0);
    expect(timerMs(Number.NaN)).toBe(0);
    const { clock, loop } = setUp();
    let due = 0;
    loop.deadline(2 ** 40, () => due++);
    clock.run(1000);
    expect(due).toBe(0);
  });
});

function setTimeoutIn(clock: ManualLoop, ms: number, run: () => void): void {
  clock.timer(ms, () => clock.inbox.push(run));
}

describe("late", () => {
  it("a loop that stood still is late until it has polled twice, and not again", () => {
    const { clock, loop } = setUp();
    let caughtUp = 0;
    expect(loop.late()).toBe(false);
    clock.block(600);
    expect(loop.late()).toBe(true);
    loop.whenCaughtUp(() => caughtUp++);
    clock.turn();
    expect(loop.late()).toBe(true);
    expect(caughtUp).toBe(0);
    clock.turn();
    expect(loop.late()).toBe(false);
    expect(caughtUp).toBe(1);
    clock.run(500);
    expect(caughtUp).toBe(1);
  });

  it("it catches up for as long as handshakes go on, within a bound", () => {
    const { clock, loop } = setUp();
    let caughtUp = 0;
    clock.block(600);
    expect(loop.late()).toBe(true);
    loop.whenCaughtUp(() => caughtUp++);
    for (let i = 0; i < 50; i++) {
      loop.handshakeMoved();
      clock.run(1);
    }
    expect(caughtUp).toBe(0);
    for (let i = 0; i < 100; i++) {
      loop.handshakeMoved();
      clock.run(1);
    }
    expect(caughtUp).toBe(1);
  });

  it("a loop with nothing to do is never late, however long it rests", () => {
    const { clock, loop } = setUp();
    clock.rest(10_000);
    expect(loop.late()).toBe(false);
    clock.block(49);
    expect(loop.late()).toBe(false);
    clock.rest(10_000);
    clock.block(1);
    expect(loop.late()).toBe(true);
  });

  it("short works of many turns do not add up while it is asked in each", () => {
    const { clock, loop } = setUp();
    for (let i = 0; i < 100; i++) {
      clock.block(40);
      expect(loop.late()).toBe(false);
      clock.turn();
    }
  });

  it("the first few questions of a turn are all answered by the clock, so that work between them is seen", () => {
    const { clock, loop } = setUp();
    for (let asked = 0; asked < 4; asked++) expect(loop.late()).toBe(false);
    clock.block(600);
    expect(loop.late()).toBe(true);
  });

  it("many questions in one turn need few looks at the clock, and the next turn begins anew", () => {
    const clock = new ManualLoop();
    let looks = 0;
    const now = clock.now.bind(clock);
    clock.now = () => {
      looks++;
      return now();
    };
    const loop = new EventLoop(clock);
    for (let i = 0; i < 512; i++) loop.late();
    expect(looks).toBeLessThan(20);
    clock.turn();
    clock.block(600);
    expect(loop.late()).toBe(true);
  });
});
