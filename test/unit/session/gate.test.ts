/**
 * Who is let in by a gate, with simulated time.
 */
import { describe, expect, it } from "vitest";
import { Gate, type Place } from "../../../src/connect/gate.js";

const OPEN = {
  maxConnections: 0,
  maxHandshakes: 0,
  maxConnectionsPerAddress: 0,
  maxConnectionRate: 0,
  handshakeInterval: 30_000,
};

function gate(limits: Partial<typeof OPEN>) {
  const clock = { ms: 1000 };
  const made = new Gate({ ...OPEN, ...limits }, () => clock.ms);
  /** The place, or the limit's name and the number that exceeds it. */
  const enter = (remote = "tcp://192.0.2.1:1"): Place | string => {
    const place = made.enter(remote);
    return "limit" in place ? `${place.limit} ${place.value}` : place;
  };
  return { made, enter, clock };
}

const LET_IN = expect.objectContaining({ since: expect.any(Number) });

describe("a gate", () => {
  it("lets everybody in without limits", () => {
    const { enter } = gate({});
    for (let i = 0; i < 3000; i++) expect(enter()).toEqual(LET_IN);
  });

  it("maxConnections: one more gets in when one has left", () => {
    const { made, enter } = gate({ maxConnections: 2 });
    const first = enter() as Place;
    made.ready(first);
    expect(enter("ipc:///tmp/a")).toEqual(LET_IN);
    expect(enter()).toBe("maxConnections 3");
    made.leave(first);
    expect(enter()).toEqual(LET_IN);
    expect(enter()).toBe("maxConnections 3");
  });

  it("maxHandshakes: the oldest gives way when it has taken a tenth of its time, and not before", () => {
    const { made, enter, clock } = gate({ maxHandshakes: 2 });
    const slow = enter() as Place;
    const evicted: string[] = [];
    slow.evict = ({ limit, value }) => {
      evicted.push(`${limit} ${value}`);
      made.leave(slow);
    };
    clock.ms += 2000;
    enter();
    expect(enter()).toBe("maxHandshakes 3");
    expect(evicted).toEqual([]);
    clock.ms += 1000;
    expect(enter()).toEqual(LET_IN);
    expect(evicted).toEqual(["maxHandshakes 3"]);
    expect(enter()).toBe("maxHandshakes 3");
  });

  it("maxHandshakes does not count who has done it", () => {
    const { made, enter } = gate({ maxHandshakes: 1 });
    for (let i = 0; i < 10; i++) made.ready(enter() as Place);
  });

  it("maxConnectionsPerAddress: other addresses and ipc get in, a network of 64 bits is one address", () => {
    const { made, enter } = gate({ maxConnectionsPerAddress: 1 });
    const first = enter("tcp://192.0.2.1:1") as Place;
    expect(enter("tcp://192.0.2.1:2")).toBe("maxConnectionsPerAddress 2");
    expect(enter("tcp://192.0.2.2:2")).toEqual(LET_IN);
    expect(enter("tcp://[2001:db8::1]:1")).toEqual(LET_IN);
    expect(enter("tcp://[2001:db8::2:3:4:5]:1")).toBe("maxConnectionsPerAddress 2");
    expect(enter("tcp://[2001:db8:0:1::1]:1")).toEqual(LET_IN);
    expect(enter("ipc:///tmp/a")).toEqual(LET_IN);
    expect(enter("ipc:///tmp/a")).toEqual(LET_IN);
    made.leave(first);
    expect(enter("tcp://192.0.2.1:3")).toEqual(LET_IN);
  });

  it("maxConnectionRate: so many at once, and so many a second", () => {
    const { made, enter, clock } = gate({ maxConnectionRate: 2 });
    made.leave(enter() as Place);
    made.leave(enter() as Place);
    expect(enter()).toBe("maxConnectionRate 3");
    expect(enter("tcp://192.0.2.2:1")).toEqual(LET_IN);
    clock.ms += 500;
    expect(enter()).toEqual(LET_IN);
    expect(enter()).toBe("maxConnectionRate 3");
    clock.ms += 60_000;
    expect([enter(), enter()]).toEqual([LET_IN, LET_IN]);
    expect(enter()).toBe("maxConnectionRate 3");
  });

  it("tells a limit once a second, each by itself", () => {
    const { made, clock } = gate({});
    const connections = { limit: "maxConnections", value: 3 } as const;
    expect([made.tells(connections), made.tells(connections)]).toEqual([true, false]);
    expect(made.tells({ limit: "maxHandshakes", value: 3 })).toBe(true);
    clock.ms += 1000;
    expect(made.tells(connections)).toBe(true);
  });
});
