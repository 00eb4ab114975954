/** How long a message may be under way, on a simulated event loop. */
import { describe, expect, it } from "vitest";
import { Runtime } from "../../../src/base/runtime.js";
import { MessageWatch } from "../../../src/session/message-watch.js";
import { ManualLoop } from "../../support/manual-loop.js";

const LIMIT = 1000;

function setUp() {
  const clock = new ManualLoop();
  const peer = {
    received: 0,
    begun: false,
    throttled: false,
    closed: false,
    overdue: () => {
      peer.closed = true;
    },
  };
  const watch = new MessageWatch(peer, LIMIT, new Runtime(clock));
  /** So many milliseconds, with something done in each hundred of them. */
  const pass = (ms: number, each: () => void = () => {}) => {
    for (let i = 0; i < ms / 100; i++) {
      each();
      clock.run(100);
    }
  };
  return { clock, peer, watch, pass };
}

describe("a watch over messages", () => {
  it("ends one that has begun and stands still, not before its time and soon after it", () => {
    const { peer, pass } = setUp();
    peer.begun = true;
    pass(LIMIT);
    expect(peer.closed).toBe(false);
    pass(LIMIT / 2 + 100);
    expect(peer.closed).toBe(true);
  });

  it("does not mind a connection on which nothing has begun", () => {
    const { peer, pass } = setUp();
    pass(20 * LIMIT);
    expect(peer.closed).toBe(false);
  });

  it("lets a slow line come to its end, and a line in bursts", () => {
    const { peer, pass } = setUp();
    peer.begun = true;
    pass(20 * LIMIT, () => {
      peer.received += 30;
    });
    expect(peer.closed).toBe(false);
    for (let i = 0; i < 10; i++) {
      peer.received += 600;
      pass(LIMIT);
    }
    expect(peer.closed).toBe(false);
  });

  it("ends a trickle", () => {
    const { peer, pass } = setUp();
    peer.begun = true;
    pass(2 * LIMIT, () => peer.received++);
    expect(peer.closed).toBe(true);
  });

  it("gives each message its own time, however small it is", () => {
    const { peer, watch, pass } = setUp();
    peer.begun = true;
    pass(20 * LIMIT, () => {
      watch.anew = true;
    });
    expect(peer.closed).toBe(false);
    pass(2 * LIMIT);
    expect(peer.closed).toBe(true);
  });

  it("does not count time in which we do not read", () => {
    const { peer, pass } = setUp();
    peer.begun = true;
    pass(LIMIT / 2);
    peer.throttled = true;
    pass(10 * LIMIT);
    peer.throttled = false;
    pass(LIMIT);
    expect(peer.closed).toBe(false);
    pass(LIMIT);
    expect(peer.closed).toBe(true);
  });

  it("does not count time in which our loop was busy", () => {
    const { clock, peer, pass } = setUp();
    peer.begun = true;
    pass(LIMIT / 2);
    clock.block(10 * LIMIT);
    pass(LIMIT / 2);
    expect(peer.closed).toBe(false);
    pass(LIMIT);
    expect(peer.closed).toBe(true);
  });

  it("is over with its session", () => {
    const { clock, peer, watch, pass } = setUp();
    peer.begun = true;
    watch.stop();
    pass(3 * LIMIT);
    expect(peer.closed).toBe(false);
    expect(clock.timers).toBe(0);
  });
});
