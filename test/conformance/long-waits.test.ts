/** Waits at the edges: longer than a timer can wait, and for answers that never come. */
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Push } from "../../src/index.js";
import { freePort, managed, record, turns } from "../support/helpers.js";
import { replaceLookup } from "../support/lookup.js";

const lookups = { hang: false, asked: 0 };
replaceLookup((real) => (host) => {
  if (!lookups.hang) return real(host, { all: true });
  lookups.asked++;
  return new Promise(() => {});
});

describe("waits of any length", () => {
  it("the longest reconnectInterval is a long wait, and not a dial every millisecond (S1)", async () => {
    const push = managed(new Push({ reconnectInterval: 2 ** 31 - 1 }));
    const events = record(push);
    vi.spyOn(Math, "random").mockReturnValue(0.99);
    onTestFinished(() => void vi.restoreAllMocks());
    push.connect(await freePort());
    expect((await events.next("connect:retry")).interval).toBe(2 ** 31 - 1);
    // A timer that overflows fires after a millisecond; another socket dials ten times meanwhile.
    const other = managed(new Push({ reconnectInterval: 1 }));
    const dials = record(other);
    other.connect(await freePort());
    await dials.next("connect:retry", 10);
    expect(events.of("connect:delay")).toHaveLength(1);
  });

  it("connectTimeout ends a look-up that nobody answers, and the next attempt asks again (R4)", async () => {
    lookups.hang = true;
    onTestFinished(() => {
      lookups.hang = false;
    });
    const push = managed(new Push({ connectTimeout: 30, reconnectInterval: 10 }));
    const events = record(push);
    push.connect("tcp://nobody.invalid:5555");
    expect((await events.next("connect:retry")).error).toMatchObject({ code: "ETIMEDOUT" });
    await events.next("connect:retry", 2);
    expect(lookups.asked).toBe(2);
  });

  it("a socket that is closed does not wait for a look-up", async () => {
    lookups.hang = true;
    onTestFinished(() => {
      lookups.hang = false;
    });
    const push = new Push();
    push.connect("tcp://nobody.invalid:5555");
    await turns(2);
    await push.close({ linger: 0 });
  });
});
