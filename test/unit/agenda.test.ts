/** Many waits, one timer, on a simulated event loop. */
import { describe, expect, it } from "vitest";
import { Agenda, type Appointment } from "../../src/base/agenda.js";
import { EventLoop } from "../../src/base/deadline.js";
import { ManualLoop } from "../support/manual-loop.js";

function setUp() {
  const clock = new ManualLoop();
  return { clock, agenda: new Agenda(new EventLoop(clock)) };
}

function waiter(due: (one: Appointment) => void): Appointment {
  const one: Appointment = { at: 0, place: -1, due: () => due(one) };
  return one;
}

describe("an agenda", () => {
  it("attends to each in its time, whatever the order in which they came and left", () => {
    const { clock, agenda } = setUp();
    const due: number[] = [];
    const all = Array.from({ length: 500 }, (_, i) => waiter((one) => due.push(one.at) && i));
    for (const [i, one] of all.entries()) agenda.after(1 + ((i * 7919) % 997), one);
    for (let i = 0; i < 500; i += 3) agenda.cancel(all[i]);
    for (let i = 1; i < 500; i += 3) agenda.after(1 + ((i * 104729) % 499), all[i]);
    clock.run(1100);
    expect(due).toHaveLength(333);
    expect([...due].sort((a, b) => a - b)).toEqual(due);
    expect(agenda.size).toBe(0);
  });

  it("has one timer for ten thousand", () => {
    const { clock, agenda } = setUp();
    for (let i = 0; i < 10_000; i++)
      agenda.after(
        20_000 - i,
        waiter(() => {}),
      );
    expect(clock.timers).toBe(1);
  });

  it("spreads what is due together over turns", () => {
    const { clock, agenda } = setUp();
    let due = 0;
    for (let i = 0; i < 1000; i++)
      agenda.after(
        100,
        waiter(() => due++),
      );
    clock.block(100);
    clock.turn();
    expect(due).toBeGreaterThan(0);
    let most = due;
    while (due < 1000) {
      const before = due;
      clock.run(1);
      most = Math.max(most, due - before);
    }
    expect(most).toBeLessThan(200);
  });

  it("one that came in time is attended to when the loop has read, and not if that has ended its wait", () => {
    const { clock, agenda } = setUp();
    let due = 0;
    const one = waiter(() => due++);
    agenda.after(50, one);
    clock.block(500);
    clock.inbox.push(() => agenda.cancel(one));
    clock.run(50);
    expect(due).toBe(0);
  });
});
