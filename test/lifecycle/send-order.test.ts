/**
 * The promise of the send queue: ten thousand concurrent sends, none awaited, arrive in call order; those that were
 * aborted or timed out are absent and the rest intact.
 */
import { describe, expect, it } from "vitest";
import { Pull, Push } from "../../src/index.js";
import { managed, TRANSPORTS, texts, turns } from "../support/helpers.js";

const COUNT = 10_000;

describe.each(TRANSPORTS)("concurrent sends over $name", ({ endpoint }) => {
  it("10,000 sends at once, none awaited, arrive in call order", async () => {
    const pull = managed(new Pull());
    const push = managed(new Push());
    push.connect(await pull.bind(endpoint()));
    await push.connected({ timeout: 20_000 });
    const sends: Promise<void>[] = [];
    for (let i = 0; i < COUNT; i++) sends.push(push.send([`${i}`, "", Buffer.alloc(i % 300, i)]));
    for (let i = 0; i < COUNT; i++) {
      const parts = await pull.receive({ timeout: 10_000 });
      const right =
        parts.length === 3 && parts[0].toString() === `${i}` && parts[2].equals(Buffer.alloc(i % 300, i));
      if (!right) expect.fail(`message ${i} came as ${texts(parts).join("|")}`);
    }
    await Promise.all(sends);
    expect(pull.tryReceive()).toBeUndefined();
  });

  it("10,000 sends that wait for a peer: aborted and timed-out ones are absent, the rest arrive in order", async () => {
    const push = managed(new Push());
    const actual = await push.bind(endpoint());
    const aborter = new AbortController();
    const early = AbortSignal.abort(new Error("aborted before"));
    const sends: Promise<number | string>[] = [];
    for (let i = 0; i < COUNT; i++) {
      // Of every ten: one aborted before, one aborted later, one that times out soon, one that could but need not.
      const options = [{ signal: early }, { signal: aborter.signal }, { timeout: 30 }, { timeout: 60_000 }][
        i % 10
      ];
      const outcome = push.send([`${i}`, "tail"], options).then(
        () => i,
        (error) => error.code ?? error.message,
      );
      sends.push(outcome);
    }
    expect(push.stats.sendQueue).toBe(COUNT * 0.9);
    await turns(2);
    aborter.abort(new Error("aborted later"));
    expect(await Promise.all([sends[0], sends[1], sends[2]])).toEqual([
      "aborted before",
      "aborted later",
      "EAGAIN",
    ]);
    await Promise.all(sends.filter((_, i) => i % 10 < 3));
    expect(push.stats.sendQueue).toBe(COUNT * 0.7);
    const pull = managed(new Pull());
    pull.connect(actual);
    for (let i = 0; i < COUNT; i++) {
      if (i % 10 < 3) continue;
      const parts = texts(await pull.receive({ timeout: 10_000 }));
      if (parts[0] !== `${i}` || parts[1] !== "tail") expect.fail(`message ${i} came as ${parts}`);
    }
    expect(pull.tryReceive()).toBeUndefined();
    const outcomes = await Promise.all(sends);
    for (let i = 0; i < COUNT; i++) {
      const expected = ["aborted before", "aborted later", "EAGAIN"][i % 10] ?? i;
      if (outcomes[i] !== expected) expect.fail(`send ${i} ended with ${outcomes[i]}`);
    }
  });

  it("a full send queue rejects with EAGAIN and keeps what it holds", async () => {
    const push = managed(new Push({ sendQueueLimit: 100 } as object));
    const actual = await push.bind(endpoint());
    const sends = Array.from({ length: 150 }, (_, i) =>
      push.send(`${i}`).then(
        () => "sent",
        (error) => error.code,
      ),
    );
    expect(await Promise.all(sends.slice(100))).toEqual(Array(50).fill("EAGAIN"));
    const pull = managed(new Pull());
    pull.connect(actual);
    for (let i = 0; i < 100; i++) expect(texts(await pull.receive({ timeout: 20_000 }))).toEqual([`${i}`]);
    expect(await Promise.all(sends.slice(0, 100))).toEqual(Array(100).fill("sent"));
  });
});
