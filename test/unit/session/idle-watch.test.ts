/** How long a connection may be of no use, on a simulated event loop. */
import { expect, it } from "vitest";
import { Agenda } from "../../../src/base/agenda.js";
import { EventLoop } from "../../../src/base/deadline.js";
import { IdleWatch } from "../../../src/session/idle-watch.js";
import { ManualLoop } from "../../support/manual-loop.js";

const LIMIT = 1000;

function setUp() {
  const clock = new ManualLoop();
  const agenda = new Agenda(new EventLoop(clock));
  let idledAt: number | null = null;
  const owner = {
    held: false,
    idled: () => {
      idledAt = clock.now();
    },
  };
  const watch = new IdleWatch(owner, LIMIT, agenda);
  return { clock, agenda, owner, watch, idledAt: () => idledAt };
}

it("a connection that is not used goes after its time, and not before", () => {
  const { clock, agenda, idledAt } = setUp();
  clock.run(LIMIT);
  expect(idledAt()).toBeNull();
  clock.run(LIMIT / 2 + 20);
  expect(idledAt()).toBeGreaterThanOrEqual(LIMIT);
  expect(agenda.size).toBe(0);
});

it("each use begins the time anew", () => {
  const { clock, watch, idledAt } = setUp();
  for (let i = 0; i < 10; i++) {
    clock.run(LIMIT - 10);
    watch.used = true;
  }
  expect(idledAt()).toBeNull();
  const last = clock.now();
  clock.run(2 * LIMIT);
  expect((idledAt() as unknown as number) - last).toBeGreaterThanOrEqual(LIMIT);
});

it("time in which the connection is held up does not count", () => {
  const { clock, owner, idledAt } = setUp();
  owner.held = true;
  clock.run(10 * LIMIT);
  expect(idledAt()).toBeNull();
  owner.held = false;
  clock.run(2 * LIMIT);
  expect(idledAt()).not.toBeNull();
});

it("a watch that was stopped does nothing", () => {
  const { clock, agenda, watch, idledAt } = setUp();
  watch.stop();
  clock.run(5 * LIMIT);
  expect(idledAt()).toBeNull();
  expect(agenda.size).toBe(0);
});
