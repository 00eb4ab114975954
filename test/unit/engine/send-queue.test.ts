/** The FIFO of waiting sends, on simulated time. */
import { describe, expect, it } from "vitest";
import { ZmqError } from "../../../src/base/errors.js";
import type { OutMessage } from "../../../src/base/message.js";
import { SendQueue } from "../../../src/engine/send-queue.js";
import { ManualTurns } from "../../support/manual-turns.js";

function rig(limits = { sendTimeout: -1, sendQueueLimit: 100_000, conflate: false }) {
  const turns = new ManualTurns();
  const sent: string[] = [];
  const state = { room: 0 };
  const queue = new SendQueue(
    {
      send: (message: OutMessage) => {
        if (state.room === 0) return false;
        state.room--;
        sent.push(String(message));
        return true;
      },
    },
    limits,
    turns,
  );
  const send = (text: string, options?: { timeout?: number; signal?: AbortSignal }): Promise<string> =>
    queue.send(Buffer.from(text), options).then(
      () => "sent",
      (error: { code?: string; message: string }) => error.code ?? error.message,
    );
  return { turns, sent, state, queue, send };
}

describe("SendQueue", () => {
  it("keeps the order of calls, however they come by room", async () => {
    const { sent, state, queue, send } = rig();
    state.room = 2;
    const results = Array.from({ length: 10 }, (_, i) => send(String(i)));
    expect(sent).toEqual(["0", "1"]);
    state.room = 3;
    queue.drain();
    state.room = 100;
    queue.drain();
    expect(sent).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    expect(await Promise.all(results)).toEqual(Array(10).fill("sent"));
    expect(queue.length).toBe(0);
  });

  it("trySend never overtakes a waiting send", () => {
    const { state, queue, send } = rig();
    void send("waiting");
    state.room = 5;
    expect(queue.trySend(Buffer.from("late"))).toBe(false);
    queue.drain();
    expect(queue.trySend(Buffer.from("now"))).toBe(true);
  });

  it("waits for ever, not at all, or until the time is over (G13)", async () => {
    const { turns, sent, state, queue, send } = rig();
    const forever = send("forever");
    const timed = send("timed", { timeout: 50 });
    expect(await send("at once", { timeout: 0 })).toBe("EAGAIN");
    turns.advance(49);
    expect(queue.length).toBe(2);
    turns.advance(1);
    expect(await timed).toBe("EAGAIN");
    turns.advance(1e9);
    state.room = 5;
    queue.drain();
    expect(await forever).toBe("sent");
    expect(sent).toEqual(["forever"]);
  });

  it("an aborted send is absent and the rest intact", async () => {
    const { turns, sent, state, queue, send } = rig();
    const abort = new AbortController();
    const results = ["a", "b", "c"].map((text) => send(text, text === "b" ? { signal: abort.signal } : {}));
    abort.abort(new Error("changed my mind"));
    state.room = 5;
    queue.drain();
    expect(await Promise.all(results)).toEqual(["sent", "changed my mind", "sent"]);
    expect(sent).toEqual(["a", "c"]);
    expect(turns.pending).toBe(0);
    expect(await send("d", { signal: abort.signal })).toBe("changed my mind");
  });

  it("is bounded: a send too many rejects with EAGAIN", async () => {
    const { send, queue } = rig({ sendTimeout: -1, sendQueueLimit: 3, conflate: false });
    const waiting = ["a", "b", "c"].map((text) => send(text));
    expect(await send("d")).toBe("EAGAIN");
    queue.close(new ZmqError("EBADF"));
    expect(await Promise.all(waiting)).toEqual(["EBADF", "EBADF", "EBADF"]);
  });

  it("ten thousand cancelled sends behind a blocked one leave nothing behind", async () => {
    const { turns, queue, send, state, sent } = rig();
    const head = send("head");
    const cancelled = Array.from({ length: 10_000 }, (_, i) => send(String(i), { timeout: 10 }));
    turns.advance(10);
    expect(new Set(await Promise.all(cancelled))).toEqual(new Set(["EAGAIN"]));
    expect(queue.length).toBe(1);
    state.room = 1;
    queue.drain();
    expect(await head).toBe("sent");
    expect(sent).toEqual(["head"]);
  });

  it("an error of the attempt rejects that send alone", async () => {
    const turns = new ManualTurns();
    let room = false;
    const queue = new SendQueue(
      {
        send: (message) => {
          if (String(message) === "bad" && room) throw new ZmqError("EFSM");
          return room;
        },
      },
      { sendTimeout: -1, sendQueueLimit: 10, conflate: false },
      turns,
    );
    const results = ["good", "bad", "also good"].map((text) =>
      queue.send(Buffer.from(text), undefined).then(
        () => "sent",
        (error) => error.code,
      ),
    );
    room = true;
    queue.drain();
    expect(await Promise.all(results)).toEqual(["sent", "EFSM", "sent"]);
  });

  it("settles on a later turn once in 512 sends that found room", async () => {
    const { turns, state, queue } = rig();
    state.room = 2000;
    let settled = 0;
    for (let i = 0; i < 512; i++) void queue.send(Buffer.from("x"), undefined).then(() => settled++);
    await Promise.resolve().then(() => {});
    expect(settled).toBe(511);
    turns.turn();
    await Promise.resolve().then(() => {});
    expect(settled).toBe(512);
  });

  it("settles on a later turn after 4 MiB of large messages that found room", async () => {
    const { turns, state, queue } = rig();
    state.room = 2000;
    let settled = 0;
    const send = () =>
      void queue.send([Buffer.alloc(1), Buffer.alloc(1024 * 1024)], undefined).then(() => settled++);
    for (let i = 0; i < 4; i++) send();
    await Promise.resolve().then(() => {});
    expect(settled).toBe(3);
    turns.turn();
    await Promise.resolve().then(() => {});
    expect(settled).toBe(4);
  });
});

describe("a SendQueue that waits for a late event loop", () => {
  function late(limits = { sendTimeout: -1, sendQueueLimit: 100_000, conflate: false }, mayMiss = true) {
    const all = rig(limits);
    all.state.room = 10_000;
    all.queue.waitForLate(() => mayMiss);
    all.turns.isLate = true;
    return all;
  }

  it("holds what is sent, in order, until the loop has caught up", async () => {
    const { turns, sent, queue, send } = late();
    const results = [send("1"), send("2"), send("3")];
    queue.drain();
    expect(sent).toEqual([]);
    expect(queue.blocked).toBe(false);
    expect(queue.sendStraight(Buffer.from("no"))).toBe(false);
    turns.catchUp();
    expect(sent).toEqual(["1", "2", "3"]);
    expect(await Promise.all(results)).toEqual(["sent", "sent", "sent"]);
    void send("4");
    expect(sent).toEqual(["1", "2", "3", "4"]);
  });

  it("holds nothing where nobody can have dialled", () => {
    const { sent, send } = late(undefined, false);
    void send("1");
    expect(sent).toEqual(["1"]);
  });

  it("trySend, close and a send that may not wait send what is held before them", () => {
    for (const end of ["trySend", "close", "timeout 0"]) {
      const { sent, queue, send } = late();
      void send("held");
      if (end === "trySend") expect(queue.trySend(Buffer.from("next"))).toBe(true);
      else if (end === "close") queue.close(new ZmqError("EBADF"));
      else void send("next", { timeout: 0 });
      expect(sent).toEqual(end === "close" ? ["held"] : ["held", "next"]);
    }
  });

  it("holds a turn's worth of messages, or of bytes, and no more than may wait", () => {
    for (const [limit, size] of [
      [100_000, 1],
      [100_000, 1 << 20],
      [3, 1],
      [0, 1],
    ]) {
      const { turns, state, queue } = late({ sendTimeout: -1, sendQueueLimit: limit, conflate: false });
      const results: Promise<void>[] = [];
      const body = Buffer.alloc(size);
      for (let i = 0; i < 1000; i++) results.push(queue.send(body, undefined));
      expect(state.room).toBe(9000);
      turns.catchUp();
      expect(queue.length).toBe(0);
    }
  });

  it("a timeout sends what is held; only what then finds no room fails", async () => {
    const { turns, state, sent, send } = late();
    state.room = 1;
    const results = [send("1", { timeout: 20 }), send("2", { timeout: 20 })];
    turns.advance(20);
    expect(sent).toEqual(["1"]);
    expect(await Promise.all(results)).toEqual(["sent", "EAGAIN"]);
  });

  it("an abort takes back what is held", async () => {
    const { turns, sent, send } = late();
    const controller = new AbortController();
    const results = [send("1", { signal: controller.signal }), send("2")];
    controller.abort(new Error("stop"));
    turns.catchUp();
    expect(sent).toEqual(["2"]);
    expect(await Promise.all(results)).toEqual(["stop", "sent"]);
  });
});
