/** The FIFO of waiting receives, on simulated time. */
import { describe, expect, it } from "vitest";
import { ZmqError } from "../../../src/base/errors.js";
import { WaitingReceives } from "../../../src/engine/waiting-receives.js";
import { ManualTurns } from "../../support/manual-turns.js";

function rig() {
  const turns = new ManualTurns();
  const ready: Buffer[][] = [];
  const queue = new WaitingReceives(
    { next: () => ready.shift(), wants: () => true, origin: undefined },
    { receiveTimeout: -1, messagePeers: false },
    turns,
  );
  const arrive = (...texts: string[]): void => {
    for (const text of texts) ready.push([Buffer.from(text)]);
    queue.serve();
  };
  const receive = (options?: { timeout?: number; signal?: AbortSignal }): Promise<string> =>
    queue.receive(options).then(String, (error) => error.code ?? error.message);
  return { turns, ready, queue, arrive, receive };
}

describe("WaitingReceives", () => {
  it("serves waiters in the order of their calls", async () => {
    const { arrive, receive } = rig();
    const waiting = [receive(), receive(), receive()];
    arrive("a");
    arrive("b", "c", "d");
    expect(await Promise.all(waiting)).toEqual(["a", "b", "c"]);
    expect(await receive()).toBe("d");
  });

  it("an aborted or timed-out receive loses no message", async () => {
    const { turns, arrive, receive } = rig();
    const abort = new AbortController();
    const aborted = receive({ signal: abort.signal });
    const timed = receive({ timeout: 5 });
    const patient = receive();
    abort.abort(new Error("no more"));
    turns.advance(5);
    arrive("kept");
    expect(await Promise.all([aborted, timed, patient])).toEqual(["no more", "EAGAIN", "kept"]);
    expect(turns.pending).toBe(0);
  });

  it("a timeout of 0 fails at once when nothing is ready (G13)", async () => {
    const { arrive, receive } = rig();
    expect(await receive({ timeout: 0 })).toBe("EAGAIN");
    arrive("a");
    expect(await receive({ timeout: 0 })).toBe("a");
  });

  it("receiveMany gives what is ready, at least one and at most max", async () => {
    const { arrive, queue } = rig();
    const waiting = queue.receiveMany(10);
    arrive("a", "b", "c");
    expect((await waiting).map(String)).toEqual(["a", "b", "c"]);
    arrive("d", "e", "f");
    expect((await queue.receiveMany(2)).map(String)).toEqual(["d", "e"]);
  });

  it("close rejects receives and ends iteration", async () => {
    const { queue, receive } = rig();
    const received = receive();
    const iterated = queue.iterate().next();
    queue.close(new ZmqError("EBADF"));
    expect(await received).toBe("EBADF");
    expect(await iterated).toEqual({ value: undefined, done: true });
    expect(await queue.iterate().next()).toEqual({ value: undefined, done: true });
    expect(await receive()).toBe("EBADF");
  });

  it("an iteration that is left while it waits takes nothing from those who wait with it", async () => {
    const { turns, arrive, queue, receive } = rig();
    const left = queue.iterate();
    const waits = [receive(), left.next(), left.next(), queue.iterate().next(), receive()];
    expect(await left.return()).toEqual({ value: undefined, done: true });
    expect(queue.waiting).toBe(3);
    arrive("a", "b", "c");
    const done = { value: undefined, done: true };
    expect(await Promise.all(waits)).toEqual([
      "a",
      done,
      done,
      { value: [Buffer.from("b")], done: false },
      "c",
    ]);
    expect(await left.next()).toEqual(done);
    expect(turns.pending).toBe(0);
  });

  it("an iteration that is left before the turn of its 512th message has come gives it back", async () => {
    const { turns, arrive, queue, receive } = rig();
    arrive(...Array.from({ length: 1100 }, (_, i) => `${i}`));
    const iteration = queue.iterate();
    const steps = Array.from({ length: 1030 }, () => iteration.next());
    void iteration.return();
    turns.turn();
    const given = (await Promise.all(steps)).flatMap(({ value }) =>
      value === undefined ? [] : [String(value)],
    );
    expect(given.length).toBe(1028);
    expect([await receive(), await receive(), await receive()]).toEqual(["511", "1023", "1030"]);
  });

  it("a listener gets at most 512 messages per turn, in order, and all of them", () => {
    const { turns, ready, queue } = rig();
    const got: string[] = [];
    queue.listen((message) => got.push(String(message)));
    turns.turn();
    for (let i = 0; i < 1300; i++) ready.push([Buffer.from(String(i))]);
    queue.serve();
    expect(got.length).toBe(512);
    queue.serve();
    expect(got.length).toBe(512);
    turns.turn();
    expect(got.length).toBe(1024);
    turns.turn();
    expect(got).toEqual(Array.from({ length: 1300 }, (_, i) => String(i)));
  });

  it("a listener that throws does not lose the messages behind", () => {
    const { turns, ready, queue } = rig();
    const got: string[] = [];
    queue.listen((message) => {
      got.push(String(message));
      if (got.length === 1) throw new Error("listener");
    });
    turns.turn();
    ready.push([Buffer.from("a")], [Buffer.from("b")]);
    expect(() => queue.serve()).toThrow("listener");
    turns.turn();
    expect(got).toEqual(["a", "b"]);
  });

  it("a listener is not called within itself when what it does makes messages ready", () => {
    const { turns, arrive, queue } = rig();
    const got: string[] = [];
    let calls = 0;
    queue.listen((message) => {
      expect(++calls).toBe(1);
      got.push(String(message));
      if (got.length < 3) arrive(`${message}+`);
      calls--;
    });
    turns.turn();
    arrive("a", "b");
    turns.turn();
    expect(got).toEqual(["a", "b", "a+", "b+"]);
  });

  it("receive is refused while a listener takes the messages", async () => {
    const { queue, receive } = rig();
    queue.listen(() => {});
    expect(await receive()).toBe("EBUSY");
    queue.listen(null);
    expect(await receive({ timeout: 0 })).toBe("EAGAIN");
  });
});
