import { describe, expect, it } from "vitest";
import type { Peer } from "../../../src/base/events.js";
import { SenderMarks } from "../../../src/engine/sender-marks.js";

const peer = (name: string) => ({ routingId: name }) as unknown as Peer;

describe("marks of senders", () => {
  it("are known to the socket that made them, and cannot be seen in the message", () => {
    const [ours, others] = [new SenderMarks(), new SenderMarks()];
    const message = Object.freeze(["a", "b"]);
    const ann = peer("ann");
    ours.set(message, ann);
    expect(ours.of(message)).toBe(ann);
    expect(others.of(message)).toBeUndefined();
    expect(ours.of(["a", "b"])).toBeUndefined();
    expect(Reflect.ownKeys(message)).toEqual(["0", "1", "length"]);
  });

  it("of several sockets on one object are kept apart, and the newest of one socket counts", () => {
    const [first, second] = [new SenderMarks(), new SenderMarks()];
    const message = ["x"];
    const [ann, bob, eve] = [peer("ann"), peer("bob"), peer("eve")];
    first.set(message, ann);
    second.set(message, bob);
    expect([first.of(message), second.of(message)]).toEqual([ann, bob]);
    second.set(message, eve);
    expect(second.of(message)).toBe(eve);
    first.set(message, eve);
    expect(first.of(message)).toBe(eve);
  });
});
